#pragma once

#include "console/models/DaySeries.h"
#include "console/ui/theme/Theme.h"

#include <QtCharts/QChartView>

namespace companion::console {

// Days along the bottom, from zero up: stacked bars or lines, thin grid, and the day's values under the pointer.
// Qt Charts draws the shapes; the labels and the hover card are drawn here, so that no label is ever cut to dots.
class DayChartView : public QChartView
{
    Q_OBJECT
public:
    enum class Form { StackedBars, Lines };
    enum class Unit { Count, Usd };

    DayChartView(Theme &theme, Form form, Unit unit, QWidget *parent = nullptr);
    void showChart(const DayChart &chart);
    void hoverDay(int day); // -1: none
    int hoveredDay() const { return m_hovered; }
    QColor seriesColour(int index) const;

protected:
    void resizeEvent(QResizeEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void drawBackground(QPainter *painter, const QRectF &rect) override;
    void drawForeground(QPainter *painter, const QRectF &rect) override;

private:
    void rebuild();
    void addBars();
    void addLines();
    void addAxes(QAbstractSeries &series, bool first);
    void layOut();
    double xOf(double day) const; // the middle of a day's column
    void paintScale(QPainter &painter) const;
    void paintDays(QPainter &painter) const;
    void paintHover(QPainter &painter) const;
    QString scaleText(double value) const;

    Theme &m_theme;
    Form m_form;
    Unit m_unit;
    DayChart m_data;
    double m_top = 1;
    int m_hovered = -1;
};

// Colour, name and total of each series: a legend that is a table.
class ChartLegend : public QWidget
{
    Q_OBJECT
public:
    explicit ChartLegend(Theme &theme, QWidget *parent = nullptr);
    void showChart(const DayChart &chart);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    void paintKey(QPainter &painter, int x, int index, const QString &total) const;

    Theme &m_theme;
    DayChart m_data;
};

} // namespace companion::console
