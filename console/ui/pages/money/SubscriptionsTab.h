#pragma once

#include "console/ui/pages/money/MoneyTab.h"

namespace companion::console {

class FilterChip;
class SubscriptionPane;

class SubscriptionsTab : public MoneyTab
{
    Q_OBJECT
public:
    SubscriptionsTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override; // a subscription's id
    bool isSettled() const override;
    QString context() const override;

private:
    void addFilters(Theme &theme);
    void search();
    void showSubscription(const QString &id);

    PaymentsApi &m_api;
    SubscriptionsModel m_model;
    SubscriptionSearch m_search;
    MoneyList *m_list;
    FilterChip *m_status;
    FilterChip *m_tier;
    FilterChip *m_provider;
    SubscriptionPane *m_pane;
};

} // namespace companion::console
