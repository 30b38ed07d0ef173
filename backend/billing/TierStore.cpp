#include "billing/TierStore.h"

namespace companion::billing {

TierTerms TierStore::read(const db::Row &row)
{
    return {.tier = row.value<Tier>("code"),
            .dailyCredits = row.credits("daily_credits"),
            .requestsPerMinute = static_cast<int>(row.integer("requests_per_minute")),
            .discount = row.decimal<Factor>("discount"),
            .longTermMemory = row.boolean("long_term_memory"),
            .spicy = row.boolean("spicy"),
            .priority = static_cast<int>(row.integer("priority"))};
}

TierTerms TierStore::terms(db::Session &db, Tier tier) const
{
    return read(db.one("billing.tier", {{"code", tier}}));
}

std::optional<TierTerms> TierStore::termsOf(db::Session &db, const UserId &user) const
{
    const auto row = db.first("billing.tier_of_user", {{"user_id", user}, {"now", db.now()}});
    return row ? std::optional(read(*row)) : std::nullopt;
}

} // namespace companion::billing
