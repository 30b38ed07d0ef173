#include "console/models/AxisScale.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace companion::console {

double highest(const DayChart &chart, bool stacked)
{
    double top = 0;
    for (int day = 0; day < chart.range.days(); ++day) {
        double sum = 0;
        for (const DaySeries &series : chart.series) {
            sum += series.heights.at(day);
            top = std::max(top, series.heights.at(day));
        }
        if (stacked)
            top = std::max(top, sum);
    }
    return top;
}

double niceTop(double value, int steps, bool whole)
{
    const double wanted = std::max(value, whole ? double(steps) : 0.01) / steps;
    const double power = std::pow(10.0, std::floor(std::log10(wanted)));
    for (const double factor : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0})
        if (const double step = factor * power; step >= wanted * (1 - 1e-9) && (!whole || step == std::floor(step)))
            return step * steps;
    return 10 * power * steps;
}

QString shortNumber(double value)
{
    const auto text = [](double number, const char *unit) -> QString {
        return QLocale().toString(number, 'g', 4) + QLatin1StringView(unit);
    };
    if (value >= 1e6)
        return text(value / 1e6, "M");
    return value >= 1e4 ? text(value / 1e3, "k") : text(value, "");
}

int dayStep(int days, int labels)
{
    for (const int step : {1, 2, 7, 14, 30, 60, 90, 180})
        if (days <= step * std::max(1, labels))
            return step;
    return 365;
}

} // namespace companion::console
