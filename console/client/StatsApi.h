#pragma once

#include "common/models/Admin.h"
#include "console/client/ApiClient.h"

namespace companion::console {

// Times are UTC; `to` is exclusive.
class StatsApi
{
public:
    explicit StatsApi(ApiClient &client)
        : m_client(client)
    {
    }
    ApiCall<StatsSummary> summary(const QDateTime &from, const QDateTime &to);
    ApiCall<Series<RevenuePoint>> revenueByDay(const QDateTime &from, const QDateTime &to);
    ApiCall<Series<ActivityPoint>> activityByDay(const QDateTime &from, const QDateTime &to);
    ApiCall<SystemInfo> system();

private:
    ApiClient &m_client;
};

} // namespace companion::console
