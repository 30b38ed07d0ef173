#include "fakes/FakeGoogle.h"
#include "payments/google/GoogleApi.h"
#include "payments/google/GooglePush.h"
#include "support/ManualClock.h"

#include <QJsonDocument>
#include <QMessageAuthenticationCode>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::payments;
using namespace companion::test;

namespace {

QByteArray google(const char *text)
{
    return QByteArray(text).replace('\'', '"');
}

} // namespace

// Which pushes are believed to be Google's, and for us.
class GooglePushTest : public QObject
{
    Q_OBJECT
    ManualClock m_clock;
    FakeGoogle m_google{[this] { return m_clock.now(); }};
    GooglePushToken m_token{{m_google.audience, m_google.pusher}, [this](const QString &id) {
                                return id == u"push-key"_s ? jose::JwsKey::fromCertificate(m_google.certificatePem())
                                                           : std::nullopt;
                            }};

private Q_SLOTS:
    void claims_that_are_not_googles_or_not_for_us_are_refused_data()
    {
        QTest::addColumn<QString>("member");
        QTest::addColumn<QJsonValue>("value");
        QTest::addColumn<QString>("why");
        const auto row = [](const char *name, const QString &member, const QJsonValue &value, const QString &why) {
            QTest::newRow(name) << member << value << why;
        };
        row("another issuer", u"iss"_s, u"https://accounts.example.com"_s, u"another issuer"_s);
        row("no issuer", u"iss"_s, {}, u"another issuer"_s);
        row("another audience", u"aud"_s, u"https://other.example.com"_s, u"another audience"_s);
        row("audiences", u"aud"_s, QJsonArray{u"https://companion.example.com/api/v1/webhooks/google"_s},
            u"another audience"_s);
        row("another account", u"email"_s, u"mallory@demo.iam.gserviceaccount.com"_s, u"another account"_s);
        row("an account that begins alike", u"email"_s, u"push@demo.iam.gserviceaccount.com.example.com"_s,
            u"another account"_s);
        row("an address not verified", u"email_verified"_s, false, u"another account"_s);
        row("verified in words", u"email_verified"_s, u"true"_s, u"another account"_s);
        row("expired", u"exp"_s, 1'768'470'000, u"stale"_s);
        row("no end", u"exp"_s, {}, u"stale"_s);
        row("an end in words", u"exp"_s, u"4102444800"_s, u"stale"_s);
        row("of the future", u"iat"_s, 1'999'999'999, u"stale"_s);
    }
    void claims_that_are_not_googles_or_not_for_us_are_refused()
    {
        QFETCH(QString, member);
        QFETCH(QJsonValue, value);
        QFETCH(QString, why);
        QJsonObject claims = m_google.claims();
        value.isNull() ? claims.remove(member) : void(claims.insert(member, value));
        const auto verified = m_token.verify(m_google.authorization(claims), m_clock.now());
        QVERIFY(!verified && verified.error().contains(why));
        QVERIFY(m_token.verify(m_google.authorization(), m_clock.now()));
    }

    void tokens_that_nobody_signed_are_refused()
    {
        FakeGoogle &real = m_google;
        const QByteArray claims = QJsonDocument(real.claims()).toJson(QJsonDocument::Compact);
        const QByteArray none = FakeGoogle::segments(google("{'alg':'none','kid':'push-key'}"), claims);
        const QByteArray hs = FakeGoogle::segments(google("{'alg':'HS256','kid':'push-key'}"), claims);
        const auto hmac = [&](const QByteArray &secret) {
            return QByteArray("Bearer " + hs + '.'
                              + QMessageAuthenticationCode::hash(hs, secret, QCryptographicHash::Sha256)
                                    .toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
        };
        FakeGoogle other([this] { return m_clock.now(); }, "other");
        QByteArray changed = real.authorization();
        changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
        const QList<QByteArray> forged{"",
                                       "Bearer ",
                                       "Bearer x.y.z",
                                       "Basic cHVzaDpwdXNo",
                                       "Bearer " + none + '.',
                                       "Bearer " + none + ".AAAA",
                                       hmac(real.publicKeyPem()),
                                       hmac(real.certificatePem()),
                                       other.authorization(real.claims()),
                                       real.authorization().chopped(1),
                                       changed,
                                       real.bearer(google("{'alg':'RS256','kid':'other'}"), claims),
                                       real.bearer(google("{'alg':'RS256'}"), claims),
                                       real.bearer(google("{'alg':'RS512','kid':'push-key'}"), claims),
                                       real.bearer(google("{'alg':'RS256','kid':'push-key','crit':['x']}"), claims),
                                       real.bearer(google("{'alg':'RS256','kid':'push-key'}"), "[]"),
                                       "Bearer " + QByteArray(20'000, 'A')};
        for (const QByteArray &header : forged)
            QVERIFY2(!m_token.verify(header, m_clock.now()), header.left(60).constData());
    }

    void bodies_that_say_nothing_are_refused()
    {
        FakeGoogle &real = m_google;
        const auto reads = [](const QByteArray &body) {
            return readGooglePush(body, u"com.example.companion"_s).has_value();
        };
        QVERIFY(reads(real.pushTest()));
        QVERIFY(reads(real.pushSubscription(4, u"subs.token-1"_s)));
        real.packageName = u"com.example.other"_s;
        QVERIFY(!reads(real.pushTest()));
        real.packageName = u"com.example.companion"_s;
        for (const QByteArray &body : QList<QByteArray>{
                 QByteArray(), QByteArray("{}"), google("{'message':{}}"), google("{'message':{'messageId':'1'}}"),
                 google("{'message':{'messageId':'1','data':'!!!'}}"),
                 google("{'message':{'messageId':'1','data':'W10='}}"), real.push({}),
                 real.push({{u"subscriptionNotification"_s, QJsonObject{{u"purchaseToken"_s, u"a/b"_s}}}}),
                 real.push({{u"oneTimeProductNotification"_s,
                             QJsonObject{{u"purchaseToken"_s, u"../../../x123456"_s},
                                         {u"sku"_s, u"com.example.popular"_s}}}})})
            QVERIFY2(!reads(body), body.constData());
    }

    void service_accounts_are_read_strictly()
    {
        QVERIFY(GoogleAccount::read(m_google.serviceAccountJson()));
        QVERIFY(!GoogleAccount::read({}));
        QVERIFY(!GoogleAccount::read("{}"));
        for (const auto &[from, to] : {std::pair("service_account", "authorized_user"), std::pair("BEGIN", "BEGUN"),
                                       std::pair("client_email", "email"), std::pair("http://", "ftp://")})
            QVERIFY2(!GoogleAccount::read(m_google.serviceAccountJson().replace(from, to)), to);
    }
};

QTEST_GUILESS_MAIN(GooglePushTest)
#include "tst_GooglePush.moc"
