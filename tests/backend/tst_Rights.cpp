// The user's rights over HTTP: everything in one zip, everything gone, what was agreed to; and retention by the clock.

#include "backend/TestBackend.h"
#include "identity/AuditLog.h"
#include "payments/sandbox/SandboxProvider.h"
#include "rights/Retention.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {

const QString exportPath = u"/api/v1/auth/export"_s;
const QString mePath = u"/api/v1/auth/me"_s;
const QString consentPath = u"/api/v1/auth/consents"_s;

qint64 residentKb()
{
    QFile status(u"/proc/self/status"_s);
    if (!status.open(QIODevice::ReadOnly))
        return 0;
    for (const QByteArray &line : status.readAll().split('\n'))
        if (line.startsWith("VmHWM:"))
            return line.mid(6).simplified().split(' ').first().toLongLong();
    return 0;
}

} // namespace

class RightsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_backend = std::make_unique<TestBackend>(); }
    void cleanupTestCase()
    {
        m_backend->verifyBooks();
        QVERIFY(identity::AuditLog().verify(m_backend->database().operators()).isEmpty());
        QCOMPARE(m_backend->metric("companion_undeclared_answers_total"), 0);
        m_backend.reset();
    }
    void init()
    {
        static int number = 0;
        m_person = m_backend->newPerson(u"person%1@example.com"_s.arg(++number));
    }

    void an_export_holds_all_of_ones_own_and_opens_in_another_program()
    {
        chat(m_person, u"My secret is a blue boat"_s);
        buy(m_person);
        agree(m_person, u"terms"_s, u"2026-01"_s, true);
        const QJsonObject all = exported(m_person);
        const QString text = QString::fromUtf8(QJsonDocument(all).toJson());
        QCOMPARE(all[u"profile"_s].toArray().size(), 1);
        QVERIFY(all[u"profile"_s][0][u"email"_s].toString().startsWith(u"person"_s));
        QCOMPARE(all[u"messages"_s].toArray().size(), 2);
        QCOMPARE(all[u"messages"_s][0][u"content"_s].toString(), u"My secret is a blue boat"_s);
        QCOMPARE(all[u"sessions"_s].toArray().size(), 1);
        QCOMPARE(all[u"sessions"_s][0][u"character"_s].toString(), u"aria"_s);
        QCOMPARE(all[u"payments"_s].toArray().size(), 1);
        QCOMPARE(all[u"payments"_s][0][u"amount_minor"_s].toInt(), 899);
        QCOMPARE(all[u"consents"_s][0][u"version"_s].toString(), u"2026-01"_s);
        QVERIFY(all[u"transactions"_s].toArray().size() >= 3); // the day's, the purchase's, the chat's
        QCOMPARE(all[u"wallet"_s][0][u"purchased"_s].toString(), u"100.0000"_s);
        QCOMPARE(all[u"devices"_s].toArray().size(), 1);
        QCOMPARE(all[u"about"_s][u"objects"_s][u"messages"_s].toInt(), 2);
        QVERIFY(!text.contains(u"hash"_s) && !text.contains(u"text_salt"_s) && !text.contains(u"sealed"_s));
    }

    void nothing_of_anybody_else_is_in_it()
    {
        const Person other = m_backend->newPerson(u"other@example.com"_s);
        chat(other, u"Nobody may read about the green parrot"_s);
        chat(m_person, u"Only mine"_s);
        buy(other);
        buy(m_person);
        const QByteArray mine = QJsonDocument(exported(m_person)).toJson();
        const QByteArray theirs = QJsonDocument(exported(other)).toJson();
        QVERIFY(!mine.contains(other.id.toString().toUtf8()) && !mine.contains("green parrot"));
        QVERIFY(theirs.contains("green parrot") && !theirs.contains(m_person.id.toString().toUtf8()));
        // Each table's rows, row by row: what the export has is this user's, all of it.
        for (const auto &[file, table] :
             {std::pair("messages", "chat_messages"), std::pair("sessions", "chat_sessions"),
              std::pair("lots", "wallet_lots"), std::pair("devices", "devices"),
              std::pair("payments", "payment_transactions")}) {
            QStringList ids;
            for (const auto &row : exported(m_person)[QLatin1StringView(file)].toArray())
                ids.append(row[u"id"_s].toString());
            ids.sort();
            QCOMPARE(
                ids.join(u' '),
                text(
                    u"SELECT string_agg(id::text, ' ' ORDER BY id::text COLLATE \"C\") AS text FROM %1 WHERE user_id = '%2'"_s
                        .arg(QLatin1StringView(table), m_person.id.toString())));
        }
    }

    void hostile_names_and_texts_come_whole()
    {
        const QString name = u"../../etc/passwd \"; DROP TABLE users; -- \u202e\U0001f480"_s.left(80);
        const QString words = u"]}, {\"user_id\": \"x\"}\n\r\t\u2028 \\ \u0001 <script> \U0001f600 \uffff end"_s;
        chat(m_person, u"hello"_s);
        m_backend->database().owner().script(
            u"UPDATE chat_messages SET content = '%1' WHERE user_id = '%2' AND role = 'user';"
            "UPDATE users SET display_name = '%3' WHERE id = '%2'"_s.arg(words, m_person.id.toString(), name));
        const QJsonObject all = exported(m_person);
        QCOMPARE(all[u"messages"_s][0][u"content"_s].toString(), words);
        QCOMPARE(all[u"profile"_s][0][u"display_name"_s].toString(), name);
    }

    void more_rows_than_are_read_at_a_time_come_once_each()
    {
        fill(m_person, 1501, 10);
        const QJsonArray messages = exported(m_person)[u"messages"_s].toArray();
        QCOMPARE(messages.size(), 1501);
        QSet<QString> ids;
        for (const auto &message : messages)
            ids.insert(message[u"id"_s].toString());
        QCOMPARE(ids.size(), 1501);
    }

    // 100 MB of one user: what the process needs does not grow with it.
    void a_large_export_needs_no_more_memory()
    {
        exported(m_person); // what anything needs
        fill(m_person, 25'000, 4000);
        const qint64 before_kb = residentKb();
        const QByteArray zip = rawExport(m_person); // the client of this test holds it, compressed
        const qint64 grown_kb = residentKb() - before_kb;
        qInfo("a zip of %lld KiB; the process, its client with it, grew by %lld KiB", zip.size() / 1024, grown_kb);
        QVERIFY2(grown_kb < 4 * zip.size() / 1024 + 20'000, qPrintable(QString::number(grown_kb)));
        QCOMPARE(python(zip,
                        u"import zipfile,json,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None;"
                        "print(sum(len(m['content']) for m in json.load(z.open('messages.json'))))"_s)
                     .trimmed(),
                 QByteArray::number(25'000 * 4000));
    }

    void a_reader_who_stops_is_let_go_and_holds_no_worker()
    {
        fill(m_person, 600, 20'000, true);
        std::vector<std::unique_ptr<QTcpSocket>> readers;
        for (int i = 0; i < 4; ++i) {
            const Person person = i == 0 ? m_person : m_backend->newPerson(u"slow%1@example.com"_s.arg(i));
            auto socket = std::make_unique<QTcpSocket>();
            socket->setReadBufferSize(1024);
            socket->connectToHost(QHostAddress::LocalHost, m_backend->port());
            QVERIFY(socket->waitForConnected());
            socket->write("GET /api/v1/auth/export HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + person.token
                          + "\r\n\r\n");
            QTRY_VERIFY_WITH_TIMEOUT(socket->bytesAvailable() > 0, 20'000);
            readers.push_back(std::move(socket));
        }
        const Person other = m_backend->newPerson(u"quick@example.com"_s);
        QCOMPARE(exported(other)[u"profile"_s].toArray().size(), 1); // both workers are free
    }

    void an_export_is_the_callers_alone()
    {
        QCOMPARE(m_backend->request("GET", exportPath).status, 401);
        m_backend->database().owner().script(
            u"UPDATE users SET status = 'suspended' WHERE id = '%1'"_s.arg(m_person.id.toString()));
        QCOMPARE(m_backend->get(exportPath, m_person).code(), u"account_suspended"_s);
    }

    void one_export_of_a_user_at_a_time()
    {
        db::Session other(m_backend->database().operatorTarget(), m_backend->database().clock());
        db::Transaction holding(other);
        other.script(u"SELECT pg_advisory_xact_lock(hashtextextended('export %1', 0))"_s.arg(m_person.id.toString()));
        QCOMPARE(m_backend->get(exportPath, m_person).code(), u"conflict"_s);
    }

    void consents_are_kept_each_with_its_version()
    {
        agree(m_person, u"terms"_s, u"1"_s, true);
        agree(m_person, u"adult_content"_s, u"2"_s, true);
        agree(m_person, u"adult_content"_s, u"2"_s, false);
        const QJsonObject list = m_backend->get(consentPath + u"?limit=2"_s, m_person).json();
        QCOMPARE(list[u"total"_s].toInt(), 3);
        QVERIFY(list[u"has_more"_s].toBool());
        QCOMPARE(list[u"items"_s][0][u"given"_s].toBool(), false);
        QCOMPARE(m_backend
                     ->post(consentPath, {{u"kind"_s, u"blood"_s}, {u"version"_s, u"1"_s}, {u"given"_s, true}},
                            m_person)
                     .status,
                 422);
        QCOMPARE(m_backend
                     ->post(consentPath, {{u"kind"_s, u"terms"_s}, {u"version"_s, u"a b"_s}, {u"given"_s, true}},
                            m_person)
                     .status,
                 422);
        const Person other = m_backend->newPerson(u"agreed-to-nothing@example.com"_s);
        QCOMPARE(m_backend->get(consentPath, other).json()[u"total"_s].toInt(), 0);
    }

    void erasing_leaves_a_tombstone_and_the_books()
    {
        chat(m_person, u"Forget the blue boat"_s);
        buy(m_person);
        agree(m_person, u"terms"_s, u"1"_s, true);
        m_backend->post(u"/api/v1/auth/age-verification"_s,
                        {{u"method"_s, u"development"_s}, {u"reference"_s, u"passport X1"_s}}, m_person);
        m_backend->post(u"/api/v1/auth/api-keys"_s, {{u"name"_s, u"my laptop"_s}}, m_person);
        const auto answer = erase(m_person);
        QCOMPARE(answer.status, 200);
        const QJsonObject receipt = answer.json();
        QCOMPARE(counted(receipt, u"messages"_s), 2);
        QCOMPARE(counted(receipt, u"sessions"_s), 1);
        QCOMPARE(counted(receipt, u"turns"_s), 1);
        QCOMPARE(counted(receipt, u"devices"_s), 1);
        QCOMPARE(counted(receipt, u"api_keys"_s), 1);
        QCOMPARE(counted(receipt, u"age_verifications"_s), 1);
        QCOMPARE(counted(receipt, u"transactions"_s), 1); // the chat's text
        QVERIFY(!receipt[u"kept"_s].toArray().isEmpty());
        QVERIFY(receipt[u"backups_until"_s].toString() > receipt[u"erased_at"_s].toString());
        QCOMPARE(m_backend->get(mePath, m_person).status, 401);
        QCOMPARE(erase(m_person).status, 401);
        QCOMPARE(remains(), QString());
        QCOMPARE(text(u"SELECT concat_ws(' ', status, email, display_name, region) AS text FROM users WHERE id = '%1'"_s
                          .arg(m_person.id.toString())),
                 u"erased "_s);
        QCOMPARE(text(
                     u"SELECT act AS text FROM audit_log WHERE target = 'user:%1' ORDER BY sequence DESC LIMIT 1"_s.arg(
                         m_person.id.toString())),
                 u"user.erase"_s);
        m_backend->verifyBooks();
        const Person again = m_backend->newPerson(u"person-again@example.com"_s);
        QVERIFY(again.id != m_person.id);
    }

    void money_that_comes_after_it_is_recorded()
    {
        buy(m_person);
        QCOMPARE(erase(m_person).status, 200);
        deliver(purchase(m_person.id, u"late"_s));
        QCOMPARE(
            text(u"SELECT count(*)::text AS text FROM payment_transactions WHERE status = 'paid' AND user_id = '%1'"_s
                     .arg(m_person.id.toString())),
            u"2"_s);
        payments::PaymentFact refund{.references = {u"late"_s},
                                     .refundedMinor = 899,
                                     .version = 9,
                                     .at = QDateTime::currentDateTimeUtc()};
        deliver(refund);
        QCOMPARE(text(u"SELECT status AS text FROM payment_transactions WHERE provider_reference = 'late'"_s),
                 u"refunded"_s);
        m_backend->verifyBooks();
    }

    void purchases_at_the_very_moment_are_neither_lost_nor_half_done()
    {
        for (int round = 0; round < 5; ++round) {
            const Person person = m_backend->newPerson(u"moment%1@example.com"_s.arg(round));
            QNetworkAccessManager network;
            QList<QNetworkReply *> replies;
            const auto send = [&](const QByteArray &method, const QString &path, const QByteArray &body,
                                  const QByteArray &name, const QByteArray &value) {
                QNetworkRequest request(QUrl(u"http://127.0.0.1:%1%2"_s.arg(m_backend->port()).arg(path)));
                request.setHeader(QNetworkRequest::ContentTypeHeader, u"application/json"_s);
                request.setRawHeader(name, value);
                request.setRawHeader("If-Match", "*");
                replies.append(network.sendCustomRequest(request, method, body));
            };
            for (int i = 0; i < 3; ++i) {
                const auto [body, signature] = signedEvent(purchase(person.id, u"m%1-%2"_s.arg(round).arg(i)));
                send("POST", u"/api/v1/webhooks/sandbox"_s, body, "Sandbox-Signature", signature);
                if (i == 1)
                    send("DELETE", mePath, {}, "Authorization", "Bearer " + person.token);
            }
            QTRY_VERIFY_WITH_TIMEOUT(std::ranges::all_of(replies, [](auto *reply) { return reply->isFinished(); }),
                                     20'000);
            for (auto *reply : replies)
                QCOMPARE(reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), 200);
            QCOMPARE(
                text(
                    u"SELECT count(*)::text AS text FROM payment_transactions WHERE status = 'paid' AND user_id = '%1'"_s
                        .arg(person.id.toString())),
                u"3"_s);
        }
        m_backend->verifyBooks();
    }

    void a_reply_under_way_has_to_end_first()
    {
        const QString session = m_backend->openSession(m_person);
        const auto socket =
            m_backend->openStream(u"/api/v1/chat/stream"_s,
                                  {{u"session_id"_s, session}, {u"message"_s, u"[[rehearse: slow 3s]] hello"_s}},
                                  m_person);
        QTRY_COMPARE_WITH_TIMEOUT(
            text(u"SELECT count(*)::text AS text FROM chat_turns WHERE status = 'running' AND user_id = '%1'"_s.arg(
                m_person.id.toString())),
            u"1"_s, 10'000);
        const auto refused = erase(m_person);
        QCOMPARE(refused.status, 409);
        QCOMPARE(refused.code(), u"turn_in_progress"_s);
        QVERIFY(refused.headers.value("retry-after").toInt() > 0);
        QCOMPARE(m_backend->get(mePath, m_person).status, 200); // nothing has happened
        int status = 409;
        for (int i = 0; i < 300 && status == 409; ++i) {
            QTest::qWait(100);
            status = erase(m_person).status;
        }
        QCOMPARE(status, 200);
        QCOMPARE(remains(), QString());
    }

    void an_erasure_is_meant()
    {
        QCOMPARE(m_backend->request("DELETE", mePath, {}, m_person.token).status, 428);
        QCOMPARE(m_backend->request("DELETE", mePath, {}, m_person.token, {{"If-Match", "\"999\""}}).status, 412);
        QCOMPARE(m_backend->get(mePath, m_person).status, 200);
    }

    void an_operators_account_is_not_erased_so()
    {
        const Person support = m_backend->newPerson(u"support-me@example.com"_s, {Role::User, Role::Support});
        QCOMPARE(erase(support).code(), u"conflict"_s);
    }

    void a_running_subscription_is_cancelled()
    {
        const QDateTime now = QDateTime::currentDateTimeUtc();
        payments::SandboxWorld().secret(m_backend->database().operators());
        const QJsonObject started =
            m_backend
                ->post(u"/api/v1/market/subscribe"_s, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}},
                       m_person, {{"Idempotency-Key", "sub-erase"}})
                .json();
        m_backend->request("POST", QUrl(started[u"checkout_url"_s].toString()).path(), "outcome=pay", {},
                           {{"Content-Type", "application/x-www-form-urlencoded"}});
        QTRY_COMPARE_WITH_TIMEOUT(text(u"SELECT status AS text FROM subscriptions WHERE user_id = '%1'"_s.arg(
                                      m_person.id.toString())),
                                  u"active"_s, 10'000);
        QCOMPARE(erase(m_person).status, 200);
        QCOMPARE(text(u"SELECT status AS text FROM subscriptions WHERE user_id = '%1'"_s.arg(m_person.id.toString())),
                 u"canceled"_s);
        QVERIFY(now.isValid());
    }

    void what_was_under_way_is_swept_later()
    {
        QCOMPARE(erase(m_person).status, 200);
        fill(m_person, 3, 10);
        const SystemClock clock; // the backend's, not the database's own of the tests
        db::Session db(m_backend->database().operatorTarget(), clock);
        m_backend->features().erasures.sweep(db, 10);
        QVERIFY(!remains().isEmpty()); // not yet: it was just now
        m_backend->database().owner().script(u"UPDATE erasures SET erased_at = erased_at - interval '11 minutes'"_s);
        QVERIFY(m_backend->features().erasures.sweep(db, 100) >= 1);
        QCOMPARE(remains(), QString());
        QCOMPARE(m_backend->features().erasures.sweep(db, 100), 0);
        QCOMPARE(text(u"SELECT receipt -> 'later' ->> 'messages' AS text FROM erasures WHERE user_id = '%1'"_s.arg(
                     m_person.id.toString())),
                 u"3"_s);
    }

    void texts_of_the_living_cannot_be_emptied()
    {
        QVERIFY_THROWS_EXCEPTION(std::exception,
                                 m_backend->database().operators().script(
                                     u"SELECT erase_ledger_texts('%1')"_s.arg(m_person.id.toString())));
        QVERIFY_THROWS_EXCEPTION(std::exception,
                                 m_backend->database().app().script(
                                     u"SELECT erase_ledger_texts('%1')"_s.arg(m_person.id.toString())));
    }

    void what_is_old_goes_by_the_clock_and_by_the_table()
    {
        TestDatabase fresh;
        auto &db = fresh.operators();
        const QString user = UserId::create().toString();
        const QString t = fresh.clock().now().toString(Qt::ISODateWithMs);
        fresh.owner().script(
            u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', '', '%2');"
            "INSERT INTO idempotency_keys VALUES ('%1', 'r', 'k', sha256('x'), 200, 'a/b', '', '%2');"
            "INSERT INTO chat_turns (message_id, user_id, status, mode, route, deadline, created_at, ended_at, reply)"
            " VALUES (gen_random_uuid(), '%1', 'settled', 'normal', 'r', '%2', '%2', '%2', 'text');"
            "INSERT INTO payment_events (id, provider, type, created_at, received_at, last_at, status, reason, body, "
            "body_hash, signature)"
            " VALUES (gen_random_uuid(), 'sandbox', '', '%2', '%2', '%2', 'refused', 'x', '', sha256('x'), '');"
            "INSERT INTO api_keys (id, user_id, key_hash, prefix, name, created_at, revoked_at) VALUES "
            "(gen_random_uuid(), '%1', sha256('k'), 'sk-x', 'n', '%2', '%2');"
            "INSERT INTO devices (id, user_id, provider, user_agent, created_at, last_used_at, expires_at) VALUES "
            "(gen_random_uuid(), '%1', 'firebase', '', '%2', '%2', '%2');"
            "INSERT INTO consents VALUES (gen_random_uuid(), '%1', 'terms', '1', true, '%2');"
            "INSERT INTO erasures VALUES ('%1', '%2', '{}')"_s.arg(user, t));
        const auto left = [&] {
            return fresh.owner()
                .script(
                    u"SELECT concat_ws(' ', (SELECT count(*) FROM idempotency_keys), (SELECT count(reply) FROM "
                    u"chat_turns),"
                    " (SELECT count(*) FROM devices), (SELECT count(*) FROM payment_events), (SELECT count(*) FROM api_keys), (SELECT count(*) FROM consents)) AS text"_s)
                .first()
                .text("text");
        };
        const auto after = [&](int days) {
            fresh.clock().advance(std::chrono::hours(24 * days) + std::chrono::seconds(1));
            while (rights::enforceRetention(db, 1) > 0) { }
            return left();
        };
        QCOMPARE(after(0), u"1 1 1 1 1 1"_s);
        QCOMPARE(after(1), u"0 0 0 1 1 1"_s);
        QCOMPARE(after(29), u"0 0 0 0 1 1"_s);
        fresh.operators().script(u"UPDATE retention_policies SET keep_days = 40 WHERE what = 'revoked_keys'"_s);
        QCOMPARE(after(10), u"0 0 0 0 0 1"_s);
        QCOMPARE(after(1100), u"0 0 0 0 0 0"_s);
    }

private:
    Answer erase(const Person &person)
    {
        return m_backend->request("DELETE", mePath, {}, person.token, {{"If-Match", "*"}});
    }
    void chat(const Person &person, const QString &words)
    {
        const QString session = m_backend->openSession(person);
        QCOMPARE(m_backend
                     ->post(u"/api/v1/chat/completions"_s, {{u"session_id"_s, session}, {u"message"_s, words}}, person)
                     .status,
                 200);
    }
    void agree(const Person &person, const QString &kind, const QString &version, bool given)
    {
        QCOMPARE(m_backend->post(consentPath, {{u"kind"_s, kind}, {u"version"_s, version}, {u"given"_s, given}}, person)
                     .status,
                 201);
    }
    payments::PaymentFact purchase(const UserId &user, const QString &reference)
    {
        return {.references = {reference},
                .payment = {},
                .user = user,
                .kind = PaidFor::CreditPackage,
                .product = u"popular"_s,
                .state = payments::PaymentFact::State::Paid,
                .amountMinor = 899,
                .currency = u"USD"_s,
                .version = 1,
                .at = QDateTime::currentDateTimeUtc()};
    }
    std::pair<QByteArray, QByteArray> signedEvent(const payments::PaymentFact &fact)
    {
        const QByteArray body =
            QJsonDocument(QJsonObject{{u"id"_s, u"evt_%1"_s.arg(++m_events)},
                                      {u"type"_s, u"payment.paid"_s},
                                      {u"created_at"_s, json::timeText(QDateTime::currentDateTimeUtc())},
                                      {u"environment"_s, u"sandbox"_s},
                                      {u"facts"_s, toJson(payments::FactList{{}, {fact}, {}})}})
                .toJson(QJsonDocument::Compact);
        const QByteArray secret = payments::SandboxWorld().secret(m_backend->database().operators());
        return {body, payments::sandboxSignature(secret, body, QDateTime::currentSecsSinceEpoch())};
    }
    void deliver(const payments::PaymentFact &fact)
    {
        const auto [body, signature] = signedEvent(fact);
        const auto answer =
            m_backend->request("POST", u"/api/v1/webhooks/sandbox"_s, body, {},
                               {{"Sandbox-Signature", signature}, {"Content-Type", "application/json"}});
        QCOMPARE(answer.status, 200);
        QVERIFY2(answer.body.contains("applied"), answer.body.constData());
    }
    void buy(const Person &person) { deliver(purchase(person.id, u"pi_%1"_s.arg(++m_events))); }

    // Messages as many and as large, each its own text where `random`.
    void fill(const Person &person, int count, int bytes, bool random = false)
    {
        m_backend->database().owner().script(
            u"INSERT INTO chat_messages (id, session_id, user_id, turn_id, role, mode, content, created_at)"
            " SELECT gen_random_uuid(), gen_random_uuid(), '%1', gen_random_uuid(), 'user', 'normal', left(%4, %3),"
            " now() - (n / 7) * interval '1 millisecond' FROM generate_series(1, %2) n"_s.arg(person.id.toString())
                .arg(count)
                .arg(bytes)
                .arg(random ? u"(SELECT string_agg(md5(random()::text || n || g), '') FROM generate_series(1, %1) g)"_s
                                  .arg(bytes / 32 + 1)
                            : u"repeat(md5(n::text), %1)"_s.arg(bytes / 32 + 1)));
    }
    QByteArray rawExport(const Person &person)
    {
        const auto answer = m_backend->get(exportPath, person);
        if (answer.status != 200)
            qWarning() << answer.status << answer.body.left(300);
        return answer.status == 200 ? answer.body : QByteArray();
    }
    QByteArray python(const QByteArray &zip, const QString &program)
    {
        QTemporaryDir folder;
        QFile file(folder.filePath(u"export.zip"_s));
        if (!file.open(QIODevice::WriteOnly) || file.write(zip) != zip.size() || !file.flush())
            return {};
        QProcess python;
        python.start(u"python3"_s, {u"-c"_s, program, file.fileName()});
        if (!python.waitForFinished(60'000) || python.exitCode() != 0)
            qWarning() << python.readAllStandardError();
        return python.readAllStandardOutput();
    }
    // By file, without its ending; read by Python.
    QJsonObject exported(const Person &person)
    {
        return QJsonDocument::fromJson(
                   python(rawExport(person),
                          u"import zipfile,json,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None;"
                          "assert all('/' not in n and n.endswith('.json') for n in z.namelist());"
                          "print(json.dumps({n[:-5]: json.loads(z.read(n).decode('utf-8')) for n in z.namelist()}))"_s))
            .object();
    }
    static int counted(const QJsonObject &receipt, const QString &what)
    {
        for (const auto &line : receipt[u"erased"_s].toArray())
            if (line[u"what"_s].toString() == what)
                return line[u"count"_s].toInt();
        return -1;
    }
    QString text(const QString &sql)
    {
        const auto rows = m_backend->database().owner().script(sql);
        return rows.isEmpty() ? QString() : rows.first().text("text");
    }
    // What a text of this user's could still stand in.
    QString remains()
    {
        QStringList left;
        for (const char *table : {"chat_messages", "chat_sessions", "chat_turns", "message_feedback", "devices",
                                  "refresh_tokens", "api_keys", "access_keys", "firebase_identities",
                                  "age_verifications", "idempotency_keys", "store_consents"})
            if (text(u"SELECT count(*)::text AS text FROM %1 WHERE user_id = '%2'"_s.arg(QLatin1StringView(table),
                                                                                         m_person.id.toString()))
                != u"0"_s)
                left.append(QString::fromLatin1(table));
        if (text(
                u"SELECT count(*)::text AS text FROM transaction_history WHERE kind = 'chat' AND user_id = '%1' AND (description <> '' OR metadata <> '{}')"_s
                    .arg(m_person.id.toString()))
            != u"0"_s)
            left.append(u"transaction_history"_s);
        return left.join(u' ');
    }

    std::unique_ptr<TestBackend> m_backend;
    Person m_person;
    int m_events = 0;
};

QTEST_GUILESS_MAIN(RightsTest)
#include "tst_Rights.moc"
