#include "RawClient.h"
#include "Wire.h"

#include <QFile>
#include <QPointer>
#include <QTimer>
#include <algorithm>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

using namespace companion::http;
using namespace companion::http::test;

// Many at once: slow clients, more than there is room for, no file descriptors left. Each in a short form;
// COMPANION_CROWD=full is the whole one (http/CrowdLong). Timings are bench_slow_clients'.
namespace {

int failedAccepts = 0;

}

// In place of the system library's, for Qt too: how often it was tried in vain tells a server that waits from one that
// turns in circles.
extern "C" int accept4(int listening, sockaddr *address, socklen_t *size, int flags)
{
    const auto descriptor = int(::syscall(SYS_accept4, listening, address, size, flags));
    failedAccepts += descriptor < 0;
    return descriptor;
}

namespace {

bool isFull()
{
    return qEnvironmentVariable("COMPANION_CROWD") == u"full";
}

const QByteArray getHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

qint64 residentBytes()
{
    QFile file(QStringLiteral("/proc/self/statm"));
    if (!file.open(QIODevice::ReadOnly))
        return 0;
    return file.readAll().split(' ').at(1).toLongLong() * sysconf(_SC_PAGESIZE);
}

double cpuSeconds()
{
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval &time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void allowFiles(rlim_t wanted)
{
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min(files.rlim_max, wanted);
    setrlimit(RLIMIT_NOFILE, &files);
}

struct Rig
{
    Router router;
    std::unique_ptr<Server> server;
    QList<QPointer<EventStream>> streams;
    QTimer pulse;
    int gone = 0;
    quint16 port = 0;

    explicit Rig(const Limits &limits = {})
    {
        router.add(Method::Get, QStringLiteral("/hello"), [](Exchange e) { e.send(Reply::text("hi", "text/plain")); });
        router.add(Method::Post, QStringLiteral("/echo"),
                   [](Exchange e) { e.send(Reply::text(e.request().body, "text/plain")); });
        router.add(Method::Get, QStringLiteral("/big"),
                   [](Exchange e) { e.send(Reply::text(QByteArray(6'000'000, 'b'), "text/plain")); });
        router.add(Method::Get, QStringLiteral("/stream"), [this](Exchange e) {
            auto *stream = e.openStream();
            QObject::connect(stream, &EventStream::gone, stream, [this] { ++gone; });
            streams.append(stream);
        });
        server = std::make_unique<Server>(router, limits);
        port = *server->listen(QHostAddress::LocalHost, 0);
        QObject::connect(&pulse, &QTimer::timeout, &pulse, [this] {
            static const QByteArray event(20'000, 's');
            for (const auto &stream : std::as_const(streams))
                if (stream)
                    stream->send(event);
        });
        pulse.start(20);
    }
};

// Everything that a client can be slow at, in turns.
QByteArray slowBeginning(int number)
{
    switch (number % 6) {
    case 0:
        return {};
    case 1:
        return "GET /hello HTTP/1.1\r\nHost: x\r\nX-";
    case 2:
        return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc";
    case 3:
        return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc";
    case 4:
        return "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"; // and never reads it
    default:
        return "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"; // nor this
    }
}

bool readsNothing(int number)
{
    return number % 6 >= 4;
}

} // namespace

class tst_Crowd : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { allowFiles(30'000); }

    void slow_clients_go_in_time_while_others_are_served()
    {
        Limits limits;
        limits.headDeadline_ms = limits.bodyDeadline_ms = limits.idleDeadline_ms = isFull() ? 5'000 : 3'000;
        limits.lingerDeadline_ms = 300;
        limits.pendingBytes = 128 * 1024;
        Rig rig(limits);
        std::vector<Wire> slow;
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < (isFull() ? 1'000 : 150); ++i) {
            slow.emplace_back(rig.port);
            QVERIFY(slow.back().isConnected());
            QVERIFY(slow.back().say(slowBeginning(i)));
            turnTheLoop();
        }
        RawClient served(rig.port);
        QList<qint64> waits_us;
        while (rig.server->openConnections() > 1 && timer.elapsed() < 100'000) {
            QElapsedTimer wait;
            wait.start();
            served.say(getHello);
            QCOMPARE(served.next().status, 200);
            waits_us.append(wait.nsecsElapsed() / 1'000);
            for (std::size_t i = 1; i < slow.size(); i += 6)
                (void)slow[i].say("a"); // a byte now and then saves nobody
            QTest::qWait(10);
        }
        QCOMPARE(rig.server->openConnections(), 1);
        QCOMPARE(rig.gone, int(rig.streams.size()));
        for (std::size_t i = 0; i < slow.size(); ++i) // or the kernel would keep their answers for minutes
            if (readsNothing(int(i)))
                QVERIFY2(slow[i].isReset(), QByteArray::number(int(i)).constData());
        QVERIFY(waits_us.size() > 20);
        std::ranges::sort(waits_us);
        // The slow clients' own work is in these, too: it is this thread's.
        qInfo("%d slow clients gone after %lld ms; meanwhile %d answers, p50 %.1f ms, p99 %.1f ms", int(slow.size()),
              timer.elapsed(), int(waits_us.size()), double(waits_us.at(waits_us.size() / 2)) / 1e3,
              double(waits_us.at(waits_us.size() * 99 / 100)) / 1e3);
    }

    void connections_past_the_cap_are_refused_politely()
    {
        Limits limits;
        limits.connections = 20;
        limits.connectionsPerAddress = 0;
        limits.idleDeadline_ms = 120'000; // who is inside stays
        limits.lingerDeadline_ms = 300;
        Rig rig(limits);
        std::vector<Wire> inside;
        for (int i = 0; i < limits.connections; ++i)
            inside.emplace_back(rig.port);
        QTRY_COMPARE(rig.server->openConnections(), limits.connections);
        const int crowd = isFull() ? 10'000 : 1'000;
        int told = 0;
        for (int done = 0; done < crowd;) {
            std::vector<Wire> outside;
            for (int i = 0; i < 250; ++i, ++done) {
                outside.emplace_back(rig.port);
                QVERIFY(outside.back().isConnected());
                if (i % 2)
                    (void)outside.back().say(getHello); // half of them have said something already
            }
            QElapsedTimer timer;
            timer.start();
            for (auto &wire : outside) {
                while (!wire.isClosed() && timer.elapsed() < 60'000)
                    turnTheLoop();
                told += wire.heard().startsWith("HTTP/1.1 503 ") && wire.heard().contains("\r\nRetry-After: ")
                    && wire.heard().endsWith('}');
            }
        }
        QCOMPARE(told, crowd);
        for (auto &wire : inside) { // whoever was inside has noticed nothing
            QVERIFY(wire.say(getHello));
            QTRY_VERIFY(wire.heard().endsWith("hi"));
        }
        inside.clear();
        QTRY_COMPARE(rig.server->openConnections(), 0);
        qInfo("%d of %d told 503", told, crowd);
    }

    void without_file_descriptors_it_waits_without_turning_in_circles()
    {
        Rig rig;
        RawClient served(rig.port);
        served.say(getHello);
        QCOMPARE(served.next().status, 200);
        std::vector<Wire> waiting;
        for (int i = 0; i < 40; ++i)
            waiting.emplace_back(rig.port); // in the kernel's queue: the loop has not turned
        rlimit before = {};
        getrlimit(RLIMIT_NOFILE, &before);
        rlimit tight = before;
        const int spare = ::dup(0);
        ::close(spare);
        tight.rlim_cur = rlim_t(spare + 5);
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &tight), 0);
        turnTheLoop(10);
        const auto cpu = cpuSeconds();
        const int failedBefore = failedAccepts;
        QElapsedTimer timer;
        timer.start();
        int answers = 0;
        while (timer.elapsed() < 1'500) { // who is inside is served meanwhile
            served.say(getHello);
            if (served.next().status == 200)
                ++answers;
            QTest::qWait(50);
        }
        const auto spent = cpuSeconds() - cpu;
        const auto failed = failedAccepts - failedBefore;
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &before), 0);
        QVERIFY(rig.server->openConnections() < 20);
        QVERIFY(answers >= 5);
        QVERIFY2(spent < 0.5, QByteArray::number(spent).constData()); // of 1.5 s
        QVERIFY2(failed <= 30, QByteArray::number(failed).constData()); // it tries again fifteen times
        QTRY_COMPARE(rig.server->openConnections(), 41);
        for (auto &wire : waiting) {
            QVERIFY(wire.say(getHello));
            QTRY_VERIFY(wire.heard().endsWith("hi"));
        }
        QVERIFY(failedAccepts > 0); // it is ours that Qt calls
        qInfo("%.3f s of processor and %d accepts in vain in %.1f s without a free file descriptor", spent, failed,
              1.5);
    }

    void memory_stays_flat()
    {
        Rig rig;
        const auto round = [&](int connections) {
            for (int i = 0; i < connections; ++i) {
                Wire wire(rig.port);
                (void)wire.say(slowBeginning(i % 4 + 1));
                (void)wire.say(getHello);
                turnTheLoop(3);
            }
            for (int i = 0; i < 30; ++i) {
                RawClient client(rig.port);
                client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
                           + QByteArray(1'000'000, 'x'));
                QCOMPARE(client.next().body.size(), 1'000'000);
            }
            QTRY_COMPARE_WITH_TIMEOUT(rig.server->openConnections(), 0, 20'000);
        };
        round(isFull() ? 400 : 150); // what the allocator and Qt keep for ever is there after this
        const auto before = residentBytes();
        for (int i = 0; i < (isFull() ? 6 : 3); ++i)
            round(isFull() ? 400 : 150);
        const auto after = residentBytes();
        qInfo("resident %.1f MB before, %.1f MB after", double(before) / 1e6, double(after) / 1e6);
#if !defined(__SANITIZE_ADDRESS__)
        QVERIFY2(after - before < 12'000'000, QByteArray::number(after - before).constData());
#endif
    }
};

QTEST_GUILESS_MAIN(tst_Crowd)
#include "tst_Crowd.moc"
