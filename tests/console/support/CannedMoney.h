#pragma once

#include "common/models/PaymentStory.h"
#include "tests/console/support/CannedModels.h"

namespace companion::console::canned {

AdminPayment payment(int number);
PaymentStory story(int number);
RefundPreview refundPreview(const QString &amount);
AdminSubscription subscription(int number);
AdminDispute dispute(int number, DisputeState state);
Debt debt(int number);
ReconciliationDifference difference(int number, DifferenceKind kind);
RevenueReport revenue();

// A server's money: fifty-three payments by cursor, and some of everything else.
void serveMoney(CannedServer &server);

} // namespace companion::console::canned
