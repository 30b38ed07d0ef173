#pragma once

#include "payments/apple/AppleObjects.h"
#include "payments/stores/StoreCatalogue.h"

namespace companion::payments {

// What the App Store's objects mean, in our words. All of them count by their own signedDate, so that an old copy of a
// transaction never undoes what a newer one said.
//
// A transaction is a payment: one of a consumable buys credits, each of an auto-renewable subscription pays a period.
// `revocationDate` is a refund, of the whole or of revocationPercentage; a refund that was reversed is a transaction
// without one, signed later. Not payments: what the family shares, what costs nothing and renews (a trial).
// A product that the table provider_products does not know keeps the store's name, which the books refuse for people.
//
// `claimant` is whose it is where the purchase names nobody (appAccountToken).
QList<PaymentFact> paymentFacts(const AppleTransaction &transaction, const StoreCatalogue &catalogue,
                                const std::optional<UserId> &claimant = {});

// The subscription as its newest transaction and its renewal information have it; none where they are of no tier of
// ours. `graceEnded`: the App Store said so.
std::optional<SubscriptionFact> subscriptionFact(const AppleTransaction &newest,
                                                 const std::optional<AppleRenewal> &renewal,
                                                 const StoreCatalogue &catalogue, bool graceEnded = false,
                                                 const std::optional<UserId> &claimant = {});

// A notification's. Those about a refund carry the transaction refunded, which need not be the newest: only of the
// period that runs do they say something of the subscription. That a whole refund ends it follows from its payment.
FactList factsOf(const AppleNotification &notification, const StoreCatalogue &catalogue);

} // namespace companion::payments
