#pragma once

#include "console/ui/pages/money/MoneyTab.h"

class QLabel;
class QPushButton;

namespace companion::console {

class Facts;
class FilterChip;

// Where a provider's word and our books differed, and the last comparisons.
class ReconciliationTab : public MoneyTab
{
    Q_OBJECT
public:
    ReconciliationTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override;
    bool isSettled() const override;
    QString context() const override;

private:
    void addFilters();
    QWidget *runsCard();
    QWidget *pane();
    void search();
    void loadRuns();
    void showDifference(const ReconciliationDifference &difference);
    void compare();
    void resolve();
    void applyAgain();
    void say(const QString &words, bool wrong);

    Ui m_ui;
    PaymentsApi &m_api;
    DifferencesModel m_model;
    RunsModel m_runs;
    DifferenceSearch m_search;
    std::optional<ReconciliationDifference> m_shown;
    MoneyList *m_list;
    FilterChip *m_state;
    FilterChip *m_provider;
    FilterChip *m_kind;
    QPushButton *m_compare;
    DataTable *m_runsTable;
    StateView *m_runsView;
    QLabel *m_kindTitle;
    Facts *m_facts;
    QLabel *m_note;
    QPushButton *m_payment;
    QPushButton *m_apply;
    QPushButton *m_resolve;
};

} // namespace companion::console
