#include "console/models/Rights.h"

#include <QCoreApplication>
#include <algorithm>

namespace companion::console {

namespace {

QList<Role> allowed(MoneyAct act)
{
    switch (act) {
    case MoneyAct::ReadPayments:
        return {Role::Admin, Role::Finance, Role::Support, Role::Viewer};
    case MoneyAct::Revenue:
        return {Role::Admin, Role::Finance, Role::Viewer};
    case MoneyAct::Refund:
    case MoneyAct::Debts:
    case MoneyAct::Reconciliation:
        break;
    }
    return {Role::Admin, Role::Finance};
}

} // namespace

bool may(const QList<Role> &roles, MoneyAct act)
{
    return std::ranges::any_of(roles, [who = allowed(act)](Role role) { return who.contains(role); });
}

QString whyNot(const QList<Role> &roles, MoneyAct act)
{
    if (may(roles, act))
        return {};
    const auto said = [](const char *text) { return QCoreApplication::translate("Rights", text); };
    switch (act) {
    case MoneyAct::ReadPayments:
        return said(QT_TRANSLATE_NOOP("Rights", "Payments are for finance, support and viewers."));
    case MoneyAct::Refund:
        return said(QT_TRANSLATE_NOOP("Rights", "Only finance and administrators can refund."));
    case MoneyAct::Debts:
        return said(QT_TRANSLATE_NOOP("Rights", "Debts are for finance and administrators."));
    case MoneyAct::Reconciliation:
        return said(QT_TRANSLATE_NOOP("Rights", "Reconciliation is for finance and administrators."));
    case MoneyAct::Revenue:
        return said(QT_TRANSLATE_NOOP("Rights", "Revenue is for finance, administrators and viewers."));
    }
    return {};
}

} // namespace companion::console
