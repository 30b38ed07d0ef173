// The stop button at any moment: the reply ends there, what was produced is kept, shown and charged, and nothing else.
//
//   TURN_ROUNDS=30 rounds of 32 streams (1 by default), TURN_SEED=n the same random moments again

#include "backend/HttpCall.h"
#include "backend/ServedBackend.h"
#include "backend/TurnBooks.h"
#include "fakes/FakeLlm.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTest>
#include <QTimer>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {
const QString stream = u"/api/v1/chat/stream"_s;

// What the fake says with tokens=N: " word0 word1 …"
QString words(int count)
{
    QString all;
    for (int i = 0; i < count; ++i)
        all += u" word%1"_s.arg(i);
    return all;
}
} // namespace

class StoppingTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_llm.listen());
        m_backend =
            std::make_unique<TestBackend>(QMap<QString, QString>{{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                                                                 {u"LLM_MODEL"_s, u"fake"_s},
                                                                 {u"RATE_LIMIT_COMMON"_s, u"1000000"_s}});
        m_backend->database().owner().script(u"UPDATE tiers SET requests_per_minute = 1000000, daily_credits = 1000"_s);
        m_person = m_backend->newPerson(u"ada@example.com"_s);
    }
    void init() { m_llm.reset(); }
    void cleanup()
    {
        const QStringList breaches = turnBreaches(m_backend->database().owner(), Calm::Yes);
        QVERIFY2(breaches.isEmpty(), qPrintable(breaches.join(u'\n')));
    }

    void stopped_at_random_moments_it_charges_what_was_produced()
    {
        const quint32 seed = qEnvironmentVariableIsSet("TURN_SEED") ? qEnvironmentVariable("TURN_SEED").toUInt()
                                                                    : QRandomGenerator::global()->generate();
        const int rounds = qMax(1, qEnvironmentVariableIntValue("TURN_ROUNDS"));
        for (int round = 0; round < rounds; ++round) {
            const QStringList wrong = oneRound(seed + static_cast<quint32>(round));
            QVERIFY2(wrong.isEmpty(),
                     qPrintable(u"TURN_SEED=%1: %2"_s.arg(seed + static_cast<quint32>(round)).arg(wrong.join(u'\n'))));
        }
        qInfo().noquote() << u"seed %1, %2 rounds: %3 of %4 were stopped in the middle, %5 before the first word"_s
                                 .arg(seed)
                                 .arg(rounds)
                                 .arg(m_inTheMiddle)
                                 .arg(rounds * 32)
                                 .arg(m_beforeAnything);
        QVERIFY(m_inTheMiddle >= 3 * rounds);
    }

    void before_the_first_token_the_prompt_is_charged()
    {
        const QString session = m_backend->openSession(m_person);
        auto call = begin(session, u"[[fake: stall=head]]"_s);
        QTRY_COMPARE(m_llm.running(), 1);
        QCOMPARE(stop(*call).status, 202);
        QVERIFY(call->await());
        QCOMPARE(call->events().last().data, "[DONE]");
        const db::Row turn = turnOf(call->messageId());
        QCOMPARE(turn.text("status"), u"settled"_s);
        QCOMPARE(turn.text("content"), QString());
        QCOMPARE(turn.integer("completion_tokens"), 0);
        QVERIFY(turn.integer("prompt_tokens") > 0);
        QCOMPARE(turn.credits("charged"), billing::priceOf(turn.integer("prompt_tokens"), {}));
        HttpCall next(m_backend->port(), HttpCall::compose(stream, says(session, u"Hello"_s), m_person));
        QVERIFY(next.await());
        QCOMPARE(next.events().last().data, "[DONE]"); // an empty reply in the window does no harm
    }

    void twice_and_after_the_end_it_is_the_same()
    {
        auto call = begin(m_backend->openSession(m_person), u"[[fake: pace=20 tokens=400]]"_s);
        QTRY_VERIFY(TestBackend::textOf(call->events()).size() > 30);
        std::vector<std::unique_ptr<HttpCall>> stops;
        for (int i = 0; i < 6; ++i)
            stops.push_back(std::make_unique<HttpCall>(m_backend->port(), stopRequest(call->messageId())));
        for (auto &each : stops) {
            QVERIFY(each->await());
            QCOMPARE(each->answer().status, 202);
        }
        QVERIFY(call->await());
        const db::Row turn = turnOf(call->messageId());
        QCOMPARE(stop(*call).status, 202); // it has ended: that is what was wanted
        QCOMPARE(turnOf(call->messageId()).credits("charged"), turn.credits("charged"));
        QCOMPARE(turn.text("finish_reason"), u"stopped"_s);
        QVERIFY(words(400).startsWith(turn.text("content")));
    }

    void what_failed_is_gone_and_cannot_be_stopped()
    {
        auto call = begin(m_backend->openSession(m_person), u"[[fake: status=400]]"_s);
        QVERIFY(call->await());
        QCOMPARE(stop(*call).status, 410);
    }

    // Another instance has not the model's connection; it says so, and the reply goes on.
    void from_another_process_it_is_told_who_is_in_the_way()
    {
        const auto target = m_backend->database().ownerTarget();
        ServedBackend other(
            {{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
             {u"LLM_MODEL"_s, u"fake"_s},
             {u"DATABASE_URL"_s, u"postgres://%1@/%2?host=%3"_s.arg(target.user, target.database, target.host)}});
        QVERIFY(other.start());
        auto call = begin(m_backend->openSession(m_person), u"[[fake: barrier=2 tokens=12]]"_s);
        QTRY_COMPARE(m_llm.held(), 1);
        for (const QByteArray &request :
             {stopRequest(call->messageId()),
              HttpCall::compose("GET", stream + u'/' + QString::fromLatin1(call->messageId()), {}, m_person.token)}) {
            HttpCall elsewhere(other.port(), request);
            QVERIFY(elsewhere.await());
            QCOMPARE(elsewhere.answer().status, 409);
            QCOMPARE(elsewhere.answer().code(), u"turn_in_progress"_s);
            QVERIFY(elsewhere.answer().headers.value("retry-after").toInt() >= 1);
        }
        m_llm.release();
        QVERIFY(call->await());
        QCOMPARE(turnOf(call->messageId()).text("content"), words(12));
        HttpCall again(other.port(),
                       HttpCall::compose("GET", stream + u'/' + QString::fromLatin1(call->messageId()), {},
                                         m_person.token));
        QVERIFY(again.await());
        QCOMPARE(TestBackend::textOf(again.events()), words(12));
        HttpCall ended(other.port(), stopRequest(call->messageId()));
        QVERIFY(ended.await());
        QCOMPARE(ended.answer().status, 202);
        QVERIFY(other.stop());
        QCOMPARE(other.bugs(), QStringList());
    }

private:
    static constexpr int together = 32;

    QStringList oneRound(quint32 seed)
    {
        QRandomGenerator random(seed);
        struct Stopped
        {
            std::unique_ptr<HttpCall> call;
            std::unique_ptr<HttpCall> stop;
            int tokens = 0;
        };
        std::vector<Stopped> all(together);
        for (Stopped &each : all) {
            // From replies that are over at once to those that only a stop ends; the moments cover the end as well.
            each.tokens = 1 + static_cast<int>(random.bounded(60));
            const int pace = static_cast<int>(random.bounded(12));
            each.call =
                begin(m_backend->openSession(m_person), u"[[fake: pace=%1 tokens=%2]]"_s.arg(pace).arg(each.tokens));
            const int moment_ms = static_cast<int>(random.bounded(1 + 2 * pace * each.tokens));
            auto *timer = new QTimer(each.call.get());
            timer->setSingleShot(true);
            connect(timer, &QTimer::timeout, each.call.get(), [this, &each] {
                each.stop = std::make_unique<HttpCall>(m_backend->port(), stopRequest(each.call->messageId()));
            });
            connect(each.call.get(), &HttpCall::progressed, timer, [timer, &each, moment_ms, armed = false]() mutable {
                if (!std::exchange(armed, armed || !each.call->messageId().isEmpty())
                    && !each.call->messageId().isEmpty())
                    timer->start(moment_ms);
            });
        }
        QStringList wrong;
        for (Stopped &each : all) {
            each.call->await();
            if (each.stop && each.stop->await() && each.stop->answer().status != 202)
                wrong << u"stop answered %1"_s.arg(each.stop->answer().status);
            wrong += judged(*each.call, each.tokens);
        }
        return wrong;
    }

    QStringList judged(const HttpCall &call, int tokens)
    {
        const auto events = call.events();
        if (events.isEmpty() || events.last().data != "[DONE]")
            return {u"no whole answer: "_s + QString::fromUtf8(call.raw())};
        const QJsonObject closing = events.at(events.size() - 2).json();
        const db::Row turn = turnOf(call.messageId());
        const QString content = TestBackend::textOf(events);
        QStringList wrong;
        const auto expect = [&](bool good, const QString &what) {
            if (!good)
                wrong << u"turn %1 (%2 tokens): %3"_s.arg(QString::fromLatin1(call.messageId())).arg(tokens).arg(what);
        };
        expect(turn.text("content") == content, u"shown and kept differ"_s);
        expect(words(tokens).startsWith(content), u"not what the model said: "_s + content);
        const bool whole = content == words(tokens) && turn.text("finish_reason") == u"stop";
        const qint64 produced = turn.integer("completion_tokens");
        expect(produced == (whole ? tokens : llm::estimateTokens(content)) || content == words(tokens),
               u"%1 completion tokens for %2 words"_s.arg(produced).arg(content.count(u' ')));
        expect(turn.credits("charged") == billing::priceOf(turn.integer("total_tokens"), {}), u"another price"_s);
        expect(turn.text("charged_text") == closing[u"companion"_s][u"charge"][u"amount"].toString(),
               u"told another charge"_s);
        m_inTheMiddle += !content.isEmpty() && content != words(tokens);
        m_beforeAnything += content.isEmpty();
        return wrong;
    }

    static QJsonObject says(const QString &session, const QString &text)
    {
        return {{u"session_id"_s, session}, {u"message"_s, text}};
    }
    std::unique_ptr<HttpCall> begin(const QString &session, const QString &text)
    {
        auto call =
            std::make_unique<HttpCall>(m_backend->port(), HttpCall::compose(stream, says(session, text), m_person));
        return call;
    }
    QByteArray stopRequest(const QByteArray &message) const
    {
        return HttpCall::compose("POST", stream + u'/' + QString::fromLatin1(message) + u"/stop"_s, {}, m_person.token);
    }
    Answer stop(const HttpCall &call)
    {
        HttpCall stop(m_backend->port(), stopRequest(call.messageId()));
        stop.await();
        return stop.answer();
    }
    db::Row turnOf(const QByteArray &message)
    {
        const auto rows = m_backend->database().owner().script(
            u"SELECT t.status, t.prompt_tokens, t.completion_tokens, t.total_tokens, m.content, m.finish_reason, "
            "coalesce(-h.amount, 0) AS charged, coalesce(-h.amount, 0)::text AS charged_text FROM chat_turns t "
            "JOIN chat_messages m ON m.id = t.message_id LEFT JOIN transaction_history h ON h.hold_id = t.hold_id "
            "AND h.kind = 'chat' WHERE t.message_id = '%1'"_s.arg(QString::fromLatin1(message)));
        ensure(rows.size() == 1, "a turn and its reply");
        return rows.first();
    }

    FakeLlm m_llm;
    std::unique_ptr<TestBackend> m_backend;
    Person m_person;
    int m_inTheMiddle = 0;
    int m_beforeAnything = 0;
};

QTEST_GUILESS_MAIN(StoppingTest)
#include "tst_Stopping.moc"
