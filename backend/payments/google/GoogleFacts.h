#pragma once

#include "payments/google/GoogleObjects.h"
#include "payments/stores/StoreCatalogue.h"

namespace companion::payments {

// What Google Play's resources mean, in our words. They carry no version: they are as they were when they were asked
// for, so `askedAt`, the time before the asking, is the version. What changed after it is told by a later notification,
// which asks anew.
//
// An order is a payment; tests and trials are none, and a promotion is one that cost nothing. A product that the table
// provider_products does not know keeps Google's name, which the books refuse for people.

// What the books call a subscription by: the purchase token, or its hash where they have no room for it.
QString googleReference(const QString &token);

// `subscription`: whose order it is, by its reference; empty for a one-time purchase.
QList<PaymentFact> googlePayments(const GoogleOrder &order, const std::optional<UserId> &user,
                                  const QString &subscription, const StoreCatalogue &catalogue,
                                  const QDateTime &askedAt);

// A one-time purchase without an order, or of a tester: it cost nothing.
QList<PaymentFact> googleGift(const GoogleSale &sale, const QString &product, const QString &token,
                              const std::optional<UserId> &user, const StoreCatalogue &catalogue,
                              const QDateTime &askedAt);

// `order` is the newest that succeeded, where there is one. `replacedAt`: another purchase took its place then. None
// while it is pending, and where it is of no tier of ours.
std::optional<SubscriptionFact> googleSubscription(const GoogleSubscription &subscription, const QString &token,
                                                   const std::optional<GoogleOrder> &order,
                                                   const std::optional<UserId> &user, const StoreCatalogue &catalogue,
                                                   const QDateTime &askedAt,
                                                   const std::optional<QDateTime> &replacedAt = {});

} // namespace companion::payments
