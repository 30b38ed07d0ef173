#include "ledger/Ledger.h"
#include "ledger/Refusals.h"

namespace companion::ledger {

Transaction transactionIn(const db::Row &row);

Result<TakenBack> Ledger::takeBack(db::Session &db, const TakeBackTerms &terms) const
{
    const auto row = db.one("ledger.take_back",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"purchase", terms.purchase},
                             {"amount", terms.amount},
                             {"kind", terms.kind},
                             {"description", terms.description},
                             {"metadata", terms.metadata},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return TakenBack{row.credits("taken"), row.credits("owed"), row.credits("lapsed"), row.boolean("replayed")};
}

Result<BalanceSummary> Ledger::giveBack(db::Session &db, const GiveBackTerms &terms) const
{
    const auto row = db.one("ledger.give_back",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"purchase", terms.purchase},
                             {"amount", terms.amount},
                             {"description", terms.description},
                             {"metadata", terms.metadata},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return balanceIn(row);
}

Result<Transaction> Ledger::forgiveDebt(db::Session &db, const ForgiveTerms &terms) const
{
    const auto row = db.one("ledger.forgive_debt",
                            {{"user_id", terms.user},
                             {"key", terms.key},
                             {"debt", terms.debt},
                             {"amount", terms.amount},
                             {"reason", terms.reason},
                             {"actor", terms.actor.isNull() ? std::nullopt : std::optional(terms.actor)},
                             {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return transactionIn(row);
}

Result<BalanceSummary> Ledger::collectDebts(db::Session &db, const UserId &user) const
{
    const auto row = db.one("ledger.collect_debts", {{"user_id", user}, {"now", db.now()}});
    if (const auto refusal = refusalIn(row))
        return std::unexpected(*refusal);
    return balanceIn(row);
}

} // namespace companion::ledger
