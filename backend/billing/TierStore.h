#pragma once

#include "common/models/Identity.h"
#include "db/Session.h"

namespace companion::billing {

// What a tier gives, as the table `tiers` says at the moment of use.
struct TierTerms
{
    Tier tier = Tier::Free;
    Credits dailyCredits;
    int requestsPerMinute = 5;
    Factor discount;
    bool longTermMemory = false;
    bool spicy = false;
    int priority = 0;
};

class TierStore
{
public:
    static TierTerms read(const db::Row &row); // the columns of billing.tier, out of any statement
    TierTerms terms(db::Session &db, Tier tier) const;
    // By the tier that counts now (a paid one ends by itself); nullopt when there is no such user.
    std::optional<TierTerms> termsOf(db::Session &db, const UserId &user) const;
};

} // namespace companion::billing
