#include "console/models/AxisScale.h"
#include "console/models/DaySeries.h"
#include "console/models/Format.h"
#include "console/models/Kpi.h"
#include "console/models/Words.h"
#include "tests/console/support/CannedModels.h"

#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

// What people read: numbers, times, figures, chart values.
class WordsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }

    void decimals_are_rounded_half_up_and_grouped_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("places");
        QTest::addColumn<QString>("shown");
        QTest::newRow("grouped") << u"1234567.891"_s << 2 << u"1,234,567.89"_s;
        QTest::newRow("half goes up") << u"0.005"_s << 2 << u"0.01"_s;
        QTest::newRow("below half goes down") << u"0.0049"_s << 2 << u"0.00"_s;
        QTest::newRow("negative half goes away from zero") << u"-0.005"_s << 2 << QString(QChar(0x2212) + u"0.01"_s);
        QTest::newRow("a minus, not a hyphen") << u"-12.5"_s << 1 << QString(QChar(0x2212) + u"12.5"_s);
        QTest::newRow("carries into the whole part") << u"9.999"_s << 2 << u"10.00"_s;
        QTest::newRow("no places") << u"412.5"_s << 0 << u"413"_s;
        QTest::newRow("no number stays as it is") << u"n/a"_s << 2 << u"n/a"_s;
    }
    void decimals_are_rounded_half_up_and_grouped()
    {
        QFETCH(QString, text);
        QFETCH(int, places);
        QTEST(format::decimal(text, places), "shown");
    }

    void credits_keep_all_four_places()
    {
        QCOMPARE(format::credits(*Credits::parse(u"1234.5")), u"1,234.5000"_s);
        QCOMPARE(format::signedCredits(*Credits::parse(u"12")), u"+12.0000"_s);
        QCOMPARE(format::signedCredits(*Credits::parse(u"-0.0328")), QString(QChar(0x2212) + u"0.0328"_s));
        QCOMPARE(format::factor(*Factor::parse(u"1.5000")), QString(u"1.5"_s + QChar(0x00D7)));
        QCOMPARE(format::factor(*Factor::parse(u"10")), QString(u"10"_s + QChar(0x00D7)));
    }

    void change_is_in_percent_of_the_size_of_the_earlier_figure()
    {
        QCOMPARE(format::change(u"112.5"_s, u"100"_s), u"+12.5 %"_s);
        QCOMPARE(format::change(u"97"_s, u"100"_s), QString(QChar(0x2212) + u"3.0 %"_s));
        QCOMPARE(format::change(u"5"_s, u"-10"_s), u"+150.0 %"_s);
        QCOMPARE(format::change(u"5"_s, u"5"_s), u"0.0 %"_s);
        QCOMPARE(format::change(u"0"_s, u"0"_s), u"0.0 %"_s);
        QVERIFY(format::change(u"5"_s, u"0"_s).isEmpty());
        QVERIFY(format::change(u"900000000"_s, u"0.0000000001"_s).size() > 10); // no overflow on the way
    }

    void times_read_relative_and_never_lose_the_year()
    {
        const QDateTime now(QDate(2026, 11, 22), QTime(12, 0), Qt::UTC);
        QCOMPARE(format::relativeTime(now.addSecs(-20), now), u"now"_s);
        QCOMPARE(format::relativeTime(now.addSecs(-5 * 60), now), u"5 min ago"_s);
        QCOMPARE(format::relativeTime(now.addSecs(-3 * 3600), now), u"3 h ago"_s);
        QCOMPARE(format::relativeTime(now.addSecs(5 * 3600), now), u"in 5 h"_s);
        QCOMPARE(format::relativeTime(now.addDays(-1), now), u"yesterday"_s);
        QCOMPARE(format::relativeTime(now.addDays(-400), now), u"18 Oct 2025"_s);
        QCOMPARE(format::relativeTime({}, now), QString());
        QCOMPARE(format::milliseconds(820), u"820 ms"_s);
        QCOMPARE(format::milliseconds(1449), u"1.4 s"_s);
    }

    void titles_come_from_the_shared_models()
    {
        QCOMPARE(words::title(&AdminUser::email), u"Email"_s);
        QCOMPARE(words::title(&BucketAmounts::purchased), u"Purchased"_s);
        QCOMPARE(words::product(u"vip"_s), u"VIP"_s);
        QCOMPARE(words::product(u"best_value"_s), u"Best value"_s);
    }

    void every_transaction_kind_has_a_word()
    {
        for (const auto &[kind, name] : EnumNames<TransactionKind>::values)
            QVERIFY2(!words::kind(kind).isEmpty() && !words::kind(kind).contains(u'_'), name);
    }

    void a_figure_that_fell_is_bad_news_only_where_more_is_wished_for()
    {
        const KpiSheet sheet = kpiSheet(canned::stats());
        const auto find = [&](const QString &key) {
            for (const Kpi &kpi : sheet.leading + sheet.supporting)
                if (kpi.key == key)
                    return kpi;
            return Kpi();
        };
        QCOMPARE(find(u"revenue"_s).value, u"$12,843.22"_s);
        QCOMPARE(find(u"revenue"_s).change, u"+16.5 %"_s);
        QCOMPARE(find(u"revenue"_s).tone, Tone::Positive);
        QCOMPARE(find(u"llm_cost"_s).value, u"$1,320.11"_s);
        QCOMPARE(find(u"llm_cost"_s).tone, Tone::Positive); // it fell
        QCOMPARE(find(u"credits_spent"_s).tone, Tone::Danger);
        QCOMPARE(find(u"turns"_s).tone, Tone::Neutral);
        QVERIFY(find(u"arpu"_s).change.isEmpty()); // nothing before
    }

    void revenue_is_summed_exactly_by_product_and_day_the_greatest_first()
    {
        const DayRange range = DayRange::lastDays(7, canned::now);
        const QString usd = u"USD"_s;
        const DayChart chart = revenueChart(range,
                                            {{range.day(0), u"starter"_s, u"0.99"_s, usd, 1},
                                             {range.day(2), u"vip"_s, u"29.99"_s, usd, 1},
                                             {range.day(2), u"starter"_s, u"0.99"_s, usd, 1},
                                             {range.day(2).addDays(30), u"vip"_s, u"5"_s, usd, 1}});
        QCOMPARE(chart.series.size(), 2);
        QCOMPARE(chart.series[0].key, u"vip"_s);
        QCOMPARE(chart.series[1].total, u"$1.98"_s);
        QCOMPARE(chart.series[1].texts[0], u"$0.99"_s);
        QCOMPARE(chart.totals[2], u"$30.98"_s);
        QCOMPARE(chart.totals[6], u"$0.00"_s);
    }

    void products_past_the_sixth_become_one_series()
    {
        const DayRange range = DayRange::lastDays(7, canned::now);
        QList<RevenuePoint> points;
        for (int i = 1; i <= 9; ++i)
            points.append({range.day(1), u"p%1"_s.arg(i), QString::number(i), u"USD"_s, 1});
        const DayChart chart = revenueChart(range, points);
        QCOMPARE(chart.series.size(), 6);
        QCOMPARE(chart.series.last().key, u"other"_s);
        QCOMPARE(chart.series.last().total, u"$10.00"_s); // 1 + 2 + 3 + 4
        QCOMPARE(chart.totals[1], u"$45.00"_s);
    }

    void days_without_activity_are_zero_not_missing()
    {
        const DayRange range = DayRange::lastDays(30, canned::now);
        ActivityPoint point{.day = range.day(29), .activeUsers = 7};
        const DayChart chart = activityChart(range, {point}, Activity::Users);
        QCOMPARE(chart.series[0].heights.size(), 30);
        QCOMPARE(chart.series[0].texts[28], u"0"_s);
        QCOMPARE(chart.series[0].texts[29], u"7"_s);
        QVERIFY(!chart.isEmpty());
        QVERIFY(activityChart(range, {}, Activity::Credits).isEmpty());
    }

    void the_range_is_whole_utc_days_that_end_today()
    {
        const DayRange range = DayRange::lastDays(7, QDateTime(QDate(2026, 11, 22), QTime(23, 59), Qt::UTC));
        QCOMPARE(range.from, QDateTime(QDate(2026, 11, 16), QTime(0, 0), Qt::UTC));
        QCOMPARE(range.to, QDateTime(QDate(2026, 11, 23), QTime(0, 0), Qt::UTC));
        QCOMPARE(range.days(), 7);
    }

    void axes_end_on_round_numbers()
    {
        QCOMPARE(niceTop(530, 4, true), 600.0);
        QCOMPARE(niceTop(0, 4, true), 4.0); // an empty chart still has whole steps
        QCOMPARE(niceTop(3, 4, true), 4.0);
        QCOMPARE(niceTop(0.5, 4, false), 0.6);
        QCOMPARE(shortNumber(12500), u"12.5k"_s);
        QCOMPARE(dayStep(30, 7), 7);
        QCOMPARE(dayStep(7, 7), 1);
        QCOMPARE(dayStep(90, 7), 14);
    }
};

QTEST_GUILESS_MAIN(WordsTest)
#include "tst_Words.moc"
