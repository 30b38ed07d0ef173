#include "http/RequestReader.h"

#include <QTest>

using namespace companion;
using namespace companion::http;

namespace {

constexpr qint64 bodyLimit = 1'000;

// What a connection's bytes come to: the bodies of its requests in order, then "!" and a status where it was refused,
// or "…" where one is unfinished.
QByteArray story(const QList<QByteArray> &pieces)
{
    RequestReader reader({.headBytes = 4'096, .bodyBytes = bodyLimit});
    QByteArray told;
    for (const auto &piece : pieces) {
        reader.feed(piece);
        while (reader.state() == RequestReader::State::Complete) {
            told += reader.head().target + "=" + reader.body() + ";";
            reader.next();
        }
    }
    if (reader.state() == RequestReader::State::Refused)
        told += "!" + QByteArray::number(describe(reader.refusal().code).status);
    else if (reader.state() != RequestReader::State::Idle)
        told += "…";
    return told;
}

QList<QByteArray> byteByByte(const QByteArray &text)
{
    QList<QByteArray> pieces;
    for (const char c : text)
        pieces.append(QByteArray(1, c));
    return pieces;
}

const QByteArray chunkedPost = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
const QByteArray plainGet = "GET /g HTTP/1.1\r\nHost: x\r\n\r\n";

QByteArray post(const QByteArray &body)
{
    return "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

void row(const QByteArray &name, const QByteArray &bytes, const QByteArray &told)
{
    QTest::newRow(name.constData()) << bytes << told;
}

} // namespace

class tst_RequestReader : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void tells_the_same_story_wherever_the_bytes_are_cut_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("told");
        row("get", plainGet, "/g=;");
        row("post", post("hello"), "/p=hello;");
        row("three in a row", plainGet + post("hello") + plainGet, "/g=;/p=hello;/g=;");
        row("get with a body", "GET /g HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" + plainGet, "/g=ab;/g=;");
        row("body too short", post("hello").chopped(1), "…");
        row("body at the limit", post(QByteArray(bodyLimit, 'a')), "/p=" + QByteArray(bodyLimit, 'a') + ";");
        row("body above the limit", post(QByteArray(bodyLimit + 1, 'a')), "!413");
        row("bad request behind a good one", plainGet + "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "/g=;!400");

        const auto chunks = [](const QByteArray &name, const QByteArray &framing, const QByteArray &told) {
            row("chunks: " + name, chunkedPost + framing, told);
        };
        chunks("one", "5\r\nhello\r\n0\r\n\r\n", "/c=hello;");
        chunks("two", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "/c=hello world;");
        chunks("none", "0\r\n\r\n", "/c=;");
        chunks("upper-case hex", "A\r\n0123456789\r\n0\r\n\r\n", "/c=0123456789;");
        chunks("zeros before", "0005\r\nhello\r\n000\r\n\r\n", "/c=hello;");
        chunks("next request behind", "5\r\nhello\r\n0\r\n\r\n" + plainGet, "/c=hello;/g=;");
        chunks("extensions", "5;a=b;c=\"d ; \\\" e\"\r\nhello\r\n0;x\r\n\r\n", "/c=hello;");
        chunks("extension with blanks", "5; some; p=stuff\r\nhello\r\n0\r\n\r\n", "/c=hello;");
        chunks("trailer", "5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n" + plainGet, "/c=hello;/g=;");
        chunks("trailer that would matter", "5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n", "!400");
        chunks("trailer authorization", "0\r\nAuthorization: x\r\n\r\n", "!400");
        chunks("trailer not a field", "0\r\nX\r\n\r\n", "!400");
        chunks("no size", "\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("size g", "g\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("size +5", "+5\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("size -5", "-5\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("size 0x5", "0x5\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("size 1_0", "1_0\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("blank before size", " 5\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("blank after size", "5 \r\nhello\r\n0\r\n\r\n", "!400");
        chunks("bare semicolon", "5;\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("bad extension", "5;bad[=x\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("bare LF after size", "5\nhello\r\n0\r\n\r\n", "!400");
        chunks("bare CR in extension", "5;a=b\rc\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("LF in extension", "5\n;\r\nhello\r\n0\r\n\r\n", "!400");
        chunks("data too long", "5\r\nhello!\r\n0\r\n\r\n", "!400");
        chunks("data not ended", "5\r\nhello0\r\n\r\n", "!400");
        chunks("data ended by LF", "5\r\nhello\n0\r\n\r\n", "!400");
        chunks("not ended", "5\r\nhello\r\n", "…");
        chunks("size above the limit", "3e9\r\n", "!413");
        chunks("sum above the limit", "1f4\r\n" + QByteArray(500, 'a') + "\r\n1f5\r\n", "!413");
        chunks("size 2^63", "7fffffffffffffff\r\n", "!413");
        chunks("size 2^64", "ffffffffffffffff\r\n", "!413");
        chunks("size of many digits", QByteArray(40, 'f') + "\r\n", "!413");
        chunks("endless extension", "5;" + QByteArray(5'000, 'a'), "!400");
        chunks("extensions without end", QByteArray("1;" + QByteArray(500, 'a') + "\r\nx\r\n").repeated(20), "!400");
    }
    void tells_the_same_story_wherever_the_bytes_are_cut()
    {
        QFETCH(const QByteArray, bytes);
        QFETCH(const QByteArray, told);
        QCOMPARE(story({bytes}), told);
        QCOMPARE(story(byteByByte(bytes)), told);
        if (bytes.size() < 400)
            for (qsizetype cut = 1; cut < bytes.size(); ++cut)
                QCOMPARE(story({bytes.first(cut), bytes.sliced(cut)}), told);
    }

    void a_route_may_take_less_than_the_server()
    {
        RequestReader reader({.headBytes = 4'096, .bodyBytes = bodyLimit});
        reader.bodyLimitFor = [](const Head &, const Target &target) -> qint64 {
            return target.segments.first() == u"p" ? 4 : 100'000;
        };
        QCOMPARE(reader.feed(post("hello")), RequestReader::State::Refused);
        QCOMPARE(reader.refusal().code, ErrorCode::PayloadTooLarge);
    }

    void the_client_is_told_to_go_on_once_and_only_where_it_waits()
    {
        const QByteArray head = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        RequestReader waiting({});
        waiting.feed(head);
        QVERIFY(waiting.takeContinue());
        QVERIFY(!waiting.takeContinue());
        RequestReader hasty({});
        hasty.feed(head + "a");
        QVERIFY(!hasty.takeContinue());
    }

    void nothing_is_read_behind_a_refusal()
    {
        RequestReader reader({});
        reader.feed("GET / HTTP/9.9\r\n\r\n" + plainGet);
        QCOMPARE(reader.state(), RequestReader::State::Refused);
        reader.feed(plainGet);
        QCOMPARE(reader.next(), RequestReader::State::Refused);
    }
};

QTEST_GUILESS_MAIN(tst_RequestReader)
#include "tst_RequestReader.moc"
