#pragma once

#include "common/describe/Json.h"
#include "common/models/Character.h"

namespace companion {

// One moderation record as operators see it: no text, which is asked for with a reason.
struct ModerationRecord
{
    ModerationEventId id;
    UserId user;
    std::optional<SessionId> session;
    std::optional<MessageId> message;
    QString direction; // input, output
    QString action; // flag, block, crisis
    QString severity; // normal, high
    QString stage; // rules, classifier, remote
    std::optional<double> score;
    QString category;
    QString rule;
    Mode mode = Mode::Normal;
    int spanStart = 0; // in the text, UTF-16 code units
    int spanLength = 0;
    bool hasText = false; // not dropped yet
    QString status; // open, dismissed, actioned, escalated
    std::optional<QString> act;
    std::optional<UserId> actedBy;
    std::optional<QString> actReason;
    QDateTime createdAt;

    static constexpr const char *modelName = "ModerationRecord";
    static constexpr auto fields()
    {
        using R = ModerationRecord;
        return std::tuple(field("id", &R::id), field("user_id", &R::user, {.title = "User"}),
                          field("session_id", &R::session), field("message_id", &R::message),
                          field("direction", &R::direction, {.title = "Direction"}),
                          field("action", &R::action, {.title = "Verdict"}),
                          field("severity", &R::severity, {.title = "Severity"}),
                          field("stage", &R::stage, {.title = "Stage"}), field("score", &R::score, {.title = "Score"}),
                          field("category", &R::category, {.title = "Category"}),
                          field("rule", &R::rule, {.title = "Rule"}), field("mode", &R::mode, {.title = "Mode"}),
                          field("span_start", &R::spanStart), field("span_length", &R::spanLength),
                          field("has_text", &R::hasText), field("status", &R::status, {.title = "Status"}),
                          field("act", &R::act, {.title = "Done"}), field("acted_by", &R::actedBy),
                          field("act_reason", &R::actReason), field("created_at", &R::createdAt, {.title = "Time"}));
    }
};

struct ModerationText
{
    QString text;
    int spanStart = 0;
    int spanLength = 0;

    static constexpr const char *modelName = "ModerationText";
    static constexpr auto fields()
    {
        using T = ModerationText;
        return std::tuple(field("text", &T::text), field("span_start", &T::spanStart),
                          field("span_length", &T::spanLength));
    }
};

struct ModerationAct
{
    QString act;
    QString reason;
    std::optional<QString> message; // to the user, of a warning

    static constexpr const char *modelName = "ModerationAct";
    static constexpr auto fields()
    {
        using A = ModerationAct;
        return std::tuple(field("act", &A::act, {.pattern = "dismiss|warn|suspend|escalate"}),
                          field("reason", &A::reason, {.minLength = 3, .maxLength = 500}),
                          field("message", &A::message, {.minLength = 3, .maxLength = 2000}));
    }
};

struct CrisisCount
{
    QString month; // 2026-11
    QString region; // empty: not known
    QString kind;
    qint64 count = 0;

    static constexpr const char *modelName = "CrisisCount";
    static constexpr auto fields()
    {
        using C = CrisisCount;
        return std::tuple(field("month", &C::month, {.title = "Month"}),
                          field("region", &C::region, {.title = "Country"}), field("kind", &C::kind, {.title = "Kind"}),
                          field("count", &C::count, {.title = "Count"}));
    }
};

struct DisclosureRecord
{
    QString id;
    UserId user;
    std::optional<SessionId> session;
    MessageId message;
    QString reason; // session_start, asked, interval
    std::optional<QString> region;
    QString text;
    QDateTime shownAt;

    static constexpr const char *modelName = "DisclosureRecord";
    static constexpr auto fields()
    {
        using D = DisclosureRecord;
        return std::tuple(field("id", &D::id), field("user_id", &D::user), field("session_id", &D::session),
                          field("message_id", &D::message), field("reason", &D::reason, {.title = "Why"}),
                          field("region", &D::region, {.title = "Country"}), field("text", &D::text, {.title = "Text"}),
                          field("shown_at", &D::shownAt, {.title = "Time"}));
    }
};

struct RuleSummary
{
    QString id;
    QString category;
    QString action;
    QString severity;
    QStringList modes;
    QStringList directions;

    static constexpr const char *modelName = "RuleSummary";
    static constexpr auto fields()
    {
        using R = RuleSummary;
        return std::tuple(field("id", &R::id, {.title = "Rule"}),
                          field("category", &R::category, {.title = "Category"}),
                          field("action", &R::action, {.title = "Verdict"}),
                          field("severity", &R::severity, {.title = "Severity"}), field("modes", &R::modes),
                          field("directions", &R::directions));
    }
};

// Rule files by name, over those of the program; the draft is version 0, the program's own rules have none.
struct RuleSet
{
    int version = 0;
    QString status; // draft, live, retired
    QString note;
    std::optional<UserId> author;
    std::optional<QDateTime> changedAt;
    std::optional<int> rolledBackTo;
    QJsonObject files;
    QList<RuleSummary> rules; // of the whole set, the program's included; empty where it has mistakes
    QStringList mistakes;

    static constexpr const char *modelName = "RuleSet";
    static constexpr auto fields()
    {
        using S = RuleSet;
        return std::tuple(field("version", &S::version), field("status", &S::status), field("note", &S::note),
                          field("author", &S::author), field("changed_at", &S::changedAt),
                          field("rolled_back_to", &S::rolledBackTo), field("files", &S::files),
                          field("rules", &S::rules), field("mistakes", &S::mistakes));
    }
};

struct RuleSetVersion
{
    int version = 0;
    QString note;
    UserId author;
    QDateTime changedAt;
    std::optional<int> rolledBackTo;

    static constexpr const char *modelName = "RuleSetVersion";
    static constexpr auto fields()
    {
        using V = RuleSetVersion;
        return std::tuple(field("version", &V::version), field("note", &V::note), field("author", &V::author),
                          field("changed_at", &V::changedAt), field("rolled_back_to", &V::rolledBackTo));
    }
};

struct RulesOverview
{
    int live = 0; // 0: the program's own
    bool hasDraft = false;
    QString classifier; // its version
    QList<RuleSummary> rules;
    QList<RuleSetVersion> versions; // the newest first

    static constexpr const char *modelName = "RulesOverview";
    static constexpr auto fields()
    {
        using O = RulesOverview;
        return std::tuple(field("live", &O::live), field("has_draft", &O::hasDraft),
                          field("classifier", &O::classifier), field("rules", &O::rules),
                          field("versions", &O::versions));
    }
};

struct RuleDraft
{
    QJsonObject files;
    QString note;

    static constexpr const char *modelName = "RuleDraft";
    static constexpr auto fields()
    {
        return std::tuple(field("files", &RuleDraft::files,
                                {.description =
                                     "Rule files by name (NN-name.json); a program's file of the same name is "
                                     "replaced"}),
                          field("note", &RuleDraft::note, {.maxLength = 500, .hasDefault = true}));
    }
};

struct RuleTestText
{
    QString text;
    QString direction = QStringLiteral("input");
    Mode mode = Mode::Normal;
    QStringList before;

    static constexpr const char *modelName = "RuleTestText";
    static constexpr auto fields()
    {
        using T = RuleTestText;
        return std::tuple(field("text", &T::text, {.maxBytes = 16 * 1024}),
                          field("direction", &T::direction, {.pattern = "input|output", .hasDefault = true}),
                          field("mode", &T::mode, {.hasDefault = true}),
                          field("before", &T::before, {.maxLength = 20, .hasDefault = true}));
    }
};

struct RuleTestOrder
{
    QList<RuleTestText> texts;
    int recentDays = 0; // 0: none

    static constexpr const char *modelName = "RuleTestOrder";
    static constexpr auto fields()
    {
        using O = RuleTestOrder;
        return std::tuple(field("texts", &O::texts, {.maxLength = 1000, .hasDefault = true}),
                          field("recent_days", &O::recentDays, {.minimum = 0, .maximum = 90, .hasDefault = true}));
    }
};

struct RuleVerdict
{
    QString action; // allow, flag, block, crisis
    QString category;
    QString rule;
    int spanStart = 0;
    int spanLength = 0;

    static constexpr const char *modelName = "RuleVerdict";
    static constexpr auto fields()
    {
        using V = RuleVerdict;
        return std::tuple(field("action", &V::action), field("category", &V::category), field("rule", &V::rule),
                          field("span_start", &V::spanStart), field("span_length", &V::spanLength));
    }
};

struct RuleComparison
{
    RuleVerdict live;
    RuleVerdict draft;

    static constexpr const char *modelName = "RuleComparison";
    static constexpr auto fields()
    {
        return std::tuple(field("live", &RuleComparison::live), field("draft", &RuleComparison::draft));
    }
};

// Of the records of late, how the draft would have decided; by the rule that decided then.
struct RuleRecount
{
    QString rule;
    int records = 0;
    int same = 0; // stopped again, by whatever rule
    int freed = 0;

    static constexpr const char *modelName = "RuleRecount";
    static constexpr auto fields()
    {
        using R = RuleRecount;
        return std::tuple(field("rule", &R::rule), field("records", &R::records), field("same", &R::same),
                          field("freed", &R::freed));
    }
};

struct RuleTestResult
{
    QList<RuleComparison> texts; // in the order that they were sent
    int changed = 0; // texts whose action differs
    int corpusTexts = 0; // harmless texts that stand as tests in the rule files
    QStringList corpusStopped; // of those, what the draft stops
    QList<RuleRecount> recent;

    static constexpr const char *modelName = "RuleTestResult";
    static constexpr auto fields()
    {
        using R = RuleTestResult;
        return std::tuple(field("texts", &R::texts), field("changed", &R::changed),
                          field("corpus_texts", &R::corpusTexts), field("corpus_stopped", &R::corpusStopped),
                          field("recent", &R::recent));
    }
};

struct RollbackOrder
{
    int version = 0;
    QString reason;

    static constexpr const char *modelName = "RollbackOrder";
    static constexpr auto fields()
    {
        return std::tuple(field("version", &RollbackOrder::version, {.minimum = 0}),
                          field("reason", &RollbackOrder::reason, {.minLength = 3, .maxLength = 500}));
    }
};

// What the product owes a user to read: an operator's warning, a persona that is going to change.
struct UserNotice
{
    QString id;
    QString kind; // warning, persona_change
    QString text;
    QDateTime createdAt;
    std::optional<QDateTime> seenAt;

    static constexpr const char *modelName = "UserNotice";
    static constexpr auto fields()
    {
        using N = UserNotice;
        return std::tuple(field("id", &N::id), field("kind", &N::kind), field("text", &N::text),
                          field("created_at", &N::createdAt), field("seen_at", &N::seenAt));
    }
};

} // namespace companion
