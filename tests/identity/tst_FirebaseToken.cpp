#include "fakes/FakeFirebase.h"
#include "identity/FirebaseToken.h"
#include "jose/PublishedCertificates.h"
#include "support/ManualClock.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;
using namespace std::chrono_literals;

// Firebase ID tokens against a local issuer with real keys: what is accepted, what is refused, and how its certificates
// are kept.
class TestFirebaseToken : public QObject
{
    Q_OBJECT

    test::FakeFirebase m_issuer;
    test::ManualClock m_clock;

    FirebaseToken verifier(FirebaseToken::Signed expected = FirebaseToken::Signed::ByGoogle)
    {
        return {m_issuer.project(), expected, [this](const QString &id) {
                    return id == u"hidden"_s ? std::nullopt : jose::JwsKey::fromCertificate(m_issuer.certificate(id));
                }};
    }
    qint64 now_s() const { return m_clock.now().toSecsSinceEpoch(); }
    // Whether `id` is there when want() has called back.
    static bool wanted(jose::PublishedCertificates &certificates, const QString &id)
    {
        bool called = false;
        QObject context;
        certificates.want(id, &context, [&] { called = true; });
        return QTest::qWaitFor([&] { return called; }, 8'000) && certificates.key(id).has_value();
    }
    jose::PublishedCertificates::Options options() const
    {
        return {.url = m_issuer.url(), .timeout_ms = 1'500, .firstRetry_ms = 50, .lastRetry_ms = 200};
    }
    void answerWell()
    {
        m_issuer.status = 200;
        m_issuer.body = {};
        m_issuer.delay_ms = 0;
        m_issuer.listening = true;
        m_issuer.moreHeaders.clear();
        m_issuer.cacheControl = "public, max-age=19302, must-revalidate, no-transform";
    }

private Q_SLOTS:
    void initTestCase()
    {
        for (const QString &id : {u"key-1"_s, u"key-2"_s, u"hidden"_s})
            m_issuer.addKey(id);
        m_issuer.addKey(u"weak"_s, 1024);
        m_issuer.hide(u"hidden"_s);
        m_clock.set(QDateTime::currentDateTimeUtc()); // the certificates are of today
    }
    void cleanup() { answerWell(); }

    void a_case_data()
    {
        QTest::addColumn<QByteArray>("token");
        QTest::addColumn<bool>("accepted");
        for (const test::FirebaseCase &one : test::firebaseCases(m_issuer, now_s()))
            QTest::newRow(qPrintable(one.name)) << one.token << one.accepted;
    }
    void a_case()
    {
        QFETCH(QByteArray, token);
        QFETCH(bool, accepted);
        const auto user = verifier().verify(token, m_clock.now());
        QCOMPARE(user.has_value(), accepted);
        if (!accepted)
            QCOMPARE(user.error().code, ErrorCode::Unauthenticated);
    }

    void a_good_token_says_who()
    {
        const auto user = verifier().verify(m_issuer.token(u"key-1"_s, m_issuer.claims(now_s())), m_clock.now());
        QCOMPARE(user->uid, u"uid-of-ada"_s);
        QCOMPARE(user->email, u"ada@example.org"_s);
        QVERIFY(user->emailVerified);
        QCOMPARE(user->name, u"Ada"_s);
        QCOMPARE(user->authenticatedAt.toSecsSinceEpoch(), now_s() - 20);
    }

    void an_email_is_verified_by_true_alone()
    {
        for (const QJsonValue &said : {QJsonValue(u"true"_s), QJsonValue(1), QJsonValue(QJsonArray{true}),
                                       QJsonValue(QJsonValue::Null), QJsonValue(false)}) {
            QJsonObject claims = m_issuer.claims(now_s());
            claims.insert(u"email_verified"_s, said);
            QVERIFY(!verifier().verify(m_issuer.token(u"key-1"_s, claims), m_clock.now())->emailVerified);
        }
    }

    void every_bit_of_a_token_counts()
    {
        const QByteArray good = m_issuer.token(u"key-1"_s, m_issuer.claims(now_s()));
        for (qsizetype i = 0; i < good.size(); i += 3) {
            QByteArray attack = good;
            attack[i] = static_cast<char>(attack[i] ^ (1 << (i % 8)));
            QVERIFY2(!verifier().verify(attack, m_clock.now()), qPrintable(QString::number(i)));
        }
    }

    void the_emulators_tokens_count_for_the_emulator_alone()
    {
        const QByteArray emulated = test::FakeFirebase::unsignedToken(m_issuer.claims(now_s()));
        const QByteArray real = m_issuer.token(u"key-1"_s, m_issuer.claims(now_s()));
        const auto emulator = verifier(FirebaseToken::Signed::NotAtAll);
        QVERIFY(emulator.verify(emulated, m_clock.now()));
        QVERIFY(!emulator.verify(real, m_clock.now()));
        QVERIFY(!emulator.verify(emulated + "AAAA", m_clock.now()));
        QVERIFY(!verifier().verify(emulated, m_clock.now()));
        QJsonObject others = m_issuer.claims(now_s());
        others.insert(u"aud"_s, u"other"_s);
        QVERIFY(!emulator.verify(test::FakeFirebase::unsignedToken(others), m_clock.now()));
        m_clock.advance(1h);
        QVERIFY(!emulator.verify(emulated, m_clock.now()));
        m_clock.advance(-1h);
    }

    void certificates_are_fetched_once_and_kept()
    {
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(!certificates.key(u"key-1"_s));
        const int before = m_issuer.asked();
        certificates.start();
        QTRY_VERIFY(certificates.key(u"key-1"_s) && certificates.key(u"key-2"_s));
        QVERIFY(!certificates.key(u"weak"_s) && !certificates.key(u"hidden"_s));
        QVERIFY(certificates.state().fresh);
        for (int i = 0; i < 100; ++i)
            QVERIFY(wanted(certificates, u"key-1"_s));
        QCOMPARE(m_issuer.asked() - before, 1);
    }

    void a_new_key_is_fetched_when_a_token_names_it()
    {
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(wanted(certificates, u"key-1"_s)); // before start(), too
        m_issuer.addKey(u"rotated"_s);
        m_clock.advance(31s);
        QVERIFY(wanted(certificates, u"rotated"_s));
        m_issuer.remove(u"rotated"_s);
        m_clock.advance(31s);
        QVERIFY(!wanted(certificates, u"another"_s));
        QVERIFY2(!certificates.key(u"rotated"_s), "what Google takes from its list is gone");
    }

    void unknown_keys_are_asked_for_at_a_bounded_rate()
    {
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(wanted(certificates, u"key-1"_s));
        const int before = m_issuer.asked();
        for (int i = 0; i < 200; ++i) {
            QVERIFY(!wanted(certificates, u"forged-%1"_s.arg(i)));
            m_clock.advance(1s);
        }
        QVERIFY2(m_issuer.asked() - before <= 7, qPrintable(QString::number(m_issuer.asked() - before)));
    }

    void many_who_want_the_same_key_wait_for_one_fetch()
    {
        jose::PublishedCertificates certificates(m_clock, options());
        m_issuer.delay_ms = 100;
        const int before = m_issuer.asked();
        int called = 0;
        QObject context;
        auto gone = std::make_unique<QObject>();
        for (int i = 0; i < 50; ++i)
            certificates.want(u"key-1"_s, &context, [&] { ++called; });
        certificates.want(u"key-1"_s, gone.get(), [&] { called += 1000; });
        gone.reset();
        QTRY_COMPARE(called, 50);
        QCOMPARE(m_issuer.asked() - before, 1);
    }

    // What is kept serves on, and is asked for again and again; nothing that comes instead is taken.
    void while_google_fails_what_is_known_serves_on_data()
    {
        QTest::addColumn<std::function<void(test::FakeFirebase &)>>("fail");
        const auto row = [](const char *name, std::function<void(test::FakeFirebase &)> fail) {
            QTest::newRow(name) << fail;
        };
        row("unreachable", [](auto &issuer) { issuer.listening = false; });
        row("silent", [](auto &issuer) { issuer.delay_ms = -1; });
        row("500", [](auto &issuer) { issuer.status = 500; });
        row("404", [](auto &issuer) { issuer.status = 404; });
        row("redirect", [](auto &issuer) {
            issuer.status = 302;
            issuer.moreHeaders = "Location: " + issuer.url().toEncoded() + "\r\n";
        });
        row("204", [](auto &issuer) { issuer.status = 204; });
        row("empty", [](auto &issuer) { issuer.body = ""; });
        row("no JSON", [](auto &issuer) { issuer.body = "<html>"; });
        row("a list", [](auto &issuer) { issuer.body = "[]"; });
        row("no key", [](auto &issuer) { issuer.body = "{}"; });
        row("no certificates", [](auto &issuer) { issuer.body = QByteArray("{'a':'b','c':1}").replace('\'', '"'); });
        row("a public key instead", [](auto &issuer) {
            issuer.body =
                QJsonDocument(QJsonObject{{u"key-9"_s, QString::fromLatin1(issuer.publicKey(u"key-1"_s))}}).toJson();
        });
        row("endless", [](auto &issuer) { issuer.body = QByteArray(5'000'000, ' '); });
    }
    void while_google_fails_what_is_known_serves_on()
    {
        QFETCH(std::function<void(test::FakeFirebase &)>, fail);
        m_issuer.cacheControl = "max-age=1";
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(wanted(certificates, u"key-1"_s));
        m_clock.advance(2min);
        QVERIFY(!certificates.state().fresh);
        fail(m_issuer);
        QVERIFY(!wanted(certificates, u"key-9"_s));
        QVERIFY(!certificates.state().lastProblem.isEmpty());
        QVERIFY(certificates.key(u"key-1"_s));
        const int fetches = certificates.fetches();
        QTRY_VERIFY(certificates.fetches() > fetches + 1); // it goes on trying
        answerWell();
        QTRY_VERIFY(certificates.state().fresh);
        QCOMPARE(certificates.state().lastProblem, QString());
    }

    void a_certificate_is_good_to_its_own_end_at_most()
    {
        m_issuer.addKey(u"short"_s, 2048, 2);
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(wanted(certificates, u"short"_s));
        m_issuer.listening = false;
        m_clock.advance(24h);
        QVERIFY(certificates.key(u"short"_s));
        m_clock.advance(25h);
        QVERIFY(!certificates.key(u"short"_s));
        QVERIFY(certificates.key(u"key-1"_s));
        m_clock.advance(-49h);
        m_issuer.remove(u"short"_s);
    }

    void freshness_is_what_cache_control_says_data()
    {
        QTest::addColumn<QByteArray>("cacheControl");
        QTest::addColumn<QByteArray>("headers");
        QTest::addColumn<int>("fresh_s");
        const auto row = [](const char *control, const char *headers, int fresh_s) {
            QTest::addRow("%s %s", control, headers) << QByteArray(control) << QByteArray(headers) << fresh_s;
        };
        row("public, max-age=19302, must-revalidate, no-transform", "", 19'302);
        row("max-age=600", "", 600);
        row("MAX-AGE=600", "", 600);
        row("max-age=600", "Age: 200\r\n", 400);
        row("max-age=600", "Age: 900\r\n", 60);
        row("max-age=600", "Age: -900\r\n", 600);
        row("max-age=0", "", 60);
        row("max-age=999999999", "", 86'400);
        row("s-max-age=5", "", 3'600);
        row("no-store", "", 3'600);
        row("max-age=abc", "", 3'600);
        row("", "", 3'600);
    }
    void freshness_is_what_cache_control_says()
    {
        QFETCH(int, fresh_s);
        QFETCH(QByteArray, headers);
        QFETCH(QByteArray, cacheControl);
        m_issuer.cacheControl = cacheControl;
        m_issuer.moreHeaders = headers;
        jose::PublishedCertificates certificates(m_clock, options());
        QVERIFY(wanted(certificates, u"key-1"_s));
        m_clock.advance(std::chrono::seconds(fresh_s - 1));
        QVERIFY(certificates.state().fresh);
        m_clock.advance(1s);
        QVERIFY(!certificates.state().fresh);
        m_clock.advance(-std::chrono::seconds(fresh_s));
    }
};

QTEST_GUILESS_MAIN(TestFirebaseToken)
#include "tst_FirebaseToken.moc"
