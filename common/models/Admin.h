#pragma once

#include "common/models/Identity.h"
#include "common/models/Wallet.h"

namespace companion {

// GET /admin/users (search: q, tier, status) and /admin/users/{id}
struct AdminUser
{
    UserId id;
    QString displayName;
    QString email;
    QList<Role> roles;
    Tier tier = Tier::Free;
    std::optional<QDateTime> tierExpiresAt;
    UserStatus status = UserStatus::Active;
    bool ageVerified = false;
    std::optional<QString> region;
    Credits balance; // all buckets, held credit included
    QDateTime createdAt;
    std::optional<QDateTime> lastSeenAt;

    static constexpr const char *modelName = "AdminUser";
    static constexpr auto fields()
    {
        using U = AdminUser;
        return std::tuple(field("id", &U::id), field("display_name", &U::displayName, {.title = "Name"}),
                          field("email", &U::email, {.title = "Email"}), field("roles", &U::roles, {.title = "Roles"}),
                          field("tier", &U::tier, {.title = "Tier"}),
                          field("tier_expires_at", &U::tierExpiresAt, {.title = "Tier until", .nullable = true}),
                          field("status", &U::status, {.title = "Status"}),
                          field("age_verified", &U::ageVerified, {.title = "Age verified"}),
                          field("region", &U::region, {.title = "Region", .nullable = true}),
                          field("balance", &U::balance, {.title = "Balance"}),
                          field("created_at", &U::createdAt, {.title = "Joined"}),
                          field("last_seen_at", &U::lastSeenAt, {.title = "Last seen", .nullable = true}));
    }
};

// POST /admin/users/{id}/tier, /suspend, /restore and the like
struct TierChange
{
    Tier tier = Tier::Free;
    QString reason;

    static constexpr const char *modelName = "TierChange";
    static constexpr auto fields()
    {
        return std::tuple(field("tier", &TierChange::tier),
                          field("reason", &TierChange::reason, {.minLength = 3, .maxLength = 500}));
    }
};

struct Reason
{
    QString reason;

    static constexpr const char *modelName = "Reason";
    static constexpr auto fields()
    {
        return std::tuple(field("reason", &Reason::reason, {.minLength = 3, .maxLength = 500}));
    }
};

// GET /admin/stats?from&to: figures over the range beside the range of the same length before it.
struct Figure
{
    QString current; // decimal text
    QString previous;

    static constexpr const char *modelName = "Figure";
    static constexpr auto fields()
    {
        return std::tuple(field("current", &Figure::current), field("previous", &Figure::previous));
    }
};

struct StatsSummary
{
    QDateTime from;
    QDateTime to;
    Figure dailyActiveUsers; // the mean of the range's days
    Figure weeklyActiveUsers; // in the range's last 7 days
    Figure monthlyActiveUsers; // in the range's last 30 days
    Figure conversionPercent; // of active users, those on a paid tier
    Figure revenueUsd; // cash received
    Figure arpuUsd;
    Figure creditsSpent;
    Figure creditsGranted;
    Figure turns;
    Figure llmCostUsd;
    Figure blockedPercent; // of user messages

    static constexpr const char *modelName = "StatsSummary";
    static constexpr auto fields()
    {
        using S = StatsSummary;
        return std::tuple(field("from", &S::from), field("to", &S::to),
                          field("daily_active_users", &S::dailyActiveUsers, {.title = "Daily active users"}),
                          field("weekly_active_users", &S::weeklyActiveUsers, {.title = "Weekly active users"}),
                          field("monthly_active_users", &S::monthlyActiveUsers, {.title = "Monthly active users"}),
                          field("conversion_percent", &S::conversionPercent, {.title = "Conversion"}),
                          field("revenue_usd", &S::revenueUsd, {.title = "Revenue"}),
                          field("arpu_usd", &S::arpuUsd, {.title = "ARPU"}),
                          field("credits_spent", &S::creditsSpent, {.title = "Credits spent"}),
                          field("credits_granted", &S::creditsGranted, {.title = "Credits granted"}),
                          field("turns", &S::turns, {.title = "Replies"}),
                          field("llm_cost_usd", &S::llmCostUsd, {.title = "LLM cost"}),
                          field("blocked_percent", &S::blockedPercent, {.title = "Blocked messages"}));
    }
};

// GET /admin/stats/revenue?from&to&interval=day: one point per day and product.
struct RevenuePoint
{
    QDateTime day;
    QString product; // tier or package code
    QString amount; // decimal text in `currency`
    QString currency;
    int count = 0;

    static constexpr const char *modelName = "RevenuePoint";
    static constexpr auto fields()
    {
        using P = RevenuePoint;
        return std::tuple(field("day", &P::day, {.title = "Day"}), field("product", &P::product, {.title = "Product"}),
                          field("amount", &P::amount, {.title = "Revenue"}), field("currency", &P::currency),
                          field("count", &P::count, {.title = "Payments"}));
    }
};

// GET /admin/stats/activity?from&to&interval=day
struct ActivityPoint
{
    QDateTime day;
    int activeUsers = 0;
    int newUsers = 0;
    int turns = 0;
    Credits creditsSpent;
    Credits creditsGranted;

    static constexpr const char *modelName = "ActivityPoint";
    static constexpr auto fields()
    {
        using P = ActivityPoint;
        return std::tuple(field("day", &P::day, {.title = "Day"}),
                          field("active_users", &P::activeUsers, {.title = "Active users"}),
                          field("new_users", &P::newUsers, {.title = "New users"}),
                          field("turns", &P::turns, {.title = "Replies"}),
                          field("credits_spent", &P::creditsSpent, {.title = "Credits spent"}),
                          field("credits_granted", &P::creditsGranted, {.title = "Credits granted"}));
    }
};

template <class T>
struct Series
{
    QList<T> items;

    static constexpr const char *modelName = "Series";
    static constexpr auto fields() { return std::tuple(field("items", &Series::items)); }
};

struct SystemComponent
{
    QString name;
    QString status; // ok, degraded, down
    QString detail;

    static constexpr const char *modelName = "SystemComponent";
    static constexpr auto fields()
    {
        using C = SystemComponent;
        return std::tuple(field("name", &C::name, {.title = "Part"}), field("status", &C::status, {.title = "Status"}),
                          field("detail", &C::detail, {.title = "Detail"}));
    }
};

// GET /admin/system
struct SystemInfo
{
    QString version;
    QString environment; // development or production
    QString model; // the LLM's name; "rehearsal" for the built-in one
    bool rehearsal = false;
    QDateTime startedAt;
    QList<SystemComponent> components;

    static constexpr const char *modelName = "SystemInfo";
    static constexpr auto fields()
    {
        using S = SystemInfo;
        return std::tuple(field("version", &S::version), field("environment", &S::environment),
                          field("model", &S::model), field("rehearsal", &S::rehearsal),
                          field("started_at", &S::startedAt), field("components", &S::components));
    }
};

// POST /admin/persona-tests: one turn with a draft or published persona, billed to nobody. Streams as chat does; the
// last chunk's (or the answer's) `persona_test` is a PersonaTestResult.
struct PersonaTestTurn
{
    QString role; // user or assistant
    QString content;

    static constexpr const char *modelName = "PersonaTestTurn";
    static constexpr auto fields()
    {
        return std::tuple(field("role", &PersonaTestTurn::role, {.pattern = "user|assistant"}),
                          field("content", &PersonaTestTurn::content, {.minLength = 1, .maxBytes = 65536}));
    }
};

struct PersonaTestRequest
{
    CharacterId characterId;
    std::optional<int> version; // the draft where missing
    QString mode = QStringLiteral("normal");
    QList<PersonaTestTurn> messages; // oldest first; the last is the user's
    int maxTokens = 512;
    std::optional<double> temperature;
    bool stream = false;

    static constexpr const char *modelName = "PersonaTestRequest";
    static constexpr auto fields()
    {
        using R = PersonaTestRequest;
        return std::tuple(field("character_id", &R::characterId), field("version", &R::version),
                          field("mode", &R::mode, {.pattern = "normal|spicy", .hasDefault = true}),
                          field("messages", &R::messages, {.minLength = 1, .maxLength = 200}),
                          field("max_tokens", &R::maxTokens, {.minimum = 1, .maximum = 4096, .hasDefault = true}),
                          field("temperature", &R::temperature, {.minimum = 0, .maximum = 2}),
                          field("stream", &R::stream, {.hasDefault = true}));
    }
};

struct Verdict
{
    QString direction; // input or output
    QString action; // allow, block, crisis
    QString category;
    QString rule;

    static constexpr const char *modelName = "Verdict";
    static constexpr auto fields()
    {
        using V = Verdict;
        return std::tuple(field("direction", &V::direction), field("action", &V::action),
                          field("category", &V::category, {.hasDefault = true}),
                          field("rule", &V::rule, {.hasDefault = true}));
    }
};

struct PersonaTestResult
{
    QString model;
    QJsonObject prompt; // {"messages":[…]} exactly as it was sent
    int promptTokens = 0;
    int completionTokens = 0;
    int totalTokens = 0;
    Credits price; // what a user without discount would pay
    QString costUsd; // what the provider bills; "0.0000" from the rehearsal model
    int firstToken_ms = 0;
    int total_ms = 0;
    QList<Verdict> verdicts;

    static constexpr const char *modelName = "PersonaTestResult";
    static constexpr auto fields()
    {
        using R = PersonaTestResult;
        return std::tuple(field("model", &R::model), field("prompt", &R::prompt),
                          field("prompt_tokens", &R::promptTokens), field("completion_tokens", &R::completionTokens),
                          field("total_tokens", &R::totalTokens), field("price", &R::price),
                          field("cost_usd", &R::costUsd), field("first_token_ms", &R::firstToken_ms),
                          field("total_ms", &R::total_ms), field("verdicts", &R::verdicts));
    }
};

} // namespace companion
