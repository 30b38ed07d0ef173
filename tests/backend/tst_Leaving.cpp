// A client that is gone at any byte, and comes back: the turn runs on, costs its price once, and can be read, from
// every event on, to the byte as it was sent.
//
//   TURN_ROUNDS=n tries n times as many positions

#include "backend/HttpCall.h"
#include "backend/TurnBooks.h"
#include "fakes/FakeLlm.h"

#include <QJsonArray>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {
const QString completions = u"/api/v1/chat/completions"_s;
const QString stream = u"/api/v1/chat/stream"_s;
// Sentences, because a reply is shown sentence by sentence; characters of one to four bytes.
const QString story = u"One. Zwölf? Três! 四。 \U0001F600 five. Six ÆØÅ. Seven… Acht! Neun. Десять! The end."_s;
} // namespace

class LeavingTest : public QObject
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

    void whoever_leaves_before_all_was_said_ordered_nothing()
    {
        const QString session = m_backend->openSession(m_person);
        const QByteArray bytes = HttpCall::compose(stream, says(session, u"Hello"_s), m_person);
        const qsizetype head = bytes.indexOf("\r\n\r\n") + 4;
        std::vector<std::unique_ptr<HttpCall>> calls;
        for (const qsizetype said : {qsizetype(0), qsizetype(1), head / 2, head - 1, head, head + 1,
                                     (head + bytes.size()) / 2, bytes.size() - 1}) {
            for (const bool politely : {true, false}) {
                calls.push_back(std::make_unique<HttpCall>(m_backend->port(), bytes.first(said)));
                QTRY_VERIFY(calls.back()->isConnected());
                QTest::qWait(5);
                politely ? calls.back()->hangUp() : calls.back()->leave();
            }
        }
        QTest::qWait(200);
        QCOMPARE(turnsOf(session).size(), 0);
        QCOMPARE(m_llm.requests().size(), 0);
    }

    void whoever_leaves_after_it_is_charged_once_and_finds_it_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<bool>("politely");
        QTest::newRow("streamed, reset") << stream << false;
        QTest::newRow("streamed, closed") << stream << true;
        QTest::newRow("whole, reset") << completions << false;
        QTest::newRow("whole, closed") << completions << true;
    }
    // All positions at once, each in a session of its own: the answer's length is known from one that stays.
    void whoever_leaves_after_it_is_charged_once_and_finds_it()
    {
        QFETCH(QString, path);
        QFETCH(bool, politely);
        const QString script = u"[[fake: pace=8 say=%1]]"_s.arg(story);
        HttpCall stays(m_backend->port(),
                       HttpCall::compose(path, says(m_backend->openSession(m_person), script), m_person));
        QVERIFY(stays.await());
        const qsizetype length = stays.received();
        const qsizetype step = qMax<qsizetype>(1, length / (24 * qMax(1, qEnvironmentVariableIntValue("TURN_ROUNDS"))));
        struct Leaver
        {
            QString session;
            qsizetype after;
            std::unique_ptr<HttpCall> call;
        };
        std::vector<Leaver> leavers;
        QList<qsizetype> positions{0, 1, stays.raw().indexOf("\r\n\r\n") + 4};
        for (const QByteArray &mark : {QByteArray("\"usage\""), QByteArray("[DONE]"), QByteArray("0\r\n\r\n")})
            if (const qsizetype at = stays.raw().lastIndexOf(mark); at > 0)
                positions << at - 8 << at << at + mark.size();
        for (qsizetype at = step; at < length; at += step)
            positions << at;
        for (const qsizetype after : positions)
            leavers.push_back({m_backend->openSession(m_person), after, {}});
        for (Leaver &leaver : leavers) {
            leaver.call = std::make_unique<HttpCall>(m_backend->port(),
                                                     HttpCall::compose(path, says(leaver.session, script), m_person));
            HttpCall *call = leaver.call.get();
            const auto go = [call, after = leaver.after, politely] {
                if (call->received() >= after && call->isConnected())
                    politely ? call->hangUp() : call->leave();
            };
            connect(call, &HttpCall::progressed, call, go);
        }
        // Nobody has an answer's first byte yet: these two leave when their request is with the model.
        QTRY_VERIFY(m_llm.requests().size() > int(leavers.size()));
        for (Leaver &leaver : leavers)
            if (leaver.after == 0)
                leaver.call->leave();
        for (const Leaver &leaver : leavers) {
            const QString where = u"left after %1 of %2 bytes"_s.arg(leaver.after).arg(length);
            QTRY_COMPARE(endedTurnsOf(leaver.session).size(), 1);
            const db::Row turn = turnsOf(leaver.session).first();
            QVERIFY2(turn.text("status") == u"settled", qPrintable(where));
            QVERIFY2(turn.text("content") == story, qPrintable(where + u": "_s + turn.text("content")));
            QVERIFY2(turn.integer("charges") == 1, qPrintable(where));
            const auto again = m_backend->get(stream + u'/' + turn.text("message_id"), m_person);
            QCOMPARE(TestBackend::textOf(TestBackend::eventsOf(again.body)), story);
        }
    }

    void every_event_of_a_finished_reply_is_a_place_to_go_on_from()
    {
        HttpCall call(m_backend->port(),
                      HttpCall::compose(stream,
                                        says(m_backend->openSession(m_person), u"[[fake: say=%1]]"_s.arg(story)),
                                        m_person));
        QVERIFY(call.await());
        const auto events = call.events();
        QVERIFY(events.size() > 5);
        for (const Event &event : events)
            if (!event.id.isEmpty())
                QCOMPARE(resumed(call.messageId(), event.id), story.toUtf8().sliced(bytesOf(event.id)));
    }

    // As soon as an event is there, another client takes its id and follows to the end.
    void every_event_of_a_running_reply_is_a_place_to_go_on_from()
    {
        const QString script = u"[[fake: pace=25 say=%1]]"_s.arg(story);
        HttpCall first(m_backend->port(),
                       HttpCall::compose(stream, says(m_backend->openSession(m_person), script), m_person));
        std::vector<std::pair<QByteArray, std::unique_ptr<HttpCall>>> joined;
        QSet<QByteArray> seen;
        while (!first.isOver()) {
            QTest::qWait(2);
            for (const Event &event : first.events()) {
                if (event.id.isEmpty() || seen.contains(event.id) || event.json().contains(u"usage"_s))
                    continue;
                seen.insert(event.id);
                joined.emplace_back(event.id,
                                    std::make_unique<HttpCall>(m_backend->port(),
                                                               resumeRequest(first.messageId(), event.id)));
            }
        }
        QVERIFY(joined.size() > 5);
        QCOMPARE(TestBackend::textOf(first.events()), story);
        for (const auto &[id, call] : joined) {
            QVERIFY(call->await());
            QCOMPARE(TestBackend::textOf(call->events()).toUtf8(), story.toUtf8().sliced(bytesOf(id)));
            QCOMPARE(call->events().last().data, "[DONE]");
            QCOMPARE(call->events().at(call->events().size() - 2).data,
                     first.events().at(first.events().size() - 2).data); // the same charge
        }
    }

    void a_foreign_last_event_id_replays_the_whole_data()
    {
        QTest::addColumn<QByteArray>("id");
        QTest::addColumn<qsizetype>("from");
        QTest::newRow("none") << QByteArray() << qsizetype(0);
        QTest::newRow("garbage") << QByteArray("garbage") << qsizetype(0);
        QTest::newRow("another reply's") << QByteArray("00000000-0000-4000-8000-000000000001:5") << qsizetype(0);
        QTest::newRow("no number") << QByteArray("ID:abc") << qsizetype(0);
        QTest::newRow("negative") << QByteArray("ID:-5") << qsizetype(0);
        QTest::newRow("beyond all numbers") << QByteArray("ID:99999999999999999999") << qsizetype(0);
        QTest::newRow("beyond the end") << QByteArray("ID:99999999") << story.toUtf8().size();
        QTest::newRow("within a character") << QByteArray("ID:8") << qsizetype(9); // "One. Zwö"
    }
    void a_foreign_last_event_id_replays_the_whole()
    {
        QFETCH(QByteArray, id);
        QFETCH(qsizetype, from);
        HttpCall call(m_backend->port(),
                      HttpCall::compose(stream,
                                        says(m_backend->openSession(m_person), u"[[fake: say=%1]]"_s.arg(story)),
                                        m_person));
        QVERIFY(call.await());
        id.replace("ID", call.messageId());
        QCOMPARE(resumed(call.messageId(), id), story.toUtf8().sliced(from));
    }

    void who_may_not_come_back_is_told_why()
    {
        const Person other = m_backend->newPerson(u"other@example.com"_s);
        HttpCall running(m_backend->port(),
                         HttpCall::compose(stream, says(m_backend->openSession(m_person), u"[[fake: barrier=2]]"_s),
                                           m_person));
        QTRY_VERIFY(!running.messageId().isEmpty());
        const QString path = stream + u'/' + QString::fromLatin1(running.messageId());
        QCOMPARE(m_backend->get(path, other).status, 404); // while it runs
        QCOMPARE(m_backend->post(path + u"/stop"_s, {}, other).status, 404);
        QTRY_COMPARE(m_llm.held(), 1);
        m_llm.release();
        QVERIFY(running.await());
        QCOMPARE(m_backend->get(path, other).status, 404); // and after
        QCOMPARE(m_backend->post(path + u"/stop"_s, {}, other).status, 404);
        QCOMPARE(m_backend->get(stream + u"/00000000-0000-4000-8000-000000000001"_s, m_person).status, 404);
        QCOMPARE(m_backend->get(stream + u"/nonsense"_s, m_person).status, 404);
        HttpCall failed(m_backend->port(),
                        HttpCall::compose(stream, says(m_backend->openSession(m_person), u"[[fake: status=400]]"_s),
                                          m_person));
        QVERIFY(failed.await());
        const auto gone = m_backend->get(stream + u'/' + QString::fromLatin1(failed.messageId()), m_person);
        QCOMPARE(gone.status, 410);
        QCOMPARE(gone.code(), u"gone"_s);
    }

    void what_changes_meanwhile_does_not_take_the_reply_away_data()
    {
        QTest::addColumn<QString>("change");
        QTest::newRow("the user is suspended") << u"suspend"_s;
        QTest::newRow("the character is unpublished") << u"unpublish"_s;
        QTest::newRow("the tier ends") << u"tier"_s;
        QTest::newRow("the session is to be deleted") << u"delete"_s;
    }
    void what_changes_meanwhile_does_not_take_the_reply_away()
    {
        QFETCH(QString, change);
        const Person person = m_backend->newPerson(change + u"@example.com"_s);
        const QString session = m_backend->openSession(person);
        HttpCall call(m_backend->port(),
                      HttpCall::compose(stream, says(session, u"[[fake: barrier=2 say=%1]]"_s.arg(story)), person));
        QTRY_COMPARE(m_llm.held(), 1);
        auto &owner = m_backend->database().owner();
        const QString path = u"/api/v1/chat/sessions/"_s + session;
        if (change == u"suspend")
            owner.script(u"UPDATE users SET status = 'suspended' WHERE id = '%1'"_s.arg(person.id.toString()));
        else if (change == u"unpublish")
            owner.script(u"UPDATE character_config SET status = 'archived', row_version = row_version + 1"_s);
        else if (change == u"tier")
            owner.script(u"UPDATE tiers SET daily_credits = 0 WHERE code = 'free'"_s);
        else
            QCOMPARE(m_backend->request("DELETE", path, {}, person.token).code(), u"turn_in_progress"_s);
        m_llm.release();
        QVERIFY(call.await());
        QCOMPARE(TestBackend::textOf(call.events()), story);
        QCOMPARE(call.events().last().data, "[DONE]");
        QCOMPARE(turnsOf(session).first().integer("charges"), 1);
        if (change == u"suspend")
            QCOMPARE(m_backend->get(path, person).code(), u"account_suspended"_s);
        owner.script(
            u"UPDATE tiers SET daily_credits = 1000 WHERE code = 'free';"
            "UPDATE character_config SET status = 'published', row_version = row_version + 1 WHERE status = 'archived'"_s);
        if (change == u"delete") {
            QCOMPARE(m_backend->request("DELETE", path, {}, person.token).status, 204);
            const auto charges = owner.script(
                u"SELECT FROM transaction_history WHERE kind = 'chat' AND user_id = '%1'"_s.arg(person.id.toString()));
            QCOMPARE(charges.size(), 1); // the charge stays
        }
    }

private:
    static QJsonObject says(const QString &session, const QString &text)
    {
        return {{u"session_id"_s, session}, {u"message"_s, text}};
    }
    static qsizetype bytesOf(const QByteArray &id) { return id.mid(id.indexOf(':') + 1).toLongLong(); }
    QByteArray resumeRequest(const QByteArray &message, const QByteArray &lastId) const
    {
        return HttpCall::compose("GET", stream + u'/' + QString::fromLatin1(message), {}, m_person.token,
                                 lastId.isEmpty() ? QMap<QByteArray, QByteArray>()
                                                  : QMap<QByteArray, QByteArray>{{"Last-Event-ID", lastId}});
    }
    QByteArray resumed(const QByteArray &message, const QByteArray &lastId)
    {
        HttpCall call(m_backend->port(), resumeRequest(message, lastId));
        call.await();
        if (call.answer().status != 200 || call.events().isEmpty() || call.events().last().data != "[DONE]")
            return "no whole answer: " + call.answer().body;
        return TestBackend::textOf(call.events()).toUtf8();
    }
    db::Rows turnsOf(const QString &session)
    {
        return m_backend->database().owner().script(
            u"SELECT t.message_id, t.status, coalesce(m.content, '') AS content, (SELECT count(*) FROM "
            u"transaction_history h "
            "WHERE h.hold_id = t.hold_id AND h.kind = 'chat') AS charges FROM chat_turns t LEFT JOIN chat_messages m "
            "ON m.id = t.message_id WHERE t.session_id = '%1'"_s.arg(session));
    }
    db::Rows endedTurnsOf(const QString &session)
    {
        db::Rows ended = turnsOf(session);
        ended.removeIf([](const db::Row &row) { return row.text("status") == u"running"; });
        return ended;
    }

    FakeLlm m_llm;
    std::unique_ptr<TestBackend> m_backend;
    Person m_person;
};

QTEST_GUILESS_MAIN(LeavingTest)
#include "tst_Leaving.moc"
