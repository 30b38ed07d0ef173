#include "admin/AdminRoutes.h"
#include "admin/StatsStore.h"

namespace companion::admin {

using namespace Qt::StringLiterals;

namespace {

constexpr int mostDays = 400;

const QList<api::QueryParameter> rangeParameters{
    {"from", "The first day; 30 days before `to` by default", JsonType<QDateTime>::schema({})},
    {"to", "The end, exclusive; the end of today by default", JsonType<QDateTime>::schema({})},
    {"interval", "The step between two points", {{u"type"_s, u"string"_s}, {u"enum"_s, QJsonArray{u"day"_s}}}},
};

QDateTime dayOf(const QDateTime &time)
{
    return {time.toUTC().date(), QTime(0, 0), Qt::UTC};
}

Result<Range> rangeOf(const api::Call &call, const QDateTime &now)
{
    const auto from = call.queryTime(u"from"_s);
    const auto to = from ? call.queryTime(u"to"_s) : from;
    if (!to)
        return std::unexpected(to.error());
    if (const auto interval = call.query(u"interval"_s); interval && interval != u"day"_s)
        return std::unexpected(api::Call::invalidQuery({{u"/query/interval"_s, u"must be day"_s}}));
    Range range;
    range.to = to->has_value() ? dayOf((**to).addMSecs(-1)).addDays(1) : dayOf(now).addDays(1);
    range.from = from->has_value() ? dayOf(**from) : range.to.addDays(-30);
    if (range.days() < 1 || range.days() > mostDays)
        return std::unexpected(
            api::Call::invalidQuery({{u"/query/from"_s, u"must be 1 to %1 days before to"_s.arg(mostDays)}}));
    return range;
}

template <class Answered, class Read>
void addStats(api::Api &api, const QString &path, const QString &summary, Read read)
{
    api::Endpoint endpoint{
        .path = u"/api/v1/admin/stats"_s + path,
        .tag = u"Admin"_s,
        .summary = summary,
        .access = api::Access::operators({Role::Finance, Role::Support, Role::Qa, Role::Viewer}),
        .answers = {api::answer<Answered>()},
        .query = rangeParameters,
    };
    api.bulkAct(endpoint, [read](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto range = rangeOf(call, db.now());
        if (!range)
            return std::unexpected(range.error());
        return api::ok(read(db, *range));
    });
}

} // namespace

void addStatsRoutes(api::Api &api)
{
    addStats<StatsSummary>(api, QString(), u"The range's figures beside those of the range before"_s,
                           [](db::Session &db, const Range &range) { return StatsStore().summary(db, range); });
    addStats<Series<RevenuePoint>>(api, u"/revenue"_s, u"Cash received by day and product"_s,
                                   [](db::Session &db, const Range &range) { return StatsStore().revenue(db, range); });
    addStats<Series<ActivityPoint>>(api, u"/activity"_s, u"Users, replies and credits by day"_s,
                                    [](db::Session &db, const Range &range) {
                                        return StatsStore().activity(db, range);
                                    });
}

} // namespace companion::admin
