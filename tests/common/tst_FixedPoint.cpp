#include "common/money/Credits.h"
#include "common/money/Money.h"

#include <QTest>

using namespace companion;

class FixedPointTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void reads_and_writes_all_its_places_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<qint64>("units");
        QTest::addColumn<QString>("written");
        QTest::newRow("whole") << "12" << qint64(120000) << "12.0000";
        QTest::newRow("some places") << "12.34" << qint64(123400) << "12.3400";
        QTest::newRow("negative") << "-0.0001" << qint64(-1) << "-0.0001";
        QTest::newRow("largest") << "922337203685477.5807" << std::numeric_limits<qint64>::max()
                                 << "922337203685477.5807";
        QTest::newRow("smallest") << "-922337203685477.5808" << std::numeric_limits<qint64>::min()
                                  << "-922337203685477.5808";
    }
    void reads_and_writes_all_its_places()
    {
        QFETCH(QString, text);
        QFETCH(qint64, units);
        const auto credits = Credits::parse(text);
        QVERIFY(credits);
        QCOMPARE(credits->units(), units);
        QTEST(credits->toString(), "written");
    }

    void refuses_what_is_no_plain_decimal_data()
    {
        QTest::addColumn<QString>("text");
        for (const char *text : {"", "-", ".5", "5.", "1.23456", "1e3", "+1", " 1", "1 ", "1,5", "NaN", "--1", "0x1",
                                 "922337203685477.5808", "-922337203685477.5809", "99999999999999999999", "١"})
            QTest::newRow(text) << QString::fromUtf8(text);
    }
    void refuses_what_is_no_plain_decimal()
    {
        QFETCH(QString, text);
        QVERIFY(!Credits::parse(text));
    }

    void never_overflows_in_silence()
    {
        const auto largest = Credits::fromUnits(std::numeric_limits<qint64>::max());
        QVERIFY_THROWS_EXCEPTION(std::logic_error, largest + Credits::fromUnits(1));
        QVERIFY_THROWS_EXCEPTION(std::logic_error, -largest - Credits::fromUnits(2));
    }

    void money_has_its_currencys_places()
    {
        QCOMPARE(Money::parse(u"9.99", "USD")->minor(), 999);
        QCOMPARE(Money::parse(u"980", "JPY")->amount(), "980");
        QVERIFY(!Money::parse(u"9.9", "JPY"));
        QCOMPARE(Money::fromMinor(1234, "KWD").amount(), "1.234");
        QVERIFY(!Money::parse(u"1", "usd"));
    }
};

QTEST_APPLESS_MAIN(FixedPointTest)
#include "tst_FixedPoint.moc"
