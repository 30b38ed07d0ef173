// The main story, as clients live it: over real HTTP against a whole backend on a real database.

#include "backend/TestBackend.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {
const QString completions = u"/api/v1/chat/completions"_s;
const QString stream = u"/api/v1/chat/stream"_s;
} // namespace

class ChatOverHttpTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_backend = std::make_unique<TestBackend>(); }
    void cleanupTestCase()
    {
        m_backend->verifyBooks();
        QCOMPARE(m_backend->metric("companion_undeclared_answers_total"), 0);
        m_backend.reset();
    }
    void init()
    {
        static int number = 0;
        m_person = m_backend->newPerson(u"user%1@example.com"_s.arg(++number));
        m_session = m_backend->openSession(m_person);
        QVERIFY(!m_session.isEmpty());
    }

    void a_reply_is_charged_its_price_and_the_balance_says_so()
    {
        const auto answer = m_backend->post(completions, says(u"Hello Aria"_s), m_person);
        QCOMPARE(answer.status, 200);
        const QJsonObject reply = answer.json();
        QCOMPARE(reply[u"object"_s].toString(), u"chat.completion"_s);
        QVERIFY(!reply[u"choices"_s][0][u"message"][u"content"].toString().isEmpty());
        const qint64 tokens = reply[u"usage"_s][u"total_tokens"].toInteger();
        const Credits price = billing::priceOf(tokens, {});
        QCOMPARE(reply[u"companion"_s][u"charge"][u"amount"].toString(), price.toString());
        const Balance balance = m_backend->balanceOf(m_person);
        QCOMPARE(balance.total, *Credits::parse(u"10") - price);
        QCOMPARE(balance.held, Credits());
        QCOMPARE(reply[u"companion"_s][u"rehearsal"].toBool(), true);
        QVERIFY(answer.headers.contains("x-ratelimit-remaining"));
        QVERIFY(answer.headers.contains("x-request-id"));
    }

    void a_streamed_reply_ends_with_its_charge_and_done()
    {
        const auto answer = m_backend->post(stream, says(u"Tell me about your day"_s), m_person);
        QCOMPARE(answer.status, 200);
        QVERIFY(answer.headers.value("content-type").startsWith("text/event-stream"));
        const auto events = TestBackend::eventsOf(answer.body);
        const QByteArray message = answer.headers.value("x-message-id");
        QCOMPARE(events.first().json()[u"companion"_s][u"message_id"].toString().toLatin1(), message);
        QCOMPARE(events.last().data, "[DONE]");
        const Event &closing = events.at(events.size() - 2);
        QVERIFY(closing.json().contains(u"usage"_s));
        const QByteArray text = TestBackend::textOf(events).toUtf8();
        QCOMPARE(closing.id, message + ':' + QByteArray::number(text.size()));
        QCOMPARE(closing.json()[u"companion"_s][u"balance"][u"total"].toString(),
                 m_backend->balanceOf(m_person).total.toString());
        QCOMPARE(storedReplies(), QStringList{QString::fromUtf8(text)});
    }

    void whoever_hangs_up_finds_the_whole_reply_charged_once_data()
    {
        QTest::addColumn<int>("readBytes");
        QTest::newRow("before the answer's head") << 0;
        QTest::newRow("in the head") << 10;
        QTest::newRow("after the first event") << 900;
        QTest::newRow("in the middle") << 3000;
    }
    void whoever_hangs_up_finds_the_whole_reply_charged_once()
    {
        QFETCH(int, readBytes);
        {
            auto socket = m_backend->openStream(stream, says(u"[[rehearse: tokens 300]]"_s), m_person);
            if (readBytes)
                QTRY_VERIFY(socket->bytesAvailable() >= readBytes);
            else
                QTRY_VERIFY(m_backend->balanceOf(m_person).held > Credits() || !storedReplies().isEmpty());
            socket->abort();
        }
        QTRY_COMPARE(storedReplies().size(), 1);
        QCOMPARE(chats().size(), 1);
        const qint64 tokens = chats().first().metadata[u"tokens"_s].toInteger();
        QCOMPARE(-chats().first().amount, billing::priceOf(tokens, {}));
        QCOMPARE(m_backend->balanceOf(m_person).held, Credits());
    }

    void a_reply_can_be_taken_up_again_after_every_event()
    {
        const auto answer = m_backend->post(stream, says(u"Tell me a long story [[rehearse: tokens 200]]"_s), m_person);
        const auto events = TestBackend::eventsOf(answer.body);
        const QByteArray whole = TestBackend::textOf(events).toUtf8();
        const QString path = stream + u'/' + QString::fromLatin1(answer.headers.value("x-message-id"));
        const Credits before = m_backend->balanceOf(m_person).total;
        for (const Event &event : events) {
            if (event.id.isEmpty())
                continue;
            const auto again = m_backend->request("GET", path, {}, m_person.token, {{"Last-Event-ID", event.id}});
            QCOMPARE(again.status, 200);
            const qsizetype read = event.id.mid(event.id.indexOf(':') + 1).toLongLong();
            QCOMPARE(TestBackend::textOf(TestBackend::eventsOf(again.body)).toUtf8(), whole.sliced(read));
            QCOMPARE(TestBackend::eventsOf(again.body).last().data, "[DONE]");
        }
        QCOMPARE(m_backend->balanceOf(m_person).total, before);
    }

    void a_reply_under_way_can_be_joined()
    {
        auto socket =
            m_backend->openStream(stream, says(u"[[rehearse: slow 2s]] [[rehearse: tokens 100]]"_s), m_person);
        QByteArray received;
        QTRY_VERIFY((received += socket->readAll()).contains("X-Message-Id: "));
        const QByteArray message = received.mid(received.indexOf("X-Message-Id: ") + 14, 36);
        const auto joined = m_backend->request("GET", stream + u'/' + QString::fromLatin1(message), {}, m_person.token);
        QCOMPARE(joined.status, 200);
        const auto events = TestBackend::eventsOf(joined.body);
        QCOMPARE(events.last().data, "[DONE]");
        QCOMPARE(storedReplies(), QStringList{TestBackend::textOf(events)});
    }

    void stop_charges_what_was_produced()
    {
        auto socket =
            m_backend->openStream(stream, says(u"[[rehearse: slow 20s]] [[rehearse: tokens 400]]"_s), m_person);
        QByteArray received;
        QTRY_VERIFY((received += socket->readAll()).contains("X-Message-Id: "));
        const QByteArray message = received.mid(received.indexOf("X-Message-Id: ") + 14, 36);
        QCOMPARE(m_backend->post(stream + u'/' + QString::fromLatin1(message) + u"/stop"_s, {}, m_person).status, 202);
        QTRY_VERIFY((received += socket->readAll()).contains("[DONE]"));
        QCOMPARE(chats().size(), 1);
        QVERIFY(chats().first().metadata[u"tokens"_s].toInteger() < 1100);
        QCOMPARE(m_backend->balanceOf(m_person).held, Credits());
    }

    void a_failed_reply_costs_nothing()
    {
        const auto answer = m_backend->post(completions, says(u"[[rehearse: fail]]"_s), m_person);
        QCOMPARE(answer.status, 502);
        QCOMPARE(answer.code(), u"model_failed"_s);
        QCOMPARE(m_backend->balanceOf(m_person).available.toString(), u"10.0000"_s);
        QVERIFY(storedReplies().isEmpty());
    }

    void a_reply_cut_in_the_stream_is_an_error_event_and_costs_nothing()
    {
        const auto answer = m_backend->post(stream, says(u"[[rehearse: tokens 200]] [[rehearse: cut 80]]"_s), m_person);
        QCOMPARE(answer.status, 200);
        const auto events = TestBackend::eventsOf(answer.body);
        QCOMPARE(events.last().name, "error");
        QCOMPARE(events.last().json()[u"code"_s].toString(), u"model_failed"_s);
        QCOMPARE(m_backend->balanceOf(m_person).available.toString(), u"10.0000"_s);
        const QString message = QString::fromLatin1(answer.headers.value("x-message-id"));
        QCOMPARE(m_backend->get(stream + u'/' + message, m_person).status, 410);
    }

    void an_idempotency_key_gives_the_first_answer_again_as_it_was()
    {
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "same"}};
        const auto first = m_backend->post(completions, says(u"Hello"_s), m_person, key);
        const auto again = m_backend->post(completions, says(u"Hello"_s), m_person, key);
        QCOMPARE(again.status, 200);
        QCOMPARE(again.body, first.body);
        QCOMPARE(again.headers.value("idempotency-replayed"), "true");
        QCOMPARE(m_backend->post(completions, says(u"Other"_s), m_person, key).code(), u"idempotency_key_reused"_s);
        QCOMPARE(chats().size(), 1);
        QCOMPARE(m_backend->post(completions, says(u"Hello"_s), m_person, {{"Idempotency-Key", "a b"}}).status, 400);
    }

    void sixteen_identical_requests_at_once_are_charged_once()
    {
        upgrade(); // sixteen requests are more than the free rate
        std::vector<std::unique_ptr<QTcpSocket>> sockets;
        const QJsonObject body = says(u"[[rehearse: slow 1s]] Hello"_s);
        const QByteArray json = QJsonDocument(body).toJson(QJsonDocument::Compact);
        for (int i = 0; i < 16; ++i) {
            auto socket = std::make_unique<QTcpSocket>();
            socket->connectToHost(QHostAddress::LocalHost, m_backend->port());
            socket->write("POST " + completions.toLatin1()
                          + " HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                            "Idempotency-Key: one\r\nConnection: close\r\nAuthorization: Bearer "
                          + m_person.token + "\r\nContent-Length: " + QByteArray::number(json.size()) + "\r\n\r\n"
                          + json);
            sockets.push_back(std::move(socket));
        }
        QMap<QByteArray, int> statuses;
        for (auto &socket : sockets) {
            QTRY_COMPARE_WITH_TIMEOUT(socket->state(), QAbstractSocket::UnconnectedState, 15'000);
            ++statuses[socket->readAll().mid(9, 3)];
        }
        QCOMPARE(statuses.value("200") + statuses.value("409"), 16);
        QVERIFY(statuses.value("200") >= 1);
        QCOMPARE(chats().size(), 1);
    }

    void the_free_rate_is_five_a_minute()
    {
        for (int i = 0; i < 5; ++i)
            QCOMPARE(m_backend->post(completions, says(u"Hello %1"_s.arg(i)), m_person).status, 200);
        const auto refused = m_backend->post(completions, says(u"Once more"_s), m_person);
        QCOMPARE(refused.status, 429);
        QCOMPARE(refused.code(), u"rate_limited"_s);
        QVERIFY(refused.headers.value("retry-after").toInt() >= 1);
        QCOMPARE(refused.headers.value("x-ratelimit-limit"), "5");
    }

    void bad_input_gets_a_clear_answer_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("pointer");
        QTest::newRow("not JSON") << QByteArray("{") << 400 << QString();
        QTest::newRow("not an object") << QByteArray("[1]") << 400 << QString();
        QTest::newRow("nothing") << QByteArray("{}") << 422 << u"/session_id"_s;
        QTest::newRow("empty message") << withSession(R"("message":"")") << 422 << u"/message"_s;
        QTest::newRow("too long") << withSession("\"message\":\"" + QByteArray(16385, 'a') + '"') << 422
                                  << u"/message"_s;
        QTest::newRow("NUL") << withSession(R"("message":"a\u0000b")") << 422 << u"/message"_s;
        QTest::newRow("lone surrogate") << withSession(R"("message":"\ud800")") << 422 << u"/message"_s;
        QTest::newRow("unknown field") << withSession(R"("message":"hi","extra":1)") << 422 << u"/extra"_s;
        QTest::newRow("too many tokens") << withSession(R"("message":"hi","max_tokens":4097)") << 422
                                         << u"/max_tokens"_s;
        QTest::newRow("half a token") << withSession(R"("message":"hi","max_tokens":1.5)") << 422 << u"/max_tokens"_s;
        QTest::newRow("hot") << withSession(R"("message":"hi","temperature":2.1)") << 422 << u"/temperature"_s;
        QTest::newRow("no such mode") << withSession(R"("message":"hi","mode":"wild")") << 422 << u"/mode"_s;
        QTest::newRow("no such session") << QByteArray(
            R"({"session_id":"00000000-0000-4000-8000-000000000001","message":"hi"})")
                                         << 404 << QString();
    }
    void bad_input_gets_a_clear_answer()
    {
        QFETCH(QByteArray, body);
        QFETCH(int, status);
        QFETCH(QString, pointer);
        body.replace("SESSION", m_session.toLatin1());
        const auto answer = m_backend->request("POST", completions, body, m_person.token);
        QCOMPARE(answer.status, status);
        QCOMPARE(answer.headers.value("content-type"), "application/problem+json");
        QCOMPARE(answer.json()[u"request_id"_s].toString().toLatin1(), answer.headers.value("x-request-id"));
        if (!pointer.isEmpty())
            QCOMPARE(answer.json()[u"errors"_s][0][u"pointer"].toString(), pointer);
    }

    void strangers_are_kept_out()
    {
        QCOMPARE(m_backend->post(completions, says(u"hi"_s)).status, 401);
        const Person nobody{{}, "eyJhbGciOiJub25lIn0.e30."};
        QCOMPARE(m_backend->post(completions, says(u"hi"_s), nobody).code(), u"unauthenticated"_s);
        const Person other = m_backend->newPerson(u"other-%1@example.com"_s.arg(m_session.first(8)));
        QCOMPARE(m_backend->post(completions, says(u"hi"_s), other).status, 404);
        QCOMPARE(m_backend->get(u"/api/v1/chat/sessions/"_s + m_session, other).status, 404);
        QCOMPARE(m_backend->get(u"/api/v1/admin/users"_s, m_person).code(), u"role_required"_s);
    }

    void the_openai_door_speaks_openai()
    {
        const QJsonObject body{{u"model"_s, u"aria"_s}, {u"messages"_s, QJsonArray{said(u"user"_s, u"Hello"_s)}}};
        const auto answer = m_backend->post(u"/v1/chat/completions"_s, body, m_person);
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.json()[u"model"_s].toString(), u"aria"_s);
        QCOMPARE(m_backend->get(u"/v1/models"_s, m_person).json()[u"object"_s].toString(), u"list"_s);

        QJsonObject unknown = body;
        unknown.insert(u"model"_s, u"nobody"_s);
        const auto refused = m_backend->post(u"/v1/chat/completions"_s, unknown, m_person);
        QCOMPARE(refused.status, 404);
        QCOMPARE(refused.json()[u"error"_s][u"code"].toString(), u"model_not_found"_s);
        QJsonObject many = body;
        many.insert(u"n"_s, 2);
        QCOMPARE(m_backend->post(u"/v1/chat/completions"_s, many, m_person).status, 400);
    }

    void the_usage_chunk_comes_when_it_is_asked_for()
    {
        QJsonObject body{{u"model"_s, u"aria"_s},
                         {u"stream"_s, true},
                         {u"messages"_s, QJsonArray{said(u"user"_s, u"Hello"_s)}}};
        const auto chunksWithoutChoices = [&] {
            int count = 0;
            for (const Event &event :
                 TestBackend::eventsOf(m_backend->post(u"/v1/chat/completions"_s, body, m_person).body))
                count += event.data != "[DONE]" && event.json()[u"choices"_s].toArray().isEmpty();
            return count;
        };
        QCOMPARE(chunksWithoutChoices(), 0);
        body.insert(u"stream_options"_s, QJsonObject{{u"include_usage"_s, true}});
        QCOMPARE(chunksWithoutChoices(), 1);
    }

    void an_adjustment_is_made_once_for_its_key_and_logged()
    {
        const Person admin =
            m_backend->newPerson(u"admin-%1@example.com"_s.arg(m_session.first(8)), {Role::User, Role::Admin});
        const QString path = u"/api/v1/admin/users/%1/adjustments"_s.arg(m_person.id.toString());
        const QJsonObject body{{u"bucket"_s, u"purchased"_s}, {u"amount"_s, u"2.5"_s}, {u"reason"_s, u"goodwill"_s}};
        QCOMPARE(m_backend->post(path, body, admin).status, 400); // no key
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "gift-1"}};
        const auto first = m_backend->post(path, body, admin, key);
        QCOMPARE(first.status, 201);
        const auto again = m_backend->post(path, body, admin, key);
        QCOMPARE(again.body, first.body);
        QCOMPARE(m_backend->balanceOf(m_person).purchased.toString(), u"2.5000"_s);
        const auto log = m_backend->get(u"/api/v1/admin/audit?target=user:"_s + m_person.id.toString(), admin).json();
        QCOMPARE(log[u"items"_s].toArray().size(), 1);
        QJsonObject tooMuch = body;
        tooMuch.insert(u"amount"_s, u"-100"_s);
        const auto refused = m_backend->post(path, tooMuch, admin, {{"Idempotency-Key", "take-1"}});
        QCOMPARE(refused.code(), u"insufficient_credits"_s);
        QCOMPARE(m_backend->post(path, tooMuch, admin, {{"Idempotency-Key", "take-1"}})
                     .headers.value("idempotency-replayed"),
                 "true");
    }

    void a_suspension_works_at_the_next_request()
    {
        const Person admin =
            m_backend->newPerson(u"boss-%1@example.com"_s.arg(m_session.first(8)), {Role::User, Role::Admin});
        const QString path = u"/api/v1/admin/users/%1/"_s.arg(m_person.id.toString());
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "before"}};
        const auto reply = m_backend->post(completions, says(u"hello"_s), m_person, key);
        QCOMPARE(reply.status, 200);
        const QString message = stream + u'/' + QString::fromLatin1(reply.headers.value("x-message-id"));
        QCOMPARE(m_backend->get(message, m_person).status, 200);
        QCOMPARE(m_backend->post(path + u"suspend"_s, {{u"reason"_s, u"fraud check"_s}}, admin).status, 200);
        QCOMPARE(m_backend->get(u"/api/v1/wallet/balance"_s, m_person).code(), u"account_suspended"_s);
        QCOMPARE(m_backend->post(completions, says(u"hi"_s), m_person).code(), u"account_suspended"_s);
        QCOMPARE(m_backend->post(completions, says(u"hello"_s), m_person, key).code(), u"account_suspended"_s);
        QCOMPARE(m_backend->get(message, m_person).code(), u"account_suspended"_s);
        QCOMPARE(m_backend->post(message + u"/stop"_s, {}, m_person).code(), u"account_suspended"_s);
        QCOMPARE(m_backend->post(path + u"restore"_s, {{u"reason"_s, u"cleared"_s}}, admin).status, 200);
        QCOMPARE(m_backend->get(u"/api/v1/wallet/balance"_s, m_person).status, 200);
    }

private:
    QJsonObject says(const QString &text) const { return {{u"session_id"_s, m_session}, {u"message"_s, text}}; }
    static QJsonObject said(const QString &role, const QString &text)
    {
        return {{u"role"_s, role}, {u"content"_s, text}};
    }
    static QByteArray withSession(const QByteArray &rest) { return R"({"session_id":"SESSION",)" + rest + '}'; }

    QStringList storedReplies()
    {
        QStringList texts;
        const auto page = m_backend->get(u"/api/v1/chat/sessions/%1/messages"_s.arg(m_session), m_person).json();
        for (const QJsonValue &message : page[u"items"_s].toArray())
            if (message[u"role"].toString() == u"assistant")
                texts.append(message[u"content"].toString());
        return texts;
    }

    QList<Transaction> chats()
    {
        QList<Transaction> list;
        for (const QJsonValue &row :
             m_backend->get(u"/api/v1/wallet/transactions?kind=chat"_s, m_person).json()[u"items"_s].toArray())
            list.append(*fromJson<Transaction>(row));
        return list;
    }

    void upgrade()
    {
        SystemClock clock;
        db::Session operators(m_backend->database().operatorTarget(), clock);
        QVERIFY(m_backend->features().accounts.setTier(operators, m_person.id, Tier::Vip, std::nullopt, clock.now()));
    }

    std::unique_ptr<TestBackend> m_backend;
    Person m_person;
    QString m_session;
};

QTEST_GUILESS_MAIN(ChatOverHttpTest)
#include "tst_ChatOverHttp.moc"
