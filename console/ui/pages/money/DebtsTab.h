#pragma once

#include "console/ui/pages/money/MoneyTab.h"

class QPushButton;

namespace companion::console {

class FilterChip;

class DebtsTab : public MoneyTab
{
    Q_OBJECT
public:
    DebtsTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override;
    bool isSettled() const override;
    QString context() const override;

private:
    void search();
    void showActions();
    void forgive();

    Ui m_ui;
    PaymentsApi &m_api;
    DebtsModel m_model;
    DebtSearch m_search;
    MoneyList *m_list;
    FilterChip *m_state;
    QPushButton *m_user;
    QPushButton *m_forgive;
};

} // namespace companion::console
