#pragma once

#include "common/models/Identity.h"

namespace companion::console {

// What an operator may do about money, as the server will judge it (docs/roles.md). The console only says it
// beforehand: a control that would be refused is disabled, and tells why.
enum class MoneyAct { ReadPayments, Refund, Debts, Reconciliation, Revenue };

bool may(const QList<Role> &roles, MoneyAct act);
// "" where it is allowed; else who may: "Only finance and administrators can refund."
QString whyNot(const QList<Role> &roles, MoneyAct act);

} // namespace companion::console
