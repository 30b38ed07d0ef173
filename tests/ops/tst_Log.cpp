#include "ops/Log.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QThread>

using namespace companion::ops;

namespace {

QList<QByteArray> linesOf(const std::function<void()> &act)
{
    QList<QByteArray> lines;
    setLogSink([&](Level, const QByteArray &line) { lines.append(line); });
    act();
    setLogSink({});
    return lines;
}

QJsonObject onlyLine(const QList<QByteArray> &lines)
{
    if (lines.size() != 1)
        return {};
    return QJsonDocument::fromJson(lines.first()).object();
}

} // namespace

class tst_Log : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { installLog(Level::Info, LogForm::Json); }

    void a_line_is_one_json_object()
    {
        const auto line = onlyLine(linesOf([] {
            log(Level::Warning, "hold_expired", "r-1",
                {{"amount", QStringLiteral("1.5000")}, {"count", 3}, {"late", true}, {"ms", 2.5}});
        }));
        QCOMPARE(line.value(u"level").toString(), u"warning");
        QCOMPARE(line.value(u"event").toString(), u"hold_expired");
        QCOMPARE(line.value(u"request_id").toString(), u"r-1");
        QCOMPARE(line.value(u"amount").toString(), u"1.5000");
        QCOMPARE(line.value(u"count").toInt(), 3);
        QCOMPARE(line.value(u"late").toBool(), true);
        QCOMPARE(line.value(u"ms").toDouble(), 2.5);
        const auto time = QDateTime::fromString(line.value(u"time").toString(), Qt::ISODateWithMs);
        QVERIFY(time.isValid() && time.timeSpec() == Qt::UTC
                && std::abs(time.secsTo(QDateTime::currentDateTimeUtc())) < 5);
    }

    void text_cannot_break_out_of_its_line()
    {
        const auto lines = linesOf(
            [] { log(Level::Info, "odd", {{"text", QStringLiteral("a\n{\"level\":\"error\"}\r\t\"\\\u2028")}}); });
        QCOMPARE(lines.size(), 1);
        QVERIFY(!lines.first().contains('\n'));
        QCOMPARE(onlyLine(lines).value(u"text").toString(), QStringLiteral("a\n{\"level\":\"error\"}\r\t\"\\\u2028"));
    }

    void secrets_are_not_written()
    {
        const auto lines = linesOf([] {
            log(Level::Info, "sign_in",
                {{"access_token", QStringLiteral("s3cret")},
                 {"Authorization", QStringLiteral("Bearer s3cret")},
                 {"api_key", QStringLiteral("s3cret")},
                 {"total_tokens", 12}});
        });
        QVERIFY(!lines.first().contains("s3cret"));
        QCOMPARE(onlyLine(lines).value(u"total_tokens").toInt(), 12); // a number is no secret
    }

    void what_is_below_the_level_is_not_written()
    {
        QVERIFY(linesOf([] { log(Level::Debug, "detail"); }).isEmpty());
    }

    void qts_own_messages_come_the_same_way()
    {
        const auto line = onlyLine(linesOf([] { qWarning("socket %d", 7); }));
        QCOMPARE(line.value(u"event").toString(), u"qt");
        QCOMPARE(line.value(u"level").toString(), u"warning");
        QCOMPARE(line.value(u"text").toString(), u"socket 7");
    }

    void people_get_a_form_of_their_own()
    {
        installLog(Level::Info, LogForm::Human);
        const auto lines = linesOf([] { log(Level::Error, "boom", "r", {{"why", QStringLiteral("x")}}); });
        installLog(Level::Info, LogForm::Json);
        QVERIFY2(lines.first().endsWith("error   boom why=\"x\" request_id=r"), lines.first().constData());
    }

    void many_threads_write_whole_lines()
    {
        const auto lines = linesOf([] {
            std::vector<std::unique_ptr<QThread>> threads;
            for (int i = 0; i < 8; ++i) {
                threads.emplace_back(QThread::create([] {
                    for (int n = 0; n < 200; ++n)
                        log(Level::Info, "tick", {{"n", n}});
                }));
                threads.back()->start();
            }
            for (const auto &thread : threads)
                thread->wait();
        });
        QCOMPARE(lines.size(), 1'600);
        for (const auto &line : lines)
            QVERIFY(QJsonDocument::fromJson(line).isObject());
    }
};

QTEST_GUILESS_MAIN(tst_Log)
#include "tst_Log.moc"
