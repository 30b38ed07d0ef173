// Long-term memory as its users meet it: over HTTP, with the embedder that is built in and with one that fails.

#include "backend/ServedBackend.h"
#include "backend/TestBackend.h"
#include "common/Clock.h"
#include "fakes/FakeVectors.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRandomGenerator>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

class MemoryOverHttpTest : public QObject
{
    Q_OBJECT

    static Person premium(TestBackend &backend, const QString &email)
    {
        const Person person = backend.newPerson(email);
        ensure(backend.features()
                   .accounts
                   .setTier(backend.database().operators(), person.id, Tier::Premium, std::nullopt,
                            QDateTime::currentDateTimeUtc())
                   .has_value(),
               "tier");
        return person;
    }
    static QJsonObject say(TestBackend &backend, const Person &person, const QString &session, const QString &text)
    {
        const Answer answer =
            backend.post(u"/api/v1/chat/completions"_s,
                         {{u"session_id"_s, session}, {u"message"_s, text}, {u"max_tokens"_s, 30}}, person);
        if (answer.status != 200)
            qWarning() << answer.status << answer.body;
        return answer.json().value(u"companion"_s).toObject();
    }
    static QJsonArray memories(TestBackend &backend, const Person &person, const QString &query = {})
    {
        return backend.get(u"/api/v1/memories"_s + query, person).json().value(u"items"_s).toArray();
    }
    static qint64 queued(TestBackend &backend)
    {
        return backend.database().owner().script(u"SELECT count(*) AS n FROM memory_queue"_s).first().integer("n");
    }

private Q_SLOTS:
    void a_premium_user_is_remembered_sees_it_corrects_it_and_has_it_forgotten()
    {
        TestBackend backend;
        const Person ada = premium(backend, u"ada@example.com"_s);
        say(backend, ada, backend.openSession(ada), u"I live in Berlin. My parrot is called Ferdinand."_s);
        QTRY_VERIFY_WITH_TIMEOUT(memories(backend, ada, u"?kind=turn"_s).size() == 2, 10'000);
        const QString session = backend.openSession(ada);
        const QJsonObject told = say(backend, ada, session, u"What is my parrot called?"_s);
        QVERIFY(!told.value(u"memories"_s).toArray().isEmpty());
        QVERIFY(!told.contains(u"degraded"_s));
        const QJsonArray all = memories(backend, ada);
        QVERIFY(all.size() >= 3);
        QCOMPARE(all.first()[u"kind"_s].toString(), u"fact"_s);
        QString turn, fact;
        for (const QJsonValue &one : all) {
            if (one[u"kind"_s] == u"fact"_s && one[u"fact"_s] == u"home"_s)
                fact = one[u"id"_s].toString();
            if (one[u"kind"_s] == u"turn"_s && one[u"text"_s].toString().contains(u"Ferdinand"_s))
                turn = one[u"id"_s].toString();
        }
        QVERIFY(!turn.isEmpty() && !fact.isEmpty());
        const auto patch = [&](const QString &id, const QJsonObject &body, const Person &who) {
            return backend.request("PATCH", u"/api/v1/memories/"_s + id,
                                   QJsonDocument(body).toJson(QJsonDocument::Compact), who.token);
        };
        QCOMPARE(patch(fact, {{u"value"_s, u"Hamburg"_s}}, ada).json().value(u"value"_s), u"Hamburg"_s);
        QCOMPARE(patch(turn, {{u"text"_s, u"My parrot is called Leopold."_s}}, ada).json().value(u"edited"_s), true);
        QCOMPARE(patch(turn, {{u"value"_s, u"x"_s}}, ada).status, 422);
        QCOMPARE(patch(fact, {{u"text"_s, u"x"_s}}, ada).status, 422);
        QCOMPARE(patch(fact, {}, ada).status, 422);

        // Nobody else gets at it.
        const Person bob = premium(backend, u"bob@example.com"_s);
        QCOMPARE(memories(backend, bob).size(), 0);
        for (const QString &id : {turn, fact, MemoryId::create().toString(), u"x"_s}) {
            QCOMPARE(backend.get(u"/api/v1/memories/"_s + id, bob).code(), u"not_found"_s);
            QCOMPARE(patch(id, {{u"text"_s, u"x"_s}}, bob).code(), u"not_found"_s);
            QCOMPARE(backend.request("DELETE", u"/api/v1/memories/"_s + id, {}, bob.token).code(), u"not_found"_s);
        }

        // Forgotten: one by one, with a session, and all.
        const auto forgotten = backend.request("DELETE", u"/api/v1/memories/"_s + fact, {}, ada.token).json();
        QCOMPARE(forgotten.value(u"facts"_s).toInt(), 1);
        QVERIFY(!forgotten.value(u"done_at"_s).toString().isEmpty());
        QTRY_COMPARE_WITH_TIMEOUT(queued(backend), 0, 10'000);
        const auto deleted = backend.request("DELETE", u"/api/v1/chat/sessions/"_s + session, {}, ada.token);
        QCOMPARE(deleted.status, 204);
        const QString receipt = QString::fromLatin1(deleted.headers.value("deletion-receipt"));
        const auto shown = backend.get(u"/api/v1/memory-receipts/"_s + receipt, ada).json();
        QCOMPARE(shown.value(u"scope"_s), u"session"_s);
        QCOMPARE(shown.value(u"memories"_s).toInt(), 2);
        QCOMPARE(backend.get(u"/api/v1/memory-receipts/"_s + receipt, bob).code(), u"not_found"_s);
        QVERIFY(backend.request("DELETE", u"/api/v1/memories"_s, {}, ada.token).json().value(u"memories"_s).toInt()
                >= 2);
        QCOMPARE(memories(backend, ada).size(), 0);
        backend.verifyBooks();
    }

    void an_operator_looks_with_a_reason_that_is_written_down()
    {
        TestBackend backend;
        const Person ada = premium(backend, u"ada@example.com"_s);
        const Person support = backend.newPerson(u"support@example.com"_s, {Role::User, Role::Support});
        const Person finance = backend.newPerson(u"finance@example.com"_s, {Role::User, Role::Finance});
        const Person admin = backend.newPerson(u"admin@example.com"_s, {Role::User, Role::Admin});
        say(backend, ada, backend.openSession(ada), u"My parrot is called Ferdinand."_s);
        QTRY_VERIFY_WITH_TIMEOUT(memories(backend, ada, u"?kind=turn"_s).size() == 2, 10'000);
        const QString path = u"/api/v1/admin/users/%1/memories"_s.arg(ada.id.toString());
        QCOMPARE(backend.post(path, {{u"reason"_s, u"ticket 7"_s}}, finance).code(), u"role_required"_s);
        QCOMPARE(backend.post(path, {}, support).status, 422);
        QVERIFY(backend.post(path, {{u"reason"_s, u"ticket 7"_s}, {u"kind"_s, u"turn"_s}}, support)
                    .json()
                    .value(u"items"_s)
                    .toArray()
                    .size()
                == 2);
        const auto log =
            backend.get(u"/api/v1/admin/audit?act=memories.read"_s, admin).json().value(u"items"_s).toArray();
        QCOMPARE(log.size(), 1);
        QCOMPARE(log.first()[u"reason"_s].toString(), u"ticket 7"_s);
        QVERIFY(!QJsonDocument(log).toJson().contains("Ferdinand"));
    }

    void an_embedder_that_is_down_or_slow_costs_the_turn_no_more_than_its_time()
    {
        FakeEmbeddings fake(64);
        TestBackend backend({{u"EMBEDDING_BASE_URL"_s, fake.url().toString()}, {u"EMBEDDING_MODEL"_s, u"m"_s}});
        const Person ada = premium(backend, u"ada@example.com"_s);
        const Person free = backend.newPerson(u"free@example.com"_s);
        say(backend, ada, backend.openSession(ada), u"My parrot is called Ferdinand."_s);
        QTRY_COMPARE_WITH_TIMEOUT(queued(backend), 0, 10'000);
        const QString session = backend.openSession(ada);
        QVERIFY(!say(backend, ada, session, u"What is my parrot called?"_s).contains(u"degraded"_s));
        QVERIFY(fake.texts >= 3);
        fake.down = true;
        QElapsedTimer waited;
        waited.start();
        const auto told = say(backend, ada, backend.openSession(ada), u"What is my parrot called?"_s);
        QVERIFY2(waited.elapsed() < 3'000, qPrintable(QString::number(waited.elapsed())));
        QCOMPARE(told.value(u"degraded"_s).toArray(), QJsonArray{u"memory"_s});
        QVERIFY(!told.value(u"message_id"_s).toString().isEmpty());
        const int before = int(fake.wire.requests().size());
        const QString hers = backend.openSession(free);
        QVERIFY(!say(backend, free, hers, u"Hello there"_s).contains(u"degraded"_s));
        QCOMPARE(fake.wire.requests().size(), before); // a free user costs no vector work
        const auto system = backend.get(u"/health/ready"_s, free);
        QCOMPARE(system.status, 200);
        backend.verifyBooks();
    }

    // SIGKILL while turns settle: every remembered turn has its memories afterwards, once.
    void killed_under_load_nothing_that_was_settled_is_not_remembered()
    {
        ServedBackend backend({{u"MEMORY_WAIT_MS"_s, u"50"_s}});
        QVERIFY(backend.start());
        const SystemClock clock;
        const int rounds = qMax(1, qEnvironmentVariableIntValue("MEMORY_KILLS"));
        for (int round = 0; round < rounds; ++round) {
            QByteArray made;
            QCOMPARE(backend.run({u"access-key"_s, u"create"_s, u"--user"_s, u"p%1@example.com"_s.arg(round),
                                  u"--tier"_s, u"vip"_s},
                                 &made),
                     0);
            QNetworkAccessManager network;
            const auto post = [&](const QString &path, const QJsonObject &body, const QByteArray &token) {
                QNetworkRequest request(QUrl(u"http://127.0.0.1:%1/api/v1"_s.arg(backend.port()) + path));
                request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
                if (!token.isEmpty())
                    request.setRawHeader("Authorization", "Bearer " + token);
                return network.post(request, QJsonDocument(body).toJson());
            };
            const auto wait = [](QNetworkReply *reply) {
                (void)QTest::qWaitFor([reply] { return reply->isFinished(); }, 20'000);
                return QJsonDocument::fromJson(reply->readAll()).object();
            };
            const QString key = QJsonDocument::fromJson(made).object().value(u"access_key"_s).toString();
            const QByteArray token =
                wait(post(u"/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, key}}, {}))
                    .value(u"access_token"_s)
                    .toString()
                    .toLatin1();
            QVERIFY(!token.isEmpty());
            QStringList sessions;
            for (int i = 0; i < 8; ++i)
                sessions.append(
                    wait(post(u"/chat/sessions"_s, {{u"character"_s, u"aria"_s}}, token)).value(u"id"_s).toString());
            QList<QNetworkReply *> replies;
            for (int i = 0; i < 40; ++i) {
                replies.append(post(u"/chat/completions"_s,
                                    {{u"session_id"_s, sessions[i % 8]},
                                     {u"message"_s, u"[[rehearse: say ok]] My parrot is called Ferdinand%1."_s.arg(i)},
                                     {u"max_tokens"_s, 16}},
                                    token));
                QTest::qWait(10);
            }
            QTest::qWait(int(QRandomGenerator::global()->bounded(400)));
            backend.kill();
            qDeleteAll(replies);
            QVERIFY(backend.start());
        }
        db::Session books(backend.owner(), clock);
        const auto number = [&books](const QString &query) { return books.script(query).first().integer("n"); };
        books.script(u"UPDATE memory_queue SET due_at = now(), lease_id = NULL, lease_until = NULL"_s);
        QTRY_COMPARE_WITH_TIMEOUT(number(u"SELECT count(*) AS n FROM memory_queue"_s), 0, 30'000);
        QVERIFY(number(u"SELECT count(*) AS n FROM chat_messages"_s) > 4);
        QCOMPARE(
            number(
                u"SELECT count(*) AS n FROM chat_messages c WHERE NOT EXISTS (SELECT FROM memories m WHERE m.id = c.id AND m.text = c.content)"_s),
            0);
        QCOMPARE(
            number(
                u"SELECT count(*) AS n FROM memories m WHERE NOT EXISTS (SELECT FROM chat_messages c WHERE c.id = m.id)"_s),
            0);
        QCOMPARE(
            number(
                u"SELECT count(*) AS n FROM memories m WHERE NOT EXISTS (SELECT FROM memory_vectors v WHERE v.memory_id = m.id)"_s),
            0);
        QCOMPARE(backend.bugs(), QStringList());
    }
};

QTEST_GUILESS_MAIN(MemoryOverHttpTest)
#include "tst_MemoryOverHttp.moc"
