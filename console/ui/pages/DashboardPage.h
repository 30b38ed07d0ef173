#pragma once

#include "console/client/StatsApi.h"
#include "console/models/DaySeries.h"
#include "console/ui/charts/DayChartView.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/KpiTile.h"
#include "console/ui/widgets/StateView.h"

namespace companion::console {

class DashboardPage : public ConsolePage
{
    Q_OBJECT
public:
    DashboardPage(const Ui &ui, StatsApi &stats, QWidget *parent = nullptr);
    void open(const QString &detail) override;
    bool isSettled() const override;

private:
    QWidget *tiles();
    QWidget *revenueCard();
    QWidget *activityCard();
    QWidget *chartCard(const char *name, const QString &title, QWidget *aside, ChartLegend *legend, StateView *view);
    void reload();
    void loadSummary();
    void loadRevenue();
    void loadActivity();
    void showActivity();

    Ui m_ui;
    StatsApi &m_stats;
    DayRange m_range;
    QList<ActivityPoint> m_activityPoints;
    ApiCall<StatsSummary> m_summaryCall;
    ApiCall<Series<RevenuePoint>> m_revenueCall;
    ApiCall<Series<ActivityPoint>> m_activityCall;

    PageHead *m_head;
    ChipGroup *m_days;
    ChipGroup *m_what;
    QList<KpiTile *> m_leading;
    QList<KpiTile *> m_supporting;
    StateView *m_tilesView;
    DayChartView *m_revenue;
    ChartLegend *m_revenueLegend;
    StateView *m_revenueView;
    DayChartView *m_activity;
    ChartLegend *m_activityLegend;
    StateView *m_activityView;
};

} // namespace companion::console
