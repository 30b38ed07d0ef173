#include "console/client/StatsApi.h"

namespace companion::console {

namespace {

QUrlQuery rangeQuery(const QDateTime &from, const QDateTime &to)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("from"), json::timeText(from));
    query.addQueryItem(QStringLiteral("to"), json::timeText(to));
    return query;
}

QUrlQuery dailyQuery(const QDateTime &from, const QDateTime &to)
{
    QUrlQuery query = rangeQuery(from, to);
    query.addQueryItem(QStringLiteral("interval"), QStringLiteral("day"));
    return query;
}

} // namespace

ApiCall<StatsSummary> StatsApi::summary(const QDateTime &from, const QDateTime &to)
{
    return m_client.call<StatsSummary>({.path = QStringLiteral("/admin/stats"), .query = rangeQuery(from, to)});
}

ApiCall<Series<RevenuePoint>> StatsApi::revenueByDay(const QDateTime &from, const QDateTime &to)
{
    return m_client.call<Series<RevenuePoint>>(
        {.path = QStringLiteral("/admin/stats/revenue"), .query = dailyQuery(from, to)});
}

ApiCall<Series<ActivityPoint>> StatsApi::activityByDay(const QDateTime &from, const QDateTime &to)
{
    return m_client.call<Series<ActivityPoint>>(
        {.path = QStringLiteral("/admin/stats/activity"), .query = dailyQuery(from, to)});
}

ApiCall<SystemInfo> StatsApi::system()
{
    return m_client.call<SystemInfo>({.path = QStringLiteral("/admin/system")});
}

} // namespace companion::console
