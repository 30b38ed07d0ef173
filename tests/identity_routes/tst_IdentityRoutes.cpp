#include "api/Api.h"
#include "http/LocalRateLimiter.h"
#include "http/Server.h"
#include "identity/AccessKeys.h"
#include "identity/ApiKeyService.h"
#include "identity/IdentityRoutes.h"
#include "identity/SignInService.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSignalSpy>
#include <QTcpSocket>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;
using namespace std::chrono_literals;

namespace {

struct Answer
{
    int status = 0;
    QJsonObject json;
    QByteArray etag;
    QByteArray cacheControl;

    QString text(const QString &name) const { return json.value(name).toString(); }
    QString code() const { return text(u"code"_s); }
    QString pointer() const
    {
        return json.value("errors"_L1).toArray().at(0).toObject().value("pointer"_L1).toString();
    }
};

} // namespace

// The sign-in as a client meets it: real requests to a real server on a real database.
class TestIdentityRoutes : public QObject
{
    Q_OBJECT

    // Everything that a backend is made of, as far as signing in needs it.
    struct Backend
    {
        test::TestDatabase db;
        AccessTokens tokens{db.clock(), SigningKeys().load(db.operators())};
        AccessKeyProvider provider;
        SignInService signIn{tokens, {&provider}};
        http::Router router;
        http::LocalRateLimiter limiter;
        api::Api api;
        http::Server server{router};
        QStringList undeclared;
        quint16 port = 0;

        explicit Backend(IdentityOptions options, int signIn_perMinute = 10'000)
            : api(router, {db.appWorkers(), db.operatorWorkers(), db.operatorWorkers()}, tokens, limiter, hooks(),
                  {.signIn_perMinute = signIn_perMinute})
        {
            addIdentityRoutes(api, signIn, options);
            port = server.listen(QHostAddress::LocalHost, 0).value();
        }

        api::Hooks hooks()
        {
            return {.account =
                        [this](db::Session &session, const TokenClaims &claims) {
                            return AccountStore().account(session, claims, db.clock().now());
                        },
                    .chatQuota = [](db::Session &, const UserId &) -> Result<int> { return 60; },
                    .apiKey = [](db::Session &session,
                                 const QString &key) { return ApiKeyService().claims(session, key); },
                    .undeclared =
                        [this](const api::Endpoint &endpoint, int status) {
                            undeclared.append(endpoint.path + u' ' + QString::number(status));
                        }};
        }
    };

    std::unique_ptr<Backend> m_backend;
    QNetworkAccessManager m_network;
    int m_users = 0;

    Answer send(const char *method, const QString &path, const QJsonObject &body = {}, const QString &token = {},
                const QByteArray &ifMatch = {}, const QByteArray &raw = {})
    {
        QNetworkRequest request(QUrl(u"http://127.0.0.1:%1/api/v1/auth%2"_s.arg(m_backend->port).arg(path)));
        request.setRawHeader("User-Agent", "test/1");
        if (!body.isEmpty() || !raw.isEmpty())
            request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
        if (!token.isEmpty())
            request.setRawHeader("Authorization", "Bearer " + token.toLatin1());
        if (!ifMatch.isEmpty())
            request.setRawHeader("If-Match", ifMatch);
        const QByteArray sent = !raw.isEmpty() ? raw : body.isEmpty() ? QByteArray() : QJsonDocument(body).toJson();
        QNetworkReply *reply = m_network.sendCustomRequest(request, method, sent);
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(10'000);
        const Answer answer{reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                            QJsonDocument::fromJson(reply->readAll()).object(), reply->rawHeader("ETag"),
                            reply->rawHeader("Cache-Control")};
        reply->deleteLater();
        return answer;
    }
    Answer get(const QString &path, const QString &token) { return send("GET", path, {}, token); }

    Account makeUser(QList<Role> roles = {Role::User})
    {
        const QString email = u"user%1@example.org"_s.arg(++m_users);
        return *AccountStore().create(m_backend->db.operators(),
                                      {.displayName = u"Test"_s, .email = email, .roles = roles},
                                      m_backend->db.clock().now());
    }
    QString makeKey(const Account &account, std::optional<QList<Role>> roles = {})
    {
        return AccessKeys().create(m_backend->db.operators(), account.id(), roles).key;
    }
    Answer login(const QString &key)
    {
        return send("POST", u"/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, key}});
    }
    Answer refresh(const QString &token) { return send("POST", u"/refresh"_s, {{u"refresh_token"_s, token}}); }
    QString accessToken(const Account &account) { return login(makeKey(account)).text(u"access_token"_s); }

private Q_SLOTS:
    void initTestCase() { m_backend = std::make_unique<Backend>(IdentityOptions{.developmentAgeVerification = true}); }
    void cleanupTestCase() { m_backend.reset(); }
    void cleanup() { QCOMPARE(m_backend->undeclared, QStringList()); }

    void signing_in_gives_what_the_contract_says()
    {
        const Account ada = makeUser({Role::User, Role::Support});
        const Answer grant = login(makeKey(ada));
        QCOMPARE(grant.status, 200);
        QCOMPARE(grant.json.keys(),
                 (QStringList{u"access_token"_s, u"expires_in"_s, u"refresh_token"_s, u"token_type"_s, u"user"_s}));
        QCOMPARE(grant.json.value("expires_in"_L1).toInt(), 900);
        QCOMPARE(grant.cacheControl, "no-store");
        const QJsonObject user = grant.json.value("user"_L1).toObject();
        QCOMPARE(user.keys(),
                 (QStringList{u"age_verified"_s, u"created_at"_s, u"display_name"_s, u"email"_s, u"id"_s, u"locale"_s,
                              u"region"_s, u"roles"_s, u"tier"_s, u"tier_expires_at"_s}));
        QCOMPARE(get(u"/me"_s, grant.text(u"access_token"_s)).json, user);
    }

    void a_sign_in_is_refused_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("pointer");
        const auto row = [](const char *name, const char *body, int status, const char *code, const char *pointer) {
            QTest::newRow(name) << QByteArray(body).replace('\'', '"') << status << QString::fromLatin1(code)
                                << QString::fromLatin1(pointer);
        };
        row("unknown key", "{'provider':'access_key','token':'ak-companion-x'}", 401, "unauthenticated", "");
        row("firebase, not configured", "{'provider':'firebase','token':'x'}", 422, "invalid", "/provider");
        row("no such provider", "{'provider':'password','token':'x'}", 422, "invalid", "/provider");
        row("no token", "{'provider':'access_key'}", 422, "invalid", "/token");
        row("empty token", "{'provider':'access_key','token':''}", 422, "invalid", "/token");
        row("NUL in the token", "{'provider':'access_key','token':'a\\u0000b'}", 422, "invalid", "/token");
        row("an unknown field", "{'provider':'access_key','token':'x','admin':true}", 422, "invalid", "/admin");
        row("no JSON", "nonsense", 400, "malformed_request", "");
        row("a list", "[]", 400, "malformed_request", "");
    }
    void a_sign_in_is_refused()
    {
        QFETCH(QByteArray, body);
        const Answer answer = send("POST", u"/login"_s, {}, {}, {}, body);
        QTEST(answer.status, "status");
        QTEST(answer.code(), "code");
        QTEST(answer.pointer(), "pointer");
    }

    void refreshing_rotates_and_a_used_token_ends_the_device()
    {
        const Answer first = login(makeKey(makeUser()));
        const Answer second = refresh(first.text(u"refresh_token"_s));
        QCOMPARE(second.status, 200);
        QCOMPARE(get(u"/me"_s, second.text(u"access_token"_s)).status, 200);
        QCOMPARE(refresh(first.text(u"refresh_token"_s)).code(), u"unauthenticated"_s);
        QCOMPARE(refresh(second.text(u"refresh_token"_s)).code(), u"unauthenticated"_s); // it stayed ended
        QCOMPARE(get(u"/me"_s, second.text(u"access_token"_s)).code(), u"unauthenticated"_s);
    }

    void without_a_good_token_nothing_opens_data()
    {
        QTest::addColumn<QByteArray>("method");
        QTest::addColumn<QString>("path");
        for (const auto &[method, path] : {std::pair{"GET", "/me"},
                                           {"PATCH", "/me"},
                                           {"POST", "/logout"},
                                           {"GET", "/devices"},
                                           {"DELETE", "/devices/x"},
                                           {"GET", "/api-keys"},
                                           {"POST", "/api-keys"},
                                           {"DELETE", "/api-keys/x"},
                                           {"POST", "/age-verification"}})
            QTest::addRow("%s %s", method, path) << QByteArray(method) << QString::fromLatin1(path);
    }
    void without_a_good_token_nothing_opens()
    {
        QFETCH(QByteArray, method);
        QFETCH(QString, path);
        const QString key = ApiKeyService().create(m_backend->db.operators(), makeUser().id(), u"k"_s)->key;
        for (const QString &token : {QString(), u"nonsense"_s, key}) { // API keys are for /v1 alone
            const Answer answer = send(method.constData(), path, {{u"x"_s, 1}}, token);
            QCOMPARE(answer.status, 401);
            QCOMPARE(answer.code(), u"unauthenticated"_s);
        }
    }

    // Every credential at every door that is not its own.
    void no_credential_opens_anothers_door()
    {
        const Account ada = makeUser();
        const QString key = makeKey(ada);
        const Answer grant = login(key);
        const QString access = grant.text(u"access_token"_s), renewal = grant.text(u"refresh_token"_s);
        const QString apiKey = ApiKeyService().create(m_backend->db.operators(), ada.id(), u"k"_s)->key;
        for (const QString &bearer : {renewal, key, apiKey})
            QCOMPARE(get(u"/me"_s, bearer).code(), u"unauthenticated"_s);
        for (const QString &token : {access, key, apiKey})
            QCOMPARE(refresh(token).code(), u"unauthenticated"_s);
        for (const QString &token : {access, renewal, apiKey})
            QCOMPARE(login(token).code(), u"unauthenticated"_s);
        QCOMPARE(get(u"/me"_s, access).status, 200); // and nothing was ended by trying
        QCOMPARE(refresh(renewal).status, 200);
    }

    void a_token_counts_in_the_authorization_header_alone_data()
    {
        QTest::addColumn<QByteArray>("how");
        for (const char *how : {"GET /api/v1/auth/me?access_token=@ HTTP/1.1", "GET /api/v1/auth/me?token=@ HTTP/1.1",
                                "GET /api/v1/auth/me HTTP/1.1\r\nCookie: access_token=@",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Basic @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Token @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer@",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer x, Bearer @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer x @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer \"@\"",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer x\r\nAuthorization: Bearer @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nAuthorization: Bearer @\r\nAuthorization: Bearer x",
                                "GET /api/v1/auth/me HTTP/1.1\r\nProxy-Authorization: Bearer @",
                                "GET /api/v1/auth/me HTTP/1.1\r\nX-Access-Token: @"})
            QTest::newRow(how) << QByteArray(how);
    }
    void a_token_counts_in_the_authorization_header_alone()
    {
        QFETCH(QByteArray, how);
        const QByteArray token = accessToken(makeUser()).toLatin1();
        QTcpSocket socket;
        socket.connectToHost(QHostAddress::LocalHost, m_backend->port);
        socket.write(how.replace("@", token) + "\r\nHost: x\r\nConnection: close\r\n\r\n");
        QTRY_VERIFY(socket.bytesAvailable() > 12);
        const int status = socket.readAll().mid(9, 3).toInt();
        QVERIFY2(status == 401 || status == 422 || status == 400, QByteArray::number(status).constData());
    }

    void an_erased_users_token_is_worth_nothing()
    {
        const Account ada = makeUser();
        const Answer grant = login(makeKey(ada));
        m_backend->db.owner().script(
            u"UPDATE users SET status = 'erased', email = NULL, display_name = '' WHERE id = '%1'"_s.arg(
                ada.id().toString()));
        QCOMPARE(get(u"/me"_s, grant.text(u"access_token"_s)).code(), u"unauthenticated"_s);
        QCOMPARE(refresh(grant.text(u"refresh_token"_s)).code(), u"unauthenticated"_s);
    }

    void a_token_of_a_megabyte_is_refused_in_the_head_or_as_no_token()
    {
        QVERIFY(QList({0, 401, 431}).contains(get(u"/me"_s, QString(1'000'000, u'A')).status));
        QCOMPARE(refresh(QString(100'000, u'A')).status / 100, 4);
        QCOMPARE(get(u"/me"_s, accessToken(makeUser())).status, 200);
    }

    void an_expired_token_says_so()
    {
        const QString token = accessToken(makeUser());
        m_backend->db.clock().advance(900s);
        QCOMPARE(get(u"/me"_s, token).code(), u"token_expired"_s);
    }

    void a_suspended_user_is_stopped_at_once()
    {
        const Account ada = makeUser();
        const QString token = accessToken(ada);
        QCOMPARE(get(u"/me"_s, token).status, 200);
        QVERIFY(AccountStore().change(m_backend->db.operators(), ada.id(), {.status = UserStatus::Suspended},
                                      m_backend->db.clock().now()));
        const Answer answer = get(u"/me"_s, token);
        QCOMPARE(answer.status, 403);
        QCOMPARE(answer.code(), u"account_suspended"_s);
    }

    void signing_out_ends_this_device()
    {
        const Answer grant = login(makeKey(makeUser()));
        const QString token = grant.text(u"access_token"_s);
        QCOMPARE(send("POST", u"/logout"_s, {}, token).status, 204);
        QCOMPARE(get(u"/me"_s, token).code(), u"unauthenticated"_s);
        QCOMPARE(refresh(grant.text(u"refresh_token"_s)).code(), u"unauthenticated"_s);
    }

    void devices_are_ones_own()
    {
        const Account ada = makeUser(), bob = makeUser();
        const QString phone = accessToken(ada), laptop = accessToken(ada), bobs = accessToken(bob);
        const Answer list = get(u"/devices"_s, phone);
        QCOMPARE(list.json.value("total"_L1).toInt(), 2);
        QCOMPARE(list.json.value("has_more"_L1).toBool(true), false);
        QString other;
        for (const QJsonValue &device : list.json.value("items"_L1).toArray())
            if (!device["current"_L1].toBool())
                other = device["id"_L1].toString();
        QCOMPARE(send("DELETE", u"/devices/"_s + other, {}, bobs).status, 404);
        QCOMPARE(get(u"/me"_s, laptop).status, 200);
        QCOMPARE(send("DELETE", u"/devices/"_s + other, {}, phone).status, 204);
        QCOMPARE(get(u"/me"_s, laptop).status, 401);
        QCOMPARE(send("DELETE", u"/devices/"_s + other, {}, phone).status, 404);
        QCOMPARE(send("DELETE", u"/devices/nonsense"_s, {}, phone).status, 404);
        QCOMPARE(get(u"/devices?limit=0"_s, phone).code(), u"invalid"_s);
    }

    void a_profile_is_edited_against_its_etag()
    {
        const Account ada = makeUser({Role::User, Role::Admin});
        const QString token = login(makeKey(ada, QList{Role::User})).text(u"access_token"_s);
        const QByteArray etag = get(u"/me"_s, token).etag;
        QVERIFY(etag.startsWith('"'));
        const QJsonObject patch{{u"display_name"_s, u"Ada 👩"_s}, {u"region"_s, u"DE"_s}, {u"locale"_s, u"de-DE"_s}};
        QCOMPARE(send("PATCH", u"/me"_s, patch, token).status, 428);
        QCOMPARE(send("PATCH", u"/me"_s, patch, token, "\"9999\"").status, 412);
        const Answer changed = send("PATCH", u"/me"_s, patch, token, etag);
        QCOMPARE(changed.status, 200);
        QCOMPARE(changed.text(u"display_name"_s), u"Ada 👩"_s);
        QCOMPARE(changed.json.value("roles"_L1).toArray(), QJsonArray{u"user"_s}); // narrowed, as the key is
        QVERIFY(changed.etag != etag);
        QCOMPARE(changed.json, get(u"/me"_s, token).json);
        QCOMPARE(changed.etag, get(u"/me"_s, token).etag);
        QCOMPARE(send("PATCH", u"/me"_s, {{u"region"_s, u"FR"_s}}, token, etag).status, 412);
        QCOMPARE(send("PATCH", u"/me"_s, {{u"region"_s, u"FR"_s}}, token, "*").text(u"locale"_s), u"de-DE"_s);
    }

    void a_wrong_profile_is_refused_data()
    {
        QTest::addColumn<QJsonObject>("patch");
        QTest::addColumn<QString>("pointer");
        const auto row = [](const QString &name, const QJsonValue &value) {
            QTest::addRow("%s %s", qPrintable(name), qPrintable(value.toVariant().toString().left(20)))
                << QJsonObject{{name, value}} << QString(u'/' + name);
        };
        row(u"display_name"_s, u""_s);
        row(u"display_name"_s, QString(81, u'x'));
        row(u"display_name"_s, 5);
        row(u"region"_s, u"Germany"_s);
        row(u"region"_s, u"de"_s);
        row(u"locale"_s, u"english please"_s);
        row(u"locale"_s, QString(u"en"_s + u"-abcdefgh"_s.repeated(5)));
        row(u"email"_s, u"x@y"_s);
        row(u"roles"_s, QJsonArray{u"admin"_s});
        row(u"tier"_s, u"vip"_s);
    }
    void a_wrong_profile_is_refused()
    {
        QFETCH(QJsonObject, patch);
        const Answer answer = send("PATCH", u"/me"_s, patch, accessToken(makeUser()), "*");
        QCOMPARE(answer.status, 422);
        QTEST(answer.pointer(), "pointer");
    }

    void in_development_an_age_is_taken_on_trust_and_the_answer_says_so()
    {
        const QString token = accessToken(makeUser());
        QCOMPARE(get(u"/me"_s, token).json.value("age_verified"_L1), false);
        const Answer answer =
            send("POST", u"/age-verification"_s, {{u"method"_s, u"development"_s}, {u"reference"_s, u"x"_s}}, token);
        QCOMPARE(answer.status, 200);
        QCOMPARE(answer.json.value("age_verified"_L1), true);
        QCOMPARE(answer.text(u"method"_s), u"development"_s);
        QVERIFY(answer.text(u"notice"_s).contains(u"Development only"_s));
        QCOMPARE(get(u"/me"_s, token).json.value("age_verified"_L1), true);
        const Answer other =
            send("POST", u"/age-verification"_s, {{u"method"_s, u"passport"_s}, {u"reference"_s, u"x"_s}}, token);
        QCOMPARE(other.code(), u"invalid"_s);
    }

    void api_keys_are_shown_once()
    {
        const QString token = accessToken(makeUser()), others = accessToken(makeUser());
        const Answer made = send("POST", u"/api-keys"_s, {{u"name"_s, u"my script"_s}}, token);
        QCOMPARE(made.status, 201);
        QVERIFY(made.text(u"key"_s).startsWith(u"sk-companion-"_s));
        QCOMPARE(made.cacheControl, "no-store");
        const QJsonArray items = get(u"/api-keys"_s, token).json.value("items"_L1).toArray();
        QCOMPARE(items.size(), 1);
        QVERIFY(!items.at(0).toObject().contains("key"_L1));
        QCOMPARE(items.at(0)["prefix"_L1].toString(), made.text(u"key"_s).first(21));
        QCOMPARE(send("DELETE", u"/api-keys/"_s + made.text(u"id"_s), {}, others).status, 404);
        QVERIFY(ApiKeyService().claims(m_backend->db.operators(), made.text(u"key"_s)));
        QCOMPARE(send("DELETE", u"/api-keys/"_s + made.text(u"id"_s), {}, token).status, 204);
        QVERIFY(!ApiKeyService().claims(m_backend->db.operators(), made.text(u"key"_s)));
    }

    void in_production_no_age_is_taken_on_trust()
    {
        m_backend.reset();
        m_backend = std::make_unique<Backend>(IdentityOptions{});
        const QString token = accessToken(makeUser());
        const Answer answer =
            send("POST", u"/age-verification"_s, {{u"method"_s, u"development"_s}, {u"reference"_s, u"x"_s}}, token);
        QCOMPARE(answer.code(), u"invalid"_s);
        QCOMPARE(answer.pointer(), u"/method"_s);
        QCOMPARE(get(u"/me"_s, token).json.value("age_verified"_L1), false);
    }

    void guessing_is_slowed_by_address()
    {
        m_backend.reset();
        m_backend = std::make_unique<Backend>(IdentityOptions{}, 5);
        for (int i = 0; i < 5; ++i)
            QCOMPARE(login(u"ak-companion-guess"_s).status, 401);
        QCOMPARE(login(u"ak-companion-guess"_s).code(), u"rate_limited"_s);
        QCOMPARE(refresh(u"rt-companion-guess"_s).code(), u"rate_limited"_s); // one limit for both doors
    }
};

QTEST_GUILESS_MAIN(TestIdentityRoutes)
#include "tst_IdentityRoutes.moc"
