#include "common/Bug.h"
#include "http/Cors.h"
#include "http/ReplyWriter.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTest>

using namespace companion;
using namespace companion::http;

namespace {

const AnswerFrame plainFrame{.requestId = "r1"};

QString written(const Reply &reply, const AnswerFrame &frame = plainFrame)
{
    return QString::fromLatin1(writeReply(reply, frame));
}

} // namespace

class tst_ReplyWriter : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void writes_a_whole_answer()
    {
        auto text = written(Reply::text("hi", "text/plain").with("X-A", "b"));
        static const QRegularExpression date(QStringLiteral(
            "Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT\r\n"));
        QVERIFY(text.contains(date));
        text.remove(date);
        QCOMPARE(text,
                 u"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\nX-Request-Id: r1\r\n"
                 "X-Content-Type-Options: nosniff\r\nContent-Length: 2\r\n\r\nhi");
    }

    void leaves_the_body_out_where_there_is_none()
    {
        const auto head = written(Reply::text("hi", "text/plain"), {.method = Method::Head, .requestId = "r"});
        QVERIFY(head.contains(u"Content-Length: 2\r\n") && head.endsWith(u"\r\n\r\n"));
        const auto empty = written(Reply::noContent());
        QVERIFY(!empty.contains(u"Content-Length") && !empty.contains(u"Content-Type:"));
        QVERIFY(written({304, "text/plain", "x", {}}).endsWith(u"\r\n\r\n"));
    }

    void says_whether_the_connection_stays()
    {
        QVERIFY(!written(Reply::noContent()).contains(u"Connection:"));
        QVERIFY(written(Reply::noContent(), {.keepAlive = false, .requestId = "r"}).contains(u"Connection: close\r\n"));
        QVERIFY(written(Reply::noContent(), {.minorVersion = 0, .requestId = "r"}).contains(u"Connection: keep-alive"));
    }

    void a_header_can_never_be_two()
    {
        for (const auto &value :
             {QByteArray("a\r\nX: y"), QByteArray("a\nb"), QByteArray("a\rb"), QByteArray("a\0b", 3)})
            QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::noContent().with("X-A", value)));
        QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::noContent().with("X A", "b")));
        QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::noContent().with("X:A", "b")));
        QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::text("x", "text/plain\r\nX: y")));
        QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::noContent().with("content-length", "7")));
        QVERIFY_THROWS_EXCEPTION(Bug, written(Reply::noContent().with("Transfer-Encoding", "chunked")));
        QVERIFY_THROWS_EXCEPTION(Bug, eventText("a", "1\ndata: x", {}));
        QVERIFY_THROWS_EXCEPTION(Bug, commentText("a\nb"));
    }

    void events_keep_their_line_breaks_inside()
    {
        QCOMPARE(eventText("a", {}, {}), "data: a\n\n");
        QCOMPARE(eventText("a\nb\r\nc\rd", "1", "e"), "event: e\nid: 1\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
        QCOMPARE(eventText("", {}, {}), "data: \n\n");
        QCOMPARE(commentText("ping"), ": ping\n\n");
        QCOMPARE(chunk("0123456789abcdef"), "10\r\n0123456789abcdef\r\n");
    }

    void a_problem_says_what_the_refusal_holds()
    {
        Refusal refusal{ErrorCode::InsufficientCredits, QStringLiteral("Not enough.")};
        refusal.log = QStringLiteral("for the operator only");
        refusal.required = *Credits::parse(u"1.5");
        refusal.available = *Credits::parse(u"0.25");
        refusal.errors = {{QStringLiteral("/a"), QStringLiteral("wrong")}};
        const auto reply = Reply::problem(refusal, "r7");
        QCOMPARE(reply.status, 402);
        QCOMPARE(reply.contentType, "application/problem+json");
        QVERIFY(!reply.body.contains("operator only"));
        const auto json = QJsonDocument::fromJson(reply.body).object();
        QCOMPARE(json.value(u"code").toString(), u"insufficient_credits");
        QCOMPARE(json.value(u"status").toInt(), 402);
        QCOMPARE(json.value(u"request_id").toString(), u"r7");
        QCOMPARE(json.value(u"required").toString(), u"1.5000");
        QCOMPARE(json.value(u"available").toString(), u"0.2500");
        QCOMPARE(json.value(u"errors").toArray().at(0).toObject().value(u"pointer").toString(), u"/a");
        QVERIFY(json.contains(u"type") && json.contains(u"title") && json.contains(u"detail"));
        QVERIFY(!reply.headers.contains("Retry-After"));
    }

    void who_must_wait_is_told_how_long()
    {
        QCOMPARE(Reply::problem({ErrorCode::Overloaded, {}}, "r").headers.value("Retry-After"), "1");
        Refusal limited{ErrorCode::RateLimited, {}};
        limited.retryAfter_s = 12;
        const auto reply = Reply::problem(limited, "r");
        QCOMPARE(reply.headers.value("Retry-After"), "12");
        QCOMPARE(QJsonDocument::fromJson(reply.body).object().value(u"retry_after").toInt(), 12);
        Refusal conflict{ErrorCode::TurnInProgress, {}};
        conflict.retryAfter_s = 3;
        QCOMPARE(Reply::problem(conflict, "r").headers.value("Retry-After"), "3");
    }

    void headers_are_found_in_any_case_and_keep_their_order()
    {
        Headers headers;
        headers.add("A", "1");
        headers.add("b", "2");
        headers.add("a", "3");
        QCOMPARE(headers.value("a"), "1");
        QCOMPARE(headers.values("A"), (QList<QByteArray>{"1", "3"}));
        headers.set("a", "4");
        QCOMPARE(headers.values("A"), QList<QByteArray>{"4"});
        QVERIFY(!headers.contains("c"));
    }

    void only_listed_origins_may_read_answers()
    {
        Cors cors;
        cors.allow({QStringLiteral("https://app.example.com")});
        Request request;
        request.headers.set("Origin", "https://app.example.com");
        Headers answer;
        cors.apply(request, answer);
        QCOMPARE(answer.value("Access-Control-Allow-Origin"), "https://app.example.com");
        QVERIFY(answer.value("Access-Control-Expose-Headers").contains("X-Request-Id"));
        QVERIFY(answer.values("Vary").contains("Origin"));
        for (const char *other :
             {"https://evil.example.com", "http://app.example.com", "https://app.example.com.evil", "null", ""}) {
            request.headers.set("Origin", other);
            Headers refused;
            cors.apply(request, refused);
            QVERIFY2(!refused.contains("Access-Control-Allow-Origin"), other);
        }
    }
};

QTEST_GUILESS_MAIN(tst_ReplyWriter)
#include "tst_ReplyWriter.moc"
