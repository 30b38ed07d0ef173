#include "RawClient.h"

#include <QJsonDocument>
#include <QPointer>
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
        router.add(Method::Get, QStringLiteral("/big"),
                   [](Exchange e) { e.send(Reply::text(QByteArray(8'000'000, 'b'), "text/plain")); });
        server = std::make_unique<Server>(router, limits);
        server->onAnswered = [this](const Request &request, int status, qint64, qint64) {
            answers.append({request.id, status});
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
        QCOMPARE(answer.body, "event: note\nid: 7\ndata: one\ndata: two\n\n");
        client.say(getHello);
        QCOMPARE(client.next().body, "hi");
        QCOMPARE(rig.goneStreams, 0);
    }
};

QTEST_GUILESS_MAIN(tst_Server)
#include "tst_Server.moc"
