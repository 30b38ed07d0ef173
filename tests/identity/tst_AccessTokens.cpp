#include "common/Ensure.h"
#include "identity/AccessTokens.h"
#include "support/ManualClock.h"

#include <QJsonDocument>
#include <QMessageAuthenticationCode>
#include <QTest>
#include <atomic>
#include <thread>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;
using namespace std::chrono_literals;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

AccessTokens::Key key(const QString &id, char fill)
{
    return {id, QByteArray(32, fill)};
}

QByteArray segment(const QByteArray &text)
{
    return text.toBase64(base64Url);
}

// What an attacker who knows the secret could make: our own check of the signature is not the last line.
QByteArray signedBy(const QByteArray &secret, const QByteArray &header, const QByteArray &payload,
                    QCryptographicHash::Algorithm hash = QCryptographicHash::Sha256)
{
    const QByteArray input = segment(header) + '.' + segment(payload);
    return input + '.' + segment(QMessageAuthenticationCode::hash(input, secret, hash));
}

// Written with single quotes, because moc loses its way in raw strings.
QByteArray quoted(const char *text)
{
    return QByteArray(text).replace('\'', '"');
}

QByteArray part(const QByteArray &token, int index)
{
    return token.split('.').at(index);
}

QByteArray decoded(const QByteArray &token, int index)
{
    return QByteArray::fromBase64(part(token, index), base64Url);
}

} // namespace

class TestAccessTokens : public QObject
{
    Q_OBJECT

    test::ManualClock m_clock;
    const QByteArray m_secret = QByteArray(32, 'a');
    AccessTokens m_tokens{m_clock, {key(u"key-number-1"_s, 'a')}};

    TokenClaims claims() const
    {
        return {.user = *UserId::parse(u"11111111-1111-4111-8111-111111111111"),
                .device = *DeviceId::parse(u"22222222-2222-4222-8222-222222222222"),
                .roles = {Role::User, Role::Support},
                .expiresAt = m_clock.now().addSecs(900)};
    }
    QByteArray token() const { return m_tokens.issue(claims()).toLatin1(); }

private Q_SLOTS:
    // Not init(): the tables of attacks are made before it, at the clock that the test before has left.
    void cleanup() { m_clock.set(QDateTime(QDate(2026, 1, 15), QTime(12, 0), Qt::UTC)); }

    void a_token_carries_its_claims()
    {
        const auto read = m_tokens.verify(token());
        QVERIFY(read);
        QCOMPARE(read->user, claims().user);
        QCOMPARE(read->device, claims().device);
        QCOMPARE(read->roles, claims().roles);
        QCOMPARE(read->expiresAt, claims().expiresAt);
    }

    void a_token_is_a_plain_jws_that_others_can_read()
    {
        QCOMPARE(QJsonDocument::fromJson(decoded(token(), 0)).object(),
                 (QJsonObject{{u"alg"_s, u"HS256"_s}, {u"kid"_s, u"key-number-1"_s}, {u"typ"_s, u"JWT"_s}}));
        const QJsonObject payload = QJsonDocument::fromJson(decoded(token(), 1)).object();
        QCOMPARE(payload.value("exp"_L1).toInteger() - payload.value("iat"_L1).toInteger(), 900);
        const QByteArray input = part(token(), 0) + '.' + part(token(), 1);
        QCOMPARE(decoded(token(), 2), QMessageAuthenticationCode::hash(input, m_secret, QCryptographicHash::Sha256));
    }

    void no_token_outlives_a_quarter_of_an_hour()
    {
        auto greedy = claims();
        greedy.expiresAt = m_clock.now().addDays(1);
        const auto read = m_tokens.verify(m_tokens.issue(greedy).toLatin1());
        QVERIFY(read);
        QCOMPARE(read->expiresAt, m_clock.now().addSecs(900));
    }

    void an_expired_token_is_told_apart()
    {
        const QByteArray old = token();
        m_clock.advance(899s);
        QVERIFY(m_tokens.verify(old));
        m_clock.advance(1s);
        QCOMPARE(m_tokens.verify(old).error().code, ErrorCode::TokenExpired);
    }

    void a_forged_token_that_has_expired_is_just_forged()
    {
        QByteArray old = token();
        m_clock.advance(2h);
        old[old.size() - 5] = old[old.size() - 5] == 'A' ? 'B' : 'A';
        QCOMPARE(m_tokens.verify(old).error().code, ErrorCode::Unauthenticated);
    }

    void refuses_an_attack_data()
    {
        QTest::addColumn<QByteArray>("attack");
        const QByteArray good = token(), header = decoded(good, 0), payload = decoded(good, 1);
        const auto row = [](const char *name, const QByteArray &attack) { QTest::newRow(name) << attack; };
        const auto header2 = [&](const char *name, const QByteArray &h) { row(name, signedBy(m_secret, h, payload)); };
        const auto payload2 = [&](const char *name, const QByteArray &p) { row(name, signedBy(m_secret, header, p)); };
        const auto changed = [&](const char *from, const char *to) {
            ensure(payload.contains(from), from);
            return QByteArray(payload).replace(from, to);
        };

        // shapes
        row("nothing", "");
        row("one segment", part(good, 0));
        row("two segments", part(good, 0) + '.' + part(good, 1));
        row("four segments", good + ".x");
        row("JWE, five segments", good + ".x.y");
        row("dots", "..");
        row("no header", '.' + part(good, 1) + '.' + part(good, 2));
        row("no payload", part(good, 0) + ".." + part(good, 2));
        row("no signature", part(good, 0) + '.' + part(good, 1) + '.');
        row("in quotes", '"' + good + '"');
        row("blank at the end", good + ' ');
        row("line break at the end", good + '\n');
        row("NUL at the end", good + '\0');
        row("JSON serialization",
            quoted("{'payload':'") + part(good, 1) + quoted("','protected':'") + part(good, 0)
                + quoted("','signature':'") + part(good, 2) + quoted("'}"));
        row("huge", part(good, 0) + '.' + QByteArray(10'000'000, 'A') + '.' + part(good, 2));
        row("huge header", QByteArray(10'000'000, 'A') + '.' + part(good, 1) + '.' + part(good, 2));
        row("many dots", QByteArray(2000, '.'));
        row("signed, but over the length",
            signedBy(m_secret, header,
                     changed("\"sub\"", QByteArray("\"x\":\"" + QByteArray(2000, 'x') + "\",\"sub\""))));
        row("not base64", part(good, 0) + '.' + part(good, 1) + "." + QByteArray(43, '!'));
        row("binary", QByteArray::fromHex("00ff80fe.") + good);

        // signatures
        row("another payload under the signature",
            part(good, 0) + '.' + segment(changed("\"user\"", "\"admin\"")) + '.' + part(good, 2));
        row("signature cut", good.chopped(1));
        row("signature longer", good + 'A');
        row("signature padded", good + '=');
        row("signature of zeros", part(good, 0) + '.' + part(good, 1) + '.' + segment(QByteArray(32, '\0')));
        row("signature in plain base64", part(good, 0) + '.' + part(good, 1) + '.' + decoded(good, 2).toBase64());
        row("signature with its spare bits set", withSpareBits(good));
        row("another secret", signedBy(QByteArray(32, 'b'), header, payload));
        row("an empty secret", signedBy({}, header, payload));
        row("HS512 under an HS256 header", signedBy(m_secret, header, payload, QCryptographicHash::Sha512));

        // headers, each signed with the true secret
        row("alg none, unsigned",
            segment(quoted("{'alg':'none','kid':'key-number-1','typ':'JWT'}")) + '.' + part(good, 1) + '.');
        header2("alg none, signed", quoted("{'alg':'none','kid':'key-number-1','typ':'JWT'}"));
        header2("alg NoNe", quoted("{'alg':'NoNe','kid':'key-number-1','typ':'JWT'}"));
        header2("alg in lower case", quoted("{'alg':'hs256','kid':'key-number-1','typ':'JWT'}"));
        row("alg HS512",
            signedBy(m_secret, quoted("{'alg':'HS512','kid':'key-number-1','typ':'JWT'}"), payload,
                     QCryptographicHash::Sha512));
        header2("alg RS256", quoted("{'alg':'RS256','kid':'key-number-1','typ':'JWT'}"));
        header2("alg a list", quoted("{'alg':['HS256'],'kid':'key-number-1','typ':'JWT'}"));
        header2("alg twice", quoted("{'alg':'none','alg':'HS256','kid':'key-number-1','typ':'JWT'}"));
        header2("no alg", quoted("{'kid':'key-number-1','typ':'JWT'}"));
        header2("no kid", quoted("{'alg':'HS256','typ':'JWT'}"));
        header2("unknown kid", quoted("{'alg':'HS256','kid':'key-number-2','typ':'JWT'}"));
        header2("kid a path", quoted("{'alg':'HS256','kid':'../../dev/null','typ':'JWT'}"));
        header2("kid with SQL", quoted("{'alg':'HS256','kid':'x; DROP TABLE users --','typ':'JWT'}"));
        header2("kid null", quoted("{'alg':'HS256','kid':null,'typ':'JWT'}"));
        header2("kid twice", quoted("{'alg':'HS256','kid':'x','kid':'key-number-1','typ':'JWT'}"));
        header2("no typ", quoted("{'alg':'HS256','kid':'key-number-1'}"));
        header2("another typ", quoted("{'alg':'HS256','kid':'key-number-1','typ':'at+jwt'}"));
        header2("crit", quoted("{'alg':'HS256','kid':'key-number-1','typ':'JWT','crit':['exp']}"));
        header2("b64 false", quoted("{'alg':'HS256','kid':'key-number-1','typ':'JWT','b64':false,'crit':['b64']}"));
        header2("a key of its own",
                quoted("{'alg':'HS256','kid':'key-number-1','typ':'JWT','jwk':{'kty':'oct','k':'YQ'}}"));
        header2("a key address", quoted("{'alg':'HS256','kid':'key-number-1','typ':'JWT','jku':'http://127.0.0.1/'}"));
        header2("blanks in the header", quoted("{'alg':'HS256', 'kid':'key-number-1','typ':'JWT'}"));
        header2("empty header", "{}");
        header2("header a list", "[]");

        // payloads, each signed with the true secret
        payload2("no claims", "{}");
        payload2("not JSON", "nonsense");
        payload2("nested deep", QByteArray(700, '[') + QByteArray(700, ']'));
        payload2("no user", changed("\"sub\":\"11111111-1111-4111-8111-111111111111\"", "\"sub\":null"));
        payload2("user no UUID", changed("11111111-1111-4111-8111-111111111111", "1 or 1=1"));
        payload2("user the null UUID",
                 changed("11111111-1111-4111-8111-111111111111", "00000000-0000-0000-0000-000000000000"));
        payload2("device no UUID", changed("22222222-2222-4222-8222-222222222222", "x"));
        payload2("unknown role", changed("\"support\"", "\"root\""));
        payload2("roles a text", changed("[\"user\",\"support\"]", "\"admin\""));
        payload2("no roles", changed("\"roles\":[\"user\",\"support\"],", ""));
        payload2("exp twice", changed("\"iat\"", "\"exp\":9999999999,\"iat\""));
        payload2("sub twice", changed("\"sub\"", "\"sub\":\"33333333-3333-4333-8333-333333333333\",\"sub\""));
        payload2("exp a text", changed("\"exp\":1768479300", "\"exp\":\"1768479300\""));
        payload2("exp with a fraction", changed("1768479300", "1768479300.5"));
        payload2("exp as 1e10", changed("1768479300", "1e10"));
        payload2("exp too far", changed("1768479300", "1768479301"));
        payload2("exp beyond all integers", changed("1768479300", "99999999999999999999"));
        payload2("exp negative", changed("1768479300", "-1"));
        payload2("no exp", changed("\"exp\":1768479300,", ""));
        payload2("iat in the future", changed("1768478400", "1768478461").replace("1768479300", "1768479361"));
        payload2("no iat", changed("\"iat\":1768478400,", ""));
        payload2("nbf", changed("\"iat\"", "\"nbf\":9999999999,\"iat\""));
        payload2("an unknown claim", changed("\"iat\"", "\"admin\":true,\"iat\""));
        payload2("blanks in the payload", changed(",", ", "));
    }
    void refuses_an_attack()
    {
        QFETCH(QByteArray, attack);
        QVERIFY2(attack != token(), "the attack is no good token by accident");
        const auto read = m_tokens.verify(attack);
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::Unauthenticated);
        QCOMPARE(read.error().detail, u"The access token is not valid."_s); // said alike, whatever was wrong
    }

    void another_instances_clock_may_be_a_minute_ahead()
    {
        const QByteArray early = token();
        m_clock.advance(-60s);
        QVERIFY(m_tokens.verify(early));
        m_clock.advance(-1s);
        QVERIFY(!m_tokens.verify(early));
    }

    void a_new_key_signs_while_the_old_one_still_verifies()
    {
        AccessTokens tokens(m_clock, {key(u"key-number-1"_s, 'a')});
        const QByteArray old = tokens.issue(claims()).toLatin1();
        tokens.setKeys({key(u"key-number-2"_s, 'b'), key(u"key-number-1"_s, 'a')});
        const QByteArray fresh = tokens.issue(claims()).toLatin1();
        QVERIFY(decoded(fresh, 0).contains("key-number-2"));
        QVERIFY(tokens.verify(old));
        QVERIFY(tokens.verify(fresh));
        tokens.setKeys({key(u"key-number-2"_s, 'b')});
        QVERIFY(!tokens.verify(old));
        QVERIFY(tokens.verify(fresh));
    }

    void one_keys_token_does_not_pass_under_anothers_name()
    {
        const AccessTokens tokens(m_clock, {key(u"key-number-1"_s, 'a'), key(u"key-number-2"_s, 'b')});
        const QByteArray second = quoted("{'alg':'HS256','kid':'key-number-2','typ':'JWT'}");
        QVERIFY(tokens.verify(signedBy(QByteArray(32, 'b'), second, decoded(token(), 1))));
        QVERIFY(!tokens.verify(signedBy(QByteArray(32, 'a'), second, decoded(token(), 1))));
    }

    void is_safe_on_many_threads_while_keys_change()
    {
        AccessTokens tokens(m_clock, {key(u"key-number-1"_s, 'a')});
        const QByteArray good = tokens.issue(claims()).toLatin1();
        std::atomic<int> failures = 0;
        std::atomic<bool> done = false;
        std::vector<std::thread> readers;
        for (int i = 0; i < 3; ++i)
            readers.emplace_back([&] {
                while (!done)
                    failures += tokens.verify(good) ? 0 : 1;
            });
        for (int i = 0; i < 300; ++i) {
            tokens.setKeys({key(u"key-%1-more"_s.arg(i), 'b'), key(u"key-number-1"_s, 'a')});
            failures += tokens.verify(tokens.issue(claims()).toLatin1()) ? 0 : 1;
        }
        done = true;
        for (std::thread &reader : readers)
            reader.join();
        QCOMPARE(failures.load(), 0);
    }

    void verifying_is_cheap()
    {
        const QByteArray good = token();
        QBENCHMARK
        {
            QVERIFY(m_tokens.verify(good));
        }
    }

private:
    // 43 characters hold 258 bits: the last two say nothing, and a lax reader takes any.
    static QByteArray withSpareBits(QByteArray token)
    {
        static const QByteArray alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        token.back() = alphabet[alphabet.indexOf(token.back()) + 1];
        return token;
    }
};

QTEST_GUILESS_MAIN(TestAccessTokens)
#include "tst_AccessTokens.moc"
