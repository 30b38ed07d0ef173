#include "fakes/FakeApple.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMessageAuthenticationCode>

#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr auto urlBase64 = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

QByteArray segment(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact).toBase64(urlBase64);
}

QJsonObject headerOf(const QByteArray &algorithm, const QList<QByteArray> &x5c)
{
    QJsonArray chain;
    for (const QByteArray &der : x5c)
        chain.append(QString::fromLatin1(der.toBase64()));
    return {{u"alg"_s, QString::fromLatin1(algorithm)}, {u"x5c"_s, chain}};
}

QJsonObject with(QJsonObject object, const QString &member, const QJsonValue &value)
{
    object.insert(member, value);
    return object;
}

QJsonObject withData(QJsonObject notification, const QString &member, const QJsonValue &value)
{
    return with(notification, u"data"_s, with(notification.value(u"data"_s).toObject(), member, value));
}

QByteArray tampered(const QByteArray &jws, const QJsonObject &payload)
{
    QList<QByteArray> parts = jws.split('.');
    parts[1] = segment(payload);
    return parts.join('.');
}

} // namespace

QList<AppleCase> appleCases(FakeApple &apple)
{
    QList<AppleCase> cases;
    const auto add = [&](const QString &name, const QByteArray &jws, bool accepted = false, bool stricter = false,
                         const QString &kind = u"notification"_s) {
        cases.append({name, kind, jws, accepted, stricter});
    };
    const AppleChain &good = apple.chain();
    const auto x5c = good.x5c();
    apple.buy(u"com.example.companion.popular"_s, u"b0c7d7ee-7a0e-4c51-8f0f-0123456789ab"_s, 8990);
    const QString id = apple.lastTransaction();
    const QJsonObject note = apple.notification(u"ONE_TIME_CHARGE"_s, {}, id);
    QJsonObject sale = apple.transaction(id);
    sale.insert(u"signedDate"_s, note.value(u"signedDate"_s));
    const QJsonObject renewal{{u"originalTransactionId"_s, id},
                              {u"autoRenewProductId"_s, u"com.example.companion.vip"_s},
                              {u"autoRenewStatus"_s, 1},
                              {u"environment"_s, apple.environment},
                              {u"signedDate"_s, note.value(u"signedDate"_s)}};

    add(u"a notification"_s, good.sign(note), true);
    add(u"a transaction"_s, good.sign(sale), true, false, u"transaction"_s);
    add(u"a renewal"_s, good.sign(renewal), true, false, u"renewal"_s);
    add(u"a test notification"_s, good.sign(apple.notification(u"TEST"_s, {}, {})), true);

    // The chain.
    add(u"two certificates"_s, good.sign(note, x5c.first(2)));
    add(u"one certificate"_s, good.sign(note, x5c.first(1)));
    add(u"no certificates"_s, good.sign(note, {}));
    add(u"four certificates"_s, good.sign(note, x5c + QList{x5c[2]}));
    add(u"four with the root first"_s, good.sign(note, QList{x5c[2]} + x5c));
    add(u"the wrong order"_s, good.sign(note, {x5c[1], x5c[0], x5c[2]}));
    const AppleChain foreign = AppleChain::usual(AppleChain::makeRoot());
    add(u"another root of the same name"_s, foreign.sign(note));
    add(u"another chain that names our root"_s, foreign.sign(note, {foreign.x5c()[0], foreign.x5c()[1], x5c[2]}));
    add(u"our chain with a root of theirs"_s, good.sign(note, {x5c[0], x5c[1], foreign.x5c()[2]}), false, true);
    add(u"somebody else's leaf"_s, foreign.sign(note, x5c));
    add(u"a leaf without Apple's OID"_s, AppleChain(good.root(), {.leafOid = false}).sign(note));
    add(u"an intermediate without Apple's OID"_s, AppleChain(good.root(), {.intermediateOid = false}).sign(note));
    add(u"an intermediate that is no authority"_s,
        AppleChain(good.root(), {.intermediateIsAuthority = false}).sign(note));
    add(u"a leaf that the intermediate did not sign"_s,
        AppleChain(good.root(), {.leafFromIntermediate = false}).sign(note));
    add(u"a leaf on another curve"_s, AppleChain(good.root(), {.curve = "P-384"}).sign(note));
    const QDateTime signedAt = QDateTime::fromMSecsSinceEpoch(note.value(u"signedDate"_s).toInteger(), Qt::UTC);
    add(u"a leaf that had expired"_s, AppleChain(good.root(), {.leafUntil = signedAt.addDays(-2)}).sign(note));
    add(u"a leaf of the future"_s, AppleChain(good.root(), {.leafFrom = signedAt.addDays(2)}).sign(note));
    add(u"an intermediate that had expired"_s,
        AppleChain(good.root(), {.intermediateUntil = signedAt.addDays(-2)}).sign(note));
    add(u"a leaf that has expired since"_s, AppleChain(good.root(), {.leafUntil = signedAt.addSecs(60)}).sign(note),
        true);
    add(u"certificates that are none"_s, good.sign(note, {"a", "b", "c"}));

    // The signature.
    const std::shared_ptr<EVP_PKEY> rsa(EVP_RSA_gen(2048), EVP_PKEY_free);
    add(u"RS256"_s, good.sign(note, x5c, "RS256", rsa));
    add(u"ES256 by a key not in the chain"_s, good.sign(note, x5c, "ES256", foreign.leaf().key));
    add(u"named ES384"_s, good.sign(note, x5c, "ES384"));
    const QByteArray none = segment(headerOf("none", x5c)) + '.' + segment(note) + '.';
    add(u"alg none"_s, none);
    add(u"alg none with our signature"_s, none + good.sign(note).split('.')[2]);
    const QByteArray hs = segment(headerOf("HS256", x5c)) + '.' + segment(note);
    add(u"HS256 with the leaf for a secret"_s,
        hs + '.'
            + QMessageAuthenticationCode::hash(hs, good.leaf().pem(), QCryptographicHash::Sha256).toBase64(urlBase64));
    add(u"HS256 with the key for a secret"_s,
        hs + '.' + QMessageAuthenticationCode::hash(hs, x5c[0], QCryptographicHash::Sha256).toBase64(urlBase64));
    add(u"no signature"_s, good.sign(note).left(good.sign(note).lastIndexOf('.') + 1));
    add(u"a changed payload"_s, tampered(good.sign(note), with(note, u"notificationType"_s, u"REFUND_REVERSED"_s)));
    add(u"a changed transaction"_s, tampered(good.sign(sale), with(sale, u"price"_s, 1)), false, false,
        u"transaction"_s);
    add(u"not a JWS"_s, "hello");
    add(u"empty"_s, "");

    // For whom it is.
    add(u"another bundle"_s, good.sign(withData(note, u"bundleId"_s, u"com.example.other"_s)));
    add(u"another app"_s, good.sign(withData(note, u"appAppleId"_s, 1)));
    add(u"no app"_s, good.sign(withData(note, u"appAppleId"_s, QJsonValue::Undefined)));
    for (const QString &environment : {u"Sandbox"_s, u"Xcode"_s, u"LocalTesting"_s, u"production"_s, u""_s}) {
        add(u"environment \"%1\""_s.arg(environment), good.sign(withData(note, u"environment"_s, environment)));
        add(u"a transaction of environment \"%1\""_s.arg(environment),
            good.sign(with(sale, u"environment"_s, environment)), false, false, u"transaction"_s);
        add(u"a renewal of environment \"%1\""_s.arg(environment),
            good.sign(with(renewal, u"environment"_s, environment)), false, false, u"renewal"_s);
    }
    add(u"a transaction of another bundle"_s, good.sign(with(sale, u"bundleId"_s, u"com.example.other"_s)), false,
        false, u"transaction"_s);
    // The vendor's library leaves what is inside to its caller; we look into it at once.
    const auto inside = [&](const QByteArray &jws) {
        return good.sign(withData(note, u"signedTransactionInfo"_s, QString::fromLatin1(jws)));
    };
    add(u"a foreign transaction inside"_s, inside(foreign.sign(sale)), false, true);
    add(u"a changed transaction inside"_s, inside(tampered(good.sign(sale), with(sale, u"price"_s, 1))), false, true);
    add(u"a sandbox transaction inside"_s, inside(good.sign(with(sale, u"environment"_s, u"Sandbox"_s))), false, true);
    add(u"a renewal of another subscription inside"_s,
        good.sign(withData(note, u"signedRenewalInfo"_s,
                           QString::fromLatin1(good.sign(with(renewal, u"originalTransactionId"_s, u"1"_s))))),
        false, true);
    add(u"no signedDate"_s, good.sign(with(note, u"signedDate"_s, QJsonValue::Undefined)), false, true);
    return cases;
}

} // namespace companion::test
