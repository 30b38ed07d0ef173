#include "ledger/Ledger.h"

#include "ledger/Refusals.h"

namespace companion::ledger {

namespace {

QList<Lot> lotsIn(const db::Row &row)
{
    QList<Lot> lots;
    const QJsonObject object = row.object("lots");
    for (const QJsonValue &value : object.value(QLatin1StringView("lots")).toArray()) {
        const auto lot = fromJson<Lot>(value);
        ensure(lot.has_value(), "ledger_balance writes lots as their model reads them");
        lots.append(*lot);
    }
    return lots;
}

std::optional<UserId> actorOrNull(const UserId &actor)
{
    return actor.isNull() ? std::nullopt : std::optional(actor);
}

QDateTime midnightAfter(const QDateTime &time)
{
    return QDateTime(time.toUTC().date().addDays(1), QTime(0, 0), Qt::UTC);
}

} // namespace

BalanceSummary balanceIn(const db::Row &row)
{
    const BucketAmounts buckets{row.credits("daily_free"), row.credits("purchased"), row.credits("bonus")};
    const Credits held = row.credits("held");
    return {.total = buckets.total(),
            .available = buckets.total() - held,
            .held = held,
            .dailyFree = buckets.dailyFree,
            .purchased = buckets.purchased,
            .bonus = buckets.bonus};
}

Charge chargeIn(const db::Row &row)
{
    const BucketAmounts parts{row.credits("charged_daily_free"), row.credits("charged_purchased"),
                              row.credits("charged_bonus")};
    return {parts.total(), parts.dailyFree, parts.purchased, parts.bonus};
}

Transaction transactionIn(const db::Row &row)
{
    return {.id = row.id<TransactionId>("id"),
            .kind = row.value<TransactionKind>("kind"),
            .amount = row.credits("amount"),
            .buckets = {row.credits("daily_free"), row.credits("purchased"), row.credits("bonus")},
            .balanceAfter = {row.credits("after_daily_free"), row.credits("after_purchased"),
                             row.credits("after_bonus")},
            .createdAt = row.time("created_at"),
            .description = row.text("description"),
            .metadata = row.object("metadata")};
}

Result<Hold> Ledger::hold(db::Session &db, const HoldTerms &terms) const
{
    const auto row = db.one("ledger.hold",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"amount", terms.amount},
                             {"expires_at", terms.expiresAt},
                             {"daily_limit", terms.dailyLimit},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return Hold{.id = row.id<HoldId>("hold_id"),
                .amount = row.credits("hold_amount"),
                .expiresAt = row.time("hold_expires_at"),
                .balance = balanceIn(row),
                .replayed = row.boolean("replayed")};
}

Result<Settlement> Ledger::capture(db::Session &db, const UserId &user, const HoldId &hold, Credits amount,
                                   const QString &description, const QJsonObject &metadata) const
{
    const auto row = db.one("ledger.capture",
                            {{"user_id", user},
                             {"hold_id", hold},
                             {"amount", amount},
                             {"description", description},
                             {"metadata", metadata},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return Settlement{.transaction = row.maybeId<TransactionId>("transaction_id").value_or(TransactionId()),
                      .charge = chargeIn(row),
                      .balance = balanceIn(row),
                      .replayed = row.boolean("replayed")};
}

Result<BalanceSummary> Ledger::voidHold(db::Session &db, const UserId &user, const HoldId &hold) const
{
    const auto row = db.one("ledger.void", {{"user_id", user}, {"hold_id", hold}, {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return balanceIn(row);
}

Result<Transaction> Ledger::grant(db::Session &db, const GrantTerms &terms) const
{
    const auto row = db.one("ledger.grant",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"bucket", terms.bucket},
                             {"amount", terms.amount},
                             {"kind", terms.kind},
                             {"expires_at", terms.expiresAt},
                             {"description", terms.description},
                             {"metadata", terms.metadata},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return transactionIn(row);
}

Result<Transaction> Ledger::adjust(db::Session &db, const AdjustTerms &terms) const
{
    const auto row = db.one("ledger.adjust",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"bucket", terms.bucket},
                             {"amount", terms.amount},
                             {"reason", terms.reason},
                             {"actor", actorOrNull(terms.actor)},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return transactionIn(row);
}

Result<Transaction> Ledger::reverse(db::Session &db, const UserId &user, const TransactionId &original,
                                    const QString &key, const QString &reason, const UserId &actor) const
{
    const auto row = db.one("ledger.reverse",
                            {{"user_id", user},
                             {"original", original},
                             {"key", key},
                             {"reason", reason},
                             {"actor", actorOrNull(actor)},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return transactionIn(row);
}

Result<BalanceSummary> Ledger::refresh(db::Session &db, const UserId &user, Credits dailyLimit) const
{
    const auto row = db.one("ledger.refresh", {{"user_id", user}, {"daily_limit", dailyLimit}, {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return balanceIn(row);
}

Result<Balance> Ledger::balance(db::Session &db, const UserId &user, Credits dailyLimit) const
{
    const QDateTime now = db.now();
    const auto row = db.one("ledger.balance", {{"user_id", user}, {"daily_limit", dailyLimit}, {"now", now}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    const BalanceSummary sums = balanceIn(row);
    return Balance{.total = sums.total,
                   .available = sums.available,
                   .held = sums.held,
                   .dailyFree = sums.dailyFree,
                   .purchased = sums.purchased,
                   .bonus = sums.bonus,
                   .debt = row.credits("debt"),
                   .dailyLimit = dailyLimit,
                   .refreshesAt = midnightAfter(now),
                   .lots = lotsIn(row)};
}

int Ledger::sweepHolds(db::Session &db, int batch) const
{
    return sweep(db, "ledger.sweep_holds", batch);
}

int Ledger::sweepLots(db::Session &db, int batch) const
{
    return sweep(db, "ledger.sweep_lots", batch);
}

int Ledger::sweepRefresh(db::Session &db, int batch, const DailyLimitOf &dailyLimitOf) const
{
    int touched = 0;
    for (const auto &row : db.rows("ledger.due_for_refresh", {{"now", db.now()}, {"batch", batch}})) {
        const auto user = row.id<UserId>("user_id");
        touched +=
            static_cast<int>(db.one("ledger.sweep_refresh",
                                    {{"user_id", user}, {"daily_limit", dailyLimitOf(db, user)}, {"now", db.now()}})
                                 .integer("touched"));
    }
    return touched;
}

int Ledger::sweep(db::Session &db, const char *statement, int batch)
{
    return static_cast<int>(db.one(statement, {{"batch", batch}, {"now", db.now()}}).integer("touched"));
}

int Ledger::closeDays(db::Session &db) const
{
    return static_cast<int>(db.one("ledger.close_days", {{"now", db.now()}}).integer("touched"));
}

int Ledger::makePartitions(db::Session &db, int months) const
{
    return static_cast<int>(
        db.one("ledger.make_partitions", {{"now", db.now()}, {"months", months}}).integer("touched"));
}

QList<AuditFinding> Ledger::audit(db::Session &db, std::optional<UserId> only) const
{
    QList<AuditFinding> findings;
    for (const auto &row : db.rows("ledger.audit", {{"user_id", only}, {"now", db.now()}}))
        findings.append({.user = row.maybeId<UserId>("user_id").value_or(UserId()),
                         .rule = row.text("rule"),
                         .detail = row.text("detail")});
    return findings;
}

} // namespace companion::ledger
