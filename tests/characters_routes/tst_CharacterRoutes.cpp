#include "api/Api.h"
#include "characters/CharacterRoutes.h"
#include "characters/CharacterService.h"
#include "http/LocalRateLimiter.h"
#include "http/Server.h"
#include "identity/AccessKeys.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "identity/SignInService.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QFile>
#include <QJsonDocument>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::characters;

// Characters as clients and operators meet them: real requests to a real server on a real database.
class TestCharacterRoutes : public QObject
{
    Q_OBJECT

    struct Backend
    {
        test::TestDatabase db;
        identity::AccessTokens tokens{db.clock(), identity::SigningKeys().load(db.operators())};
        identity::AccessKeyProvider provider;
        identity::SignInService signIn{tokens, {&provider}};
        identity::AuditLog audit;
        CharacterService characters;
        http::Router router;
        http::LocalRateLimiter limiter;
        api::Api api;
        http::Server server{router};
        QStringList undeclared;
        quint16 port = 0;

        Backend()
            : api(router, {db.appWorkers(), db.operatorWorkers(), db.operatorWorkers()}, tokens, limiter, hooks(), {})
        {
            addCharacterRoutes(api, characters, audit);
            port = server.listen(QHostAddress::LocalHost, 0).value();
        }
        api::Hooks hooks()
        {
            return {.account =
                        [this](db::Session &session, const identity::TokenClaims &claims) {
                            return identity::AccountStore().account(session, claims, db.clock().now());
                        },
                    .chatQuota = [](db::Session &, const UserId &) -> Result<int> { return 60; },
                    .apiKey = [](db::Session &, const QString &) -> Result<identity::TokenClaims> {
                        return refuse(ErrorCode::Unauthenticated, {});
                    },
                    .undeclared =
                        [this](const api::Endpoint &endpoint, int status) {
                            undeclared.append(endpoint.path + u' ' + QString::number(status));
                        }};
        }
    };
    struct Answer
    {
        int status = 0;
        QByteArray body;
        QByteArray etag;
        QByteArray cacheControl;
        QByteArray contentType;

        QJsonObject json() const { return QJsonDocument::fromJson(body).object(); }
        QString text(const QString &name) const { return json().value(name).toString(); }
    };

    std::unique_ptr<Backend> m_backend;
    QNetworkAccessManager m_network;
    QHash<Role, QString> m_tokens;

    QString tokenOf(Role role)
    {
        QString &token = m_tokens[role];
        if (token.isEmpty()) {
            auto &db = m_backend->db.operators();
            const auto account = identity::AccountStore().create(
                db, {.displayName = u"Op"_s, .email = toText(role) + u"@example.org"_s, .roles = {Role::User, role}},
                m_backend->db.clock().now());
            const QString key = identity::AccessKeys().create(db, account->id(), {}).key;
            token = m_backend->signIn.login(db, {.provider = LoginProvider::AccessKey, .token = key}, u"test"_s)
                        ->accessToken;
        }
        return token;
    }
    Answer send(const char *method, const QString &path, std::optional<Role> role = {}, const QByteArray &body = {},
                const QByteArray &ifMatch = {}, const QByteArray &ifNoneMatch = {})
    {
        QNetworkRequest request(QUrl(u"http://127.0.0.1:%1/api/v1%2"_s.arg(m_backend->port).arg(path)));
        if (!body.isEmpty())
            request.setHeader(QNetworkRequest::ContentTypeHeader, body[0] == '{' ? "application/json" : "image/png");
        if (role)
            request.setRawHeader("Authorization", "Bearer " + tokenOf(*role).toLatin1());
        if (!ifMatch.isEmpty())
            request.setRawHeader("If-Match", ifMatch);
        if (!ifNoneMatch.isEmpty())
            request.setRawHeader("If-None-Match", ifNoneMatch);
        QNetworkReply *reply = m_network.sendCustomRequest(request, method, body);
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(10'000);
        const Answer answer{reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), reply->readAll(),
                            reply->rawHeader("ETag"), reply->rawHeader("Cache-Control"),
                            reply->rawHeader("Content-Type")};
        reply->deleteLater();
        return answer;
    }
    static QByteArray personaBody(const QString &name = u"Ada"_s)
    {
        Persona persona;
        persona.name = name;
        persona.systemPrompt = u"SECRET prompt"_s;
        return QJsonDocument(toJson(persona)).toJson();
    }
    static QByteArray newBody(const QString &slug)
    {
        NewCharacter wanted;
        wanted.slug = slug;
        wanted.persona.name = u"Ada"_s;
        wanted.persona.systemPrompt = u"SECRET prompt"_s;
        return QJsonDocument(toJson(wanted)).toJson();
    }

private Q_SLOTS:
    void init()
    {
        m_tokens.clear();
        m_backend = std::make_unique<Backend>();
        db::Transaction transaction(m_backend->db.operators());
        installSampleCharacters(m_backend->db.operators());
        transaction.commit();
    }
    void cleanup()
    {
        QCOMPARE(m_backend->undeclared, QStringList());
        m_backend.reset();
    }

    void anybody_reads_the_published_ones_and_no_prompt()
    {
        const Answer list = send("GET", u"/config/characters"_s);
        QCOMPARE(list.status, 200);
        QCOMPARE(list.json().value("total"_L1).toInt(), 6);
        QVERIFY(list.cacheControl.startsWith("public"));
        QVERIFY(!list.body.contains("prompt"));
        const QJsonObject aria = send("GET", u"/config/characters/aria"_s).json();
        QCOMPARE(aria.keys(),
                 (QStringList{u"avatar_url"_s, u"description"_s, u"greeting"_s, u"id"_s, u"modes"_s, u"name"_s,
                              u"price_multiplier"_s, u"slug"_s, u"tagline"_s, u"tags"_s, u"traits"_s}));
        QCOMPARE(send("GET", u"/config/characters/"_s + aria.value("id"_L1).toString()).json(), aria);
        QCOMPARE(send("GET", u"/config/characters/nobody"_s).status, 404);
        QCOMPARE(send("GET", u"/config/characters?mode=spicy&limit=2"_s).json().value("total"_L1).toInt(), 5);
        QCOMPARE(send("GET", u"/config/characters?mode=loud"_s).status, 422);
        QCOMPARE(send("GET", u"/config/characters?colour=red"_s).status, 422);
    }

    void a_client_that_has_it_is_told_so()
    {
        for (const QString &path :
             {u"/config/characters"_s, u"/config/characters/aria"_s, u"/config/characters/aria/avatar"_s}) {
            const Answer first = send("GET", path);
            QVERIFY(!first.etag.isEmpty());
            const Answer second = send("GET", path, {}, {}, {}, "\"other\", " + first.etag);
            QCOMPARE(second.status, 304);
            QVERIFY(second.body.isEmpty());
            QCOMPARE(second.etag, first.etag);
            QCOMPARE(send("GET", path, {}, {}, {}, "\"other\"").status, 200);
        }
    }

    void the_picture_of_avatar_url_is_kept_for_long()
    {
        const QString url = send("GET", u"/config/characters/aria"_s).text(u"avatar_url"_s);
        const Answer picture = send("GET", url.mid(QStringLiteral("/api/v1").size()));
        QCOMPARE(picture.status, 200);
        QCOMPARE(picture.contentType, "image/png");
        QVERIFY(picture.body.startsWith("\x89PNG"));
        QVERIFY(picture.cacheControl.contains("immutable"));
        QVERIFY(!send("GET", u"/config/characters/aria/avatar?v=old"_s).cacheControl.contains("immutable"));
    }

    void a_draft_goes_its_way_to_the_public_and_back()
    {
        const Answer made = send("POST", u"/admin/characters"_s, Role::Qa, newBody(u"ada"_s));
        QCOMPARE(made.status, 201);
        const QString path = u"/admin/characters/"_s + made.text(u"id"_s);
        QCOMPARE(send("GET", u"/config/characters/ada"_s).status, 404);
        QCOMPARE(send("PUT", path, Role::Qa, personaBody()).status, 428);
        const Answer edited = send("PUT", path, Role::Qa, personaBody(u"Ada L."_s), made.etag);
        QCOMPARE(edited.status, 200);
        QCOMPARE(send("PUT", path, Role::Qa, personaBody(u"Late"_s), made.etag).status, 412);
        const Answer published = send("POST", path + u"/publish"_s, Role::Admin, {}, edited.etag);
        QCOMPARE(published.status, 200);
        QCOMPARE(send("GET", u"/config/characters/ada"_s).text(u"name"_s), u"Ada L."_s);
        QCOMPARE(send("POST", path + u"/publish"_s, Role::Admin, "{\"reason\":\"again\"}", published.etag).status, 409);
        const Answer again = send("PUT", path, Role::Qa, personaBody(u"Ada Two"_s), published.etag);
        const Answer second = send("POST", path + u"/publish"_s, Role::Admin, "{\"reason\":\"better\"}", again.etag);
        const Answer back =
            send("POST", path + u"/rollback"_s, Role::Admin, "{\"version\":1,\"reason\":\"worse\"}", second.etag);
        QCOMPARE(back.status, 200);
        QCOMPARE(send("GET", u"/config/characters/ada"_s).text(u"name"_s), u"Ada L."_s);
        QCOMPARE(send("GET", path + u"/versions"_s, Role::Viewer).json().value("total"_L1).toInt(), 3);
        const Answer archived = send("DELETE", path, Role::Admin, {}, back.etag);
        QCOMPARE(archived.text(u"status"_s), u"archived"_s);
        QCOMPARE(send("GET", u"/config/characters/ada"_s).status, 404);
        QCOMPARE(send("POST", path + u"/restore"_s, Role::Admin, {}, archived.etag).status, 200);
        QCOMPARE(send("GET", u"/config/characters/ada"_s).status, 200);

        QStringList acts;
        const auto log = m_backend->audit.list(m_backend->db.operators(), {}, {.limit = 50});
        for (const auto &record : log->items) {
            acts.prepend(record.act);
            QVERIFY(!QJsonDocument(record.after.value_or(QJsonObject())).toJson().contains("SECRET"));
        }
        acts.removeIf([](const QString &act) { return !act.startsWith(u"character."_s); });
        QCOMPARE(acts,
                 (QStringList{u"character.create"_s, u"character.edit"_s, u"character.publish"_s, u"character.edit"_s,
                              u"character.publish"_s, u"character.rollback"_s, u"character.archive"_s,
                              u"character.restore"_s}));
    }

    void a_picture_is_checked_by_what_it_is()
    {
        const Answer made = send("POST", u"/admin/characters"_s, Role::Qa, newBody(u"ada"_s));
        const QString path = u"/admin/characters/%1/avatar"_s.arg(made.text(u"id"_s));
        QFile file(u":/companion/characters/sol.png"_s);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray picture = file.readAll();
        QCOMPARE(send("GET", path, Role::Viewer).status, 404);
        QCOMPARE(send("PUT", path, Role::Qa, "<svg/>", made.etag).status, 415);
        const Answer set = send("PUT", path, Role::Qa, picture, made.etag);
        QCOMPARE(set.status, 200);
        QVERIFY(set.text(u"avatar_url"_s).startsWith(u"/api/v1/admin/"_s));
        QCOMPARE(send("GET", path, Role::Viewer).body, picture);
        QCOMPARE(send("GET", u"/config/characters/ada/avatar"_s).status, 404);
    }

    void each_role_does_what_the_table_says()
    {
        const QString id = send("GET", u"/config/characters/aria"_s).text(u"id"_s);
        const QString path = u"/admin/characters/"_s + id;
        for (const Role role : {Role::Admin, Role::Qa, Role::Support, Role::Finance, Role::Viewer}) {
            QCOMPARE(send("GET", u"/admin/characters"_s, role).status, 200);
            QCOMPARE(send("GET", path, role).status, 200);
        }
        for (const Role role : {Role::Support, Role::Finance, Role::Viewer, Role::User}) {
            QCOMPARE(send("POST", u"/admin/characters"_s, role, newBody(u"x"_s)).status, 403);
            QCOMPARE(send("PUT", path, role, personaBody(), "*").status, 403);
        }
        for (const Role role : {Role::Qa, Role::Support, Role::Finance, Role::Viewer, Role::User}) {
            QCOMPARE(send("POST", path + u"/publish"_s, role, {}, "*").status, 403);
            QCOMPARE(send("DELETE", path, role, {}, "*").status, 403);
        }
        QCOMPARE(send("GET", path, Role::User).status, 403);
        QCOMPARE(send("GET", path).status, 401);
    }
};

QTEST_GUILESS_MAIN(TestCharacterRoutes)
#include "tst_CharacterRoutes.moc"
