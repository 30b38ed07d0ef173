#include "console/models/Kpi.h"

#include "console/models/Format.h"
#include "console/models/Words.h"

namespace companion::console {

namespace {

enum class Unit { Count, Usd, Percent, Credits };
enum class Wish { More, Less, None };

QString shown(const QString &figure, Unit unit)
{
    switch (unit) {
    case Unit::Count:
        return format::decimal(figure, 0);
    case Unit::Usd:
        return format::usd(figure, 2);
    case Unit::Percent:
        return format::decimal(figure, 1) + QStringLiteral(" %");
    case Unit::Credits:
        return format::decimal(figure, 2);
    }
    return figure;
}

Tone toneOf(const Figure &figure, Wish wish)
{
    const int direction = format::compare(figure.current, figure.previous);
    if (direction == 0 || wish == Wish::None)
        return Tone::Neutral;
    return (direction > 0) == (wish == Wish::More) ? Tone::Positive : Tone::Danger;
}

Kpi kpi(const char *key, const QString &title, const Figure &figure, Unit unit, Wish wish, const QString &note = {})
{
    return {.key = QString::fromLatin1(key),
            .title = title,
            .value = shown(figure.current, unit),
            .change = format::change(figure.current, figure.previous),
            .before = shown(figure.previous, unit),
            .tone = toneOf(figure, wish),
            .note = note};
}

QString note(const char *text)
{
    return QCoreApplication::translate("Kpi", text);
}

} // namespace

KpiSheet kpiSheet(const StatsSummary &stats)
{
    using S = StatsSummary;
    using namespace words;
    return {.leading = {kpi("revenue", title(&S::revenueUsd), stats.revenueUsd, Unit::Usd, Wish::More),
                        kpi("monthly_active", title(&S::monthlyActiveUsers), stats.monthlyActiveUsers, Unit::Count,
                            Wish::More),
                        kpi("conversion", title(&S::conversionPercent), stats.conversionPercent, Unit::Percent,
                            Wish::More, note(QT_TRANSLATE_NOOP("Kpi", "target 5 %"))),
                        kpi("llm_cost", title(&S::llmCostUsd), stats.llmCostUsd, Unit::Usd, Wish::Less)},
            .supporting = {
                kpi("daily_active", title(&S::dailyActiveUsers), stats.dailyActiveUsers, Unit::Count, Wish::More),
                kpi("weekly_active", title(&S::weeklyActiveUsers), stats.weeklyActiveUsers, Unit::Count, Wish::More),
                kpi("arpu", title(&S::arpuUsd), stats.arpuUsd, Unit::Usd, Wish::More),
                kpi("turns", title(&S::turns), stats.turns, Unit::Count, Wish::More),
                kpi("credits_spent", title(&S::creditsSpent), stats.creditsSpent, Unit::Credits, Wish::More),
                kpi("credits_granted", title(&S::creditsGranted), stats.creditsGranted, Unit::Credits, Wish::None),
                kpi("blocked", title(&S::blockedPercent), stats.blockedPercent, Unit::Percent, Wish::Less)}};
}

} // namespace companion::console
