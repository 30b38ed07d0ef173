#include "billing/TierStore.h"

namespace companion::billing {

namespace {

TierTerms termsFrom(const db::Row &row)
{
    return {.tier = row.value<Tier>("code"),
            .dailyCredits = row.credits("daily_credits"),
            .requestsPerMinute = static_cast<int>(row.integer("requests_per_minute")),
            .discount = row.decimal<Factor>("discount"),
            .longTermMemory = row.boolean("long_term_memory"),
            .spicy = row.boolean("spicy"),
            .priority = static_cast<int>(row.integer("priority"))};
}

} // namespace

TierTerms TierStore::terms(db::Session &db, Tier tier) const
{
    return termsFrom(db.one("billing.tier", {{"code", tier}}));
}

std::optional<TierTerms> TierStore::termsOf(db::Session &db, const UserId &user) const
{
    const auto row = db.first("billing.tier_of_user", {{"user_id", user}, {"now", db.now()}});
    return row ? std::optional(termsFrom(*row)) : std::nullopt;
}

} // namespace companion::billing
