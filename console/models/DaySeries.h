#pragma once

#include "common/models/Admin.h"
#include "console/models/DayRange.h"

namespace companion::console {

// One line or one layer of bars over the days of a range. `heights` are for drawing only; what people read is `texts`,
// made from the exact decimal values.
struct DaySeries
{
    QString key = {};
    QString title = {};
    QString total = {};
    QList<double> heights = {}; // one a day, 0 where nothing happened
    QStringList texts = {};
};

// What one chart shows.
struct DayChart
{
    DayRange range;
    QList<DaySeries> series = {};
    QStringList totals = {}; // of all series, a day; empty where a sum would say nothing

    bool isEmpty() const; // nothing but zeros
};

// Revenue a day, one series a product, the greatest first; past `mostSeries` the rest is one series "Other".
DayChart revenueChart(const DayRange &range, const QList<RevenuePoint> &points, int mostSeries = 6);

enum class Activity { Users, Replies, Credits };
DayChart activityChart(const DayRange &range, const QList<ActivityPoint> &points, Activity what);

} // namespace companion::console
