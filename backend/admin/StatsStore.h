#pragma once

#include "common/models/Admin.h"
#include "db/Session.h"

namespace companion::admin {

struct Range
{
    QDateTime from; // UTC, whole days
    QDateTime to;   // exclusive

    qint64 days() const { return from.daysTo(to); }
    Range before() const { return {from.addDays(-days()), from}; }
};

// What the operator watches. Operator role.
class StatsStore
{
public:
    StatsSummary summary(db::Session &db, const Range &range) const;
    Series<RevenuePoint> revenue(db::Session &db, const Range &range) const;
    Series<ActivityPoint> activity(db::Session &db, const Range &range) const; // every day of the range, quiet ones too
};

} // namespace companion::admin
