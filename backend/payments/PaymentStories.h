#pragma once

#include "common/models/PaymentStory.h"
#include "db/Session.h"

namespace companion::payments {

using SubscriptionKey = Id<struct SubscriptionKeyTag>;

// What operators read of one payment or one subscription. Operator lane; empty: there is none.
class PaymentStories
{
public:
    std::optional<AdminPayment> payment(db::Session &db, const PaymentId &id) const;
    std::optional<PaymentStory> story(db::Session &db, const PaymentId &id) const;
    std::optional<SubscriptionHistory> history(db::Session &db, const SubscriptionKey &id) const;
};

} // namespace companion::payments
