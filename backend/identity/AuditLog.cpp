#include "identity/AuditLog.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

std::optional<QJsonObject> maybeObject(const db::Row &row, const char *column)
{
    return row.isNull(column) ? std::nullopt : std::optional(row.object(column));
}

AuditRecord recordFrom(const db::Row &row)
{
    return {.id = row.id<AuditEntryId>("id"),
            .sequence = row.integer("sequence"),
            .createdAt = row.time("at_time"),
            .actor = row.text("actor"),
            .act = row.text("act"),
            .target = row.text("target"),
            .reason = row.text("reason"),
            .before = maybeObject(row, "before"),
            .after = maybeObject(row, "after"),
            .requestId = row.text("request_id")};
}

// A cursor is the sequence number of the last line of the page before.
std::optional<qint64> sequenceBelow(const std::optional<QString> &cursor)
{
    if (!cursor)
        return std::numeric_limits<qint64>::max();
    bool fine = false;
    const qint64 sequence = cursor->toLongLong(&fine);
    return fine && sequence > 0 ? std::optional(sequence) : std::nullopt;
}

} // namespace

void AuditLog::append(db::Session &db, const AuditEntry &entry) const
{
    db.one("identity.append_audit",
           {{"id", AuditEntryId::create()},
            {"now", db.now()},
            {"actor", entry.actor},
            {"act", entry.act},
            {"target", entry.target},
            {"reason", entry.reason},
            {"before", entry.before},
            {"after", entry.after},
            {"request_id", entry.requestId}});
}

Result<Page<AuditRecord>> AuditLog::list(db::Session &db, const AuditFilter &filter, const PageRequest &page) const
{
    const auto below = sequenceBelow(page.cursor);
    if (!below)
        return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                       .detail = u"The cursor is not one of ours."_s,
                                       .errors = {{u"/query/cursor"_s, u"is not a cursor"_s}}});
    const auto rows = db.rows("identity.list_audit",
                              {{"below", *below},
                               {"actor", filter.actor},
                               {"act", filter.act},
                               {"target", filter.target},
                               {"from", filter.from},
                               {"to", filter.to},
                               {"limit", page.limit + 1}}); // one more tells whether there is more
    Page<AuditRecord> answer{.items = {}, .total = {}, .limit = page.limit, .offset = {}, .nextCursor = {}};
    answer.hasMore = rows.size() > page.limit;
    for (const db::Row &row : rows.first(std::min<qsizetype>(rows.size(), page.limit)))
        answer.items.append(recordFrom(row));
    if (answer.hasMore)
        answer.nextCursor = QString::number(answer.items.last().sequence);
    return answer;
}

QList<AuditBreach> AuditLog::verify(db::Session &db) const
{
    QList<AuditBreach> breaches;
    for (const db::Row &row : db.rows("identity.verify_audit"))
        breaches.append({row.integer("broken_sequence"), row.text("rule")});
    return breaches;
}

} // namespace companion::identity
