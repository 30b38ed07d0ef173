#include "console/client/CharactersApi.h"
#include "console/client/Heartbeat.h"
#include "console/client/PersonaTestApi.h"
#include "console/client/Session.h"
#include "console/client/UsersApi.h"
#include "tests/console/support/CannedModels.h"
#include "tests/console/support/TestConsole.h"

#include <QSignalSpy>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

namespace {

// Runs the call to its end.
template <class T>
ApiResult<T> waitFor(const ApiCall<T> &call)
{
    std::optional<ApiResult<T>> result;
    QObject context;
    call.then(&context, [&](const ApiResult<T> &done) { result = done; });
    return QTest::qWaitFor([&] { return result.has_value(); }) ? *result
                                                               : std::unexpected(Problem{.detail = u"no end"_s});
}

} // namespace

class ClientTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<CannedServer>();
        m_client = std::make_unique<ApiClient>();
        m_client->setServer(m_server->url());
        m_client->setBearer("token-1");
        canned::serveEverything(*m_server);
    }

    void a_call_carries_the_token_and_brings_the_model()
    {
        const auto user = waitFor(UsersApi(*m_client).one(canned::user(2).id));
        QVERIFY(user.has_value());
        QCOMPARE(user->email, u"user2@example.com"_s);
        QCOMPARE(m_server->requests.last().headers.value("authorization"), QByteArray("Bearer token-1"));
        QCOMPARE(m_client->connection(), ApiClient::Connection::Online);
    }

    void a_refusal_is_a_problem_with_code_and_fields()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, [](const CannedRequest &) {
            CannedReply reply = CannedReply::problem(422, u"invalid"_s, u"The body is not valid."_s);
            reply.body.replace("}", R"(,"request_id":"r1","errors":[{"pointer":"/name","message":"is missing"}]})");
            return reply;
        });
        const auto user = waitFor(UsersApi(*m_client).one(canned::user(2).id));
        QVERIFY(!user.has_value());
        QVERIFY(user.error().is(ErrorCode::Invalid));
        QCOMPARE(user.error().forField(u"/name"_s), u"is missing"_s);
        QCOMPARE(user.error().requestId, u"r1"_s);
    }

    void an_answer_of_another_shape_is_said_to_be_unreadable()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, CannedReply::json({{u"id"_s, u"no uuid"_s}}));
        const auto user = waitFor(UsersApi(*m_client).one(canned::user(2).id));
        QCOMPARE(user.error().kind, Problem::Kind::Unreadable);
    }

    void fields_of_a_newer_server_are_ignored()
    {
        QJsonObject newer = toJson(canned::user(2));
        newer.insert(u"mood"_s, u"fine"_s);
        m_server->on(u"GET /api/v1/admin/users/*"_s, CannedReply::json(newer));
        QVERIFY(waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
    }

    void silence_is_unreachable_and_the_connection_is_offline_until_it_answers_again()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, {.drop = true});
        const auto user = waitFor(UsersApi(*m_client).one(canned::user(2).id));
        QCOMPARE(user.error().kind, Problem::Kind::Unreachable);
        QCOMPARE(m_client->connection(), ApiClient::Connection::Offline);
        Heartbeat heartbeat(*m_client);
        heartbeat.start();
        QTRY_COMPARE(m_client->connection(), ApiClient::Connection::Online);
        QVERIFY(m_client->latency_ms() >= 0);
    }

    void several_refused_tokens_are_renewed_once_and_all_requests_sent_again()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, [](const CannedRequest &request) {
            return request.headers.value("authorization") == "Bearer token-2"
                ? CannedReply::json(toJson(canned::user(2)))
                : CannedReply::problem(401, u"token_expired"_s, u"Expired."_s);
        });
        QSignalSpy renewals(m_client.get(), &ApiClient::renewalNeeded);
        connect(m_client.get(), &ApiClient::renewalNeeded, this, [this] {
            QTimer::singleShot(100, this, [this] {
                m_client->setBearer("token-2");
                m_client->renewed();
            });
        });
        UsersApi users(*m_client);
        const auto first = users.one(canned::user(2).id);
        const auto second = waitFor(users.one(canned::user(2).id));
        QVERIFY(second.has_value());
        QTRY_VERIFY(!first.isRunning());
        QCOMPARE(renewals.size(), 1);
        QCOMPARE(m_server->requests.size(), 4);
    }

    void a_token_refused_twice_is_not_tried_for_ever()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, CannedReply::problem(401, u"unauthenticated"_s, u"No."_s));
        connect(m_client.get(), &ApiClient::renewalNeeded, this, [this] { m_client->renewed(); });
        const auto user = waitFor(UsersApi(*m_client).one(canned::user(2).id));
        QCOMPARE(user.error().status, 401);
        QCOMPARE(m_server->requests.size(), 2);
    }

    void an_abandoned_call_says_so_and_nothing_more()
    {
        m_server->on(u"GET /api/v1/admin/users/*"_s, {.body = "{}", .delay_ms = 5000});
        const auto call = UsersApi(*m_client).one(canned::user(2).id);
        QTimer::singleShot(20, this, [call] { call.abort(); });
        QCOMPARE(waitFor(call).error().kind, Problem::Kind::Cancelled);
        QVERIFY(m_client->connection() != ApiClient::Connection::Offline);
    }

    void a_search_keeps_its_plus_signs()
    {
        (void)waitFor(UsersApi(*m_client).search({.text = u"a+b@x y"_s, .tier = Tier::Vip, .status = {}}, 50, 0));
        const QUrlQuery query = m_server->requests.last().query;
        QCOMPARE(query.queryItemValue(u"q"_s, QUrl::FullyEncoded), u"a%2Bb%40x%20y"_s);
        QCOMPARE(query.queryItemValue(u"tier"_s), u"vip"_s);
    }

    void edits_send_the_tag_they_were_read_at()
    {
        const AdminCharacter aria = canned::character(u"aria"_s);
        const QString path = u"/api/v1/admin/characters/"_s + aria.id.toString();
        m_server->on(u"PUT "_s + path, CannedReply::problem(412, u"precondition_failed"_s, u"Changed."_s));
        CharactersApi characters(*m_client);
        const auto read = waitFor(characters.one(aria.id));
        QCOMPARE(read->etag, QByteArray("\"1\""));
        const auto saved = waitFor(characters.saveDraft(aria.id, read->value.persona, read->etag));
        QVERIFY(saved.error().is(ErrorCode::PreconditionFailed));
        QCOMPARE(m_server->requests.last().headers.value("if-match"), QByteArray("\"1\""));
        QVERIFY(fromJson<Persona>(m_server->requests.last().json()).has_value());
    }

    void an_adjustment_carries_its_key()
    {
        const auto done =
            waitFor(UsersApi(*m_client).adjust(canned::user(2).id,
                                               {Bucket::Bonus, *Credits::parse(u"5"), u"goodwill"_s}, "key-1"));
        QVERIFY(done.has_value());
        QCOMPARE(m_server->requests.last().headers.value("idempotency-key"), QByteArray("key-1"));
        QCOMPARE(m_server->requests.last().json().value(u"amount"_s).toString(), u"5.0000"_s);
    }

    void a_stream_may_be_cut_anywhere()
    {
        const QByteArray whole =
            ": ping\r\n\r\nid: 1\ndata: {\"a\":1}\n\nevent: error\ndata: line 1\ndata:line 2\n\ndata\n\n";
        const QList<SseEvent> expected{{"message", "{\"a\":1}", "1"},
                                       {"error", "line 1\nline 2", ""},
                                       {"message", "", ""}};
        for (qsizetype size = 1; size <= whole.size(); ++size) {
            SseParser parser;
            QList<SseEvent> events;
            for (qsizetype at = 0; at < whole.size(); at += size)
                events += parser.feed(whole.mid(at, size));
            QCOMPARE(events, expected);
        }
    }

    void a_persona_test_streams_its_text_and_then_its_figures()
    {
        PersonaTestRequest request;
        request.characterId = canned::character(u"aria"_s).id;
        request.messages = {{u"user"_s, u"Hello"_s}};
        PersonaTestStream *stream = PersonaTestApi(*m_client).stream(request);
        QString text;
        connect(stream, &PersonaTestStream::textArrived, this, [&](const QString &more) { text += more; });
        QSignalSpy finished(stream, &PersonaTestStream::finished);
        QVERIFY(finished.wait());
        QCOMPARE(text, u"A normal reply."_s);
        QCOMPARE(finished.first().first().value<PersonaTestResult>().totalTokens, 260);
        QVERIFY(m_server->requests.last().json().value(u"stream"_s).toBool());
    }

    void a_late_failure_of_a_stream_is_a_problem()
    {
        m_server->on(u"POST /api/v1/admin/persona-tests"_s,
                     {.contentType = "text/event-stream",
                      .stream = {
                          "event: error\ndata: {\"status\":502,\"code\":\"model_failed\",\"detail\":\"Gone.\"}\n\n"}});
        PersonaTestStream *stream = PersonaTestApi(*m_client).stream({});
        QSignalSpy failed(stream, &PersonaTestStream::failed);
        QVERIFY(failed.wait());
        QVERIFY(failed.first().first().value<Problem>().is(ErrorCode::ModelFailed));
    }

    void signing_in_keeps_the_key_in_the_keyring_and_resuming_uses_it()
    {
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        session.signIn(m_server->url(), u"key-1"_s, true);
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        QCOMPARE(session.user().email, u"olga@example.com"_s);
        QTRY_COMPARE(keyring.secrets.value(m_server->url().toString()), u"key-1"_s);

        Session next(*m_client, keyring);
        next.resume(m_server->url());
        QTRY_COMPARE(next.state(), Session::State::SignedIn);
        next.signOut();
        QCOMPARE(next.state(), Session::State::SignedOut);
        QVERIFY(keyring.secrets.isEmpty());
        QTRY_COMPARE(m_server->count(u"POST /api/v1/auth/logout"_s), 1);
        QCOMPARE(m_server->last(u"POST /api/v1/auth/logout"_s).headers.value("authorization"),
                 QByteArray("Bearer access-1"));
    }

    void without_a_keyring_the_session_goes_on_and_the_person_is_told()
    {
        MemoryKeyring keyring;
        keyring.brokenWith = u"There is none."_s;
        Session session(*m_client, keyring);
        QSignalSpy told(&session, &Session::keyringFailed);
        session.signIn(m_server->url(), u"key-1"_s, true);
        QVERIFY(told.wait());
        QCOMPARE(session.state(), Session::State::SignedIn);
        QCOMPARE(told.first().first().toString(), u"There is none."_s);
    }

    void a_wrong_key_is_refused()
    {
        m_server->on(u"POST /api/v1/auth/login"_s, CannedReply::problem(401, u"unauthenticated"_s, u"No."_s));
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        QSignalSpy refused(&session, &Session::refused);
        session.signIn(m_server->url(), u"wrong"_s, true);
        QVERIFY(refused.wait());
        QCOMPARE(session.state(), Session::State::SignedOut);
        QVERIFY(keyring.secrets.isEmpty());
    }

    void an_expired_session_is_renewed_under_a_call_with_rotating_tokens()
    {
        int refreshes = 0;
        m_server->on(u"POST /api/v1/auth/refresh"_s, [&](const CannedRequest &request) {
            const bool right = request.json().value(u"refresh_token"_s).toString() == u"refresh-of-access-1"_s;
            ++refreshes;
            return right ? CannedReply::json(toJson(canned::grant(u"access-2"_s)))
                         : CannedReply::problem(401, u"unauthenticated"_s, u"Reused."_s);
        });
        m_server->on(u"GET /api/v1/admin/users/*"_s, [](const CannedRequest &request) {
            return request.headers.value("authorization") == "Bearer access-2"
                ? CannedReply::json(toJson(canned::user(2)))
                : CannedReply::problem(401, u"token_expired"_s, u"Expired."_s);
        });
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        session.signIn(m_server->url(), u"key-1"_s, false);
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        QVERIFY(waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
        QCOMPARE(refreshes, 1);
        QCOMPARE(session.state(), Session::State::SignedIn);
    }

    void a_revoked_refresh_token_falls_back_to_the_key_and_then_ends_the_session()
    {
        bool keyWorks = true;
        m_server->on(u"POST /api/v1/auth/refresh"_s, CannedReply::problem(401, u"unauthenticated"_s, u"Revoked."_s));
        m_server->on(u"POST /api/v1/auth/login"_s, [&](const CannedRequest &) {
            return keyWorks ? CannedReply::json(toJson(canned::grant()))
                            : CannedReply::problem(401, u"unauthenticated"_s, u"No."_s);
        });
        int asked = 0;
        m_server->on(u"GET /api/v1/admin/users/*"_s, [&](const CannedRequest &) {
            return ++asked == 2 ? CannedReply::json(toJson(canned::user(2)))
                                : CannedReply::problem(401, u"token_expired"_s, u"Expired."_s);
        });
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        session.signIn(m_server->url(), u"key-1"_s, false);
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        QVERIFY(waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
        keyWorks = false;
        QVERIFY(!waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
        QCOMPARE(session.state(), Session::State::SignedOut);
    }

    void an_email_and_a_password_are_firebases_alone()
    {
        serveFirebase();
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        session.signInByEmail(m_server->url(), offer(), u"olga@example.com"_s, u"correct horse"_s, true);
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        const QJsonObject asked = m_server->last(passwordRoute()).json();
        QCOMPARE(asked.value(u"password"_s).toString(), u"correct horse"_s);
        QCOMPARE(m_server->last(passwordRoute()).query.queryItemValue(u"key"_s), u"web-key"_s);
        const QJsonObject login = m_server->last(u"POST /api/v1/auth/login"_s).json();
        QCOMPARE(login.value(u"provider"_s).toString(), u"firebase"_s);
        QCOMPARE(login.value(u"token"_s).toString(), u"id-token-1"_s);
        QTRY_VERIFY(!keyring.secrets.isEmpty());
        const QString kept = keyring.secrets.value(m_server->url().toString());
        QVERIFY(kept.contains(u"refresh-1"_s) && !kept.contains(u"correct horse"_s));
        for (const CannedRequest &request : std::as_const(m_server->requests))
            QVERIFY(request.route() == passwordRoute() || !request.body.contains("correct horse"));
    }

    void what_is_kept_of_firebase_signs_in_again_without_a_password()
    {
        serveFirebase();
        MemoryKeyring keyring;
        keyring.secrets.insert(m_server->url().toString(), FirebaseAccount{offer(), u"o@x"_s, u"kept"_s}.toText());
        Session session(*m_client, keyring);
        session.resume(m_server->url());
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        QCOMPARE(m_server->count(passwordRoute()), 0);
        QVERIFY(m_server->last(tokenRoute()).body.contains("refresh_token=kept"));
        QCOMPARE(m_server->last(u"POST /api/v1/auth/login"_s).json().value(u"token"_s).toString(), u"id-token-2"_s);
        QTRY_VERIFY(keyring.secrets.value(m_server->url().toString()).contains(u"refresh-2"_s)); // the newer one
        session.signOut();
        QVERIFY(keyring.secrets.isEmpty());
    }

    void a_session_by_firebase_is_renewed_with_a_fresh_ticket()
    {
        serveFirebase();
        m_server->on(u"POST /api/v1/auth/refresh"_s, CannedReply::problem(401, u"unauthenticated"_s, u"Revoked."_s));
        int asked = 0;
        m_server->on(u"GET /api/v1/admin/users/*"_s, [&](const CannedRequest &) {
            return ++asked == 2 ? CannedReply::json(toJson(canned::user(2)))
                                : CannedReply::problem(401, u"token_expired"_s, u"Expired."_s);
        });
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        session.signInByEmail(m_server->url(), offer(), u"olga@example.com"_s, u"correct horse"_s, false);
        QTRY_COMPARE(session.state(), Session::State::SignedIn);
        QVERIFY(waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
        QCOMPARE(m_server->count(tokenRoute()), 1);
        m_server->on(tokenRoute(), firebaseError("USER_DISABLED"));
        QSignalSpy refused(&session, &Session::refused);
        QVERIFY(!waitFor(UsersApi(*m_client).one(canned::user(2).id)).has_value());
        QTRY_COMPARE(refused.size(), 1);
        QCOMPARE(session.state(), Session::State::SignedOut);
        QVERIFY(refused.first().first().value<Problem>().sentence().contains(u"disabled"_s));
    }

    void firebases_refusals_are_said_in_words_data()
    {
        QTest::addColumn<QByteArray>("code");
        QTest::addColumn<QString>("part");
        QTest::newRow("password") << QByteArray("INVALID_PASSWORD") << u"is wrong"_s;
        QTest::newRow("email") << QByteArray("EMAIL_NOT_FOUND") << u"is wrong"_s;
        QTest::newRow("either") << QByteArray("INVALID_LOGIN_CREDENTIALS") << u"is wrong"_s;
        QTest::newRow("disabled") << QByteArray("USER_DISABLED") << u"disabled"_s;
        QTest::newRow("too many") << QByteArray("TOO_MANY_ATTEMPTS_TRY_LATER : Access is blocked.") << u"Wait"_s;
        QTest::newRow("not offered") << QByteArray("OPERATION_NOT_ALLOWED") << u"does not allow"_s;
        QTest::newRow("api key") << QByteArray("API key not valid. Please pass a valid API key.") << u"API_KEY"_s;
    }
    void firebases_refusals_are_said_in_words()
    {
        QFETCH(QByteArray, code);
        QFETCH(QString, part);
        m_server->on(passwordRoute(), firebaseError(code));
        MemoryKeyring keyring;
        Session session(*m_client, keyring);
        QSignalSpy refused(&session, &Session::refused);
        session.signInByEmail(m_server->url(), offer(), u"olga@example.com"_s, u"x"_s, true);
        QVERIFY(refused.wait());
        const QString said = refused.first().first().value<Problem>().sentence();
        QVERIFY2(said.contains(part), qPrintable(said));
        QCOMPARE(session.state(), Session::State::SignedOut);
        QVERIFY(keyring.secrets.isEmpty());
    }

    void a_password_is_never_sent_to_an_emulator_elsewhere()
    {
        SignInOffer elsewhere = offer();
        QVERIFY(FirebaseSignIn::isUsable(elsewhere));
        for (const char *host : {"203.0.113.1:9099", "example.com:9099", "127.0.0.1.example.com:9099",
                                 "127.0.0.1@example.com:80", "example.com:80/127.0.0.1", "", "0.0.0.0:9099"}) {
            elsewhere.emulatorHost = QString::fromLatin1(host);
            QVERIFY2(!FirebaseSignIn::isUsable(elsewhere), host);
        }
        elsewhere.emulatorHost = u"localhost:9099"_s;
        QVERIFY(FirebaseSignIn::isUsable(elsewhere));
        elsewhere.emulatorHost.reset();
        QVERIFY(FirebaseSignIn::isUsable(elsewhere));
        elsewhere.apiKey.reset();
        QVERIFY(!FirebaseSignIn::isUsable(elsewhere));
    }

private:
    static QString passwordRoute() { return u"POST /identitytoolkit.googleapis.com/v1/accounts:signInWithPassword"_s; }
    static QString tokenRoute() { return u"POST /securetoken.googleapis.com/v1/token"_s; }
    static CannedReply firebaseError(const QByteArray &message)
    {
        return CannedReply::json({{u"error"_s,
                                   QJsonObject{{u"code"_s, 400}, {u"message"_s, QString::fromLatin1(message)}}}},
                                 400);
    }
    SignInOffer offer() const
    {
        return {.provider = LoginProvider::Firebase,
                .projectId = u"demo-companion"_s,
                .apiKey = u"web-key"_s,
                .emulatorHost = m_server->url().authority()};
    }
    void serveFirebase()
    {
        m_server->on(passwordRoute(),
                     CannedReply::json({{u"idToken"_s, u"id-token-1"_s}, {u"refreshToken"_s, u"refresh-1"_s}}));
        m_server->on(tokenRoute(),
                     CannedReply::json({{u"id_token"_s, u"id-token-2"_s}, {u"refresh_token"_s, u"refresh-2"_s}}));
    }

    std::unique_ptr<CannedServer> m_server;
    std::unique_ptr<ApiClient> m_client;
};

QTEST_GUILESS_MAIN(ClientTest)
#include "tst_Client.moc"
