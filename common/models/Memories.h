#pragma once

#include "common/models/Chat.h"

namespace companion {

// What a memory is: something that was said, or a fact that was learned from it.
enum class MemoryKind { Turn, Fact };
template <>
struct EnumNames<MemoryKind>
{
    static constexpr std::array values{std::pair{MemoryKind::Turn, "turn"}, std::pair{MemoryKind::Fact, "fact"}};
};

struct Memory
{
    MemoryId id; // a turn's is its message's
    MemoryKind kind = MemoryKind::Turn;
    QString text; // a turn's words; a fact as a sentence
    std::optional<MessageRole> speaker;   // of a turn
    std::optional<QString> fact;          // of a fact: its kind, like "job" or "pet"
    std::optional<QString> subject;       // of a fact: "user", or who it is about
    std::optional<QString> value;         // of a fact, in the user's words
    Mode mode = Mode::Normal;             // what was said in spicy mode is recalled in it only
    std::optional<QString> characterSlug; // whom it was said to
    std::optional<SessionId> sessionId;
    std::optional<MessageId> messageId; // where it comes from
    QDateTime saidAt;
    bool edited = false; // the user corrected it

    static constexpr const char *modelName = "Memory";
    static constexpr auto fields()
    {
        using M = Memory;
        return std::tuple(field("id", &M::id), field("kind", &M::kind, {.title = "Kind"}),
                          field("text", &M::text, {.title = "Memory"}),
                          field("speaker", &M::speaker, {.title = "Said by"}),
                          field("fact", &M::fact, {.title = "About"}), field("subject", &M::subject, {.title = "Who"}),
                          field("value", &M::value, {.title = "What"}), field("mode", &M::mode, {.title = "Mode"}),
                          field("character_slug", &M::characterSlug, {.title = "Character"}),
                          field("session_id", &M::sessionId), field("message_id", &M::messageId),
                          field("said_at", &M::saidAt, {.title = "Said"}),
                          field("edited", &M::edited, {.title = "Corrected"}));
    }
};

// A turn's words, or a fact's subject and value: what is missing stays.
struct MemoryPatch
{
    std::optional<QString> text;
    std::optional<QString> subject;
    std::optional<QString> value;

    static constexpr const char *modelName = "MemoryPatch";
    static constexpr auto fields()
    {
        using P = MemoryPatch;
        return std::tuple(field("text", &P::text, {.minLength = 1, .maxBytes = 16384}),
                          field("subject", &P::subject, {.minLength = 1, .maxLength = 200}),
                          field("value", &P::value, {.minLength = 1, .maxLength = 1000}));
    }
};

// An operator's look at what is remembered of a user; it is written down with its reason.
struct MemoryLook
{
    QString reason;
    std::optional<MemoryKind> kind;
    int limit = 20;
    int offset = 0;

    static constexpr const char *modelName = "MemoryLook";
    static constexpr auto fields()
    {
        using L = MemoryLook;
        return std::tuple(field("reason", &L::reason, {.minLength = 1, .maxLength = 500}), field("kind", &L::kind),
                          field("limit", &L::limit, {.minimum = 1, .maximum = 100, .hasDefault = true}),
                          field("offset", &L::offset, {.minimum = 0, .maximum = 1'000'000, .hasDefault = true}));
    }
};

// That something was forgotten: how much it was, and whether it is gone from every store by now.
struct MemoryReceipt
{
    MemoryReceiptId id;
    QString scope; // memory, fact, message, session, account or orphans
    QString target; // the id of what was forgotten
    int memories = 0;
    int facts = 0;
    QDateTime requestedAt;
    QStringList waitingFor; // stores that have not confirmed yet
    std::optional<QDateTime> doneAt;

    static constexpr const char *modelName = "MemoryReceipt";
    static constexpr auto fields()
    {
        using R = MemoryReceipt;
        return std::tuple(field("id", &R::id), field("scope", &R::scope), field("target", &R::target),
                          field("memories", &R::memories), field("facts", &R::facts),
                          field("requested_at", &R::requestedAt), field("waiting_for", &R::waitingFor),
                          field("done_at", &R::doneAt));
    }
};

} // namespace companion
