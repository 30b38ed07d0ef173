#include "Wire.h"
#include "WireCases.h"

#include <QTest>
#include <QTimer>

using namespace companion;
using namespace companion::http;
using namespace companion::http::test;

namespace {

const QByteArray getEcho = getWith({});

// /echo answers with the body, /late after 20 ms, /stream with three events over 20 ms, /fields with whatever the test
// puts into `fields`.
struct Rig
{
    Router router;
    std::unique_ptr<Server> server;
    Headers fields;
    int handled = 0;
    quint16 port = 0;

    explicit Rig(const Limits &limits = {})
    {
        const auto echo = [this](Exchange e) {
            ++handled;
            const auto &body = e.request().body;
            e.send(Reply::text("<" + body + ">", "application/octet-stream"));
        };
        router.add(Method::Get, QStringLiteral("/echo"), echo);
        router.add(Method::Post, QStringLiteral("/echo"), echo);
        router.add(Method::Post, QStringLiteral("/small"), echo, 10);
        router.add(Method::Get, QStringLiteral("/late"), [](Exchange e) {
            QTimer::singleShot(20, e.connection(), [e]() mutable { e.send(Reply::text("late", "text/plain")); });
        });
        router.add(Method::Get, QStringLiteral("/stream"), [](Exchange e) {
            auto *stream = e.openStream();
            for (int i = 1; i <= 3; ++i)
                QTimer::singleShot(i * 7, stream, [=] {
                    stream->send(QByteArray::number(i));
                    if (i == 3)
                        stream->finish();
                });
        });
        router.add(Method::Get, QStringLiteral("/fields"), [this](Exchange e) {
            Reply reply = Reply::text("x", "text/plain");
            reply.headers = fields;
            e.send(reply);
        });
        router.add(Method::Get, QStringLiteral("/stream-fields"), [this](Exchange e) {
            if (auto *stream = e.openStream(fields))
                stream->finish();
        });
        server = std::make_unique<Server>(router, limits);
        port = *server->listen(QHostAddress::LocalHost, 0);
    }
};

QByteArray get(const QByteArray &path)
{
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

QByteArray expecting(const QByteArray &path, int length, const char *version = "1.1")
{
    return "POST " + path + " HTTP/" + version
        + "\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: " + QByteArray::number(length) + "\r\n\r\n";
}

} // namespace

class tst_OnTheWire : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void each_case_is_answered_the_same_wherever_it_is_cut_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QList<int>>("statuses");
        QTest::addColumn<bool>("closed");
        for (const auto &list : {soundCases(), unsoundHeads(), unsoundFraming()})
            for (const auto &one : list)
                QTest::newRow(one.name) << one.bytes << one.statuses << one.closed;
    }
    void each_case_is_answered_the_same_wherever_it_is_cut()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const QList<int>, statuses);
        QFETCH(const bool, closed);
        Rig rig;
        const auto whole = conversation(rig.port, {bytes});
        QCOMPARE(whole.first().statuses(), statuses);
        QCOMPARE(whole.first().closed, closed);
        QCOMPARE(rig.handled, statuses.count(200)); // what is refused has reached nobody
        // Of long cases the ends; their middles are one letter again and again.
        const auto cuts = bytes.size() <= 1'500 ? bytes : QByteArray();
        const auto different = differenceWhenCut(rig.port, {cuts}, whole);
        QVERIFY2(different.isEmpty(), qPrintable(different));
    }

    void the_same_wherever_it_is_cut_when_it_is_long_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        for (const auto &list : {soundCases(), unsoundHeads(), unsoundFraming()})
            for (const auto &one : list)
                if (one.bytes.size() > 1'500)
                    QTest::newRow(one.name) << one.bytes;
    }
    void the_same_wherever_it_is_cut_when_it_is_long()
    {
        QFETCH(const QByteArray, bytes);
        Rig rig;
        const auto whole = conversation(rig.port, {bytes}).first();
        const auto size = bytes.size();
        for (qsizetype cut = 1; cut < size;
             cut += cut < 60 || cut > size - 60 || std::abs(cut - 16'384) < 20 ? 1 : 97) {
            std::vector<Wire> wires;
            wires.emplace_back(rig.port);
            (void)wires[0].say(bytes.first(cut));
            turnTheLoop(4);
            (void)wires[0].say(bytes.sliced(cut));
            settleAll(wires, whole);
            QVERIFY2(toldTo(wires[0]) == whole, QByteArray::number(cut).constData());
        }
    }

    void one_byte_at_a_time_is_the_same_too()
    {
        Rig rig;
        for (const auto &list : {soundCases(), unsoundHeads(), unsoundFraming()})
            for (const auto &one : list) {
                if (one.bytes.size() > 400)
                    continue;
                const auto whole = conversation(rig.port, {one.bytes}).first();
                std::vector<Wire> wires;
                wires.emplace_back(rig.port);
                for (const char c : one.bytes) {
                    (void)wires[0].say(QByteArray(1, c));
                    turnTheLoop();
                }
                settleAll(wires, whole);
                QVERIFY2(toldTo(wires[0]) == whole, one.name);
            }
    }

    // ---- pipelining

    void answers_come_in_the_order_of_their_requests_whatever_each_takes()
    {
        Rig rig;
        QList<QByteArray> requests, answers;
        for (int i = 0; i < 12; ++i) { // many more than the four that a parser might park
            const auto number = QByteArray::number(i);
            requests << get("/late") << postCounted(QByteArray::number(number.size()), number) << get("/stream")
                     << postChunked("1\r\n" + number.first(1) + "\r\n0\r\n\r\n") << get("/nothing");
            answers << "\r\n\r\nlate" << "<" + number + ">" << "data: 3" << "<" + number.first(1) + ">"
                    << "\"code\":\"not_found\"";
        }
        Wire wire(rig.port);
        QVERIFY(wire.say(requests.join()));
        QTRY_COMPARE_WITH_TIMEOUT(wire.heard().count("HTTP/1.1 "), requests.size(), 10'000);
        qsizetype at = 0;
        for (const auto &answer : answers) {
            at = wire.heard().indexOf(answer, at);
            QVERIFY2(at >= 0, answer.constData());
            at += answer.size();
        }
        QVERIFY(!wire.isClosed());
    }

    void an_error_in_the_middle_is_the_last_answer()
    {
        Rig rig;
        Wire wire(rig.port);
        QVERIFY(wire.say(get("/late") + getEcho + get("/stream") + getEcho + "BAD\r\n\r\n" + getEcho.repeated(5)));
        QTRY_VERIFY(wire.isClosed());
        QCOMPARE(toldTo(wire).statuses(), (QList<int>{200, 200, 200, 200, 400}));
        QCOMPARE(rig.handled, 2);
    }

    void a_client_who_says_close_in_the_middle_gets_nothing_behind_it()
    {
        Rig rig;
        Wire wire(rig.port);
        QVERIFY(wire.say(get("/late") + getWith("Connection: close\r\n") + getEcho.repeated(5)));
        QTRY_VERIFY(wire.isClosed());
        QCOMPARE(toldTo(wire).statuses(), (QList<int>{200, 200}));
        QCOMPARE(rig.handled, 1);
    }

    void pipelines_are_cut_anywhere_without_a_difference()
    {
        Rig rig;
        const QByteArray words = getEcho + get("/late") + postChunked("3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n")
            + get("/stream") + postCounted("4", "\r\n\r\n") + "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n" + getEcho
            + "x\r\n";
        const auto whole = [&] {
            Wire wire(rig.port);
            (void)wire.say(words);
            return settle(wire, 200);
        }();
        QCOMPARE(whole.statuses(), (QList<int>{200, 200, 200, 200, 200, 200, 200, 400}));
        const auto different = differenceWhenCut(rig.port, {words}, {whole});
        QVERIFY2(different.isEmpty(), qPrintable(different));
    }

    // ---- Expect

    void who_expects_is_told_to_go_on_only_when_the_body_is_welcome()
    {
        Rig rig;
        const auto first = [&](const QByteArray &bytes) {
            Wire wire(rig.port);
            (void)wire.say(bytes);
            (void)settle(wire);
            return Told{wire.heard()};
        };
        QCOMPARE(first(expecting("/echo", 5)).statuses(), QList<int>{100});
        QCOMPARE(first(expecting("/echo", 1'048'577)).statuses(), QList<int>{413});
        QCOMPARE(first(expecting("/small", 11)).statuses(), QList<int>{413});
        QCOMPARE(first(expecting("/echo", 5, "1.0")).statuses(), QList<int>()); // 1.0 knows no 100
        QCOMPARE(first(expecting("/echo", 5) + "h").statuses(), QList<int>()); // it did not wait
        QCOMPARE(first(expecting("/echo", 5) + "hello").statuses(), QList<int>{200});
        QCOMPARE(first(getWith("Expect: something\r\n")).statuses(), QList<int>{417});
        QCOMPARE(first("POST /echo HTTP/1.0\r\nExpect: something\r\nContent-Length: 1\r\n\r\nx").statuses(),
                 QList<int>{417});
        QCOMPARE(first(postChunked("", "Expect: 100-Continue\r\n")).statuses(), QList<int>{100});
    }

    void a_body_after_100_arrives_and_the_connection_goes_on()
    {
        Rig rig;
        Wire wire(rig.port);
        for (int i = 0; i < 3; ++i) {
            QVERIFY(wire.say(expecting("/echo", 5)));
            QTRY_COMPARE(wire.heard().count("HTTP/1.1 100 Continue\r\n\r\n"), i + 1);
            QVERIFY(wire.say("hello"));
            QTRY_COMPARE(wire.heard().count("<hello>"), i + 1);
        }
        QVERIFY(!wire.isClosed());
    }

    void an_expectation_waits_for_the_answers_before_it()
    {
        Rig rig;
        Wire wire(rig.port);
        QVERIFY(wire.say(get("/late") + expecting("/echo", 5)));
        QTRY_COMPARE(Told{wire.heard()}.statuses(), (QList<int>{200, 100}));
        QVERIFY(wire.say("hello"));
        QTRY_COMPARE(Told{wire.heard()}.statuses(), (QList<int>{200, 100, 200}));
    }

    // ---- header injection

    void no_header_that_a_handler_sets_becomes_two_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("value");
        const QList<QByteArray> bad{"a\r\nX-Evil: 1", "a\nX-Evil: 1",   "a\rX-Evil: 1", QByteArray("a\0X-Evil: 1", 11),
                                    "\r\n\r\n<evil>", "a\r\n X-Evil: 1"};
        for (const auto &value : bad) {
            QTest::newRow(QByteArray("value " + value.toHex()).constData()) << QByteArray("X-A") << value;
            QTest::newRow(QByteArray("name " + value.toHex()).constData()) << value << QByteArray("x");
        }
        for (const char *name : {"", " X-A", "X-A ", "X A", "X:A", "X-\xc3\xa4", "Content-Length", "connection",
                                 "TRANSFER-ENCODING", "Date", "X-Request-Id"})
            QTest::newRow(QByteArray("name " + QByteArray(name)).constData()) << QByteArray(name) << QByteArray("x");
    }
    void no_header_that_a_handler_sets_becomes_two()
    {
        QFETCH(const QByteArray, name);
        QFETCH(const QByteArray, value);
        Rig rig;
        rig.fields.add("X-Before", "1");
        rig.fields.add(name, value);
        for (const char *path : {"/fields", "/stream-fields"}) {
            Wire wire(rig.port);
            QVERIFY(wire.say(get(path)));
            const auto told = settle(wire);
            QCOMPARE(told.statuses(), QList<int>{500});
            QVERIFY2(!told.bytes.contains("vil") && !told.bytes.contains("X-Before"), told.bytes.constData());
        }
    }

    void values_above_ascii_stay_one_line()
    {
        Rig rig;
        rig.fields.add("X-A", "\x80\xff\xc3\xa4\t;");
        Wire wire(rig.port);
        QVERIFY(wire.say(get("/fields")));
        QVERIFY(settle(wire).bytes.contains("\r\nX-A: \x80\xff\xc3\xa4\t;\r\n"));
    }

    void nothing_that_a_client_says_comes_back_as_a_header()
    {
        Rig rig;
        rig.server->allowOrigins({QStringLiteral("*")});
        for (const QByteArray &bad : {QByteArray("a\x80"), QByteArray("a;b"), QByteArray("a b"), QByteArray("\"a\""),
                                      QByteArray("%0d%0aX-Evil: 1"), QByteArray("\xe5\x98\x8a\xe5\x98\x8dX-Evil: 1")}) {
            Wire wire(rig.port);
            QVERIFY(wire.say(getWith("X-Request-Id: " + bad + "\r\nOrigin: " + bad + "\r\nReferer: " + bad
                                     + "\r\nAccess-Control-Request-Method: " + bad + "\r\n")
                             + get("/nothing%0d?" + QByteArray("a=%0d%0aX-Evil:1"))));
            const auto told = settle(wire);
            QVERIFY2(!wire.heard().contains(bad) && !told.bytes.contains("\r\nX-Evil"), told.bytes.constData());
        }
    }
};

QTEST_GUILESS_MAIN(tst_OnTheWire)
#include "tst_OnTheWire.moc"
