#include "common/Bug.h"
#include "ops/Metrics.h"

#include <QDateTime>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QStandardPaths>
#include <QTest>
#include <QThread>
#include <cmath>

using namespace companion;
using namespace companion::ops;

namespace {

void fill(Metrics &metrics)
{
    metrics.counter("requests_total", "Requests answered.", {{"route", "/a/{id}"}, {"status", "200"}}).add(3);
    metrics.counter("requests_total", "Requests answered.", {{"route", "/a\"\\\n"}, {"status", "404"}}).add();
    metrics.gauge("queue_length", "Acts waiting.").set(4);
    metrics.gauge("queue_length", "Acts waiting.").add(-1.5);
    auto &latency = metrics.histogram("request_duration_seconds", "Time to answer.", {{"route", "/a"}}, {0.1, 1});
    for (const double seconds : {0.05, 0.1, 0.5, 30.0})
        latency.observe(seconds);
    metrics.gaugeFunction("open_connections", "Connections now.", [] { return 7; });
}

} // namespace

class tst_Metrics : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void writes_the_text_format()
    {
        Metrics metrics;
        fill(metrics);
        const auto text = metrics.exposition();
        QVERIFY(text.contains("# HELP requests_total Requests answered.\n# TYPE requests_total counter\n"));
        QVERIFY(text.contains("requests_total{route=\"/a/{id}\",status=\"200\"} 3\n"));
        QVERIFY(text.contains("requests_total{route=\"/a\\\"\\\\\\n\",status=\"404\"} 1\n"));
        QVERIFY(text.contains("queue_length 2.5\n"));
        QVERIFY(text.contains("open_connections 7\n"));
        QVERIFY(text.contains("request_duration_seconds_bucket{route=\"/a\",le=\"0.1\"} 2\n"
                              "request_duration_seconds_bucket{route=\"/a\",le=\"1\"} 3\n"
                              "request_duration_seconds_bucket{route=\"/a\",le=\"+Inf\"} 4\n"
                              "request_duration_seconds_sum{route=\"/a\"} 30.65\n"
                              "request_duration_seconds_count{route=\"/a\"} 4\n"));
        QVERIFY(text.endsWith('\n'));
    }

    void tells_of_the_process()
    {
        const auto text = Metrics().exposition();
        const auto figure = [&](const char *name) {
            const auto at = text.indexOf(QByteArray('\n' + QByteArray(name) + ' '));
            const auto from = at + 2 + qsizetype(qstrlen(name));
            return at < 0 ? -1.0 : text.mid(from, text.indexOf('\n', from) - from).toDouble();
        };
        QVERIFY(figure("process_open_fds") >= 3);
        QVERIFY(figure("process_max_fds") >= figure("process_open_fds"));
        QVERIFY(figure("process_resident_memory_bytes") > 1'000'000);
        QVERIFY(figure("process_virtual_memory_bytes") > figure("process_resident_memory_bytes"));
        QVERIFY(figure("process_cpu_seconds_total") >= 0);
        QVERIFY(std::abs(figure("process_start_time_seconds") - double(QDateTime::currentSecsSinceEpoch())) < 120);
    }

    void every_line_is_one_a_parser_takes()
    {
        Metrics metrics;
        fill(metrics);
        static const QRegularExpression comment(QStringLiteral("^# (HELP|TYPE) [a-z_]+ .+$"));
        static const QRegularExpression sample(QStringLiteral(
            "^[a-z_]+(\\{[a-z_]+=\"([^\"\\\\]|\\\\.)*\"(,[a-z_]+=\"([^\"\\\\]|\\\\.)*\")*\\})? [-+0-9.eE]+(Inf)?$"));
        QSet<QByteArray> seen;
        for (const auto &line : metrics.exposition().chopped(1).split('\n')) {
            const auto text = QString::fromUtf8(line);
            QVERIFY2(comment.match(text).hasMatch() || sample.match(text).hasMatch(), line.constData());
            QVERIFY2(!seen.contains(line), line.constData());
            seen.insert(line);
        }
    }

    void promtool_finds_nothing()
    {
        const auto promtool = QStandardPaths::findExecutable(QStringLiteral("promtool"));
        if (promtool.isEmpty())
            QSKIP("promtool (Debian package prometheus) is not installed");
        Metrics metrics;
        fill(metrics);
        QProcess process;
        process.start(promtool, {QStringLiteral("check"), QStringLiteral("metrics")});
        process.write(metrics.exposition());
        process.closeWriteChannel();
        QVERIFY(process.waitForFinished());
        const QByteArray said = process.readAllStandardError() + process.readAllStandardOutput();
        QVERIFY2(process.exitCode() == 0 && said.isEmpty(), said.constData());
    }

    void names_that_prometheus_would_not_take_are_bugs()
    {
        Metrics metrics;
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.counter("requests", "x"));
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.gauge("length_total", "x"));
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.gauge("9lives", "x"));
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.gauge("a-b", "x"));
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.histogram("wait_sum", "x"));
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.gauge("a", "x", {{"le", "1"}}));
        metrics.gauge("depth", "x");
        QVERIFY_THROWS_EXCEPTION(Bug, metrics.histogram("depth", "x"));
    }

    void no_caller_can_fill_the_memory()
    {
        Metrics metrics;
        for (int i = 0; i < 5'000; ++i)
            metrics.counter("hits_total", "x", {{"path", QByteArray::number(i)}}).add();
        const auto text = metrics.exposition();
        QVERIFY(text.count("hits_total{") <= 1'001);
        QVERIFY(text.contains("hits_total{path=\"other\"} 4000\n"));
    }

    void counting_from_many_threads_loses_nothing()
    {
        Metrics metrics;
        std::vector<std::unique_ptr<QThread>> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back(QThread::create([&metrics] {
                for (int n = 0; n < 10'000; ++n) {
                    metrics.counter("ticks_total", "x", {{"kind", n % 2 ? "odd" : "even"}}).add();
                    metrics.histogram("tick_seconds", "x").observe(0.003);
                }
            }));
            threads.back()->start();
        }
        for (const auto &thread : threads)
            thread->wait();
        QCOMPARE(metrics.counter("ticks_total", "x", {{"kind", "odd"}}).value(), 40'000);
        QVERIFY(metrics.exposition().contains("tick_seconds_count 80000\n"));
    }
};

QTEST_GUILESS_MAIN(tst_Metrics)
#include "tst_Metrics.moc"
