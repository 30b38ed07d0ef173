#include "console/ui/charts/DayChartView.h"

#include "console/models/AxisScale.h"
#include "console/models/Format.h"
#include "console/ui/widgets/Look.h"

#include <QGraphicsLayout>
#include <QMouseEvent>
#include <QtCharts/QBarSet>
#include <QtCharts/QLineSeries>
#include <QtCharts/QStackedBarSeries>
#include <QtCharts/QValueAxis>

namespace companion::console {

namespace {

constexpr int steps = 4; // grid lines above zero
constexpr QMargins room(52, 10, 12, 26);
constexpr int legendDot = 14; // a dot and the space after it

} // namespace

DayChartView::DayChartView(Theme &theme, Form form, Unit unit, QWidget *parent)
    : QChartView(new QChart, parent)
    , m_theme(theme)
    , m_form(form)
    , m_unit(unit)
{
    setRenderHint(QPainter::Antialiasing);
    setFrameShape(QFrame::NoFrame);
    setBackgroundBrush(Qt::NoBrush);
    setStyleSheet(QStringLiteral("background: transparent"));
    setMouseTracking(true);
    setMinimumHeight(200);
    chart()->setBackgroundVisible(false);
    chart()->setMargins({});
    chart()->layout()->setContentsMargins(0, 0, 0, 0);
    chart()->legend()->hide();
    connect(&theme, &Theme::changed, this, &DayChartView::rebuild);
}

QColor DayChartView::seriesColour(int index) const
{
    const QList<QColor> &colours = m_theme.tokens().series;
    return colours.at(index % colours.size());
}

void DayChartView::showChart(const DayChart &chart)
{
    m_data = chart;
    m_hovered = -1;
    rebuild();
}

void DayChartView::rebuild()
{
    chart()->removeAllSeries();
    for (QAbstractAxis *axis : chart()->axes()) {
        chart()->removeAxis(axis);
        delete axis;
    }
    m_top =
        niceTop(highest(m_data, m_form == Form::StackedBars), steps, m_form == Form::Lines || m_unit == Unit::Count);
    if (m_form == Form::StackedBars)
        addBars();
    else
        addLines();
    layOut();
    viewport()->update();
}

void DayChartView::addBars()
{
    auto *bars = new QStackedBarSeries;
    bars->setBarWidth(m_data.range.days() > 45 ? 0.8 : 0.65);
    for (int i = 0; i < m_data.series.size(); ++i) {
        auto *set = new QBarSet(m_data.series.at(i).title);
        for (const double value : m_data.series.at(i).heights)
            set->append(value);
        set->setColor(seriesColour(i));
        set->setBorderColor(Qt::transparent);
        bars->append(set);
    }
    chart()->addSeries(bars);
    addAxes(*bars, true);
}

void DayChartView::addLines()
{
    for (int i = 0; i < m_data.series.size(); ++i) {
        auto *line = new QLineSeries;
        const QList<double> &heights = m_data.series.at(i).heights;
        for (int day = 0; day < heights.size(); ++day)
            line->append(day, heights.at(day));
        line->setPen(QPen(seriesColour(i), 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        chart()->addSeries(line);
        addAxes(*line, i == 0);
    }
}

// Both axes are bare scales: grid and labels are painted here, on whole pixels.
void DayChartView::addAxes(QAbstractSeries &series, bool first)
{
    if (first) {
        auto *days = new QValueAxis;
        days->setRange(-0.5, m_data.range.days() - 0.5);
        days->setVisible(false);
        chart()->addAxis(days, Qt::AlignBottom);
        auto *values = new QValueAxis;
        values->setRange(0, m_top);
        values->setVisible(false);
        chart()->addAxis(values, Qt::AlignLeft);
    }
    for (QAbstractAxis *axis : chart()->axes())
        series.attachAxis(axis);
}

void DayChartView::layOut()
{
    chart()->setPlotArea(QRectF(viewport()->rect().marginsRemoved(room)));
}

void DayChartView::resizeEvent(QResizeEvent *event)
{
    QChartView::resizeEvent(event);
    layOut();
}

double DayChartView::xOf(double day) const
{
    const QRectF plot = chart()->plotArea();
    return plot.left() + (day + 0.5) * plot.width() / qMax(1, m_data.range.days());
}

void DayChartView::hoverDay(int day)
{
    if (std::exchange(m_hovered, day) != day)
        viewport()->update();
}

void DayChartView::mouseMoveEvent(QMouseEvent *event)
{
    const QRectF plot = chart()->plotArea();
    const double x = event->position().x();
    const bool inside = x >= plot.left() && x < plot.right() && m_data.range.days() > 0;
    hoverDay(inside ? static_cast<int>((x - plot.left()) * m_data.range.days() / plot.width()) : -1);
}

void DayChartView::leaveEvent(QEvent *event)
{
    hoverDay(-1);
    QChartView::leaveEvent(event);
}

void DayChartView::drawBackground(QPainter *painter, const QRectF &)
{
    const QRectF plot = chart()->plotArea();
    painter->save();
    painter->resetTransform();
    painter->setRenderHint(QPainter::Antialiasing, false);
    painter->setPen(QPen(m_theme.tokens().border, 1));
    for (int step = 0; step <= steps; ++step) {
        const int y = qRound(plot.bottom() - plot.height() * step / steps);
        painter->drawLine(qRound(plot.left()), y, qRound(plot.right()), y);
    }
    painter->restore();
}

void DayChartView::drawForeground(QPainter *painter, const QRectF &)
{
    painter->save();
    painter->resetTransform();
    painter->setFont(Theme::font(type::caps));
    paintScale(*painter);
    paintDays(*painter);
    if (m_hovered >= 0)
        paintHover(*painter);
    painter->restore();
}

QString DayChartView::scaleText(double value) const
{
    return (m_unit == Unit::Usd ? QStringLiteral("$") : QString()) + shortNumber(value);
}

void DayChartView::paintScale(QPainter &painter) const
{
    const QRectF plot = chart()->plotArea();
    painter.setPen(m_theme.tokens().secondary);
    for (int step = 0; step <= steps; ++step) {
        const double y = plot.bottom() - plot.height() * step / steps;
        painter.drawText(QRectF(0, y - 8, plot.left() - space::s, 16), Qt::AlignRight | Qt::AlignVCenter,
                         scaleText(m_top * step / steps));
    }
}

void DayChartView::paintDays(QPainter &painter) const
{
    const QRectF plot = chart()->plotArea();
    constexpr int labelWidth = 64;
    const int days = m_data.range.days();
    const int step = dayStep(days, static_cast<int>(plot.width()) / labelWidth);
    painter.setPen(m_theme.tokens().secondary);
    // Counted from the right: today always has its label.
    for (int day = days - 1; day >= 0; day -= step) {
        const QString text = QLocale().toString(m_data.range.day(day).date(), QStringLiteral("d MMM"));
        QRectF place(xOf(day) - labelWidth / 2.0, plot.bottom() + 6, labelWidth, 16);
        place.moveRight(qMin(place.right(), viewport()->width() - 2.0));
        if (place.left() >= plot.left() - labelWidth / 2.0)
            painter.drawText(place,
                             day == days - 1 && step < days && place.right() >= viewport()->width() - 2.0
                                 ? Qt::AlignRight | Qt::AlignTop
                                 : Qt::AlignHCenter | Qt::AlignTop,
                             text);
    }
}

void DayChartView::paintHover(QPainter &painter) const
{
    const Tokens &tokens = m_theme.tokens();
    const QRectF plot = chart()->plotArea();
    const double x = xOf(m_hovered);
    painter.setPen(QPen(tokens.strongBorder, 1));
    painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));

    struct Line
    {
        QColor colour;
        QString name, value;
    };
    QList<Line> lines;
    for (int i = 0; i < m_data.series.size(); ++i)
        if (m_form == Form::Lines || m_data.series.at(i).heights.at(m_hovered) != 0)
            lines.append({seriesColour(i), m_data.series.at(i).title, m_data.series.at(i).texts.at(m_hovered)});
    if (!m_data.totals.isEmpty())
        lines.append({Qt::transparent, tr("Total"), m_data.totals.at(m_hovered)});

    painter.setFont(Theme::font(type::small));
    const QFontMetrics metrics = painter.fontMetrics();
    const QString title = format::day(m_data.range.day(m_hovered));
    int names = 0, values = 0;
    for (const Line &line : lines) {
        names = qMax(names, metrics.horizontalAdvance(line.name));
        values = qMax(values, metrics.horizontalAdvance(line.value));
    }
    const int width = qMax(metrics.horizontalAdvance(title), names + values + 16 + space::l) + 2 * space::m;
    const int rowHeight = metrics.height() + 4;
    QRectF box(x + space::m, plot.top(), width, (lines.size() + 1) * rowHeight + 2 * space::s);
    if (box.right() > viewport()->width())
        box.moveRight(x - space::m);
    painter.setPen(QPen(tokens.strongBorder, 1));
    painter.setBrush(tokens.raised);
    painter.drawRoundedRect(box, radius::control, radius::control);
    QRectF row(box.left() + space::m, box.top() + space::s, box.width() - 2 * space::m, rowHeight);
    painter.setPen(tokens.secondary);
    painter.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, title);
    for (const Line &line : lines) {
        row.translate(0, rowHeight);
        painter.setPen(Qt::NoPen);
        painter.setBrush(line.colour);
        painter.drawEllipse(QRectF(row.left(), row.center().y() - 4, 8, 8));
        painter.setPen(tokens.text);
        painter.drawText(row.adjusted(16, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, line.name);
        painter.drawText(row, Qt::AlignRight | Qt::AlignVCenter, line.value);
    }
}

ChartLegend::ChartLegend(Theme &theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setFixedHeight(20);
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ChartLegend::showChart(const DayChart &chart)
{
    m_data = chart;
    QStringList words;
    for (const DaySeries &series : chart.series)
        words.append(series.title + u' ' + series.total);
    setAccessibleName(words.join(QStringLiteral(", ")));
    update();
}

// Totals are shown where there is room for all of them.
void ChartLegend::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(Theme::font(type::small));
    const QFontMetrics metrics = painter.fontMetrics();
    const auto widthOf = [&](const DaySeries &series, bool total) {
        const int title = legendDot + metrics.horizontalAdvance(series.title) + space::l;
        return title + (total && !series.total.isEmpty() ? space::s + metrics.horizontalAdvance(series.total) : 0);
    };
    int wanted = -space::l;
    for (const DaySeries &series : std::as_const(m_data.series))
        wanted += widthOf(series, true);
    const bool totals = wanted <= width();
    int x = 0;
    for (int i = 0; i < m_data.series.size(); ++i) {
        const DaySeries &series = m_data.series.at(i);
        paintKey(painter, x, i, totals ? series.total : QString());
        x += widthOf(series, totals);
    }
}

void ChartLegend::paintKey(QPainter &painter, int x, int index, const QString &total) const
{
    const Tokens &tokens = m_theme.tokens();
    const QString &title = m_data.series.at(index).title;
    painter.setPen(Qt::NoPen);
    painter.setBrush(tokens.series.at(index % tokens.series.size()));
    painter.drawEllipse(QRectF(x, height() / 2.0 - 4, 8, 8));
    QRect words(x + legendDot, 0, width(), height());
    painter.setPen(tokens.text);
    painter.drawText(words, Qt::AlignVCenter, title);
    words.adjust(painter.fontMetrics().horizontalAdvance(title) + space::s, 0, 0, 0);
    painter.setPen(tokens.secondary);
    painter.drawText(words, Qt::AlignVCenter, total);
}

} // namespace companion::console
