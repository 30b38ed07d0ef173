#include "console/ui/pages/DashboardPage.h"

#include "console/ui/widgets/Look.h"

#include <QGridLayout>

namespace companion::console {

namespace {

constexpr int leadingTiles = 4;
constexpr int supportingTiles = 7;

// An older question's answer is of no use any more.
bool cancelled(const auto &result)
{
    return !result && result.error().kind == Problem::Kind::Cancelled;
}

} // namespace

DashboardPage::DashboardPage(const Ui &ui, StatsApi &stats, QWidget *parent)
    : ConsolePage(parent)
    , m_ui(ui)
    , m_stats(stats)
    , m_head(new PageHead(tr("Dashboard")))
    , m_days(new ChipGroup(tr("Range")))
    , m_what(new ChipGroup(tr("Activity shown")))
{
    for (const int days : {7, 30, 90})
        m_days->add(tr("%1 days").arg(days), days, QStringLiteral("range%1").arg(days).toLatin1().constData());
    m_days->choose(30);
    m_head->addAction(m_days);
    m_tilesView = new StateView(ui.theme, tiles(), Skeleton::Shape::Block);
    m_tilesView->setObjectName(u"kpis");
    m_tilesView->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    layout->addWidget(m_tilesView);
    auto *charts = plain(new QHBoxLayout, space::gap);
    charts->addWidget(revenueCard(), 1);
    charts->addWidget(activityCard(), 1);
    layout->addLayout(charts, 1);

    for (StateView *view : {m_tilesView, m_revenueView, m_activityView})
        connect(view, &StateView::settled, this, [this] {
            if (isSettled())
                Q_EMIT settled();
        });
    connect(m_tilesView, &StateView::retryRequested, this, &DashboardPage::loadSummary);
    connect(m_revenueView, &StateView::retryRequested, this, &DashboardPage::loadRevenue);
    connect(m_activityView, &StateView::retryRequested, this, &DashboardPage::loadActivity);
    connect(m_days, &ChipGroup::changed, this, &DashboardPage::reload);
    connect(m_what, &ChipGroup::changed, this, &DashboardPage::showActivity);
}

QWidget *DashboardPage::tiles()
{
    auto *page = new QWidget;
    auto *layout = plain(new QVBoxLayout(page), space::gap);
    auto *leading = plain(new QHBoxLayout, space::gap);
    for (int i = 0; i < leadingTiles; ++i) {
        m_leading.append(new KpiTile(m_ui.theme, KpiTile::Size::Leading));
        leading->addWidget(m_leading.last(), 1);
    }
    auto *strip = card("supportingKpis");
    auto *supporting = new QHBoxLayout(strip);
    supporting->setContentsMargins(space::card, space::m, space::card, space::m);
    supporting->setSpacing(space::l);
    for (int i = 0; i < supportingTiles; ++i) {
        m_supporting.append(new KpiTile(m_ui.theme, KpiTile::Size::Supporting));
        supporting->addWidget(m_supporting.last(), 1);
    }
    layout->addLayout(leading);
    layout->addWidget(strip);
    return page;
}

QWidget *DashboardPage::chartCard(const char *name, const QString &title, QWidget *aside, ChartLegend *legend,
                                  StateView *view)
{
    auto *frame = card(name);
    auto *layout = new QVBoxLayout(frame);
    layout->setContentsMargins(space::card, space::m, space::card, space::s);
    layout->setSpacing(space::s);
    auto *head = plain(new QHBoxLayout, space::s);
    auto *heading = label(title, "section");
    heading->setMinimumHeight(size::control); // as high as chips, so that neighbours line up
    head->addWidget(heading);
    head->addStretch();
    if (aside)
        head->addWidget(aside);
    layout->addLayout(head);
    layout->addWidget(legend);
    layout->addWidget(view, 1);
    return frame;
}

QWidget *DashboardPage::revenueCard()
{
    m_revenue = new DayChartView(m_ui.theme, DayChartView::Form::StackedBars, DayChartView::Unit::Usd);
    m_revenue->setObjectName(u"revenueChart");
    m_revenue->setAccessibleName(tr("Revenue by day, by product"));
    m_revenueLegend = new ChartLegend(m_ui.theme);
    m_revenueView = new StateView(m_ui.theme, m_revenue, Skeleton::Shape::Block);
    return chartCard("revenueCard", tr("Revenue by day"), nullptr, m_revenueLegend, m_revenueView);
}

QWidget *DashboardPage::activityCard()
{
    m_what->add(tr("Users"), static_cast<int>(Activity::Users), "activityUsers");
    m_what->add(tr("Replies"), static_cast<int>(Activity::Replies), "activityReplies");
    m_what->add(tr("Credits"), static_cast<int>(Activity::Credits), "activityCredits");
    m_activity = new DayChartView(m_ui.theme, DayChartView::Form::Lines, DayChartView::Unit::Count);
    m_activity->setObjectName(u"activityChart");
    m_activity->setAccessibleName(tr("Activity by day"));
    m_activityLegend = new ChartLegend(m_ui.theme);
    m_activityView = new StateView(m_ui.theme, m_activity, Skeleton::Shape::Block);
    return chartCard("activityCard", tr("Activity"), m_what, m_activityLegend, m_activityView);
}

bool DashboardPage::isSettled() const
{
    return m_tilesView->isSettled() && m_revenueView->isSettled() && m_activityView->isSettled();
}

void DashboardPage::open(const QString &)
{
    reload();
}

void DashboardPage::reload()
{
    m_range = DayRange::lastDays(m_days->chosen(), m_ui.clock.now());
    const QLocale locale;
    m_head->setContext(tr("%1 to %2, UTC days, against the %3 days before")
                           .arg(locale.toString(m_range.from.date(), QStringLiteral("d MMM")),
                                locale.toString(m_range.to.addDays(-1).date(), QStringLiteral("d MMM yyyy")))
                           .arg(m_range.days()));
    loadSummary();
    loadRevenue();
    loadActivity();
}

void DashboardPage::loadSummary()
{
    m_summaryCall.abort();
    m_tilesView->setLoading();
    m_summaryCall = m_stats.summary(m_range.from, m_range.to);
    m_summaryCall.then(this, [this](const ApiResult<StatsSummary> &stats) {
        if (cancelled(stats))
            return;
        if (!stats)
            return m_tilesView->setFailed(stats.error());
        const KpiSheet sheet = kpiSheet(*stats);
        for (int i = 0; i < leadingTiles; ++i)
            m_leading[i]->show(sheet.leading.at(i));
        for (int i = 0; i < supportingTiles; ++i)
            m_supporting[i]->show(sheet.supporting.at(i));
        m_tilesView->setContent();
    });
}

void DashboardPage::loadRevenue()
{
    m_revenueCall.abort();
    m_revenueView->setLoading();
    m_revenueCall = m_stats.revenueByDay(m_range.from, m_range.to);
    m_revenueCall.then(this, [this](const ApiResult<Series<RevenuePoint>> &points) {
        if (cancelled(points))
            return;
        if (!points)
            return m_revenueView->setFailed(points.error());
        const DayChart chart = revenueChart(m_range, points->items);
        m_revenueLegend->showChart(chart);
        m_revenue->showChart(chart);
        if (chart.isEmpty())
            m_revenueView->setEmpty(tr("No revenue in these days"),
                                    tr("Payments appear here by day and product as they arrive."));
        else
            m_revenueView->setContent();
    });
}

void DashboardPage::loadActivity()
{
    m_activityCall.abort();
    m_activityView->setLoading();
    m_activityCall = m_stats.activityByDay(m_range.from, m_range.to);
    m_activityCall.then(this, [this](const ApiResult<Series<ActivityPoint>> &points) {
        if (cancelled(points))
            return;
        if (!points)
            return m_activityView->setFailed(points.error());
        m_activityPoints = points->items;
        showActivity();
    });
}

void DashboardPage::showActivity()
{
    const DayChart chart = activityChart(m_range, m_activityPoints, static_cast<Activity>(m_what->chosen()));
    m_activityLegend->showChart(chart);
    m_activity->showChart(chart);
    if (chart.isEmpty())
        m_activityView->setEmpty(tr("No activity in these days"), tr("It begins with the first chat."));
    else
        m_activityView->setContent();
}

} // namespace companion::console
