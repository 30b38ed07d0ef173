#pragma once

#include "common/Ids.h"
#include "common/Result.h"
#include "common/describe/Json.h"
#include "common/models/Page.h"
#include "db/Session.h"

namespace companion::identity {

// One line of who did what to whom, and why.
struct AuditEntry
{
    QString actor;  // a user's id, "cli" or "system"
    QString act;    // "user.suspend": lower-case words, dotted
    QString target; // "user:<id>", "character:<id>"
    QString reason; // at most 500 characters
    std::optional<QJsonObject> before = {};
    std::optional<QJsonObject> after = {}; // no secrets, no message texts
    QString requestId = {};                // empty where there was no request
};

struct AuditRecord
{
    AuditEntryId id;
    qint64 sequence = 0;
    QDateTime createdAt;
    QString actor;
    QString act;
    QString target;
    QString reason;
    std::optional<QJsonObject> before;
    std::optional<QJsonObject> after;
    QString requestId;

    static constexpr const char *modelName = "AuditRecord";
    static constexpr auto fields()
    {
        using R = AuditRecord;
        return std::tuple(field("id", &R::id), field("sequence", &R::sequence),
                          field("created_at", &R::createdAt, {.title = "Time"}),
                          field("actor", &R::actor, {.title = "Who"}), field("act", &R::act, {.title = "What"}),
                          field("target", &R::target, {.title = "On"}),
                          field("reason", &R::reason, {.title = "Reason"}),
                          field("before", &R::before, {.title = "Before", .nullable = true}),
                          field("after", &R::after, {.title = "After", .nullable = true}),
                          field("request_id", &R::requestId));
    }
};

struct AuditFilter
{
    std::optional<QString> actor = {};
    std::optional<QString> act = {};
    std::optional<QString> target = {};
    std::optional<QDateTime> from = {};
    std::optional<QDateTime> to = {}; // exclusive
};

struct AuditBreach
{
    qint64 sequence = 0;
    QString rule; // missing_row (before this one), changed_text, broken_chain, missing_tail (at least up to this one)
};

// The append-only, hash-chained log of what operators, commands and the sign-in guard did. Operator lane. Stateless.
class AuditLog
{
public:
    // In the caller's transaction, so that the change and its line stand or fall together. Call it last: writers of the
    // log wait for each other until they commit.
    void append(db::Session &db, const AuditEntry &entry) const;
    // Newest first, by cursor. invalid: a cursor that we did not give.
    Result<Page<AuditRecord>> list(db::Session &db, const AuditFilter &filter, const PageRequest &page) const;
    // Reads the whole log. Empty: no line was changed or taken out, in the middle or at the end.
    QList<AuditBreach> verify(db::Session &db) const;
};

inline QString auditTarget(const UserId &user)
{
    return QStringLiteral("user:") + user.toString();
}

} // namespace companion::identity
