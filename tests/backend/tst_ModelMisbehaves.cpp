// A model that stalls, breaks off, lies, babbles or says nothing, through the whole product and every door: a failure
// is told as one and costs nothing, a reply is kept as it was sent and costs its price once, and the session goes on.

#include "backend/HttpCall.h"
#include "backend/ServedBackend.h"
#include "backend/TurnBooks.h"
#include "fakes/FakeLlm.h"

#include <QJsonArray>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {

struct Case
{
    const char *name;
    const char *script;
    int status; // as JSON; 200 is a reply
    const char *outcome; // the code of a failure, the finish reason of a reply
};

// The generation limit is 2 s here.
const QList<Case> &cases()
{
    static const QList<Case> all{
        {"as it should be", "tokens=9", 200, "stop"},
        {"stalls before its head", "stall=head", 504, "model_timeout"},
        {"stalls before its first token", "stall=0 tokens=9", 504, "model_timeout"},
        {"stalls in the middle", "stall=4 tokens=9", 504, "model_timeout"},
        {"never comes to an end", "tokens=5000 pace=10", 504, "model_timeout"},
        {"talks without end", "endless say=LONG", 200, "length"},
        {"is silent without end", "endless empty", 504, "model_timeout"},
        {"cut before its first token", "cut=0 tokens=9", 502, "model_failed"},
        {"cut in the middle", "cut=4 tokens=9", 502, "model_failed"},
        {"closes without an answer", "drop", 502, "model_failed"},
        {"429", "status=429", 503, "overloaded"},
        {"429 with a long Retry-After", "status=429 retry-after=60", 503, "overloaded"},
        {"503 with Retry-After", "status=503 retry-after=60", 503, "overloaded"},
        {"500", "status=500", 502, "model_failed"},
        {"401", "status=401", 502, "model_failed"},
        {"400", "status=400", 502, "model_failed"},
        {"a redirect", "redirect=http://127.0.0.1:1/", 502, "model_failed"},
        {"a page instead", "garbage=html", 502, "model_failed"},
        {"other JSON", "garbage=json", 502, "model_failed"},
        {"a line of garbage", "garbage=line tokens=4", 502, "model_failed"},
        {"an error in the stream", "error=3 tokens=9", 502, "model_failed"},
        {"a rate limit in the stream", "error=3 tokens=9 code=rate_limit_exceeded", 503, "overloaded"},
        {"half a character, then nothing", "half-char tokens=3", 502, "model_failed"},
        {"no UTF-8", "bad-utf8 tokens=3", 502, "model_failed"},
        {"a line of 10 MB", "huge-line=10000000 tokens=3", 502, "model_failed"},
        {"an empty reply", "empty", 502, "model_failed"},
        {"no usage", "no-usage tokens=9", 200, "stop"},
        {"a usage that is none", "prompt=-5 completion=1.5 total=x tokens=9", 200, "stop"},
        {"a usage beyond belief", "prompt=9007199254740993 completion=9 total=1 tokens=9", 200, "stop"},
        {"a total below its parts", "total=1 tokens=9", 200, "stop"},
        {"a total above its parts", "total=5000 tokens=9", 200, "stop"},
        {"more than was held", "prompt=40000 completion=40000 total=80000 tokens=9", 200, "stop"},
        {"tokens after the finish reason", "after-finish tokens=9", 200, "stop"},
        {"[DONE] twice", "done-twice tokens=9", 200, "stop"},
        {"talks on after [DONE]", "after-done tokens=9", 200, "stop"},
        {"no [DONE]", "no-done tokens=9", 200, "stop"},
        {"neither finish nor [DONE]", "no-finish no-done tokens=9", 502, "model_failed"},
        {"an answer in one piece", "whole tokens=9", 200, "stop"},
        {"one byte at a time", "bytes say=Grüße, \U0001F600!", 200, "stop"},
        {"a character in two halves", "split-surrogates tokens=3", 200, "stop"},
        {"CRLF, a BOM, comments", "crlf bom comments tokens=9", 200, "stop"},
        {"cut by its filter", "finish=content_filter tokens=3", 200, "content_filter"},
        {"finish reason of its own", "finish=max_tokens tokens=3", 200, "length"},
    };
    return all;
}

const char turnOfKey[] = R"(
SELECT t.status, coalesce(m.content, t.reply, '') AS content, coalesce(t.total_tokens, 0) AS total_tokens,
       coalesce(h.amount, 0) AS held, coalesce(-c.amount, 0) AS charged
  FROM chat_turns t LEFT JOIN chat_messages m ON m.id = t.message_id LEFT JOIN holds h ON h.id = t.hold_id
  LEFT JOIN transaction_history c ON c.hold_id = t.hold_id AND c.kind = 'chat'
 WHERE t.idempotency_key = '%1')";

const char *const doors[] = {"json", "stream", "openai", "openai stream"};

} // namespace

class ModelMisbehavesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // All of them at once: what waits for the limit waits together.
    void initTestCase()
    {
        QVERIFY(m_llm.listen());
        m_backend =
            std::make_unique<TestBackend>(QMap<QString, QString>{{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                                                                 {u"LLM_MODEL"_s, u"fake"_s},
                                                                 {u"BILLING_GENERATION_LIMIT_S"_s, u"2"_s},
                                                                 {u"RATE_LIMIT_COMMON"_s, u"1000000"_s}});
        m_backend->database().owner().script(u"UPDATE tiers SET requests_per_minute = 1000000, daily_credits = 1000"_s);
        m_person = m_backend->newPerson(u"ada@example.com"_s);
        for (const Case &each : cases())
            for (const char *door : doors)
                m_calls[{each.name, door}] = ask(QByteArray(door), QString::fromUtf8(each.script));
    }
    void cleanupTestCase()
    {
        const QStringList breaches = turnBreaches(m_backend->database().owner(), Calm::Yes);
        QVERIFY2(breaches.isEmpty(), qPrintable(breaches.join(u'\n')));
        QCOMPARE(m_backend->metric("companion_undeclared_answers_total"), 0);
    }

    void the_books_and_the_client_agree_data()
    {
        QTest::addColumn<int>("number");
        QTest::addColumn<QByteArray>("door");
        for (int number = 0; number < cases().size(); ++number)
            for (const char *door : doors)
                QTest::addRow("%s, %s", cases()[number].name, door) << number << QByteArray(door);
    }
    void the_books_and_the_client_agree()
    {
        QFETCH(int, number);
        QFETCH(QByteArray, door);
        const Case &expected = cases()[number];
        Asked &asked = m_calls.at({expected.name, door});
        QVERIFY(asked.call->await());
        QVERIFY(asked.call->isWhole());
        const Answer answer = asked.call->answer();
        const bool streamed = door.endsWith("stream");
        QCOMPARE(answer.status, streamed ? 200 : expected.status);
        const Told told = read(answer, streamed);
        QCOMPARE(told.outcome, QByteArray(expected.outcome));
        if (answer.status == 503 && QByteArray(expected.script).contains("retry-after"))
            QCOMPARE(answer.headers.value("retry-after"), "60");

        const auto turns = m_backend->database().owner().script(QString::fromLatin1(turnOfKey).arg(asked.nonce));
        QCOMPARE(turns.size(), 1);
        QCOMPARE(turns.first().text("status"), expected.status == 200 ? u"settled"_s : u"voided"_s);
        if (expected.status == 200) {
            QCOMPARE(told.content, turns.first().text("content"));
            QVERIFY(!told.content.isEmpty());
            QVERIFY(!told.content.contains(u"never heard"_s));
            QVERIFY(told.content.toUtf8().size() <= 256 * 1024);
            QCOMPARE(told.usage[u"total_tokens"_s].toInteger(), turns.first().integer("total_tokens"));
            QVERIFY(told.usage[u"total_tokens"_s].toInteger()
                    >= told.usage[u"prompt_tokens"_s].toInteger() + told.usage[u"completion_tokens"_s].toInteger());
            const Credits charge = *Credits::parse(told.charge);
            const Credits held = turns.first().credits("held");
            QCOMPARE(charge, std::min(billing::priceOf(turns.first().integer("total_tokens"), {}), held));
            QCOMPARE(charge, turns.first().credits("charged"));
        }
        if (asked.session.isEmpty())
            return;
        Asked next = ask("json", u"tokens=2"_s, asked.session); // the session is not stuck
        QVERIFY(next.call->await());
        QCOMPARE(next.call->answer().status, 200);
    }

    // 10 MB in one line, and tokens without end, many at once: what is read is bounded, and so is the process.
    void memory_stays_bounded()
    {
        const auto target = m_backend->database().ownerTarget();
        ServedBackend process(
            {{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
             {u"LLM_MODEL"_s, u"fake"_s},
             {u"DATABASE_URL"_s, u"postgres://%1@/%2?host=%3"_s.arg(target.user, target.database, target.host)}});
        QVERIFY(process.start());
        m_port = process.port();
        const auto together = [this](const QString &script) {
            std::vector<Asked> asked;
            for (int i = 0; i < 8; ++i)
                asked.push_back(ask(doors[i % 4], script));
            for (Asked &each : asked)
                QVERIFY(each.call->await());
        };
        together(u"tokens=50"_s);
        const qint64 before = process.peakMemory_kB();
        for (const char *script :
             {"huge-line=10000000 tokens=3", "endless tokens=5", "endless say=LONG", "endless empty"})
            for (int again = 0; again < 2; ++again)
                together(QString::fromLatin1(script));
        const qint64 after = process.peakMemory_kB();
        qInfo() << "peak memory, kB: after ordinary replies" << before << "after all of it" << after;
        QVERIFY2(after - before < 48 * 1024, qPrintable(QString::number(after - before)));
        m_port = 0;
        QVERIFY(process.stop());
        QCOMPARE(process.bugs(), QStringList());
    }

private:
    struct Asked
    {
        std::unique_ptr<HttpCall> call;
        QString session;
        QString nonce;
    };
    struct Told
    {
        QByteArray outcome;
        QString content;
        QJsonObject usage;
        QString charge;
    };

    Asked ask(const QByteArray &door, const QString &script, const QString &inSession = {})
    {
        Asked asked{.call = {}, .session = inSession, .nonce = u"n%1"_s.arg(++m_count)};
        const QString text =
            QString(asked.nonce + u" [[fake: "_s + script + u"]]"_s).replace(u"LONG"_s, QString(3'000, u'a'));
        QJsonObject body;
        QString path = u"/v1/chat/completions"_s;
        if (door.startsWith("openai")) {
            body = {{u"model"_s, u"aria"_s},
                    {u"messages"_s, QJsonArray{QJsonObject{{u"role"_s, u"user"_s}, {u"content"_s, text}}}}};
        } else {
            if (asked.session.isEmpty())
                asked.session = m_backend->openSession(m_person);
            body = {{u"session_id"_s, asked.session}, {u"message"_s, text}};
            path = u"/api/v1/chat/completions"_s;
        }
        body.insert(u"stream"_s, door.endsWith("stream"));
        asked.call = std::make_unique<HttpCall>(m_port ? m_port : m_backend->port(),
                                                HttpCall::compose(path, body, m_person,
                                                                  {{"Idempotency-Key", asked.nonce.toLatin1()}}));
        return asked;
    }

    static Told read(const Answer &answer, bool streamed)
    {
        Told told;
        const auto events = streamed ? TestBackend::eventsOf(answer.body) : QList<Event>{{{}, {}, answer.body}};
        for (const Event &event : events) {
            const QJsonObject json = event.json();
            const QJsonObject choice = json[u"choices"_s][0].toObject();
            told.content += choice[streamed ? u"delta"_s : u"message"_s][u"content"].toString();
            const QJsonObject problem = json.contains(u"error"_s) ? json[u"error"_s].toObject() : json;
            if (const QString code = problem[u"code"_s].toString(); !code.isEmpty())
                told.outcome = code.toLatin1();
            if (const QString reason = choice[u"finish_reason"_s].toString(); !reason.isEmpty())
                told.outcome = reason.toLatin1();
            if (json.contains(u"usage"_s)) {
                told.usage = json[u"usage"_s].toObject();
                told.charge = json[u"companion"_s][u"charge"][u"amount"].toString();
            }
        }
        return told;
    }

    FakeLlm m_llm;
    std::unique_ptr<TestBackend> m_backend;
    std::map<std::pair<QByteArray, QByteArray>, Asked> m_calls;
    Person m_person;
    quint16 m_port = 0;
    int m_count = 0;
};

QTEST_GUILESS_MAIN(ModelMisbehavesTest)
#include "tst_ModelMisbehaves.moc"
