#include "console/models/DaySeries.h"

#include "console/models/Format.h"
#include "console/models/Words.h"

#include <algorithm>
#include <ranges>

namespace companion::console {

namespace {

// A product's exact revenue: a day and in all.
struct ProductRevenue
{
    QString product;
    QList<CostUsd> days;
    CostUsd total;

    void add(const ProductRevenue &other)
    {
        for (qsizetype day = 0; day < days.size(); ++day)
            days[day] += other.days[day];
        total += other.total;
    }
};

template <class Tag, int Places>
double height(FixedPoint<Tag, Places> amount)
{
    return static_cast<double>(amount.units()) / std::pow(10.0, Places);
}

QList<ProductRevenue> byProduct(const DayRange &range, const QList<RevenuePoint> &points)
{
    QList<ProductRevenue> products;
    for (const RevenuePoint &point : points) {
        const int day = range.indexOf(point.day);
        const auto amount = CostUsd::parse(point.amount);
        if (day < 0 || day >= range.days() || !amount)
            continue;
        auto found = std::ranges::find(products, point.product, &ProductRevenue::product);
        if (found == products.end())
            found = products.insert(products.end(), {point.product, QList<CostUsd>(range.days()), {}});
        found->days[day] += *amount;
        found->total += *amount;
    }
    std::ranges::sort(products, std::greater(), &ProductRevenue::total);
    return products;
}

void foldTheRest(QList<ProductRevenue> &products, int most)
{
    while (products.size() > most) {
        const ProductRevenue last = products.takeLast();
        products.last().add(last);
        products.last().product = QStringLiteral("other");
    }
}

DaySeries revenueSeries(const ProductRevenue &product)
{
    DaySeries series{.key = product.product,
                     .title = words::product(product.product),
                     .total = format::usd(product.total.toString())};
    for (const CostUsd amount : product.days) {
        series.heights.append(height(amount));
        series.texts.append(format::usd(amount.toString()));
    }
    return series;
}

template <class Value, class Text>
DaySeries activitySeries(const DayRange &range, const QList<ActivityPoint> &points, Value ActivityPoint::*member,
                         Text text, double (*heightOf)(Value))
{
    QList<Value> values(range.days());
    for (const ActivityPoint &point : points)
        if (const int day = range.indexOf(point.day); day >= 0 && day < range.days())
            values[day] = point.*member;
    DaySeries series{.title = words::title(member)};
    for (const Value value : values) {
        series.heights.append(heightOf(value));
        series.texts.append(text(value));
    }
    return series;
}

} // namespace

bool DayChart::isEmpty() const
{
    return std::ranges::all_of(series, [](const DaySeries &one) {
        return std::ranges::all_of(one.heights, [](double value) { return value == 0; });
    });
}

DayChart revenueChart(const DayRange &range, const QList<RevenuePoint> &points, int mostSeries)
{
    QList<ProductRevenue> products = byProduct(range, points);
    foldTheRest(products, mostSeries);
    DayChart chart{.range = range};
    QList<CostUsd> sums(range.days());
    for (const ProductRevenue &product : products) {
        chart.series.append(revenueSeries(product));
        for (int day = 0; day < range.days(); ++day)
            sums[day] += product.days[day];
    }
    for (const CostUsd sum : sums)
        chart.totals.append(format::usd(sum.toString()));
    return chart;
}

DayChart activityChart(const DayRange &range, const QList<ActivityPoint> &points, Activity what)
{
    using P = ActivityPoint;
    const auto countText = [](int value) { return format::count(value); };
    const auto creditText = [](Credits value) { return format::credits(value, 2); };
    const auto countLine = [&](const char *key, int P::*member) {
        DaySeries line = activitySeries<int>(range, points, member, countText, [](int v) { return double(v); });
        line.key = QString::fromLatin1(key);
        return line;
    };
    const auto creditLine = [&](const char *key, Credits P::*member) {
        DaySeries line =
            activitySeries<Credits>(range, points, member, creditText, [](Credits v) { return height(v); });
        line.key = QString::fromLatin1(key);
        return line;
    };
    switch (what) {
    case Activity::Users:
        return {range, {countLine("active_users", &P::activeUsers), countLine("new_users", &P::newUsers)}, {}};
    case Activity::Replies:
        return {range, {countLine("turns", &P::turns)}, {}};
    case Activity::Credits:
        return {range,
                {creditLine("credits_spent", &P::creditsSpent), creditLine("credits_granted", &P::creditsGranted)},
                {}};
    }
    return {};
}

} // namespace companion::console
