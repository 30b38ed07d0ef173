#include "RawClient.h"
#include "ops/Log.h"

#include <QJsonDocument>
#include <QPointer>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QTemporaryFile>
#include <QThread>
#include <QTimer>

using namespace companion;
using namespace companion::http;
using companion::http::test::RawClient;

namespace {

const QByteArray getHello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

Limits quickLimits()
{
    Limits limits;
    limits.headDeadline_ms = 300;
    limits.bodyDeadline_ms = 300;
    limits.idleDeadline_ms = 600;
    limits.lingerDeadline_ms = 200;
    return limits;
}

// A server with the handlers that the tests ask for.
struct Rig
{
    Router router;
    std::unique_ptr<Server> server;
    quint16 port = 0;
    QList<Exchange> kept;               // by /keep
    QList<QPointer<EventStream>> streams; // by /stream
    int goneStreams = 0;
    QList<std::pair<QByteArray, int>> answers; // request id, status
    QStringList routes; // of these answers
    std::shared_ptr<QTemporaryFile> file;
    static const QByteArray &fileBytes()
    {
        static const QByteArray bytes = [] {
            QByteArray made(30'000'000, Qt::Uninitialized);
            for (qsizetype i = 0; i < made.size(); ++i)
                made[i] = static_cast<char>((i * 2'654'435'761U) >> 13);
            return made;
        }();
        return bytes;
    }

    void sendFile(Exchange &exchange, qint64 size)
    {
        if (!file) {
            file = std::make_shared<QTemporaryFile>();
            ensure(file->open() && file->write(fileBytes()) == fileBytes().size() && file->flush(), "a file");
        }
        exchange.sendFile({.status = 200, .contentType = "application/zip"}, file->handle(), size, file);
    }

    explicit Rig(Limits limits = {})
    {
        router.add(Method::Get, QStringLiteral("/hello"), [](Exchange e) { e.send(Reply::text("hi", "text/plain")); });
        router.add(Method::Post, QStringLiteral("/echo"),
                   [](Exchange e) { e.send(Reply::text(e.request().body, "application/octet-stream")); });
        router.add(Method::Post, QStringLiteral("/small"), [](Exchange e) { e.send(Reply::noContent()); }, 10);
        router.add(Method::Get, QStringLiteral("/items/{id}/parts/{part}"), [](Exchange e) {
            e.send(Reply::text((e.request().param(QStringLiteral("id")) + u'|'
                                + e.request().param(QStringLiteral("part")) + u'|' + e.request().route)
                                   .toUtf8(),
                               "text/plain"));
        });
        router.add(Method::Get, QStringLiteral("/items/special/parts/x"),
                   [](Exchange e) { e.send(Reply::text("literal", "text/plain")); });
        router.add(Method::Get, QStringLiteral("/keep"), [this](Exchange e) { kept.append(e); });
        router.add(Method::Get, QStringLiteral("/forget"), [](Exchange) { });
        router.add(Method::Get, QStringLiteral("/throw"), [](Exchange) { throw std::runtime_error("on purpose"); });
        router.add(Method::Get, QStringLiteral("/inject"),
                   [](Exchange e) { e.send(Reply::text("x", "text/plain").with("X-A", "1\r\nSet-Cookie: pwn=1")); });
        router.add(Method::Get, QStringLiteral("/late"), [](Exchange e) {
            QTimer::singleShot(30, e.connection(), [e]() mutable { e.send(Reply::text("late", "text/plain")); });
        });
        router.add(Method::Get, QStringLiteral("/query"), [](Exchange e) {
            e.send(Reply::text(e.request().query.queryItemValue(QStringLiteral("q"), QUrl::FullyDecoded).toUtf8(),
                               "text/plain"));
        });
        router.add(Method::Get, QStringLiteral("/stream"), [this](Exchange e) {
            auto *stream = e.openStream();
            if (!stream)
                return;
            QObject::connect(stream, &EventStream::gone, stream, [this] { ++goneStreams; });
            streams.append(stream);
        });
        router.add(Method::Get, QStringLiteral("/forging-head"), [](Exchange e) {
            Headers headers;
            headers.set("X-A", "1\r\nX-B: 2");
            e.openStream(headers);
        });
        router.add(Method::Get, QStringLiteral("/file"), [this](Exchange e) { sendFile(e, fileBytes().size()); });
        router.add(Method::Get, QStringLiteral("/short-file"),
                   [this](Exchange e) { sendFile(e, fileBytes().size() + 1); });
        router.add(Method::Get, QStringLiteral("/big"),
                   [](Exchange e) { e.send(Reply::text(QByteArray(8'000'000, 'b'), "text/plain")); });
        server = std::make_unique<Server>(router, limits);
        server->onAnswered = [this](const Request &request, int status, qint64, qint64) {
            answers.append({request.id, status});
            routes.append(request.route);
        };
        port = *server->listen(QHostAddress::LocalHost, 0);
    }
};

QJsonObject problemOf(const test::Answered &answer)
{
    return QJsonDocument::fromJson(answer.body).object();
}

QString codeOf(const test::Answered &answer)
{
    return problemOf(answer).value(u"code").toString();
}

} // namespace

class tst_Server : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void answers_a_request_and_keeps_the_connection()
    {
        Rig rig;
        RawClient client(rig.port);
        for (int i = 0; i < 3; ++i) {
            client.say(getHello);
            const auto answer = client.next();
            QCOMPARE(answer.status, 200);
            QCOMPARE(answer.body, "hi");
            QVERIFY(!answer.headers.value("X-Request-Id").isEmpty());
            QVERIFY(answer.headers.value("Date").endsWith(" GMT"));
        }
        QVERIFY(!client.isClosed());
    }

    void a_file_comes_whole_and_the_connection_stays()
    {
        Rig rig;
        RawClient client(rig.port);
        for (int i = 0; i < 2; ++i) {
            client.say("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
            const auto answer = client.next(20'000);
            QCOMPARE(answer.status, 200);
            QVERIFY(answer.body == Rig::fileBytes());
        }
        client.say("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(client.next(5'000, true).headers.value("Content-Length"), QByteArray::number(Rig::fileBytes().size()));
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
        QCOMPARE(rig.file.use_count(), 1); // the answers hold it no more
    }

    void of_a_file_no_more_is_read_than_the_client_takes_and_who_stops_is_let_go()
    {
        Rig rig(quickLimits());
        RawClient client(rig.port);
        client.socket().setReadBufferSize(1000);
        client.say("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE_WITH_TIMEOUT(rig.server->openConnections(), 1, 5'000);
        QTRY_COMPARE_WITH_TIMEOUT(rig.server->openConnections(), 0, 10'000);
    }

    void a_file_that_ends_too_soon_ends_the_connection()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /short-file HTTP/1.1\r\nHost: x\r\n\r\n");
        QVERIFY(client.waitClosed(20'000));
        QVERIFY(client.raw().size() < Rig::fileBytes().size() + 1000);
    }

    void a_refused_head_is_a_problem_and_the_end_of_the_connection()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /hello HTTP/1.1\r\nX-Request-Id: mine-1\r\n\r\n");
        const auto answer = client.next();
        QCOMPARE(answer.status, 400);
        QCOMPARE(answer.headers.value("Content-Type"), "application/problem+json");
        QCOMPARE(codeOf(answer), u"malformed_request");
        QCOMPARE(answer.headers.value("X-Request-Id"), "mine-1");
        QCOMPARE(problemOf(answer).value(u"request_id").toString(), u"mine-1");
        QVERIFY(client.waitClosed());
    }

    void a_head_that_does_not_arrive_is_408()
    {
        Rig rig(quickLimits());
        RawClient client(rig.port);
        client.say("GET /hello HTTP/1.1\r\nHost:");
        const auto answer = client.next();
        QCOMPARE(answer.status, 408);
        QCOMPARE(codeOf(answer), u"request_timeout");
        QVERIFY(client.waitClosed());
    }

    void streams_events()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        rig.streams.first()->send("one\ntwo", "7", "note");
        rig.streams.first()->finish();
        const auto answer = client.next();
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.headers.value("Content-Type"), "text/event-stream");
        QCOMPARE(answer.body, "event: note\nid: 7\ndata: one\ndata: two\n\n");
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
        QCOMPARE(rig.goneStreams, 0);
        QTRY_VERIFY(rig.streams.first().isNull());
    }

    void a_stream_pings_and_survives_the_idle_deadline()
    {
        auto limits = quickLimits();
        limits.idleDeadline_ms = 150;
        limits.pingInterval_ms = 100;
        Rig rig(limits);
        RawClient client(rig.port);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QVERIFY(RawClient::waitFor([&] { return client.raw().count(": ping\n\n") >= 4; }, 5'000));
        QVERIFY(!client.isClosed());
        rig.streams.first()->finish();
        QCOMPARE(client.next().status, 200);
    }

    void a_stream_for_http_1_0_ends_with_the_connection()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        rig.streams.first()->send("x");
        rig.streams.first()->finish();
        QVERIFY(client.waitClosed());
        QVERIFY(!client.raw().contains("chunked"));
        QVERIFY(client.raw().endsWith("\r\n\r\ndata: x\n\n"));
    }

    void a_stream_never_writes_what_could_forge_another()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /forging-head HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(client.next().status, 500);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        rig.streams.first()->send("x", "1\ndata: forged");
        QTRY_COMPARE(rig.goneStreams, 1);
        QVERIFY(client.waitClosed());
        QVERIFY(!client.raw().contains("forged"));
    }

    void head_of_a_stream_is_only_its_head()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        rig.streams.first()->send("x");
        rig.streams.first()->finish();
        QCOMPARE(client.next(5'000, true).status, 200);
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
    }

    void who_leaves_a_stream_is_told_of_once()
    {
        Rig rig;
        auto client = std::make_unique<RawClient>(rig.port);
        client->say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        client.reset();
        QTRY_COMPARE(rig.goneStreams, 1);
        QTRY_VERIFY(rig.streams.first().isNull());
        QTRY_COMPARE(rig.server->openConnections(), 0);
        QCOMPARE(rig.answers.last().second, 200);
    }

    void a_reader_who_stalls_is_dropped_at_the_pending_limit()
    {
        Rig rig;
        RawClient client(rig.port);
        client.socket().setReadBufferSize(1'024);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        QObject::disconnect(&client.socket(), &QIODevice::readyRead, nullptr, nullptr);
        qint64 sent = 0;
        while (rig.streams.first() && sent < 100'000'000) {
            rig.streams.first()->send(QByteArray(60'000, 's'));
            sent += 60'000;
            QCoreApplication::processEvents();
            QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        }
        QVERIFY2(sent < 30'000'000, QByteArray::number(sent).constData()); // the kernel's buffers take some
        QCOMPARE(rig.goneStreams, 1);
    }

    void a_reader_who_takes_nothing_is_dropped_in_time()
    {
        auto limits = quickLimits();
        limits.pendingBytes = 100'000'000;
        Rig rig(limits);
        RawClient client(rig.port);
        client.socket().setReadBufferSize(1'024);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        QObject::disconnect(&client.socket(), &QIODevice::readyRead, nullptr, nullptr);
        rig.streams.first()->send(QByteArray(20'000'000, 's'));
        QTRY_COMPARE_WITH_TIMEOUT(rig.goneStreams, 1, 5'000);
    }

    void a_reader_who_takes_a_drop_now_and_then_is_dropped_too()
    {
        auto limits = quickLimits();
        limits.slowestRead_Bps = 20'000'000; // 8 MB in 0.4 s, and the idle deadline
        Rig rig(limits);
        RawClient client(rig.port);
        QObject::disconnect(&client.socket(), &QIODevice::readyRead, nullptr, nullptr);
        client.socket().setReadBufferSize(1'024);
        client.say("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
        QElapsedTimer timer;
        timer.start();
        while (rig.server->openConnections() > 0 && timer.elapsed() < 10'000) {
            client.socket().readAll();
            QTest::qWait(20);
        }
        QVERIFY2(timer.elapsed() < 5'000, QByteArray::number(timer.elapsed()).constData());
    }

    void answers_that_nobody_takes_have_a_budget()
    {
        Limits limits;
        limits.heldBytes = 40'000'000;
        Rig rig(limits);
        std::vector<std::unique_ptr<RawClient>> lazy;
        for (int i = 0; i < 20; ++i) {
            lazy.push_back(std::make_unique<RawClient>(rig.port));
            QObject::disconnect(&lazy.back()->socket(), &QIODevice::readyRead, nullptr, nullptr);
            lazy.back()->socket().setReadBufferSize(1'024);
            lazy.back()->say("GET /big HTTP/1.1\r\nHost: x\r\n\r\n"); // 8 MB each
            QTest::qWait(5);
        }
        QTRY_VERIFY(rig.server->openConnections() <= 8);
        RawClient client(rig.port);
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
    }

    void a_big_answer_is_not_a_slow_reader()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /big HTTP/1.1\r\nHost: x\r\n\r\n" + getHello);
        QCOMPARE(client.next(10'000).body.size(), 8'000'000);
        QCOMPARE(client.next().body, "hi");
    }

    void pipelined_requests_are_answered_in_order()
    {
        Rig rig;
        RawClient client(rig.port);
        const QByteArray late = "GET /late HTTP/1.1\r\nHost: x\r\n\r\n";
        client.say(late + getHello + "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + late
                   + "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                   + getHello);
        QCOMPARE(client.next().body, "late");
        QCOMPARE(client.next().body, "hi");
        QCOMPARE(client.next(5'000, true).status, 200);
        QCOMPARE(client.next().body, "late");
        QCOMPARE(client.next().body, "abc");
        QCOMPARE(client.next().body, "hi");
    }

    void hundreds_of_pipelined_requests_neither_grow_nor_stick()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /late HTTP/1.1\r\nHost: x\r\n\r\n" + getHello.repeated(5'000));
        QCOMPARE(client.next().body, "late");
        for (int i = 0; i < 5'000; ++i)
            QCOMPARE(client.next().status, 200);
        QVERIFY(!client.isClosed());
    }

    void a_stream_is_not_disturbed_by_the_request_behind_it()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" + getHello);
        QTRY_COMPARE(rig.streams.size(), 1);
        QTest::qWait(30);
        rig.streams.first()->send("x");
        rig.streams.first()->finish();
        QCOMPARE(client.next().body, "data: x\n\n");
        QCOMPARE(client.next().body, "hi");
    }

    void chunked_bodies_arrive_without_their_chunks_and_byte_by_byte()
    {
        Rig rig;
        RawClient client(rig.port);
        const QByteArray request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n";
        for (const char c : request) {
            client.say(QByteArray(1, c));
            QTest::qWait(0);
        }
        QCOMPARE(client.next().body, "hello world");
        client.say(request + request);
        QCOMPARE(client.next().body, "hello world");
        QCOMPARE(client.next().body, "hello world");
    }

    void bodies_up_to_the_limit_arrive_whole()
    {
        Rig rig;
        RawClient client(rig.port);
        QByteArray body(1024 * 1024, 'x');
        for (qsizetype i = 0; i < body.size(); ++i)
            body[i] = char(i * 31);
        client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n"
                   + body);
        QVERIFY(client.next(10'000).body == body);
        QByteArray chunks;
        for (qsizetype i = 0; i < body.size(); i += 7'919) {
            const auto piece = body.mid(i, 7'919);
            chunks += QByteArray::number(piece.size(), 16) + "\r\n" + piece + "\r\n";
        }
        client.say("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
        QVERIFY(client.next(10'000).body == body);
    }

    void too_long_a_body_is_refused_before_it_comes()
    {
        Rig rig;
        {
            RawClient client(rig.port);
            client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
            const auto answer = client.next();
            QCOMPARE(answer.status, 413);
            QCOMPARE(codeOf(answer), u"payload_too_large");
            QVERIFY(client.waitClosed());
        }
        RawClient chunked(rig.port);
        chunked.say("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n");
        QCOMPARE(chunked.next().status, 413);
        RawClient route(rig.port);
        route.say("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
        QCOMPARE(route.next().status, 413);
        RawClient fits(rig.port);
        fits.say("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789");
        QCOMPARE(fits.next().status, 204);
    }

    void all_bodies_together_have_a_budget()
    {
        Limits limits;
        limits.heldBytes = 100'000;
        Rig rig(limits);
        const QByteArray most =
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + QByteArray(59'999, 'x');
        RawClient one(rig.port);
        one.say(most);
        QTest::qWait(50);
        RawClient two(rig.port);
        two.say(most);
        const auto refused = two.next();
        QCOMPARE(refused.status, 503);
        QCOMPARE(codeOf(refused), u"overloaded");
        one.say("x");
        QCOMPARE(one.next().body.size(), 60'000);
        for (int i = 0; i < 5; ++i) { // what was held is given back
            RawClient next(rig.port);
            next.say(most + "x");
            QCOMPARE(next.next().status, 200);
        }
    }

    void a_refusal_reaches_who_is_still_sending()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + QByteArray(4'000'000, 'x'));
        QCOMPARE(client.next().status, 413);
        QVERIFY(client.waitClosed());
    }

    void a_client_who_asks_first_is_told_to_go_on()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        QVERIFY(client.waitRaw("HTTP/1.1 100 Continue\r\n\r\n"));
        QCOMPARE(client.next().status, 100);
        client.say("ab");
        QCOMPARE(client.next().body, "ab");
        client.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n");
        QCOMPARE(client.next().status, 413); // not 100 first
    }

    void the_connection_ends_when_the_client_says_so()
    {
        Rig rig;
        for (const char *request :
             {"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /hello HTTP/1.0\r\n\r\n"}) {
            RawClient client(rig.port);
            client.say(request + getHello);
            const auto answer = client.next();
            QCOMPARE(answer.status, 200);
            QCOMPARE(answer.headers.value("Connection"), "close");
            QVERIFY(client.waitClosed());
            QVERIFY(client.raw().isEmpty());
        }
        RawClient kept(rig.port);
        kept.say("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        QCOMPARE(kept.next().headers.value("Connection"), "keep-alive");
        kept.say(getHello);
        QCOMPARE(kept.next().status, 200);
    }

    void slow_clients_are_let_go_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("status"); // 0: without a word
        QTest::newRow("nothing said") << QByteArray() << 0;
        QTest::newRow("half a head") << QByteArray("GET /hello HTTP/1.1\r\nHost: x\r\nX: ") << 408;
        QTest::newRow("half a body") << QByteArray("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab")
                                     << 408;
        QTest::newRow("half a chunk") << QByteArray(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab")
                                      << 408;
        QTest::newRow("only an empty line") << QByteArray("\r\n") << 0;
    }
    void slow_clients_are_let_go()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const int, status);
        Rig rig(quickLimits());
        RawClient client(rig.port);
        client.say(bytes);
        QVERIFY(client.waitClosed(3'000));
        QCOMPARE(client.next(0).status, status);
        QTRY_COMPARE(rig.server->openConnections(), 0);
    }

    void drops_of_bytes_do_not_extend_the_deadline()
    {
        Rig rig(quickLimits());
        RawClient client(rig.port);
        client.say("GET /hello HTTP/1.1\r\nX: ");
        QElapsedTimer timer;
        timer.start();
        while (client.raw().isEmpty() && timer.elapsed() < 3'000) {
            client.say("a");
            QTest::qWait(20);
        }
        QVERIFY(timer.elapsed() < 1'000);
        QCOMPARE(client.next().status, 408);
    }

    void an_answer_has_all_the_time_it_needs()
    {
        Rig rig(quickLimits());
        RawClient client(rig.port);
        client.say("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.kept.size(), 1);
        QTest::qWait(1'000); // longer than every deadline
        rig.kept.takeFirst().send(Reply::text("at last", "text/plain"));
        QCOMPARE(client.next().body, "at last");
    }

    void wrong_methods_and_paths_are_told_apart()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto wrong = client.next();
        QCOMPARE(wrong.status, 405);
        QCOMPARE(wrong.headers.value("Allow"), "GET, HEAD, OPTIONS");
        QCOMPARE(codeOf(wrong), u"method_not_allowed");
        client.say("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(codeOf(client.next()), u"not_found");
        client.say("OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto options = client.next();
        QCOMPARE(options.status, 204);
        QCOMPARE(options.headers.value("Allow"), "POST, OPTIONS");
        client.say("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(client.next().status, 204);
        client.say("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + getHello);
        QCOMPARE(client.next(5'000, true).headers.value("Content-Length"), "2");
        QCOMPARE(client.next().body, "hi");
    }

    void paths_are_routed_by_their_segments_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("body"); // empty: 404
        QTest::newRow("names") << QByteArray("/items/7/parts/ab") << QByteArray("7|ab|/items/{id}/parts/{part}");
        QTest::newRow("literal wins") << QByteArray("/items/special/parts/x") << QByteArray("literal");
        QTest::newRow("but not where it leads nowhere")
            << QByteArray("/items/special/parts/y") << QByteArray("special|y|/items/{id}/parts/{part}");
        QTest::newRow("encoded slash stays")
            << QByteArray("/items/a%2Fb/parts/c") << QByteArray("a/b|c|/items/{id}/parts/{part}");
        QTest::newRow("absolute form") << QByteArray("http://x/items/7/parts/ab")
                                       << QByteArray("7|ab|/items/{id}/parts/{part}");
        QTest::newRow("empty segment") << QByteArray("/items//parts/ab") << QByteArray();
        QTest::newRow("slash at the end") << QByteArray("/hello/") << QByteArray();
        QTest::newRow("double slash") << QByteArray("//hello") << QByteArray();
        QTest::newRow("only part of a pattern") << QByteArray("/items/7") << QByteArray();
    }
    void paths_are_routed_by_their_segments()
    {
        QFETCH(const QByteArray, path);
        QFETCH(const QByteArray, body);
        Rig rig;
        RawClient client(rig.port);
        client.say("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto answer = client.next();
        QCOMPARE(answer.status, body.isEmpty() ? 404 : 200);
        if (!body.isEmpty())
            QCOMPARE(answer.body, body);
    }

    void queries_reach_the_handler_decoded()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /query?q=a+b%20c%2B%26 HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(client.next().body, "a b c+&");
    }

    void our_own_mistakes_are_answered_with_500()
    {
        Rig rig;
        RawClient client(rig.port);
        for (const char *path : {"/throw", "/forget", "/inject"}) {
            client.say("GET " + QByteArray(path) + " HTTP/1.1\r\nHost: x\r\nX-Request-Id: a.b-c_1\r\n\r\n");
            const auto answer = client.next();
            QCOMPARE(answer.status, 500);
            QCOMPARE(codeOf(answer), u"internal");
            QCOMPARE(answer.headers.value("X-Request-Id"), "a.b-c_1");
            QVERIFY(!answer.headers.contains("Set-Cookie"));
        }
        client.say(getHello);
        QCOMPARE(client.next().status, 200);
    }

    void the_last_copy_may_die_on_another_thread()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.kept.size(), 1);
        auto held = std::make_shared<QList<Exchange>>(std::move(rig.kept));
        rig.kept.clear();
        std::unique_ptr<QThread> thread(QThread::create([held = std::move(held)]() mutable { held.reset(); }));
        thread->start();
        QVERIFY(thread->wait());
        QCOMPARE(client.next().status, 500);
    }

    // From a slot nobody could catch an exception: the process would end for one bug in one answer.
    void a_second_answer_is_logged_and_the_first_one_stands()
    {
        Rig rig;
        RawClient client(rig.port);
        QList<QByteArray> lines;
        ops::setLogSink([&](ops::Level, const QByteArray &line) { lines.append(line); });
        const auto restore = qScopeGuard([] { ops::setLogSink({}); });
        client.say("GET /keep HTTP/1.1\r\nHost: x\r\nX-Request-Id: twice\r\n\r\n");
        QTRY_COMPARE(rig.kept.size(), 1);
        EventStream *stream = nullptr;
        QTimer::singleShot(0, rig.server.get(), [&, e = rig.kept.takeFirst()]() mutable {
            e.send(Reply::text("first", "text/plain"));
            e.send(Reply::text("second", "text/plain"));
            stream = e.openStream();
        });
        QCOMPARE(client.next().body, "first");
        QVERIFY(!stream);
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
        QCOMPARE(QByteArrayList(lines).join('\n').count("\"event\":\"answered_twice\",\"request_id\":\"twice\""), 2);
    }

    void a_late_answer_does_nothing()
    {
        Rig rig;
        auto client = std::make_unique<RawClient>(rig.port);
        client->say("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.kept.size(), 1);
        auto exchange = rig.kept.takeFirst();
        QVERIFY(exchange.connection() && !exchange.isGone());
        client.reset();
        QTRY_VERIFY(exchange.isGone());
        QVERIFY(!exchange.connection());
        QCOMPARE(rig.answers.last().second, 499);
        exchange.send(Reply::noContent());
        exchange.send(Reply::noContent());
        QVERIFY(!exchange.openStream());
        QTRY_COMPARE(rig.server->openConnections(), 0);
    }

    void an_exchange_outlives_the_server()
    {
        auto rig = std::make_unique<Rig>();
        RawClient client(rig->port);
        client.say("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig->kept.size(), 1);
        auto exchange = rig->kept.takeFirst();
        rig->server.reset();
        QVERIFY(exchange.isGone());
        exchange.send(Reply::noContent());
        QVERIFY(client.waitClosed());
    }

    void request_ids_go_through_where_they_are_sane()
    {
        Rig rig;
        RawClient client(rig.port);
        for (const QByteArray &bad : {QByteArray("a b"), QByteArray("a\"b"), QByteArray(129, 'a'), QByteArray("ä")}) {
            client.say("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + bad + "\r\n\r\n");
            const auto id = client.next().headers.value("X-Request-Id");
            QVERIFY(!id.isEmpty() && id != bad);
        }
        client.say("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + QByteArray(128, 'a') + "\r\n\r\n");
        QCOMPARE(client.next().headers.value("X-Request-Id"), QByteArray(128, 'a'));
        QCOMPARE(rig.answers.last().first, QByteArray(128, 'a'));
    }

    void every_answer_is_reported_once_the_gates_own_too()
    {
        Rig rig;
        RawClient client(rig.port);
        client.say(getHello + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n");
        QVERIFY(client.waitClosed());
        QList<int> statuses;
        for (const auto &[id, status] : rig.answers) {
            QVERIFY(!id.isEmpty());
            statuses.append(status);
        }
        QCOMPARE(statuses, (QList<int>{200, 404, 400}));
        QCOMPARE(rig.routes, (QStringList{QStringLiteral("/hello"), QString(), QString()}));
    }

    void connections_beyond_the_cap_are_turned_away_politely()
    {
        Limits limits;
        limits.connections = 3;
        Rig rig(limits);
        std::vector<std::unique_ptr<RawClient>> clients;
        for (int i = 0; i < 3; ++i)
            clients.push_back(std::make_unique<RawClient>(rig.port));
        QTRY_COMPARE(rig.server->openConnections(), 3);
        RawClient late(rig.port);
        late.say(getHello);
        const auto answer = late.next();
        QCOMPARE(answer.status, 503);
        QCOMPARE(codeOf(answer), u"overloaded");
        QVERIFY(answer.headers.contains("Retry-After"));
        QVERIFY(late.waitClosed());
        clients.pop_back();
        QTRY_COMPARE(rig.server->openConnections(), 2);
        RawClient next(rig.port);
        next.say(getHello);
        QCOMPARE(next.next().status, 200);
    }

    void connections_of_one_address_are_capped_by_themselves()
    {
        Limits limits;
        limits.connectionsPerAddress = 2;
        Rig rig(limits);
        RawClient one(rig.port), two(rig.port);
        QTRY_COMPARE(rig.server->openConnections(), 2);
        RawClient three(rig.port);
        QCOMPARE(three.next().status, 503);
        RawClient other(rig.port, QHostAddress::LocalHost);
        QCOMPARE(other.next().status, 503);
        one.say(getHello);
        QCOMPARE(one.next().status, 200);
    }

    void preflights_are_answered_for_listed_origins()
    {
        Rig rig;
        rig.server->allowOrigins({QStringLiteral("https://app.example.com")});
        RawClient client(rig.port);
        client.say("OPTIONS /echo HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example.com\r\n"
                   "Access-Control-Request-Method: POST\r\n\r\n");
        const auto preflight = client.next();
        QCOMPARE(preflight.status, 204);
        QCOMPARE(preflight.headers.value("Access-Control-Allow-Origin"), "https://app.example.com");
        QVERIFY(preflight.headers.value("Access-Control-Allow-Methods").contains("POST"));
        QVERIFY(preflight.headers.value("Access-Control-Allow-Headers").contains("Authorization"));
        client.say("OPTIONS /echo HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example.com\r\n"
                   "Access-Control-Request-Method: POST\r\n\r\n");
        QVERIFY(!client.next().headers.contains("Access-Control-Allow-Origin"));
        client.say("GET /nothing HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example.com\r\n\r\n");
        QVERIFY(client.next().headers.contains("Access-Control-Allow-Origin")); // errors can be read too
    }

    void draining_lets_streams_end_and_takes_nobody_new()
    {
        Rig rig;
        RawClient idle(rig.port), reading(rig.port), streaming(rig.port);
        reading.say("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na");
        streaming.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        QSignalSpy drained(rig.server.get(), &Server::drained);
        rig.server->drain(5'000);
        QVERIFY(idle.waitClosed());
        RawClient late(rig.port);
        QCOMPARE(late.socket().state(), QAbstractSocket::UnconnectedState);
        reading.say("b");
        const auto answer = reading.next();
        QCOMPARE(answer.body, "ab");
        QCOMPARE(answer.headers.value("Connection"), "close");
        QVERIFY(reading.waitClosed());
        QCOMPARE(drained.count(), 0);
        rig.streams.first()->send("last");
        rig.streams.first()->finish();
        QCOMPARE(streaming.next().body, "data: last\n\n");
        QTRY_COMPARE(drained.count(), 1);
    }

    void draining_ends_at_its_deadline()
    {
        Rig rig;
        RawClient streaming(rig.port);
        streaming.say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
        QTRY_COMPARE(rig.streams.size(), 1);
        QSignalSpy drained(rig.server.get(), &Server::drained);
        rig.server->drain(200);
        QTRY_COMPARE(drained.count(), 1);
        QCOMPARE(rig.goneStreams, 1);
        QVERIFY(streaming.waitClosed());
    }

    void a_server_without_connections_is_drained_at_once()
    {
        Rig rig;
        QSignalSpy drained(rig.server.get(), &Server::drained);
        rig.server->drain(60'000);
        QTRY_COMPARE(drained.count(), 1);
    }

    void says_what_to_do_when_it_cannot_listen()
    {
        Rig rig;
        Router router;
        Server second(router);
        const auto port = second.listen(QHostAddress::LocalHost, rig.port);
        QVERIFY(!port);
        QVERIFY2(port.error().contains(u"in use"), qPrintable(port.error()));
        Server third(router);
        QVERIFY(!third.listen(QHostAddress(QStringLiteral("203.0.113.9")), 0));
    }
};

QTEST_GUILESS_MAIN(tst_Server)
#include "tst_Server.moc"
