#pragma once

#include "common/models/PaymentStory.h"
#include "console/models/Roles.h"

namespace companion::console::words {

QString provider(Provider provider);
QString paidFor(PaidFor kind, const QString &product); // "Popular", "Premium, a month"
QString paymentStatus(PaymentStatus status);
QString subscriptionStatus(SubscriptionStatus status);
QString disputeState(DisputeState state);
QString differenceKind(DifferenceKind kind);
QString debtCause(const QString &cause);
QString subscriptionEvent(const SubscriptionEvent &event);
QString revenueInterval(RevenueInterval interval);

Tone tone(PaymentStatus status);
Tone tone(SubscriptionStatus status);
Tone tone(DisputeState state);

// "Open", "Healed by itself", "Resolved".
QString differenceState(const ReconciliationDifference &difference);
Tone tone(const ReconciliationDifference &difference);

} // namespace companion::console::words
