#pragma once

#include "console/models/Kpi.h"
#include "console/ui/pages/money/MoneyTab.h"

class QLabel;
class QPushButton;

namespace companion::console {

class ChipGroup;
class KpiTile;

// Cash, what of it is earned, what is still owed, and what lapsed: by currency and period, from the ledger alone.
class RevenueTab : public MoneyTab
{
    Q_OBJECT
public:
    RevenueTab(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override;
    bool isSettled() const override;
    QString context() const override;

private:
    QWidget *content();
    void load();
    void show();
    void exportCsv();

    Ui m_ui;
    PaymentsApi &m_api;
    RevenueModel m_model;
    RevenueReport m_report;
    ApiCall<RevenueReport> m_call;
    ChipGroup *m_interval;
    ChipGroup *m_currency;
    QStringList m_currencies;
    QPushButton *m_export;
    QLabel *m_note;
    QList<KpiTile *> m_tiles;
    DataTable *m_table;
    StateView *m_view;
};

// The four figures of a span in one currency.
QList<Kpi> revenueTiles(const CurrencyRevenue &money);

} // namespace companion::console
