#include "http/HeadParser.h"
#include "http/Target.h"

#include <QTest>

using namespace companion;
using namespace companion::http;

namespace {

struct Outcome
{
    HeadParser::State state;
    ErrorCode code;
    qsizetype size;
    bool operator==(const Outcome &) const = default;
};

Outcome outcomeOf(const HeadParser &parser, HeadParser::State state)
{
    return {state, parser.refusal().code, state == HeadParser::State::Complete ? parser.size() : 0};
}

Outcome parseWhole(const QByteArray &head, qsizetype limit = 16 * 1024)
{
    HeadParser parser(limit);
    const auto state = parser.feed(head);
    return outcomeOf(parser, state);
}

Outcome parseInTwo(const QByteArray &head, qsizetype cut)
{
    HeadParser parser(16 * 1024);
    auto state = parser.feed(head.first(cut));
    if (state == HeadParser::State::Reading)
        state = parser.feed(head);
    return outcomeOf(parser, state);
}

Outcome parseByteByByte(const QByteArray &head)
{
    HeadParser parser(16 * 1024);
    auto state = HeadParser::State::Reading;
    for (qsizetype i = 1; i <= head.size() && state == HeadParser::State::Reading; ++i)
        state = parser.feed(head.first(i));
    return outcomeOf(parser, state);
}

Head headOf(const QByteArray &text)
{
    HeadParser parser(16 * 1024);
    if (parser.feed(text) != HeadParser::State::Complete)
        qFatal("not a head");
    return parser.head();
}

void row(const char *name, const QByteArray &head, int status)
{
    QTest::newRow(name) << head << status;
}

QByteArray get(const QByteArray &fields)
{
    return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

} // namespace

class tst_HeadParser : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void reads_or_refuses_the_same_wherever_it_is_cut_data()
    {
        QTest::addColumn<QByteArray>("head");
        QTest::addColumn<int>("status"); // 0: read
        row("plain", get(""), 0);
        row("http 1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0);
        row("one empty line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        row("empty lines without end", "\r\n\r\n\r\n\r\n\r\n\r\n", 400);
        row("query", "GET /a?b=c&d=%20 HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        row("absolute form", "GET http://x:80/a HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        row("absolute form, ipv6", "GET http://[::1]:8080/a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0);
        row("absolute form with a user", "GET http://u:p@x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("absolute form, other scheme", "GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("options star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        row("get star", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("relative target", "GET a/b HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("connect", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 501);
        row("trace", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 501);
        row("unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501);
        row("lower-case method", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501);
        row("method with a colon", "GET: / HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("tab between", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("no version", "GET /\r\n\r\n", 400);
        row("no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("http 2", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
        row("http 9.9", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505);
        row("h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
        row("version without minor", "GET / HTTP/1\r\nHost: x\r\n\r\n", 400);
        row("version with zeros", "GET / HTTP/01.01\r\nHost: x\r\n\r\n", 400);
        row("lower-case version", "GET / http/1.1\r\nHost: x\r\n\r\n", 400);
        row("NUL in target", QByteArray("GET /") + '\0' + "a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("non-ASCII target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("fragment in target", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("backslash in target", "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n", 400);
        row("bare LF lines", "GET / HTTP/1.1\nHost: x\n\n", 400);
        row("bare CR in line", "GET / HTTP/1.1\rHost: x\r\n\r\n", 400);
        row("no host", "GET / HTTP/1.1\r\n\r\n", 400);
        row("two hosts", get("Host: x\r\n"), 400);
        row("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400);
        row("host with user", "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400);
        row("host with path", "GET / HTTP/1.1\r\nHost: x/p\r\n\r\n", 400);
        row("host list", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400);
        row("host with port", "GET / HTTP/1.1\r\nHost: x:8080\r\n\r\n", 0);
        row("host with a port too large", "GET / HTTP/1.1\r\nHost: x:99999\r\n\r\n", 400);
        row("host ipv6", "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", 0);
        row("host not closed", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400);
        row("folded field", get("X: a\r\n b\r\n"), 400);
        row("blank before first field", "GET / HTTP/1.1\r\n \r\nHost: x\r\n\r\n", 400);
        row("blank before colon", get("X : a\r\n"), 400);
        row("no colon", get("X\r\n"), 400);
        row("empty name", get(": a\r\n"), 400);
        row("bad name", get("X[: a\r\n"), 400);
        row("non-ASCII name", get("X\xc3\xab: a\r\n"), 400);
        row("NUL in value", get(QByteArray("X: a") + '\0' + "b\r\n"), 400);
        row("BEL in value", get("X: a\x07\r\n"), 400);
        row("DEL in value", get("X: a\x7f\r\n"), 400);
        row("tab and Latin-1 in value", get("X:\ta\t\xe9 \r\n"), 0);
        row("LF in value", get("X: a\nY: b\r\n"), 400);
        row("length", get("Content-Length: 5\r\n"), 0);
        row("length 0", get("Content-Length: 0\r\n"), 0);
        row("length twice", get("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
        row("length list", get("Content-Length: 5, 5\r\n"), 400);
        row("length +5", get("Content-Length: +5\r\n"), 400);
        row("length -5", get("Content-Length: -5\r\n"), 400);
        row("length 1_0", get("Content-Length: 1_0\r\n"), 400);
        row("length 005", get("Content-Length: 005\r\n"), 400);
        row("length 0x5", get("Content-Length: 0x5\r\n"), 400);
        row("length empty", get("Content-Length: \r\n"), 400);
        row("length 2^63", get("Content-Length: 9223372036854775808\r\n"), 400);
        row("length 2^64", get("Content-Length: 18446744073709551616\r\n"), 400);
        row("Content_Length", get("Content_Length: 5\r\n"), 400);
        row("Transfer_Encoding", get("Transfer_Encoding: chunked\r\n"), 400);
        row("other underscore", get("X_Y: 5\r\n"), 0);
        row("chunked", get("Transfer-Encoding: chunked\r\n"), 0);
        row("Chunked", get("Transfer-Encoding: Chunked\r\n"), 0);
        row("chunked and length", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
        row("length and chunked", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
        row("chunked twice", get("Transfer-Encoding: chunked, chunked\r\n"), 400);
        row("chunked not last", get("Transfer-Encoding: chunked, gzip\r\n"), 400);
        row("gzip, chunked", get("Transfer-Encoding: gzip, chunked\r\n"), 501);
        row("gzip", get("Transfer-Encoding: gzip\r\n"), 501);
        row("xchunked", get("Transfer-Encoding: xchunked\r\n"), 501);
        row("identity", get("Transfer-Encoding: identity\r\n"), 400);
        row("leading comma", get("Transfer-Encoding: , chunked\r\n"), 400);
        row("trailing comma", get("Transfer-Encoding: chunked,\r\n"), 400);
        row("empty coding", get("Transfer-Encoding: \r\n"), 400);
        row("vertical tab before chunked",
            get("Transfer-Encoding: \x0b"
                "chunked\r\n"),
            400);
        row("chunked in http 1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
        row("expect", get("Content-Length: 5\r\nExpect: 100-continue\r\n"), 0);
        row("expect other", get("Expect: 200-ok\r\n"), 417);
        row("100 fields", "GET / HTTP/1.0\r\n" + QByteArray("X: y\r\n").repeated(100) + "\r\n", 0);
        row("101 fields", "GET / HTTP/1.0\r\n" + QByteArray("X: y\r\n").repeated(101) + "\r\n", 431);
        row("TLS hello", QByteArray("\x16\x03\x01\x02\x00\x01\x00\n", 8), 400);
    }
    void reads_or_refuses_the_same_wherever_it_is_cut()
    {
        QFETCH(const QByteArray, head);
        QFETCH(const int, status);
        const auto whole = parseWhole(head);
        QCOMPARE(whole.state == HeadParser::State::Complete ? 0 : describe(whole.code).status, status);
        QVERIFY(parseByteByByte(head) == whole);
        for (qsizetype cut = 0; cut < head.size(); ++cut)
            QVERIFY2(parseInTwo(head, cut) == whole, QByteArray::number(cut).constData());
    }

    void takes_only_its_own_bytes()
    {
        const auto head = get("A: b\r\n");
        QCOMPARE(parseWhole(head + "GET /next").size, head.size());
    }

    void the_limit_counts_every_byte_of_the_head()
    {
        const auto head = get("");
        QCOMPARE(parseWhole(head, head.size()).state, HeadParser::State::Complete);
        QCOMPARE(describe(parseWhole(head, head.size() - 1).code).status, 431);
        QCOMPARE(describe(parseWhole(QByteArray(20'000, 'A')).code).status, 431);
    }

    void a_head_in_progress_is_refused_as_soon_as_it_is_certain()
    {
        QCOMPARE(describe(parseWhole("GET / HTTP/9.9\r\n").code).status, 505);
        QCOMPARE(describe(parseWhole("GET / HTTP/1.1\r\nX : y\r\n").code).status, 400);
    }

    void knows_who_keeps_the_connection()
    {
        QVERIFY(headOf(get("")).keepAlive);
        QVERIFY(!headOf(get("Connection: close\r\n")).keepAlive);
        QVERIFY(!headOf(get("Connection: x, Close\r\n")).keepAlive);
        QVERIFY(!headOf("GET / HTTP/1.0\r\n\r\n").keepAlive);
        QVERIFY(headOf("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keepAlive);
        QVERIFY(!headOf(get("Connection: keep-alive\r\nConnection: close\r\n")).keepAlive);
    }

    void tells_what_the_head_said()
    {
        const auto head = headOf("POST http://h.example/a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n"
                                 "Expect: 100-Continue\r\nX:  two words \t\r\n\r\n");
        QCOMPARE(head.method, Method::Post);
        QCOMPARE(head.target, "/a/b?c=d");
        QCOMPARE(head.contentLength, 12);
        QVERIFY(head.expectsContinue && head.hasBody() && !head.chunked);
        QCOMPARE(head.headers.value("x"), "two words");
        QCOMPARE(headOf("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").target, "/?q");
        QVERIFY(!headOf(get("Expect: 100-continue\r\n")).expectsContinue); // nothing to wait for
    }

    void decodes_targets_segment_by_segment_data()
    {
        QTest::addColumn<QByteArray>("target");
        QTest::addColumn<QStringList>("segments");
        QTest::newRow("root") << QByteArray("/") << QStringList{QString()};
        QTest::newRow("plain") << QByteArray("/a/b?c") << QStringList{QStringLiteral("a"), QStringLiteral("b")};
        QTest::newRow("encoded slash") << QByteArray("/a%2Fb/c")
                                       << QStringList{QStringLiteral("a/b"), QStringLiteral("c")};
        QTest::newRow("UTF-8") << QByteArray("/%C3%A9") << QStringList{QStringLiteral("é")};
        QTest::newRow("plus stays in the path") << QByteArray("/a+b") << QStringList{QStringLiteral("a+b")};
        QTest::newRow("decoded once") << QByteArray("/%2541") << QStringList{QStringLiteral("%41")};
        for (const char *bad : {"/%", "/%4", "/%zz", "/%00", "/%0d%0a", "/%C0%AF", "/%ff", "/a/../b", "/%2e%2e/a", "/.",
                                "/a?%", "/a?%00", "/a?x=%ff"})
            QTest::newRow(bad) << QByteArray(bad) << QStringList();
    }
    void decodes_targets_segment_by_segment()
    {
        QFETCH(const QByteArray, target);
        QFETCH(const QStringList, segments);
        const auto parsed = Target::parse(target);
        QCOMPARE(parsed.has_value(), !segments.isEmpty());
        if (parsed)
            QCOMPARE(parsed->segments, segments);
        else
            QCOMPARE(parsed.error().code, ErrorCode::MalformedRequest);
    }

    void a_plus_in_the_query_is_a_space()
    {
        const auto query = Target::parse("/a?q=x+y%2Bz&r=%26")->query;
        QCOMPARE(query.queryItemValue(QStringLiteral("q"), QUrl::FullyDecoded), u"x y+z");
        QCOMPARE(query.queryItemValue(QStringLiteral("r"), QUrl::FullyDecoded), u"&");
    }
};

QTEST_GUILESS_MAIN(tst_HeadParser)
#include "tst_HeadParser.moc"
