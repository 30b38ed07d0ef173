#pragma once

#include "console/ui/pages/money/MoneyTab.h"

namespace companion::console {

class FilterChip;

// A dispute opens its payment, where all of it stands.
class DisputesTab : public MoneyTab
{
    Q_OBJECT
public:
    DisputesTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override;
    bool isSettled() const override;
    QString context() const override;

private:
    void search();

    PaymentsApi &m_api;
    DisputesModel m_model;
    DisputeSearch m_search;
    MoneyList *m_list;
    FilterChip *m_state;
    FilterChip *m_provider;
};

} // namespace companion::console
