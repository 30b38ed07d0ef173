#include "admin/StatsStore.h"

#include "common/money/Money.h"

namespace companion::admin {

using namespace Qt::StringLiterals;

namespace {

struct Figures
{
    db::Row row;
    QString text(const char *column) const { return row.text(column); }
};

Figures figuresOf(db::Session &db, const Range &range)
{
    return {db.one(
        "admin.figures",
        {{"from", range.from}, {"to", range.to}, {"week", range.to.addDays(-7)}, {"month", range.to.addDays(-30)}})};
}

} // namespace

StatsSummary StatsStore::summary(db::Session &db, const Range &range) const
{
    const Figures now = figuresOf(db, range);
    const Figures before = figuresOf(db, range.before());
    const auto figure = [&](const char *column) { return Figure{now.text(column), before.text(column)}; };
    return {.from = range.from,
            .to = range.to,
            .dailyActiveUsers = figure("daily_active_users"),
            .weeklyActiveUsers = figure("weekly_active_users"),
            .monthlyActiveUsers = figure("monthly_active_users"),
            .conversionPercent = figure("conversion_percent"),
            .revenueUsd = figure("revenue_usd"),
            .arpuUsd = figure("arpu_usd"),
            .creditsSpent = figure("credits_spent"),
            .creditsGranted = figure("credits_granted"),
            .turns = figure("turns"),
            .llmCostUsd = figure("llm_cost_usd"),
            .blockedPercent = figure("blocked_percent")};
}

Series<RevenuePoint> StatsStore::revenue(db::Session &db, const Range &range) const
{
    Series<RevenuePoint> series;
    for (const db::Row &row : db.rows("admin.revenue_by_day", {{"from", range.from}, {"to", range.to}})) {
        const Money money = Money::fromMinor(row.integer("amount_minor"), row.text("currency"));
        series.items.append({.day = row.time("day"),
                             .product = row.text("product"),
                             .amount = money.amount(),
                             .currency = money.currency(),
                             .count = static_cast<int>(row.integer("count"))});
    }
    return series;
}

Series<ActivityPoint> StatsStore::activity(db::Session &db, const Range &range) const
{
    Series<ActivityPoint> series;
    for (const db::Row &row : db.rows("admin.activity_by_day", {{"from", range.from}, {"to", range.to}}))
        series.items.append({.day = row.time("day"),
                             .activeUsers = static_cast<int>(row.integer("active_users")),
                             .newUsers = static_cast<int>(row.integer("new_users")),
                             .turns = static_cast<int>(row.integer("turns")),
                             .creditsSpent = row.credits("credits_spent"),
                             .creditsGranted = row.credits("credits_granted")});
    return series;
}

} // namespace companion::admin
