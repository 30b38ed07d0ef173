#include "api/Api.h"
#include "fakes/FakeFirebase.h"
#include "http/LocalRateLimiter.h"
#include "http/Server.h"
#include "identity/AccessKeys.h"
#include "identity/AuditLog.h"
#include "identity/FirebaseProvider.h"
#include "identity/IdentityRoutes.h"
#include "identity/SignInService.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSignalSpy>
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
    QString text(const char *name) const { return json.value(QLatin1StringView(name)).toString(); }
    QString code() const { return text("code"); }
    QString userId() const { return json.value("user"_L1).toObject().value("id"_L1).toString(); }
    QString email() const { return json.value("user"_L1).toObject().value("email"_L1).toString(); }
};

} // namespace

// Sign-in with Firebase as a client meets it: a real issuer with keys that come and go, a real server, a real database.
class TestFirebaseSignIn : public QObject
{
    Q_OBJECT

    struct Backend
    {
        test::TestDatabase db;
        AccessTokens tokens{db.clock(), SigningKeys().load(db.operators())};
        AccessKeyProvider accessKeys;
        jose::PublishedCertificates certificates;
        FirebaseProvider firebase;
        SignInService signIn{tokens, {&accessKeys}};
        http::Router router;
        http::LocalRateLimiter limiter;
        api::Api api;
        http::Server server{router};
        QStringList undeclared;
        quint16 port = 0;

        explicit Backend(const test::FakeFirebase &issuer)
            : certificates(db.clock(), {.url = issuer.url(), .timeout_ms = 1'000, .firstRetry_ms = 60'000})
            , firebase(issuer.project(), &certificates)
            , api(router, {db.appWorkers(), db.operatorWorkers(), db.operatorWorkers()}, tokens, limiter, hooks(),
                  {.signIn_perMinute = 10'000})
        {
            signIn.offer(firebase);
            addIdentityRoutes(
                api, signIn,
                {.offers = {{},
                            {.provider = LoginProvider::Firebase, .projectId = issuer.project(), .apiKey = u"k"_s}}});
            port = server.listen(QHostAddress::LocalHost, 0).value();
        }
        api::Hooks hooks()
        {
            return {.account =
                        [this](db::Session &session, const TokenClaims &claims) {
                            return AccountStore().account(session, claims, db.clock().now());
                        },
                    .chatQuota = [](db::Session &, const UserId &) -> Result<int> { return 60; },
                    .apiKey = [](db::Session &, const QString &) -> Result<TokenClaims> {
                        return refuse(ErrorCode::Unauthenticated, {});
                    },
                    .undeclared =
                        [this](const api::Endpoint &endpoint, int status) {
                            undeclared.append(endpoint.path + u' ' + QString::number(status));
                        }};
        }
    };

    test::FakeFirebase m_issuer;
    std::unique_ptr<Backend> m_backend;
    QNetworkAccessManager m_network;
    int m_people = 0;

    QNetworkReply *send(const QString &path, const QJsonObject &body)
    {
        QNetworkRequest request(QUrl(u"http://127.0.0.1:%1/api/v1/auth%2"_s.arg(m_backend->port).arg(path)));
        request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
        return body.isEmpty() ? m_network.get(request) : m_network.post(request, QJsonDocument(body).toJson());
    }
    static Answer answerOf(QNetworkReply *reply)
    {
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(10'000);
        reply->deleteLater();
        return {reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                QJsonDocument::fromJson(reply->readAll()).object()};
    }
    static QJsonObject loginBody(const QByteArray &token)
    {
        return {{u"provider"_s, u"firebase"_s}, {u"token"_s, QString::fromLatin1(token)}};
    }
    Answer login(const QByteArray &token) { return answerOf(send(u"/login"_s, loginBody(token))); }
    Answer refresh(const Answer &grant)
    {
        return answerOf(send(u"/refresh"_s, {{u"refresh_token"_s, grant.text("refresh_token")}}));
    }
    QJsonObject claims(const QString &uid, const QJsonObject &more = {})
    {
        QJsonObject all = m_issuer.claims(now().toSecsSinceEpoch());
        all.insert(u"sub"_s, uid);
        all.insert(u"email"_s, QString(uid + u"@example.org"_s));
        for (auto it = more.begin(); it != more.end(); ++it)
            all.insert(it.key(), it.value());
        return all;
    }
    QByteArray token(const QString &uid, const QJsonObject &more = {})
    {
        return m_issuer.token(u"key-1"_s, claims(uid, more));
    }
    QDateTime now() { return m_backend->db.clock().now(); }
    Account makeUser(const QString &email, QList<Role> roles = {Role::User})
    {
        return *AccountStore().create(m_backend->db.operators(),
                                      {.displayName = u"Test"_s, .email = email, .roles = roles}, now());
    }
    QString fresh() { return u"person%1"_s.arg(++m_people); }

private Q_SLOTS:
    void initTestCase()
    {
        m_issuer.addKey(u"key-1"_s);
        m_backend = std::make_unique<Backend>(m_issuer);
    }
    void cleanup()
    {
        QCOMPARE(m_backend->undeclared, QStringList());
        m_issuer.listening = true;
        m_issuer.delay_ms = 0;
        m_backend->db.clock().advance(1h); // no test stands in another's rate or token
    }
    void cleanupTestCase() { m_backend.reset(); }

    void the_first_sign_in_makes_the_user_and_the_next_finds_it()
    {
        const QString ada = fresh();
        const Answer first = login(token(ada));
        QCOMPARE(first.status, 200);
        QCOMPARE(first.email(), QString(ada + u"@example.org"_s));
        QCOMPARE(first.json["user"_L1]["display_name"_L1].toString(), u"Ada"_s);
        QCOMPARE(first.json["user"_L1]["tier"_L1].toString(), u"free"_s);
        QCOMPARE(login(token(ada)).userId(), first.userId());
        QVERIFY(login(token(fresh())).userId() != first.userId());
        QCOMPARE(refresh(first).status, 200);
    }

    void offers_name_what_a_client_needs()
    {
        const Answer offers = answerOf(send(u"/providers"_s, {}));
        QCOMPARE(offers.status, 200);
        QCOMPARE(offers.json["items"_L1].toArray().size(), 2);
        QCOMPARE(offers.json["items"_L1][1]["project_id"_L1].toString(), m_issuer.project());
        QCOMPARE(offers.json["items"_L1][1]["api_key"_L1].toString(), u"k"_s);
        QVERIFY(!offers.json["items"_L1][1].toObject().contains("emulator_host"_L1));
    }

    void whatever_is_wrong_is_said_alike()
    {
        const QString ada = fresh();
        for (const QByteArray &bad :
             {QByteArray("x"), QByteArray("a.b.c"), token(ada).chopped(3), token(ada, {{u"aud"_s, u"other"_s}}),
              token(ada, {{u"exp"_s, 5}}), test::FakeFirebase::unsignedToken(claims(ada)), QByteArray(16'000, 'A')}) {
            const Answer answer = login(bad);
            QCOMPARE(answer.status, 401);
            QCOMPARE(answer.code(), u"unauthenticated"_s);
            QCOMPARE(answer.text("detail"), u"The Firebase ID token is not valid; get a fresh one and try again."_s);
        }
        QCOMPARE(login(QByteArray(16'385, 'A')).status, 422);
        QCOMPARE(login(QByteArray(1'000'000, 'A')).status / 100, 4);
    }

    // Each row: an account that is there, what the token says, and whether it joins.
    void who_joins_an_account_data()
    {
        QTest::addColumn<QJsonObject>("said");
        QTest::addColumn<bool>("joins");
        const auto row = [](const char *name, const QJsonObject &said, bool joins) {
            QTest::newRow(name) << said << joins;
        };
        row("a proven address", {}, true);
        row("in other letters' case", {{u"email"_s, u"TARGET@Example.ORG"_s}}, true);
        row("an unproven one", {{u"email_verified"_s, false}}, false);
        row("nothing said of proof", {{u"email_verified"_s, QJsonValue::Null}}, false);
        row("proof as text", {{u"email_verified"_s, u"true"_s}}, false);
        row("proof as a number", {{u"email_verified"_s, 1}}, false);
        row("a tenant's proof", {{u"firebase"_s, QJsonObject{{u"tenant"_s, u"acme"_s}}}}, false);
        row("a letter that folds into another", {{u"email"_s, u"tar\u0261et@example.org"_s}}, false);
        row("the Kelvin sign", {{u"email"_s, u"target@example.or\u212a"_s}}, false);
        row("a blank before it", {{u"email"_s, u" target@example.org"_s}}, false);
        row("a line break after it", {{u"email"_s, u"target@example.org\n"_s}}, false);
        row("two addresses", {{u"email"_s, u"target@example.org,a@b"_s}}, false);
        row("another address", {{u"email"_s, u"target@example.com"_s}}, false);
        row("no address", {{u"email"_s, QJsonValue::Null}}, false);
        row("a list", {{u"email"_s, QJsonArray{u"target@example.org"_s}}}, false);
    }
    void who_joins_an_account()
    {
        QFETCH(QJsonObject, said);
        m_backend->db.owner().script(u"DELETE FROM firebase_identities; UPDATE users SET email = NULL"_s);
        const Account target = makeUser(u"target@example.org"_s, {Role::User, Role::Support});
        QJsonObject all{{u"email"_s, u"target@example.org"_s}};
        for (auto it = said.begin(); it != said.end(); ++it)
            all.insert(it.key(), it.value());
        const Answer grant = login(token(fresh(), all));
        QCOMPARE(grant.status, 200);
        QTEST(grant.userId() == target.id().toString(), "joins");
        if (grant.userId() != target.id().toString()) {
            QCOMPARE(grant.json["user"_L1]["roles"_L1].toArray(), QJsonArray{u"user"_s});
            QVERIFY(grant.email() != u"target@example.org"_s);
        }
    }

    void joining_is_in_the_audit_log()
    {
        const QString uid = fresh();
        const Account bob = makeUser(uid + u"@example.org"_s);
        QCOMPARE(login(token(uid)).userId(), bob.id().toString());
        QCOMPARE(login(token(uid)).status, 200);
        const auto records = AuditLog().list(m_backend->db.operators(),
                                             {.act = u"user.join_firebase"_s, .target = auditTarget(bob.id())}, {});
        QCOMPARE(records->items.size(), 1);
    }

    // Who signs up with somebody else's address and waits for them: they must not meet in one account.
    void an_account_is_not_prepared_for_the_owner_of_an_address()
    {
        const QString thief = fresh(), owner = fresh();
        const QJsonObject address{{u"email"_s, u"victim@example.org"_s}};
        QJsonObject unproven = address;
        unproven.insert(u"email_verified"_s, false);
        const Answer prepared = login(token(thief, unproven));
        QCOMPARE(prepared.email(), QString());
        const Answer grant = login(token(owner, address));
        QVERIFY(grant.userId() != prepared.userId());
        QCOMPARE(grant.email(), u"victim@example.org"_s);
        QCOMPARE(login(token(thief, unproven)).userId(), prepared.userId());
    }

    void an_address_that_one_user_of_firebase_joined_by_is_not_joined_by_the_next()
    {
        const QString first = fresh(), second = fresh();
        const QJsonObject address{{u"email"_s, u"passed-on@example.org"_s}};
        const Answer one = login(token(first, address)), other = login(token(second, address));
        QCOMPARE(other.status, 200);
        QVERIFY(one.userId() != other.userId());
        QCOMPARE(other.email(), QString());
    }

    void an_address_proven_later_is_taken_over_once_it_is_free()
    {
        const QString ada = fresh();
        QCOMPARE(login(token(ada, {{u"email_verified"_s, false}})).email(), QString());
        const Answer grant = login(token(ada));
        QCOMPARE(grant.email(), QString(ada + u"@example.org"_s));
        QCOMPARE(login(token(ada, {{u"email"_s, u"new@example.org"_s}})).email(), grant.email()); // the first stays
        const QString late = fresh();
        QCOMPARE(login(token(late, {{u"email_verified"_s, false}, {u"email"_s, grant.email()}})).email(), QString());
        QCOMPARE(login(token(late, {{u"email"_s, grant.email()}})).email(), QString()); // another's
    }

    void first_sign_ins_at_the_same_moment_are_one_user()
    {
        const QByteArray one = token(fresh());
        QList<QNetworkReply *> replies;
        for (int i = 0; i < 16; ++i)
            replies.append(send(u"/login"_s, loginBody(one)));
        QSet<QString> users;
        for (QNetworkReply *reply : replies) {
            const Answer answer = answerOf(reply);
            QCOMPARE(answer.status, 200);
            users.insert(answer.userId());
        }
        QCOMPARE(users.size(), 1);
    }

    void a_suspended_user_gets_in_by_no_door_and_an_erased_one_as_somebody_new()
    {
        const QString ada = fresh();
        const Answer grant = login(token(ada));
        const UserId id = *UserId::parse(grant.userId());
        QVERIFY(AccountStore().change(m_backend->db.operators(), id, {.status = UserStatus::Suspended}, now()));
        QCOMPARE(login(token(ada)).code(), u"account_suspended"_s);
        QCOMPARE(refresh(grant).code(), u"account_suspended"_s);
        // Not by another Firebase user with the same address either.
        m_backend->db.owner().script(u"DELETE FROM firebase_identities"_s);
        QCOMPARE(login(token(fresh(), {{u"email"_s, grant.email()}})).code(), u"account_suspended"_s);
        m_backend->db.owner().script(
            u"UPDATE users SET status = 'erased', email = NULL, display_name = '' WHERE id = '%1'"_s.arg(
                grant.userId()));
        const Answer again = login(token(ada));
        QCOMPARE(again.status, 200);
        QVERIFY(again.userId() != grant.userId());
        QCOMPARE(refresh(grant).code(), u"unauthenticated"_s);
    }

    // Google takes a user's tokens away by giving no new ones: here that shows after thirty days at the latest.
    void a_device_comes_back_for_a_fresh_id_token_after_thirty_days()
    {
        const QString ada = fresh();
        Answer grant = login(token(ada));
        for (int day = 0; day < 29; ++day) {
            m_backend->db.clock().advance(24h);
            grant = refresh(grant);
            QCOMPARE(grant.status, 200);
        }
        m_backend->db.clock().advance(24h);
        QCOMPARE(refresh(grant).code(), u"unauthenticated"_s);
        QCOMPARE(login(token(ada)).status, 200);
    }

    void a_key_that_google_has_just_begun_to_use_is_fetched_while_the_client_waits()
    {
        m_issuer.addKey(u"key-new"_s);
        m_issuer.delay_ms = 300;
        const QByteArray byNew = m_issuer.token(u"key-new"_s, claims(fresh()));
        const int before = m_issuer.asked();
        QList<QNetworkReply *> replies;
        for (int i = 0; i < 5; ++i)
            replies.append(send(u"/login"_s, loginBody(byNew)));
        for (QNetworkReply *reply : replies)
            QCOMPARE(answerOf(reply).status, 200);
        QCOMPARE(m_issuer.asked() - before, 1);
    }

    void forged_key_ids_do_not_make_us_a_weapon_against_google()
    {
        const int before = m_issuer.asked();
        for (int i = 0; i < 30; ++i)
            QCOMPARE(login(m_issuer.sign(test::FakeFirebase::header(u"forged-%1"_s.arg(i)),
                                         QJsonDocument(claims(u"x"_s)).toJson(), u"key-1"_s))
                         .status,
                     401);
        QCOMPARE(m_issuer.asked() - before, 1);
    }

    void while_google_is_away_known_keys_serve_on_and_unknown_ones_are_told_to_come_later()
    {
        QCOMPARE(login(token(fresh())).status, 200);
        m_backend->db.clock().advance(24h * 3);
        m_issuer.listening = false;
        m_issuer.addKey(u"key-unseen"_s);
        QCOMPARE(login(token(fresh())).status, 200);
        const Answer later = login(m_issuer.token(u"key-unseen"_s, claims(fresh())));
        QCOMPARE(later.status, 503);
        QCOMPARE(later.code(), u"not_ready"_s);
        QCOMPARE(login("x").status, 401); // what is no token at all is told so
    }

    void a_silent_google_holds_nobody_longer_than_the_limit()
    {
        m_issuer.delay_ms = -1;
        QElapsedTimer waited;
        waited.start();
        QCOMPARE(login(m_issuer.sign(test::FakeFirebase::header(u"key-silent"_s),
                                     QJsonDocument(claims(u"x"_s)).toJson(), u"key-1"_s))
                     .status,
                 503);
        QVERIFY(waited.elapsed() < 3'000);
        const Answer other = login(token(fresh())); // and others not at all
        QCOMPARE(other.status, 200);
    }
};

QTEST_GUILESS_MAIN(TestFirebaseSignIn)
#include "tst_FirebaseSignIn.moc"
