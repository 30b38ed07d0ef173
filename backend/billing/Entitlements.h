#pragma once

#include "billing/TierStore.h"
#include "common/models/Character.h"

namespace companion::billing {

// What a user may do at this moment: what the tier gives, less what is withheld.
struct Entitlements
{
    TierTerms terms;   // with spicy and longTermMemory false where they are withheld
    Credits debt;
    bool withheld = false; // because of the debt
};

// The one place where a user's rights are read: by the tier that counts now (an operator's grant or a subscription,
// whichever is higher), the debt, the region and the rail that the money came by. Reads as the user or as operator.
class EntitlementStore
{
public:
    explicit EntitlementStore(bool withholdInDebt = true)
        : m_withholdInDebt(withholdInDebt)
    {
    }

    // Whether a debt withholds what Entitlements::withheld names.
    bool withholds(Credits debt) const { return m_withholdInDebt && debt > Credits(); }
    // nullopt: no such user. One round trip.
    std::optional<Entitlements> of(db::Session &db, const UserId &user) const;

    // The terms of the spicy gate that are not the character's or the account's, in this order: tier_required (also
    // when the debt withholds it), age_unverified, region_unavailable, rail_unavailable; the detail names the failing
    // term. `amount` is what the turn may cost: the credit it would be paid with must come by a rail that may fund it.
    Result<void> checkSpicy(db::Session &db, const UserId &user, Credits amount) const;

private:
    bool m_withholdInDebt;
};

} // namespace companion::billing
