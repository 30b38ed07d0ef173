#pragma once

#include "console/ui/pages/money/MoneyTab.h"

namespace companion::console {

class FilterChip;
class PaymentPane;

class PaymentsTab : public MoneyTab
{
    Q_OBJECT
public:
    PaymentsTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override; // a payment's id
    bool isSettled() const override;
    void setRoles(const QList<Role> &roles) override;
    QString context() const override;

private:
    void addFilters();
    void search();
    void showPayment(const PaymentId &id);

    Ui m_ui;
    PaymentsApi &m_api;
    PaymentsModel m_model;
    PaymentSearch m_search;
    MoneyList *m_list;
    FilterChip *m_status;
    FilterChip *m_provider;
    FilterChip *m_currency;
    FilterChip *m_period;
    PaymentPane *m_pane;
};

} // namespace companion::console
