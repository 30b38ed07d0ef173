// Access tokens, attacked in bulk: every bit, every cut, every foreign byte, every spelling of an algorithm.

#include "identity/AccessTokens.h"
#include "support/ManualClock.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMessageAuthenticationCode>
#include <QRandomGenerator>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::identity;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray compactJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QByteArray signedBy(const QByteArray &secret, const QByteArray &header, const QByteArray &payload,
                    QCryptographicHash::Algorithm hash = QCryptographicHash::Sha256)
{
    const QByteArray input = header.toBase64(base64Url) + '.' + payload.toBase64(base64Url);
    return input + '.' + QMessageAuthenticationCode::hash(input, secret, hash).toBase64(base64Url);
}

QStringList spellingsOf(const QString &word)
{
    QStringList all;
    for (int mask = 0; mask < 1 << word.size(); ++mask) {
        QString spelling = word.toLower();
        for (qsizetype i = 0; i < word.size(); ++i)
            if (mask >> i & 1)
                spelling[i] = spelling[i].toUpper();
        all.append(spelling);
    }
    return all;
}

} // namespace

class TestTokenAttacks : public QObject
{
    Q_OBJECT

    test::ManualClock m_clock;
    const QByteArray m_secret = QByteArray(32, 'a'), m_other = QByteArray(32, 'b');
    AccessTokens m_tokens{m_clock, {{u"key-number-1"_s, m_secret}, {u"key-number-2"_s, m_other}}};

    QByteArray token() const
    {
        return m_tokens
            .issue({.user = UserId::create(),
                    .device = DeviceId::create(),
                    .roles = {Role::User},
                    .expiresAt = m_clock.now().addSecs(900)})
            .toLatin1();
    }
    static QByteArray decoded(const QByteArray &token, int index)
    {
        return QByteArray::fromBase64(token.split('.').at(index), base64Url);
    }
    static QJsonObject object(const QByteArray &token, int index)
    {
        return QJsonDocument::fromJson(decoded(token, index)).object();
    }
    bool refuses(const QByteArray &attack) const
    {
        const auto read = m_tokens.verify(attack);
        return !read && read.error().code == ErrorCode::Unauthenticated;
    }
    // The attacker has learnt a secret: still only what we would have written passes.
    bool refusesHeader(QJsonObject header, const QByteArray &good) const
    {
        return refuses(signedBy(m_secret, compactJson(header), decoded(good, 1)));
    }

private Q_SLOTS:
    void every_bit_counts()
    {
        const QByteArray good = token();
        QVERIFY(m_tokens.verify(good));
        for (qsizetype i = 0; i < good.size(); ++i)
            for (int bit = 0; bit < 8; ++bit) {
                QByteArray attack = good;
                attack[i] = static_cast<char>(attack[i] ^ (1 << bit));
                QVERIFY2(refuses(attack), attack.constData());
            }
    }

    void every_bit_of_the_signature_counts()
    {
        const QByteArray good = token(), signature = decoded(good, 2);
        for (qsizetype i = 0; i < signature.size() * 8; ++i) {
            QByteArray flipped = signature;
            flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
            QVERIFY(refuses(good.first(good.lastIndexOf('.') + 1) + flipped.toBase64(base64Url)));
        }
        for (qsizetype length = 0; length < 64; ++length)
            if (length != signature.size())
                QVERIFY(refuses(good.first(good.lastIndexOf('.') + 1)
                                + signature.repeated(2).first(length).toBase64(base64Url)));
    }

    void every_cut_and_every_added_byte_is_noticed()
    {
        const QByteArray good = token();
        for (qsizetype i = 0; i <= good.size(); ++i) {
            if (i < good.size()) {
                QVERIFY(refuses(good.first(i)));
                QVERIFY(refuses(good.sliced(i + 1)));
                QVERIFY(refuses(QByteArray(good).remove(i, 1)));
            }
            for (const char added : {' ', '\n', '\r', '\t', '\0', '=', '.', '%', '+', '/', 'A', '-', '\x7f', '\xff'})
                QVERIFY(refuses(QByteArray(good).insert(i, added)));
        }
    }

    void segments_of_two_good_tokens_do_not_mix()
    {
        const auto a = token().split('.'), b = token().split('.');
        for (int mask = 1; mask < 7; ++mask) {
            QByteArrayList mixed;
            for (int i = 0; i < 3; ++i)
                mixed.append(mask >> i & 1 ? a.at(i) : b.at(i));
            const bool same = mixed == a || mixed == b;
            QVERIFY(same || refuses(mixed.join('.')));
        }
    }

    void no_spelling_of_none_passes()
    {
        const QByteArray good = token();
        for (const QString &none : spellingsOf(u"none"_s) + QStringList{u""_s, u"null"_s, u" none"_s, u"none\n"_s}) {
            for (const QJsonObject &header :
                 {QJsonObject{{u"alg"_s, none}, {u"typ"_s, u"JWT"_s}},
                  QJsonObject{{u"alg"_s, none}, {u"kid"_s, u"key-number-1"_s}, {u"typ"_s, u"JWT"_s}},
                  QJsonObject{{u"alg"_s, none}}}) {
                const QByteArray input = compactJson(header).toBase64(base64Url) + '.' + good.split('.').at(1);
                QVERIFY(refuses(input));
                QVERIFY(refuses(input + '.'));
                QVERIFY(refuses(input + '.' + good.split('.').at(2)));
                QVERIFY(refusesHeader(header, good));
            }
        }
    }

    void no_other_algorithm_passes()
    {
        const QByteArray good = token();
        QJsonObject header = object(good, 0);
        const QStringList others{
            u"HS384"_s,  u"HS512"_s,  u"RS256"_s,    u"RS384"_s,
            u"RS512"_s,  u"ES256"_s,  u"ES384"_s,    u"ES512"_s,
            u"ES256K"_s, u"PS256"_s,  u"PS384"_s,    u"PS512"_s,
            u"EdDSA"_s,  u"HS1"_s,    u"HS256 "_s,   u"HS-256"_s,
            u"dir"_s,    u"A256KW"_s, u"RSA-OAEP"_s, u"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"_s};
        QStringList spellings = spellingsOf(u"hs256"_s);
        spellings.removeAll(u"HS256"_s);
        for (const QString &alg : others + spellings) {
            header.insert(u"alg"_s, alg);
            QVERIFY2(refusesHeader(header, good), qPrintable(alg));
            for (const auto hash : {QCryptographicHash::Sha384, QCryptographicHash::Sha512, QCryptographicHash::Sha1})
                QVERIFY(refuses(signedBy(m_secret, compactJson(header), decoded(good, 1), hash)));
        }
        header.insert(u"alg"_s, u"HS256"_s);
        for (const auto hash : {QCryptographicHash::Sha384, QCryptographicHash::Sha512, QCryptographicHash::Sha1})
            QVERIFY(refuses(signedBy(m_secret, compactJson(header), decoded(good, 1), hash)));
    }

    void no_key_id_but_ours_passes_and_none_passes_under_another_secret()
    {
        const QByteArray good = token();
        QJsonObject header = object(good, 0);
        const QJsonArray ids{u""_s,
                             u"key-number-3"_s,
                             u"KEY-NUMBER-1"_s,
                             u" key-number-1"_s,
                             u"key-number-1 "_s,
                             u"key-number-1\n"_s,
                             u"key-number-1\u0000"_s,
                             u"key-number"_s,
                             u"../../../../dev/null"_s,
                             u"/dev/null"_s,
                             u"/proc/sys/kernel/randomize_va_space"_s,
                             u"..%2f..%2fdev%2fnull"_s,
                             u"' OR 1=1 --"_s,
                             u"' UNION SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' --"_s,
                             u"x; SELECT pg_sleep(9)"_s,
                             u"| /usr/bin/id"_s,
                             u"http://127.0.0.1/key"_s,
                             QString(100'000, u'k'),
                             QJsonValue::Null,
                             true,
                             0,
                             1,
                             QJsonArray{u"key-number-1"_s},
                             QJsonArray{u"key-number-1"_s, u"key-number-2"_s},
                             QJsonObject{{u"kid"_s, u"key-number-1"_s}},
                             u"key-number-2"_s}; // ours, and not the one that signed
        for (const QJsonValue &id : ids) {
            header.insert(u"kid"_s, id);
            QVERIFY2(refusesHeader(header, good), compactJson({{u"kid"_s, id}}).left(100).constData());
            for (const QByteArray &weak : {QByteArray(), QByteArray("\0", 1), QByteArray("key-number-1")})
                QVERIFY(refuses(signedBy(weak, compactJson(header), decoded(good, 1))));
        }
    }

    void a_key_that_was_taken_away_opens_nothing_under_any_name()
    {
        AccessTokens tokens(m_clock, {{u"key-retired"_s, m_secret}});
        const QByteArray old =
            tokens.issue({UserId::create(), DeviceId::create(), {}, m_clock.now().addSecs(60)}).toLatin1();
        tokens.setKeys({{u"key-number-2"_s, m_other}});
        QVERIFY(!tokens.verify(old));
        for (const char *name : {"key-retired", "key-number-2"}) {
            const QJsonObject header{{u"alg"_s, u"HS256"_s},
                                     {u"kid"_s, QString::fromLatin1(name)},
                                     {u"typ"_s, u"JWT"_s}};
            QVERIFY(!tokens.verify(signedBy(m_secret, compactJson(header), decoded(old, 1))));
        }
    }

    void another_deployments_token_is_nothing_here_even_with_our_key_ids()
    {
        const AccessTokens theirs(m_clock, {{u"key-number-1"_s, QByteArray(32, 'c')}});
        const TokenClaims claims{UserId::create(), DeviceId::create(), {Role::Admin}, m_clock.now().addSecs(900)};
        QVERIFY(refuses(theirs.issue(claims).toLatin1()));
    }

    void keys_that_the_header_brings_or_points_to_are_never_used()
    {
        const QByteArray good = token();
        const QJsonObject jwk{{u"kty"_s, u"oct"_s}, {u"k"_s, QString::fromLatin1(m_other.toBase64(base64Url))}};
        const QList<std::pair<QString, QJsonValue>> extras{{u"jwk"_s, jwk},
                                                           {u"jku"_s, u"http://127.0.0.1:1/keys"_s},
                                                           {u"x5u"_s, u"file:///etc/ssl/certs/ca-certificates.crt"_s},
                                                           {u"x5c"_s, QJsonArray{u"MIIB"_s}},
                                                           {u"x5t"_s, u"AAAA"_s},
                                                           {u"x5t#S256"_s, u"AAAA"_s},
                                                           {u"crit"_s, QJsonArray{u"exp"_s}},
                                                           {u"crit"_s, QJsonArray{}},
                                                           {u"b64"_s, false},
                                                           {u"b64"_s, true},
                                                           {u"zip"_s, u"DEF"_s},
                                                           {u"enc"_s, u"A256GCM"_s},
                                                           {u"cty"_s, u"JWT"_s},
                                                           {u"nonce"_s, u"x"_s},
                                                           {u"typ"_s, u"jwt"_s},
                                                           {u"typ"_s, u"at+jwt"_s},
                                                           {u"typ"_s, u"JOSE"_s},
                                                           {u"typ"_s, QJsonValue::Null}};
        for (const auto &[name, value] : extras) {
            QJsonObject header = object(good, 0);
            header.insert(name, value);
            QVERIFY2(refusesHeader(header, good), qPrintable(name));
            QVERIFY(refuses(signedBy(m_other, compactJson(header), decoded(good, 1))));
        }
    }

    void no_time_but_a_plain_near_one_passes()
    {
        const QByteArray good = token();
        const QJsonObject payload = object(good, 1);
        const qint64 now = m_clock.now().toSecsSinceEpoch();
        const QList<QByteArray> values{"\"" + QByteArray::number(now + 900) + "\"",
                                       QByteArray::number(now + 900) + ".0",
                                       QByteArray::number(now + 899) + ".5",
                                       "1e308",
                                       "1e999",
                                       "-1e308",
                                       "1.7e9",
                                       "-1",
                                       "0",
                                       "-0",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "-9223372036854775808",
                                       "253402300800", // the year 10000
                                       QByteArray::number(now + 3'153'600'000),
                                       QByteArray::number(now * 1000), // milliseconds
                                       "NaN",
                                       "Infinity",
                                       "null",
                                       "true",
                                       "[]",
                                       "{}",
                                       "\"\"",
                                       "0x7fffffff",
                                       "\"2099-01-01T00:00:00Z\""};
        for (const char *claim : {"exp", "iat"}) {
            const QByteArray from = '"' + QByteArray(claim)
                + "\":" + QByteArray::number(payload.value(QLatin1StringView(claim)).toInteger());
            for (const QByteArray &value : values) {
                const QByteArray changed =
                    decoded(good, 1).replace(from, QByteArray('"' + QByteArray(claim) + "\":" + value));
                QVERIFY(changed != decoded(good, 1));
                QVERIFY2(refuses(signedBy(m_secret, decoded(good, 0), changed)), changed.constData());
            }
        }
        for (const char *extra : {"nbf", "iss", "aud", "jti", "scope", "azp", "sub ", "SUB"}) {
            QJsonObject more = payload;
            more.insert(QLatin1StringView(extra), now + 3600);
            QVERIFY2(refuses(signedBy(m_secret, decoded(good, 0), compactJson(more))), extra);
        }
    }

    void a_token_without_a_device_passes_nowhere()
    {
        const QByteArray good = token();
        QJsonObject payload = object(good, 1);
        payload.remove(u"device"_s);
        QVERIFY(refuses(signedBy(m_secret, decoded(good, 0), compactJson(payload))));
        for (const QJsonValue &device :
             {QJsonValue(u""_s), QJsonValue(QJsonValue::Null), QJsonValue(u"00000000-0000-0000-0000-000000000000"_s)}) {
            payload.insert(u"device"_s, device);
            QVERIFY(refuses(signedBy(m_secret, decoded(good, 0), compactJson(payload))));
        }
    }

    void tokens_within_tokens_and_large_ones_are_refused()
    {
        const QByteArray good = token();
        QVERIFY(refuses(signedBy(m_secret, decoded(good, 0), good)));
        QVERIFY(refuses(signedBy(m_secret, decoded(good, 0), '"' + good + '"')));
        const QByteArray jweHeader =
            QByteArray("{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"cty\":\"JWT\"}").toBase64(base64Url);
        QVERIFY(refuses(jweHeader + "..AAAAAAAAAAAAAAAA." + good.split('.').at(1) + ".AAAAAAAAAAAAAAAAAAAAAA"));
        for (const qsizetype size : {2'000, 2'049, 100'000, 1'000'000}) {
            QJsonObject payload = object(good, 1);
            payload.insert(u"x"_s, QString(size, u'x'));
            QVERIFY(refuses(signedBy(m_secret, decoded(good, 0), compactJson(payload))));
            QVERIFY(refuses(QByteArray(size, 'A') + good));
            QVERIFY(refuses(good + QByteArray(size, 'A')));
            QVERIFY(refuses(QByteArray(size, '.')));
        }
    }

    // Seeded, so that a failure can be had again.
    void random_damage_is_noticed()
    {
        QRandomGenerator random(20261122);
        const QByteArray good = token();
        for (int round = 0; round < 20'000; ++round) {
            QByteArray attack = good;
            for (int changes = 1 + random.bounded(4); changes > 0; --changes) {
                const int at = random.bounded(int(attack.size()));
                switch (random.bounded(4)) {
                case 0:
                    attack[at] = static_cast<char>(random.bounded(256));
                    break;
                case 1:
                    attack.remove(at, 1 + random.bounded(8));
                    break;
                case 2:
                    attack.insert(at, attack.mid(random.bounded(int(attack.size())), 1 + random.bounded(8)));
                    break;
                default:
                    std::swap(attack[at], attack[random.bounded(int(attack.size()))]);
                }
                if (attack.isEmpty())
                    attack = ".";
            }
            QVERIFY2(attack == good || refuses(attack), attack.toHex().constData());
        }
    }
};

QTEST_GUILESS_MAIN(TestTokenAttacks)
#include "tst_TokenAttacks.moc"
