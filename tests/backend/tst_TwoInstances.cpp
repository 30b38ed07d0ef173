// Two backend processes on one database: whoever is signed in at one is so at the other, and whoever is stopped at one
// is stopped at the other.

#include "backend/BackendProcess.h"
#include "identity/AccessTokens.h"
#include "identity/SigningKeys.h"
#include "support/TestDatabase.h"

#include <QElapsedTimer>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;
using Answer = BackendProcess::Answer;

class TwoInstances : public QObject
{
    Q_OBJECT

    struct SignedIn
    {
        QString key;
        QByteArray access;
        QString refresh;
    };

private Q_SLOTS:
    void initTestCase()
    {
        for (auto &instance : m_instances) {
            instance = std::make_unique<BackendProcess>(QStringLiteral(COMPANION_BACKEND), m_database.ownerTarget());
            QVERIFY(instance->start());
        }
    }
    // What was handed out must not be in what was written down, at any level.
    void cleanupTestCase()
    {
        for (auto &instance : m_instances)
            instance->stop();
        const QByteArray log = a().log() + b().log();
        QVERIFY(log.size() > 10'000);
        QVERIFY(m_secrets.size() > 20);
        for (const QByteArray &secret : std::as_const(m_secrets))
            QVERIFY2(!log.contains(secret), secret.constData());
        QVERIFY(!log.contains("Bearer "));
        m_instances = {};
    }

    void a_sign_in_at_one_counts_at_the_other()
    {
        const auto ada = signIn(a());
        QCOMPARE(b().ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 200);
        const auto next = refresh(b(), ada.refresh);
        QCOMPARE(next.status, 200);
        QCOMPARE(a().ask("GET", u"/api/v1/auth/me"_s, {}, next.text("access_token").toLatin1()).status, 200);
    }

    void a_used_refresh_token_ends_the_family_at_both()
    {
        const auto ada = signIn(a());
        const auto next = refresh(a(), ada.refresh);
        QCOMPARE(refresh(b(), ada.refresh).status, 401);
        for (BackendProcess *instance : both()) {
            QCOMPARE(instance->ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 401);
            QCOMPARE(instance->ask("GET", u"/api/v1/auth/me"_s, {}, next.text("access_token").toLatin1()).status, 401);
            QCOMPARE(refresh(*instance, next.text("refresh_token")).status, 401);
        }
    }

    void of_sixteen_refreshes_at_both_one_wins_and_the_family_ends()
    {
        for (int round = 0; round < 5; ++round) {
            const auto ada = signIn(a());
            QList<QNetworkReply *> replies;
            for (int i = 0; i < 16; ++i)
                replies.append(
                    both().at(i % 2)->send("POST", u"/api/v1/auth/refresh"_s, {{u"refresh_token"_s, ada.refresh}}));
            int won = 0, lost = 0;
            QString winner;
            for (QNetworkReply *reply : replies) {
                const Answer answer = BackendProcess::answerOf(reply);
                won += answer.status == 200;
                lost += answer.status == 401;
                if (answer.status == 200)
                    winner = keep(answer.text("refresh_token"));
            }
            QCOMPARE(won, 1);
            QCOMPARE(lost, 15);
            QCOMPARE(refresh(a(), winner).status, 401);
            QCOMPARE(b().ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 401);
        }
    }

    void a_suspended_user_is_stopped_at_every_door_of_both()
    {
        const QString email = freshEmail();
        const auto ada = signIn(a(), email);
        const QString apiKey =
            keep(a().ask("POST", u"/api/v1/auth/api-keys"_s, {{u"name"_s, u"k"_s}}, ada.access).text("key"));
        const QString session =
            a().ask("POST", u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}}, ada.access).text("id");
        const QJsonObject chat{{u"session_id"_s, session}, {u"message"_s, u"Hello"_s}};
        const QString message = a().ask("POST", u"/api/v1/chat/completions"_s, chat, ada.access)
                                    .json()[u"companion"_s][u"message_id"]
                                    .toString();
        QVERIFY(!message.isEmpty());
        // One reply is on its way while the suspension comes.
        QNetworkReply *running =
            a().send("POST", u"/api/v1/chat/stream"_s,
                     {{u"session_id"_s, session}, {u"message"_s, u"[[rehearse: slow 20s]] Hello"_s}}, ada.access);
        QTRY_VERIFY(!running->rawHeader("X-Message-Id").isEmpty());
        const QString underWay = QString::fromLatin1(running->rawHeader("X-Message-Id"));

        const auto doors = [&] {
            QList<std::pair<QString, std::function<Answer(BackendProcess &)>>> all;
            const auto door = [&](const QByteArray &method, const QString &path, const QJsonObject &body,
                                  const QByteArray &bearer) {
                all.append({QString::fromLatin1(method) + u' ' + path,
                            [=](BackendProcess &instance) { return instance.ask(method, path, body, bearer); }});
            };
            const QJsonObject openAi{{u"model"_s, u"aria"_s},
                                     {u"messages"_s,
                                      QJsonArray{QJsonObject{{u"role"_s, u"user"_s}, {u"content"_s, u"Hello"_s}}}}};
            door("GET", u"/api/v1/auth/me"_s, {}, ada.access);
            door("GET", u"/api/v1/wallet/balance"_s, {}, ada.access);
            door("GET", u"/api/v1/chat/sessions"_s, {}, ada.access);
            door("POST", u"/api/v1/chat/quote"_s, chat, ada.access);
            door("POST", u"/api/v1/chat/completions"_s, chat, ada.access);
            door("POST", u"/api/v1/chat/stream"_s, chat, ada.access);
            door("GET", u"/api/v1/chat/stream/"_s + message, {}, ada.access);
            door("GET", u"/api/v1/chat/stream/"_s + underWay, {}, ada.access);
            door("POST", u"/api/v1/chat/stream/%1/stop"_s.arg(underWay), {}, ada.access);
            door("GET", u"/v1/models"_s, {}, ada.access);
            door("GET", u"/v1/models"_s, {}, apiKey.toLatin1());
            door("POST", u"/v1/chat/completions"_s, openAi, ada.access);
            door("POST", u"/v1/chat/completions"_s, openAi, apiKey.toLatin1());
            door("POST", u"/api/v1/auth/refresh"_s, {{u"refresh_token"_s, ada.refresh}}, {});
            door("POST", u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, ada.key}}, {});
            return all;
        }();
        QCOMPARE(b().ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 200);
        a().command({u"user"_s, u"set"_s, email, u"--status"_s, u"suspended"_s, u"--json"_s});
        for (const auto &[name, ask] : doors)
            for (BackendProcess *instance : both()) {
                const Answer answer = ask(*instance);
                QVERIFY2(answer.status == 403 && answer.body.contains("account_suspended"),
                         qPrintable(u"%1: %2 %3"_s.arg(name).arg(answer.status).arg(QString::fromUtf8(answer.body))));
            }
        a().command({u"user"_s, u"set"_s, email, u"--status"_s, u"active"_s, u"--json"_s});
        QCOMPARE(b().ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 200);
        QCOMPARE(b().ask("POST", u"/api/v1/auth/refresh"_s, {{u"refresh_token"_s, ada.refresh}}).status, 200);
        running->abort();
        running->deleteLater();
    }

    // Under load: every answer at both, from before the rotation until the new key signs, is 200.
    void keys_rotate_and_nobody_is_signed_out()
    {
        QList<SignedIn> people;
        for (int i = 0; i < 4; ++i)
            people.append(signIn(*both().at(i % 2)));
        const QByteArray oldHeader = people.first().access.split('.').first();
        int exitCode = -1;
        const QByteArray said =
            a().command({u"signing-keys"_s, u"rotate"_s, u"--after"_s, u"10"_s, u"--json"_s}, &exitCode);
        QCOMPARE(exitCode, 0);
        QCOMPARE(QJsonDocument::fromJson(said)[u"items"_s].toArray().size(), 2);
        QElapsedTimer since;
        since.start();
        int asked = 0;
        QSet<QByteArray> headers;
        while (since.elapsed() < 17'000) {
            QList<QNetworkReply *> replies;
            for (const SignedIn &person : people)
                for (BackendProcess *instance : both())
                    replies.append(instance->send("GET", u"/api/v1/auth/me"_s, {}, person.access));
            for (QNetworkReply *reply : replies) {
                const Answer answer = BackendProcess::answerOf(reply);
                QVERIFY2(answer.status == 200, answer.body.constData());
                ++asked;
            }
            SignedIn &person = people[asked / 8 % people.size()];
            const auto next = refresh(*both().at(asked / 8 % 2), person.refresh);
            QCOMPARE(next.status, 200);
            person.access = next.text("access_token").toLatin1();
            person.refresh = next.text("refresh_token");
            headers.insert(person.access.split('.').first());
        }
        qInfo("%d requests, none refused; %d keys signed", asked, int(headers.size()));
        QCOMPARE(headers.size(), 2);
        QVERIFY(headers.contains(oldHeader));
    }

    void replaced_keys_sign_everybody_out_at_both_within_a_reload()
    {
        const auto ada = signIn(a());
        const auto leaked = identity::SigningKeys().load(m_database.operators());
        QVERIFY(!leaked.isEmpty());
        int exitCode = -1;
        const QByteArray said =
            b().command({u"signing-keys"_s, u"replace"_s, u"--reason"_s, u"a test"_s, u"--json"_s}, &exitCode);
        QCOMPARE(exitCode, 0);
        QVERIFY(QJsonDocument::fromJson(said)[u"devices_signed_out"_s].toInt() > 0);
        for (BackendProcess *instance : both()) { // the devices: at once
            QCOMPARE(instance->ask("GET", u"/api/v1/auth/me"_s, {}, ada.access).status, 401);
            QCOMPARE(refresh(*instance, ada.refresh).status, 401);
        }
        // A thief with a leaked key and a living device: until the next reload.
        QElapsedTimer since;
        since.start();
        QTest::qWait(identity::SigningKeys::reload_s * 1000 + 1'500);
        const auto again = signIn(a());
        const SystemClock clock;
        const identity::AccessTokens honest(clock, identity::SigningKeys().load(m_database.operators()));
        auto claims = honest.verify(again.access);
        QVERIFY(claims);
        claims->expiresAt = clock.now().addSecs(900);
        for (const auto &key : leaked) {
            const identity::AccessTokens thief(clock, {key});
            for (BackendProcess *instance : both())
                QCOMPARE(instance->ask("GET", u"/api/v1/auth/me"_s, {}, thief.issue(*claims).toLatin1()).status, 401);
        }
        for (BackendProcess *instance : both())
            QCOMPARE(instance->ask("GET", u"/api/v1/auth/me"_s, {}, again.access).status, 200);
    }

    void wrong_usage_of_the_key_commands_changes_nothing_data()
    {
        QTest::addColumn<QStringList>("args");
        QTest::addColumn<int>("exitCode");
        QTest::newRow("nothing") << QStringList{} << 2;
        QTest::newRow("unknown") << QStringList{u"drop"_s} << 2;
        QTest::newRow("replace without a reason") << QStringList{u"replace"_s} << 2;
        QTest::newRow("replace for blanks") << QStringList{u"replace"_s, u"--reason"_s, u"  "_s} << 2;
        QTest::newRow("rotate at once") << QStringList{u"rotate"_s, u"--after"_s, u"0"_s} << 2;
        QTest::newRow("rotate when") << QStringList{u"rotate"_s, u"--after"_s, u"soon"_s} << 2;
        QTest::newRow("help") << QStringList{u"replace"_s, u"--help"_s} << 0;
        QTest::newRow("list") << QStringList{u"list"_s} << 0;
    }
    void wrong_usage_of_the_key_commands_changes_nothing()
    {
        QFETCH(QStringList, args);
        const auto before = m_database.owner().script(u"SELECT id, verifies_until::text FROM signing_keys"_s).size();
        int exitCode = -1;
        const QByteArray said = a().command(QStringList{u"signing-keys"_s} + args, &exitCode);
        QTEST(exitCode, "exitCode");
        for (const auto &key : identity::SigningKeys().load(m_database.operators()))
            QVERIFY(!said.contains(key.secret) && !said.contains(key.secret.toHex())
                    && !said.contains(key.secret.toBase64()));
        QCOMPARE(m_database.owner().script(u"SELECT id FROM signing_keys"_s).size(), before);
    }

private:
    BackendProcess &a() { return *m_instances[0]; }
    BackendProcess &b() { return *m_instances[1]; }
    QList<BackendProcess *> both() { return {&a(), &b()}; }

    QString freshEmail() { return u"person%1@example.com"_s.arg(++m_people); }
    QString keep(const QString &secret)
    {
        m_secrets.append(secret.toLatin1());
        return secret;
    }
    SignedIn signIn(BackendProcess &instance, const QString &email = {})
    {
        const QByteArray made = instance.command(
            {u"access-key"_s, u"create"_s, u"--user"_s, email.isEmpty() ? freshEmail() : email, u"--tier"_s, u"vip"_s});
        SignedIn person{.key = keep(QJsonDocument::fromJson(made)[u"access_key"_s].toString())};
        const Answer grant =
            instance.ask("POST", u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, person.key}});
        person.access = keep(grant.text("access_token")).toLatin1();
        person.refresh = keep(grant.text("refresh_token"));
        return person;
    }
    Answer refresh(BackendProcess &instance, const QString &token)
    {
        const Answer answer = instance.ask("POST", u"/api/v1/auth/refresh"_s, {{u"refresh_token"_s, token}});
        if (answer.status == 200) {
            keep(answer.text("access_token"));
            keep(answer.text("refresh_token"));
        }
        return answer;
    }

    TestDatabase m_database;
    std::array<std::unique_ptr<BackendProcess>, 2> m_instances;
    QByteArrayList m_secrets;
    int m_people = 0;
};

QTEST_GUILESS_MAIN(TwoInstances)
#include "tst_TwoInstances.moc"
