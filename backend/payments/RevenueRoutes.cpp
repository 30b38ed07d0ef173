// What the books tell of money earned and owed, from the ledger alone.

#include "payments/PaymentRoutes.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr int mostPeriods = 62;

QList<CurrencyRevenue> revenueOver(db::Session &db, const QDateTime &from, const QDateTime &to)
{
    QList<CurrencyRevenue> currencies;
    for (const auto &row : db.rows("payments.revenue", {{"from", from}, {"to", to}})) {
        const QString currency = row.text("currency");
        const auto money = [&](const char *column) { return Money::fromMinor(row.integer(column), currency).amount(); };
        currencies.append({currency, money("received"), money("refunded"), money("charged_back"), money("tax"),
                           money("fees"), money("used"), money("breakage"), money("deferred")});
    }
    return currencies;
}

// The first moment after `at` that begins a day, a Monday or a month, UTC.
QDateTime nextBeginning(const QDateTime &at, RevenueInterval interval)
{
    const QDate day = at.toUTC().date();
    switch (interval) {
    case RevenueInterval::Day:
        return day.addDays(1).startOfDay(Qt::UTC);
    case RevenueInterval::Week:
        return day.addDays(8 - day.dayOfWeek()).startOfDay(Qt::UTC);
    case RevenueInterval::Month:
        return QDate(day.year(), day.month(), 1).addMonths(1).startOfDay(Qt::UTC);
    }
    return at;
}

} // namespace

void addRevenueRoutes(api::Api &api)
{
    api::Endpoint revenue{.path = u"/api/v1/admin/books/revenue"_s,
                          .tag = u"Admin: payments"_s,
                          .summary = u"Cash, recognised and deferred revenue, breakage; 30 days by default"_s,
                          .access = api::Access::operators({Role::Finance, Role::Viewer}),
                          .answers = {api::answer<RevenueReport>()}};
    revenue.query = {{"from", "From this time, RFC 3339"},
                     {"to", "Before this time, RFC 3339"},
                     {"interval", "Also by each of these, UTC; at most 62 of them",
                      JsonType<RevenueInterval>::schema({})}};
    api.bulkAct(revenue, [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto from = call.queryTime(u"from"_s);
        const auto to = from ? call.queryTime(u"to"_s) : std::unexpected(from.error());
        const auto interval = to ? call.queryValue<RevenueInterval>(u"interval"_s) : std::unexpected(to.error());
        if (!interval)
            return std::unexpected(interval.error());
        RevenueReport report;
        report.to = to->value_or(db.now());
        report.from = from->value_or(report.to.addDays(-30));
        if (report.from >= report.to)
            return std::unexpected(api::Call::invalidQuery({{u"/query/from"_s, u"must be before to"_s}}));
        for (QDateTime at = report.from; *interval && at < report.to;) {
            const QDateTime end = std::min(nextBeginning(at, **interval), report.to);
            report.periods.append({at, end, {}});
            at = end;
            if (report.periods.size() > mostPeriods)
                return std::unexpected(api::Call::invalidQuery(
                    {{u"/query/interval"_s, u"has more than %1 periods in this span"_s.arg(mostPeriods)}}));
        }
        for (RevenuePeriod &period : report.periods)
            period.currencies = revenueOver(db, period.from, period.to);
        report.currencies = revenueOver(db, report.from, report.to);
        return api::ok(report);
    });
}

} // namespace companion::payments
