#pragma once

#include "common/models/Character.h"
#include "common/models/Wallet.h"

namespace companion {

struct NewSession
{
    QString character; // id or slug
    Mode mode = Mode::Normal;
    std::optional<QString> title;

    static constexpr const char *modelName = "NewSession";
    static constexpr auto fields()
    {
        return std::tuple(field("character", &NewSession::character, {.minLength = 1, .maxLength = 64}),
                          field("mode", &NewSession::mode, {.hasDefault = true}),
                          field("title", &NewSession::title, {.minLength = 1, .maxLength = 120}));
    }
};

struct SessionPatch
{
    QString title;

    static constexpr const char *modelName = "SessionPatch";
    static constexpr auto fields()
    {
        return std::tuple(field("title", &SessionPatch::title, {.minLength = 1, .maxLength = 120}));
    }
};

struct ChatSession
{
    SessionId id;
    CharacterId characterId;
    QString characterSlug;
    QString characterName;
    Mode mode = Mode::Normal;
    QString title;
    int personaVersion = 1;
    int messageCount = 0;
    Credits totalCost;
    QDateTime createdAt;
    QDateTime lastMessageAt;

    static constexpr const char *modelName = "ChatSession";
    static constexpr auto fields()
    {
        using S = ChatSession;
        return std::tuple(field("id", &S::id), field("character_id", &S::characterId),
                          field("character_slug", &S::characterSlug),
                          field("character_name", &S::characterName, {.title = "Character"}),
                          field("mode", &S::mode, {.title = "Mode"}), field("title", &S::title, {.title = "Title"}),
                          field("persona_version", &S::personaVersion, {.title = "Version"}),
                          field("message_count", &S::messageCount, {.title = "Messages"}),
                          field("total_cost", &S::totalCost, {.title = "Cost"}),
                          field("created_at", &S::createdAt, {.title = "Started"}),
                          field("last_message_at", &S::lastMessageAt, {.title = "Last message"}));
    }
};

enum class MessageRole { User, Assistant };
template <>
struct EnumNames<MessageRole>
{
    static constexpr std::array values{std::pair{MessageRole::User, "user"},
                                       std::pair{MessageRole::Assistant, "assistant"}};
};

struct Message
{
    MessageId id;
    SessionId sessionId;
    MessageRole role = MessageRole::User;
    Mode mode = Mode::Normal;
    QString content;
    QDateTime createdAt;
    std::optional<Credits> cost; // of a reply
    std::optional<int> tokens; // of a reply: the provider's total
    std::optional<QString> finishReason;

    static constexpr const char *modelName = "Message";
    static constexpr auto fields()
    {
        using M = Message;
        return std::tuple(field("id", &M::id), field("session_id", &M::sessionId), field("role", &M::role),
                          field("mode", &M::mode), field("content", &M::content), field("created_at", &M::createdAt),
                          field("cost", &M::cost), field("tokens", &M::tokens),
                          field("finish_reason", &M::finishReason));
    }
};

struct CompletionRequest
{
    SessionId sessionId;
    QString message;
    std::optional<Mode> mode; // for this turn only
    int maxTokens = 512;
    std::optional<double> temperature;
    bool stream = false;

    static constexpr const char *modelName = "CompletionRequest";
    static constexpr auto fields()
    {
        using R = CompletionRequest;
        return std::tuple(field("session_id", &R::sessionId),
                          field("message", &R::message, {.minLength = 1, .maxBytes = 16384}), field("mode", &R::mode),
                          field("max_tokens", &R::maxTokens, {.minimum = 1, .maximum = 4096, .hasDefault = true}),
                          field("temperature", &R::temperature, {.minimum = 0, .maximum = 2}),
                          field("stream", &R::stream, {.hasDefault = true}));
    }
};

struct Quote
{
    Credits maxCost;
    int affordableMaxTokens = 0;
    bool wouldClamp = false;

    static constexpr const char *modelName = "Quote";
    static constexpr auto fields()
    {
        return std::tuple(field("max_cost", &Quote::maxCost),
                          field("affordable_max_tokens", &Quote::affordableMaxTokens),
                          field("would_clamp", &Quote::wouldClamp));
    }
};

struct Usage
{
    int promptTokens = 0;
    int completionTokens = 0;
    int totalTokens = 0;
    bool operator==(const Usage &) const = default;

    static constexpr const char *modelName = "Usage";
    static constexpr auto fields()
    {
        return std::tuple(field("prompt_tokens", &Usage::promptTokens),
                          field("completion_tokens", &Usage::completionTokens),
                          field("total_tokens", &Usage::totalTokens));
    }
};

struct UsedMemory
{
    MessageId messageId;
    double score = 0;

    static constexpr const char *modelName = "UsedMemory";
    static constexpr auto fields()
    {
        return std::tuple(field("message_id", &UsedMemory::messageId), field("score", &UsedMemory::score));
    }
};

struct HelpLine
{
    QString name;
    QString phone; // may be empty where the service is reached by text or web alone
    QString text;
    QString url;
    QString hours;

    static constexpr const char *modelName = "HelpLine";
    static constexpr auto fields()
    {
        return std::tuple(field("name", &HelpLine::name), field("phone", &HelpLine::phone, {.hasDefault = true}),
                          field("text", &HelpLine::text, {.hasDefault = true}),
                          field("url", &HelpLine::url, {.hasDefault = true}),
                          field("hours", &HelpLine::hours, {.hasDefault = true}));
    }
};

struct Crisis
{
    QString region;
    QList<HelpLine> resources;

    static constexpr const char *modelName = "Crisis";
    static constexpr auto fields()
    {
        return std::tuple(field("region", &Crisis::region), field("resources", &Crisis::resources));
    }
};

struct Latency
{
    int total = 0; // milliseconds, all three
    int model = 0;
    std::optional<int> firstToken;

    static constexpr const char *modelName = "Latency";
    static constexpr auto fields()
    {
        return std::tuple(field("total", &Latency::total), field("model", &Latency::model),
                          field("first_token", &Latency::firstToken));
    }
};

// What we add to the OpenAI answer.
struct CompanionPart
{
    std::optional<SessionId> sessionId; // none on the stateless /v1 door
    MessageId messageId;
    Mode mode = Mode::Normal;
    Charge charge;
    BalanceSummary balance;
    QList<UsedMemory> memories;
    std::optional<int> clampedMaxTokens;
    std::optional<QString> disclosure;
    std::optional<Crisis> crisis;
    std::optional<QStringList> degraded;
    std::optional<bool> rehearsal; // true where the built-in rehearsal model wrote the reply
    Latency latency;

    static constexpr const char *modelName = "Companion";
    static constexpr auto fields()
    {
        using C = CompanionPart;
        return std::tuple(field("session_id", &C::sessionId), field("message_id", &C::messageId),
                          field("mode", &C::mode), field("charge", &C::charge), field("balance", &C::balance),
                          field("memories", &C::memories), field("clamped_max_tokens", &C::clampedMaxTokens),
                          field("disclosure", &C::disclosure), field("crisis", &C::crisis),
                          field("degraded", &C::degraded), field("rehearsal", &C::rehearsal),
                          field("latency_ms", &C::latency));
    }
};

} // namespace companion
