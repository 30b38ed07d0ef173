#pragma once

#include "console/client/PaymentsApi.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/pages/money/MoneyTab.h"
#include "console/ui/widgets/ChipGroup.h"

class QStackedWidget;

namespace companion::console {

// Money in: payments, subscriptions, disputes, debts, reconciliation, revenue.
class PaymentsPage : public ConsolePage
{
    Q_OBJECT
public:
    PaymentsPage(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    // "", a payment's id, or a part with what to open in it: "subscriptions/<id>", "revenue".
    void open(const QString &detail) override;
    bool isSettled() const override;
    // What these may not do is disabled and says why.
    void setRoles(const QList<Role> &roles);

Q_SIGNALS:
    void userWanted(const companion::UserId &user);

private:
    struct Part
    {
        QString key;
        MoneyAct act;
        MoneyTab *tab;
    };
    void addPart(const QString &key, const QString &title, MoneyAct act, MoneyTab *tab);
    void showPart(int index, const QString &detail);
    QString placeOf(int index, const QString &detail) const;

    QList<Role> m_roles;
    QList<Part> m_parts;
    PageHead *m_head;
    ChipGroup *m_choice;
    QStackedWidget *m_stack;
    StateView *m_refused; // nothing here is for these roles
};

} // namespace companion::console
