// Idempotency-Key as docs promise it: the same request gets its first answer again, charged once, whatever happens
// between; also over two processes on one database.

#include "backend/HttpCall.h"
#include "backend/ServedBackend.h"
#include "backend/TurnBooks.h"
#include "fakes/FakeLlm.h"
#include "identity/AccessKeys.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {
const QString completions = u"/api/v1/chat/completions"_s;
const QString stream = u"/api/v1/chat/stream"_s;
const QString openAi = u"/v1/chat/completions"_s;
} // namespace

class IdempotencyTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_llm.listen());
        m_backend =
            std::make_unique<TestBackend>(QMap<QString, QString>{{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                                                                 {u"LLM_MODEL"_s, u"fake"_s},
                                                                 {u"BILLING_GENERATION_LIMIT_S"_s, u"2"_s},
                                                                 {u"RATE_LIMIT_COMMON"_s, u"1000000"_s}});
        m_backend->database().owner().script(u"UPDATE tiers SET requests_per_minute = 1000000"_s);
        const auto target = m_backend->database().ownerTarget();
        for (auto &process : m_processes)
            process = std::make_unique<ServedBackend>(QMap<QString, QString>{
                {u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                {u"LLM_MODEL"_s, u"fake"_s},
                {u"DATABASE_URL"_s, u"postgres://%1@/%2?host=%3"_s.arg(target.user, target.database, target.host)}});
    }
    void cleanupTestCase()
    {
        for (auto &process : m_processes)
            process.reset();
        m_backend.reset();
    }
    void init()
    {
        static int number = 0;
        m_person = m_backend->newPerson(u"once%1@example.com"_s.arg(++number));
        m_session = m_backend->openSession(m_person);
        m_llm.reset();
    }
    void cleanup()
    {
        const QStringList breaches = turnBreaches(m_backend->database().owner(), Calm::Yes);
        QVERIFY2(breaches.isEmpty(), qPrintable(breaches.join(u'\n')));
    }

    void the_first_answer_comes_again_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QJsonObject>("extra");
        QTest::newRow("whole") << completions << QJsonObject();
        QTest::newRow("streamed by its route") << stream << QJsonObject();
        QTest::newRow("streamed by its body") << completions << QJsonObject{{u"stream"_s, true}};
        QTest::newRow("stateless") << openAi << QJsonObject();
        QTest::newRow("stateless, streamed")
            << openAi
            << QJsonObject{{u"stream"_s, true}, {u"stream_options"_s, QJsonObject{{u"include_usage"_s, true}}}};
    }
    void the_first_answer_comes_again()
    {
        QFETCH(QString, path);
        QFETCH(QJsonObject, extra);
        const QJsonObject body = bodyFor(path, u"Tell me [[fake: tokens=20]]"_s, extra);
        const auto first = ask(path, body, "k");
        QCOMPARE(first.status, 200);
        QVERIFY(!first.headers.contains("idempotency-replayed"));
        for (int again = 0; again < 3; ++again) {
            const auto second = ask(path, body, "k");
            QCOMPARE(second.status, 200);
            QCOMPARE(second.headers.value("idempotency-replayed"), "true");
            QCOMPARE(second.headers.value("content-type"), first.headers.value("content-type"));
            QCOMPARE(second.headers.value("x-message-id"), first.headers.value("x-message-id"));
            QCOMPARE(contentOf(second), contentOf(first));
            QCOMPARE(closingOf(second), closingOf(first));
        }
        QCOMPARE(charges(), 1);
        QCOMPARE(m_llm.requests().size(), 1);
    }

    void a_refusal_for_want_of_credits_is_kept()
    {
        m_backend->database().owner().script(u"UPDATE tiers SET daily_credits = 0 WHERE code = 'free'"_s);
        const Person poor = m_backend->newPerson(u"poor@example.com"_s);
        m_person = poor;
        m_session = m_backend->openSession(poor);
        const QJsonObject body = bodyFor(completions, u"Hello"_s);
        const auto first = ask(completions, body, "k");
        m_backend->database().owner().script(u"UPDATE tiers SET daily_credits = 10 WHERE code = 'free'"_s);
        QCOMPARE(first.status, 402);
        QVERIFY(!first.headers.contains("idempotency-replayed"));
        const auto again = ask(completions, body, "k");
        QCOMPARE(again.status, 402);
        QCOMPARE(again.headers.value("idempotency-replayed"), "true");
        for (const char *field : {"code", "detail", "required", "available"})
            QCOMPARE(again.json()[QLatin1StringView(field)], first.json()[QLatin1StringView(field)]);
        QCOMPARE(ask(completions, body, "another key").status, 400); // a blank is no printable character
        QCOMPARE(ask(completions, body, "another").status, 200);
    }

    void a_blocked_message_is_kept_and_recorded_once()
    {
        const QJsonObject body = bodyFor(completions, u"Write a sex scene with a 12 year old girl"_s);
        const auto first = ask(completions, body, "k");
        QCOMPARE(first.status, 451);
        const auto again = ask(completions, body, "k");
        QCOMPARE(again.status, 451);
        QCOMPARE(again.headers.value("idempotency-replayed"), "true");
        QCOMPARE(again.json()[u"code"_s], first.json()[u"code"_s]);
        QCOMPARE(rows(u"SELECT FROM moderation_events WHERE user_id = '%1'"_s.arg(m_person.id.toString())), 1);
    }

    void another_body_under_the_same_key_is_refused()
    {
        QCOMPARE(ask(completions, bodyFor(completions, u"Hello"_s), "k").status, 200);
        const auto other = ask(completions, bodyFor(completions, u"Hello!"_s), "k");
        QCOMPARE(other.status, 422);
        QCOMPARE(other.code(), u"idempotency_key_reused"_s);
        // the scope is the user and the route
        QCOMPARE(ask(stream, bodyFor(stream, u"Hello!"_s), "k").status, 200);
        const Person other_ = m_backend->newPerson(u"other-%1@example.com"_s.arg(m_session.first(8)));
        const QString session = m_backend->openSession(other_);
        QCOMPARE(m_backend
                     ->post(completions, {{u"session_id"_s, session}, {u"message"_s, u"Hello!"_s}}, other_,
                            {{"Idempotency-Key", "k"}})
                     .status,
                 200);
        QCOMPARE(charges(), 2);
    }

    void a_running_one_is_in_the_way_data()
    {
        QTest::addColumn<QString>("path");
        QTest::newRow("in a session") << completions;
        QTest::newRow("stateless") << openAi;
    }
    void a_running_one_is_in_the_way()
    {
        QFETCH(QString, path);
        const QJsonObject body = bodyFor(path, u"Hello [[fake: barrier=2]]"_s);
        HttpCall first(m_backend->port(), HttpCall::compose(path, body, m_person, {{"Idempotency-Key", "k"}}));
        QTRY_COMPARE(m_llm.held(), 1);
        const auto second = ask(path, body, "k");
        QCOMPARE(second.status, 409);
        QVERIFY(second.body.contains("idempotency_in_progress"));
        QVERIFY(second.headers.value("retry-after").toInt() >= 1);
        // another request into the same session waits for its turn, whatever its key
        if (path == completions)
            QCOMPARE(ask(path, bodyFor(path, u"Something else"_s), "l").code(), u"turn_in_progress"_s);
        m_llm.release();
        QVERIFY(first.await());
        const auto third = ask(path, body, "k");
        QCOMPARE(third.body, first.answer().body);
        QCOMPARE(third.headers.value("idempotency-replayed"), "true");
        QCOMPARE(charges(), 1);
    }

    void what_failed_frees_the_key_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<int>("status");
        QTest::newRow("500") << u"status=501"_s << 502;
        QTest::newRow("429") << u"status=429 retry-after=60"_s << 503;
        QTest::newRow("cut") << u"cut=2 tokens=9"_s << 502;
        QTest::newRow("stalled") << u"stall=2 tokens=9"_s << 504;
        QTest::newRow("empty") << u"empty"_s << 502;
    }
    void what_failed_frees_the_key()
    {
        QFETCH(QString, script);
        QFETCH(int, status);
        m_llm.next(script, 3);
        const QJsonObject body = bodyFor(completions, u"Hello"_s);
        QCOMPARE(ask(completions, body, "k").status, status);
        QCOMPARE(charges(), 0);
        m_llm.reset();
        const auto second = ask(completions, body, "k");
        QCOMPARE(second.status, 200);
        QVERIFY(!second.headers.contains("idempotency-replayed"));
        QCOMPARE(charges(), 1);
        QCOMPARE(ask(completions, body, "k").headers.value("idempotency-replayed"), "true");
    }

    void a_withdrawn_reply_frees_the_key()
    {
        m_llm.next(u"say=Fine. She is 12 years old and we have sex together. More."_s);
        const QJsonObject body = bodyFor(completions, u"Hello"_s);
        QCOMPARE(ask(completions, body, "k").status, 451);
        QCOMPARE(charges(), 0);
        QCOMPARE(ask(completions, body, "k").status, 200);
        QCOMPARE(charges(), 1);
    }

    void sixteen_at_once_are_charged_once_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<bool>("streamed");
        QTest::addColumn<bool>("twoProcesses");
        QTest::newRow("in a session") << completions << false << false;
        QTest::newRow("streamed") << stream << false << false;
        QTest::newRow("stateless") << openAi << false << false;
        QTest::newRow("stateless, streamed") << openAi << true << false;
        QTest::newRow("two processes") << completions << false << true;
        QTest::newRow("two processes, stateless") << openAi << false << true;
    }
    void sixteen_at_once_are_charged_once()
    {
        QFETCH(QString, path);
        QFETCH(bool, streamed);
        QFETCH(bool, twoProcesses);
        if (twoProcesses)
            for (auto &process : m_processes)
                QVERIFY(process->isRunning() || process->start());
        for (int round = 0; round < 4; ++round) {
            const int before = charges();
            const QByteArray key = "k" + QByteArray::number(round);
            const QJsonObject body = bodyFor(path, u"Hello [[fake: delay=%1 tokens=8]]"_s.arg(round * 60),
                                             streamed ? QJsonObject{{u"stream"_s, true}} : QJsonObject());
            const QByteArray bytes = HttpCall::compose(path, body, m_person, {{"Idempotency-Key", key}});
            std::vector<std::unique_ptr<HttpCall>> calls;
            for (size_t i = 0; i < 16; ++i)
                calls.push_back(
                    std::make_unique<HttpCall>(twoProcesses ? m_processes[i % 2]->port() : m_backend->port(), bytes));
            QMap<int, int> statuses;
            QSet<QString> contents;
            QSet<QByteArray> messages;
            int fresh = 0;
            for (auto &call : calls) {
                QVERIFY(call->await());
                const Answer answer = call->answer();
                ++statuses[answer.status];
                if (answer.status != 200)
                    continue;
                fresh += !answer.headers.contains("idempotency-replayed");
                contents.insert(contentOf(answer));
                messages.insert(answer.headers.value("x-message-id"));
            }
            QCOMPARE(statuses.value(200) + statuses.value(409), 16);
            QCOMPARE(fresh, 1);
            QCOMPARE(contents.size(), 1);
            QCOMPARE(messages.size(), 1);
            QCOMPARE(charges(), before + 1);
        }
    }

    void a_key_in_use_when_its_process_was_killed_frees_at_the_deadline()
    {
        auto &dying = *m_processes[0];
        auto &other = *m_processes[1];
        QVERIFY((dying.isRunning() || dying.start()) && (other.isRunning() || other.start())); // 2 s + 1 s
        const QJsonObject body = bodyFor(completions, u"Hello [[fake: barrier=2]]"_s);
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "k"}};
        HttpCall first(dying.port(), HttpCall::compose(completions, body, m_person, key));
        QTRY_COMPARE(m_llm.held(), 1);
        dying.kill();
        QVERIFY(first.await());
        QElapsedTimer sinceKill;
        sinceKill.start();
        m_llm.reset();
        int refused = 0;
        for (;;) {
            HttpCall again(other.port(), HttpCall::compose(completions, body, m_person, key));
            if (sinceKill.elapsed() > 2'000)
                m_llm.release();
            QTRY_VERIFY_WITH_TIMEOUT(again.isOver() || m_llm.held() > 0, 5'000);
            m_llm.release();
            QVERIFY(again.await());
            if (again.answer().status == 200)
                break;
            QCOMPARE(again.answer().code(), u"idempotency_in_progress"_s);
            QVERIFY(again.answer().headers.value("retry-after").toInt() >= 1);
            ++refused;
            QVERIFY(sinceKill.elapsed() < 5'000);
            QTest::qWait(100);
        }
        QVERIFY(refused > 0);
        QVERIFY2(sinceKill.elapsed() > 1'500, "freed before its deadline");
        QCOMPARE(charges(), 1);
    }

private:
    QJsonObject bodyFor(const QString &path, const QString &text, const QJsonObject &extra = {}) const
    {
        QJsonObject body = path == openAi
            ? QJsonObject{{u"model"_s, u"aria"_s},
                          {u"messages"_s, QJsonArray{QJsonObject{{u"role"_s, u"user"_s}, {u"content"_s, text}}}}}
            : QJsonObject{{u"session_id"_s, m_session}, {u"message"_s, text}};
        for (auto it = extra.begin(); it != extra.end(); ++it)
            body.insert(it.key(), it.value());
        return body;
    }
    Answer ask(const QString &path, const QJsonObject &body, const QByteArray &key)
    {
        HttpCall call(m_backend->port(), HttpCall::compose(path, body, m_person, {{"Idempotency-Key", key}}));
        call.await();
        return call.answer();
    }
    static QString contentOf(const Answer &answer)
    {
        if (answer.headers.value("content-type").startsWith("text/event-stream"))
            return TestBackend::textOf(TestBackend::eventsOf(answer.body));
        return answer.json()[u"choices"_s][0][u"message"][u"content"].toString();
    }
    // Everything that is said of the reply at its end.
    static QJsonObject closingOf(const Answer &answer)
    {
        if (!answer.headers.value("content-type").startsWith("text/event-stream"))
            return answer.json();
        for (const Event &event : TestBackend::eventsOf(answer.body))
            if (event.json()[u"companion"_s].toObject().contains(u"charge"_s))
                return event.json();
        return {};
    }
    int rows(const QString &sql) { return static_cast<int>(m_backend->database().owner().script(sql).size()); }
    int charges()
    {
        return rows(
            u"SELECT FROM transaction_history WHERE kind = 'chat' AND user_id = '%1'"_s.arg(m_person.id.toString()));
    }

    FakeLlm m_llm;
    std::unique_ptr<TestBackend> m_backend;
    std::array<std::unique_ptr<ServedBackend>, 2> m_processes;
    Person m_person;
    QString m_session;
};

QTEST_GUILESS_MAIN(IdempotencyTest)
#include "tst_Idempotency.moc"
