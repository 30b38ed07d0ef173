#include "jose/Jws.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>
#include <QMessageAuthenticationCode>
#include <QTest>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

using namespace Qt::StringLiterals;
using namespace companion::jose;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;
constexpr qsizetype maxLength = 16 * 1024;

QByteArray quoted(const char *text)
{
    return QByteArray(text).replace('\'', '"');
}

const QByteArray secret(32, 's');

QByteArray compact(const QByteArray &header, const QByteArray &payload = "{}")
{
    const QByteArray input = header.toBase64(base64Url) + '.' + payload.toBase64(base64Url);
    return input + '.'
        + QMessageAuthenticationCode::hash(input, secret, QCryptographicHash::Sha256).toBase64(base64Url);
}

QByteArray privateKey(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char *data = nullptr;
    const auto length = BIO_get_mem_data(bio, &data);
    const QByteArray pem(data, length);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return pem;
}

bool accepts(const std::optional<JwsKey> &key, const QByteArray &token)
{
    const auto jws = Jws::read(token, maxLength);
    return key && jws && key->verifies(*jws);
}

// Only for the three algorithms that we accept, and only where the key is meant for signatures.
std::optional<JwsKey> keyFrom(const QJsonObject &jwk)
{
    const auto number = [&](const char *name) {
        return QByteArray::fromBase64(jwk.value(QLatin1StringView(name)).toString().toLatin1(), base64Url);
    };
    if (jwk.value("alg"_L1) == u"HS256"_s)
        return JwsKey::fromSecret(number("k"));
    if (jwk.value("alg"_L1) == u"RS256"_s)
        return JwsKey::fromRsa(number("n"), number("e"));
    if (jwk.value("alg"_L1) == u"ES256"_s)
        return JwsKey::fromEcPoint(number("x"), number("y"));
    return std::nullopt;
}

} // namespace

// The layer that every token passes: ours (HS256), a sign-in provider's (RS256), a store's (ES256).
class TestJws : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a_signature_is_verified_by_its_own_key_alone()
    {
        const QByteArray token = JwsKey::fromSecret(secret)->sign("key-1", quoted("{'a':1}"));
        QVERIFY(accepts(JwsKey::fromSecret(secret), token));
        QVERIFY(!accepts(JwsKey::fromSecret(QByteArray(32, 't')), token));
        QVERIFY(!accepts(JwsKey::fromSecret(secret + '\0'), token + 'A'));
        QCOMPARE(Jws::read(token, maxLength)->keyId(), u"key-1"_s);
        QCOMPARE(Jws::read(token, maxLength)->claims()->value("a"_L1).toInt(), 1);
        QVERIFY(!Jws::read(token, token.size() - 1));
    }

    void weak_keys_are_not_taken()
    {
        QVERIFY(!JwsKey::fromSecret(QByteArray(31, 's')));
        QVERIFY(!JwsKey::fromSecret({}));
        QVERIFY(!JwsKey::fromRsa(QByteArray(128, '\xff'), QByteArray::fromHex("010001"))); // 1024 bits
        QVERIFY(!JwsKey::fromRsa(QByteArray(128, '\0') + QByteArray(128, '\xff'), QByteArray::fromHex("010001")));
        QVERIFY(!JwsKey::fromRsa(QByteArray(256, '\xff'), QByteArray::fromHex("01"))); // everything signs itself
        QVERIFY(!JwsKey::fromRsa({}, {}));
        QVERIFY(!JwsKey::fromCertificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
        QVERIFY(!JwsKey::fromCertificate({}));
        QVERIFY(!JwsKey::fromEcPoint(QByteArray(32, '\1'), QByteArray(32, '\1'))); // on no curve
        QVERIFY(!JwsKey::fromEcPoint({}, {}));
        QVERIFY(!JwsKey::fromPrivateKey("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
        QVERIFY(!JwsKey::fromPrivateKey({}));
        QVERIFY(!JwsKey::fromPrivateKey(privateKey(EVP_EC_gen("P-384"))));
        QVERIFY(!JwsKey::fromPrivateKey(privateKey(EVP_RSA_gen(1024))));
    }

    void what_a_private_key_signs_it_verifies_and_no_other_does()
    {
        const auto ec = JwsKey::fromPrivateKey(privateKey(EVP_EC_gen("P-256")));
        const auto rsa = JwsKey::fromPrivateKey(privateKey(EVP_RSA_gen(2048)));
        QVERIFY(ec && ec->algorithm() == JwsKey::Algorithm::ES256);
        QVERIFY(rsa && rsa->algorithm() == JwsKey::Algorithm::RS256);
        for (const auto &[own, other] : {std::pair(ec, rsa), std::pair(rsa, ec)}) {
            const QByteArray token = own->sign("k", quoted("{'a':1}"));
            QVERIFY(accepts(own, token));
            QVERIFY(!accepts(other, token));
            QVERIFY(!accepts(JwsKey::fromPrivateKey(privateKey(EVP_EC_gen("P-256"))), token));
        }
    }

    void a_header_is_read_strictly_data()
    {
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<bool>("readable");
        const auto row = [](const char *header, bool readable) { QTest::newRow(header) << quoted(header) << readable; };
        row("{'alg':'HS256'}", true);
        row(" {'alg' : 'HS256'}\n", true);
        row("{'alg':'HS256','x':{'a':1,'b':[2]}}", true);
        row("{'alg':'HS256','alg':'HS256'}", false);
        row("{'alg':'none','alg':'HS256'}", false);
        row("{'alg':'HS256','x':{'a':1,'a':2}}", false);
        row("{'alg':'HS256','\\u0061lg':'none'}", false);
        row("{'ALG':'HS256'}", false);
        row("{}", false);
        row("{'alg':null}", false);
        row("{'alg':['HS256']}", false);
        row("{'alg':{'HS256':1}}", false);
        row("{'alg':256}", false);
        row("{'alg':'HS256','crit':['exp']}", false);
        row("{'alg':'HS256','crit':[]}", false);
        row("{'alg':'HS256','b64':false}", false);
        row("{'alg':'HS256'} x", false);
        row("{'alg':'HS256'}{}", false);
        row("{'alg':'HS256',}", false);
        row("{'alg':'HS256'", false);
        row("[{'alg':'HS256'}]", false);
        row("'alg'", false);
        row("", false);
        row("null", false);
        row("{alg:'HS256'}", false);
        row("{'alg':'HS256','x':1e999}", false);
        row("{'alg':'HS256','x':NaN}", false);
    }
    void a_header_is_read_strictly()
    {
        QFETCH(QByteArray, header);
        QTEST(Jws::read(compact(header), maxLength).has_value(), "readable");
    }

    void bytes_that_are_no_text_are_refused_in_headers_and_claims()
    {
        for (const QByteArray &bad : {QByteArray("\xff"), QByteArray("\xc0\xaf"), QByteArray("\xed\xa0\x80"),
                                      QByteArray("\0", 1), QByteArray("\\u0000"), QByteArray("\\ud800")}) {
            QVERIFY2(!Jws::read(compact(quoted("{'alg':'HS256','kid':'") + bad + quoted("'}")), maxLength),
                     bad.toHex().constData());
            const auto jws =
                Jws::read(compact(quoted("{'alg':'HS256'}"), quoted("{'sub':'") + bad + quoted("'}")), maxLength);
            QVERIFY2(jws && !jws->claims(), bad.toHex().constData());
        }
    }

    void claims_are_one_object_with_no_member_twice()
    {
        const auto claims = [](const char *payload) {
            return Jws::read(compact(quoted("{'alg':'HS256'}"), quoted(payload)), maxLength)->claims();
        };
        QVERIFY(claims("{'sub':'a','firebase':{'x':1}}"));
        for (const char *payload : {"{'sub':'a','sub':'b'}", "{'firebase':{'x':1,'x':2}}", "[]", "", "1", "{'a':1}1",
                                    "{'exp':99999999999999999999999}", "{'a':'b'"})
            QVERIFY2(!claims(payload), payload);
        const QByteArray deep = QByteArray(4000, '[') + QByteArray(4000, ']'); // no stack is to be had by nesting
        QVERIFY(!Jws::read(compact(quoted("{'alg':'HS256'}"), deep), maxLength)->claims());
    }

    void every_spelling_of_base64_but_one_is_refused()
    {
        const QByteArray good = compact(quoted("{'alg':'HS256'}"), "ab");
        QVERIFY(accepts(JwsKey::fromSecret(secret), good));
        for (int segment = 0; segment < 3; ++segment)
            for (const char *odd : {"=", "==", " ", "\n", "\t", "+", "/", "%3D", "\r\n", "A"}) {
                auto parts = good.split('.');
                parts[segment] += odd;
                QVERIFY2(!accepts(JwsKey::fromSecret(secret), parts.join('.')), odd);
                parts = good.split('.');
                parts[segment].prepend(odd);
                QVERIFY2(!accepts(JwsKey::fromSecret(secret), parts.join('.')), odd);
            }
    }

    // Wycheproof's JsonWebSignature vectors. Of the algorithms that we do not accept every one must be refused.
    void published_vectors()
    {
        QFile file(QFINDTESTDATA("../../../shared/data/jwt/jws_vectors.json"));
        if (!file.open(QIODevice::ReadOnly))
            QSKIP("../shared/data/jwt is not beside this repository");
        const QJsonArray groups = QJsonDocument::fromJson(file.readAll()).object().value("testGroups"_L1).toArray();
        int right = 0, all = 0, accepted = 0;
        QStringList wrong;
        for (const QJsonValue &group : groups) {
            const QJsonObject given = group.toObject();
            const QJsonObject jwk = given.value(given.contains("public"_L1) ? "public"_L1 : "private"_L1).toObject();
            const auto key = keyFrom(jwk);
            QSet<QString> valid; // three "invalid" ones have lost what made them so, and are the valid one to the byte
            for (const QJsonValue &vector : given.value("tests"_L1).toArray()) {
                const QString jws = vector["jws"_L1].toString();
                bool expected = key && vector["result"_L1] == u"valid"_s;
                if (expected)
                    valid.insert(jws);
                else if (key && valid.contains(jws))
                    expected = true;
                // Called valid, but a character outside the alphabet stands in its header: RFC 7515, 5.2 (2) refuses.
                if (vector["comment"_L1] == u"InvalidCharacterInsertedInHeader"_s)
                    expected = false;
                const bool said = accepts(key, jws.toLatin1());
                ++all;
                accepted += said;
                if (said == expected)
                    ++right;
                else
                    wrong.append(u"%1 %2"_s.arg(vector["tcId"_L1].toInt()).arg(vector["comment"_L1].toString()));
            }
        }
        QCOMPARE(wrong.join(u"; "_s), QString());
        QCOMPARE(right, all);
        qInfo("%d of %d vectors right, %d of them accepted", right, all, accepted);
        QVERIFY(all > 250 && accepted > 10);
    }
};

QTEST_GUILESS_MAIN(TestJws)
#include "tst_Jws.moc"
