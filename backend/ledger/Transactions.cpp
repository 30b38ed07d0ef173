#include "ledger/Ledger.h"

namespace companion::ledger {

Transaction transactionIn(const db::Row &row);

namespace {

// The last row a reader has seen: its place in (created_at, sequence, id), newest first. "<ms>.<sequence>.<id>".
struct HistoryCursor
{
    QDateTime createdAt;
    qint64 sequence = 0;
    TransactionId id;

    QString toString() const
    {
        return QStringLiteral("%1.%2.%3")
            .arg(QString::number(createdAt.toMSecsSinceEpoch()), QString::number(sequence), id.toString());
    }
    static std::optional<HistoryCursor> parse(const QString &text)
    {
        const QStringList parts = text.split(u'.');
        if (parts.size() != 3)
            return std::nullopt;
        bool timeIsFine = false;
        bool sequenceIsFine = false;
        const qint64 ms = parts[0].toLongLong(&timeIsFine);
        const qint64 sequence = parts[1].toLongLong(&sequenceIsFine);
        const auto id = TransactionId::parse(parts[2]);
        constexpr qint64 year9999_ms = 253'402'300'799'999;
        if (!timeIsFine || !sequenceIsFine || !id || ms < 0 || ms > year9999_ms)
            return std::nullopt;
        return HistoryCursor{QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC), sequence, *id};
    }
};

HistoryCursor cursorAt(const db::Row &row)
{
    return {row.time("created_at"), row.integer("sequence"), row.id<TransactionId>("id")};
}

} // namespace

// One row more than asked for tells whether there are more.
Result<Page<Transaction>> Ledger::transactions(db::Session &db, const TransactionFilter &filter,
                                               const PageRequest &request) const
{
    const bool byCursor = request.cursor.has_value();
    const auto after = byCursor ? HistoryCursor::parse(*request.cursor) : std::nullopt;
    if (byCursor && !request.cursor->isEmpty() && !after)
        return refuse(ErrorCode::Invalid, QStringLiteral("The cursor is not one of ours."));

    const auto rows = db.rows("ledger.transactions",
                              {{"user_id", filter.user},
                               {"kind", filter.kind},
                               {"from", filter.from},
                               {"to", filter.to},
                               {"before", after ? std::optional(after->createdAt) : std::nullopt},
                               {"before_sequence", after ? std::optional(after->sequence) : std::nullopt},
                               {"before_id", after ? std::optional(after->id) : std::nullopt},
                               {"limit", request.limit + 1},
                               {"offset", byCursor ? qint64(0) : request.offset}});
    Page<Transaction> page;
    page.limit = request.limit;
    page.hasMore = rows.size() > request.limit;
    for (const auto &row : rows.first(std::min<qsizetype>(rows.size(), request.limit)))
        page.items.append(transactionIn(row));
    if (page.hasMore)
        page.nextCursor = cursorAt(rows[request.limit - 1]).toString();
    if (!byCursor) {
        page.offset = request.offset;
        page.total = db.one("ledger.count_transactions",
                            {{"user_id", filter.user}, {"kind", filter.kind}, {"from", filter.from}, {"to", filter.to}})
                         .integer("total");
    }
    return page;
}

} // namespace companion::ledger
