#include "fakes/FakeFirebase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QMessageAuthenticationCode>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

constexpr auto urlSafe = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

enum class Verdict { Accepted, Refused, Stricter };

// Gathers the cases; each kind of attack is one function below.
struct Cases
{
    const FakeFirebase &firebase;
    qint64 now_s;
    QList<FirebaseCase> all = {};

    QJsonObject claims() const { return firebase.claims(now_s); }
    QByteArray payload() const { return text(claims()); }
    static QByteArray text(const QJsonObject &object) { return QJsonDocument(object).toJson(QJsonDocument::Compact); }
    QByteArray good() const { return firebase.token(u"key-1"_s, claims()); }

    void add(const QString &name, const QByteArray &token, Verdict verdict = Verdict::Refused)
    {
        all.append({name, token, verdict == Verdict::Accepted, verdict == Verdict::Stricter});
    }
    void withClaim(const QString &name, const QString &claim, const QJsonValue &value,
                   Verdict verdict = Verdict::Refused)
    {
        QJsonObject changed = claims();
        changed.insert(claim, value);
        add(name, firebase.token(u"key-1"_s, changed), verdict);
    }
    void without(const QString &claim, Verdict verdict = Verdict::Refused)
    {
        QJsonObject changed = claims();
        changed.remove(claim);
        add(u"no "_s + claim, firebase.token(u"key-1"_s, changed), verdict);
    }
    // As text, for what QJson cannot say.
    void withText(const QString &name, const QByteArray &from, const QByteArray &to, Verdict verdict = Verdict::Refused)
    {
        const QByteArray changed = payload().replace(from, to);
        Q_ASSERT(changed != payload());
        add(name, firebase.sign(FakeFirebase::header(u"key-1"_s), changed, u"key-1"_s), verdict);
    }
    void withHeader(const QString &name, const QJsonObject &header, Verdict verdict = Verdict::Refused)
    {
        add(name, firebase.sign(header, payload(), u"key-1"_s), verdict);
    }
    void withHmac(const QString &name, const QJsonObject &header, const QByteArray &secret)
    {
        const QByteArray input = text(header).toBase64(urlSafe) + '.' + payload().toBase64(urlSafe);
        const auto mac = QMessageAuthenticationCode::hash(input, secret, QCryptographicHash::Sha256);
        add(name, input + '.' + mac.toBase64(urlSafe));
    }
};

void addGood(Cases &cases)
{
    cases.add(u"good"_s, cases.good(), Verdict::Accepted);
    cases.add(u"good, by the second key"_s, cases.firebase.token(u"key-2"_s, cases.claims()), Verdict::Accepted);
    cases.withClaim(u"the longest sub"_s, u"sub"_s, QString(128, u'u'), Verdict::Accepted);
    cases.withClaim(u"sub of other letters"_s, u"sub"_s, u"användare-1"_s, Verdict::Accepted);
    cases.withClaim(u"a custom claim"_s, u"premium"_s, true, Verdict::Accepted);
    cases.withClaim(u"a second before its end"_s, u"exp"_s, cases.now_s + 60, Verdict::Accepted);
    cases.without(u"email"_s, Verdict::Accepted);
    cases.without(u"firebase"_s, Verdict::Accepted);
    QJsonObject other = cases.claims();
    other.insert(u"iat"_s, cases.now_s + 30); // Google's clock and ours
    other.insert(u"auth_time"_s, cases.now_s + 30);
    cases.add(u"half a minute ahead"_s, cases.firebase.token(u"key-1"_s, other), Verdict::Accepted);
    cases.withHeader(u"no typ"_s, {{u"alg"_s, u"RS256"_s}, {u"kid"_s, u"key-1"_s}}, Verdict::Accepted);
}

void addClaims(Cases &cases)
{
    const QString project = cases.firebase.project();
    for (const char *claim : {"aud", "iss", "sub"})
        cases.without(QString::fromLatin1(claim));
    for (const char *claim : {"exp", "iat", "auth_time"})
        cases.without(QString::fromLatin1(claim), Verdict::Stricter);
    cases.withClaim(u"another project's aud"_s, u"aud"_s, u"other-project"_s);
    cases.withClaim(u"aud a list with ours"_s, u"aud"_s, QJsonArray{project, u"other"_s});
    cases.withClaim(u"aud empty"_s, u"aud"_s, u""_s);
    cases.withClaim(u"another project's iss"_s, u"iss"_s, u"https://securetoken.google.com/other-project"_s);
    cases.withClaim(u"iss of a session cookie"_s, u"iss"_s,
                    QString(u"https://session.firebase.google.com/"_s + project));
    cases.withClaim(u"iss with a slash more"_s, u"iss"_s,
                    QString(u"https://securetoken.google.com/"_s + project + u'/'));
    cases.withClaim(u"iss by http"_s, u"iss"_s, QString(u"http://securetoken.google.com/"_s + project));
    cases.withClaim(u"iss in capitals"_s, u"iss"_s, QString(u"HTTPS://SECURETOKEN.GOOGLE.COM/"_s + project));
    cases.withClaim(u"sub empty"_s, u"sub"_s, u""_s);
    cases.withClaim(u"sub too long"_s, u"sub"_s, QString(129, u'u'));
    cases.withClaim(u"sub a number"_s, u"sub"_s, 12345);
    cases.withClaim(u"sub a list"_s, u"sub"_s, QJsonArray{u"uid-of-ada"_s});
    cases.withClaim(u"sub null"_s, u"sub"_s, QJsonValue::Null);
    cases.withText(u"sub twice"_s, "\"sub\":\"uid-of-ada\"", "\"sub\":\"uid-of-ada\",\"sub\":\"uid-of-bob\"",
                   Verdict::Stricter);
    cases.withText(u"aud twice"_s, "\"aud\":", "\"aud\":\"other\",\"aud\":", Verdict::Stricter);
    cases.withText(u"email_verified twice"_s, "\"email_verified\":true",
                   "\"email_verified\":false,\"email_verified\":true", Verdict::Stricter);
}

void addTimes(Cases &cases)
{
    const qint64 now = cases.now_s;
    cases.withClaim(u"expired"_s, u"exp"_s, now - 1);
    cases.withClaim(u"expired now"_s, u"exp"_s, now);
    cases.withClaim(u"exp zero"_s, u"exp"_s, 0);
    cases.withClaim(u"exp negative"_s, u"exp"_s, -1);
    cases.withClaim(u"exp a text"_s, u"exp"_s, QString::number(now + 3590));
    cases.withClaim(u"exp null"_s, u"exp"_s, QJsonValue::Null);
    cases.withClaim(u"nbf ahead"_s, u"nbf"_s, now + 600);
    cases.withClaim(u"iat ahead"_s, u"iat"_s, now + 600, Verdict::Stricter);
    cases.withClaim(u"iat a text"_s, u"iat"_s, QString::number(now), Verdict::Stricter);
    cases.withClaim(u"iat negative"_s, u"iat"_s, -5, Verdict::Stricter);
    cases.withClaim(u"auth_time ahead"_s, u"auth_time"_s, now + 600, Verdict::Stricter);
    cases.withClaim(u"auth_time a text"_s, u"auth_time"_s, QString::number(now), Verdict::Stricter);
    const QByteArray exp = "\"exp\":" + QByteArray::number(now + 3590), iat = "\"iat\":" + QByteArray::number(now - 10);
    cases.withText(u"exp 1e308"_s, exp, "\"exp\":1e308", Verdict::Stricter);
    cases.withText(u"exp 1e999"_s, exp, "\"exp\":1e999", Verdict::Stricter);
    cases.withText(u"exp with a fraction"_s, exp, exp + ".5", Verdict::Stricter);
    cases.withText(u"exp beyond 64 bits"_s, exp, "\"exp\":99999999999999999999999", Verdict::Stricter);
    cases.withText(u"exp twice"_s, exp, "\"exp\":1," + exp, Verdict::Stricter);
    cases.withText(u"iat 1e308"_s, iat, "\"iat\":1e308", Verdict::Stricter);
    cases.withText(u"exp before iat"_s, iat, "\"iat\":" + QByteArray::number(now + 3600), Verdict::Stricter);
}

void addHeaders(Cases &cases)
{
    const QJsonObject header = FakeFirebase::header(u"key-1"_s);
    const auto with = [&](const QString &name, const QJsonValue &value) {
        QJsonObject changed = header;
        changed.insert(name, value);
        return changed;
    };
    for (int mask = 0; mask < 16; ++mask) {
        QString none = u"none"_s;
        for (int i = 0; i < 4; ++i)
            if (mask >> i & 1)
                none[i] = none[i].toUpper();
        const QByteArray head = Cases::text(with(u"alg"_s, none)).toBase64(urlSafe) + '.';
        cases.add(u"alg %1, unsigned"_s.arg(none), head + cases.payload().toBase64(urlSafe) + '.');
        cases.withHeader(u"alg %1, signed"_s.arg(none), with(u"alg"_s, none));
    }
    cases.add(u"the emulator's"_s, FakeFirebase::unsignedToken(cases.claims()));
    for (const char *alg : {"RS384", "RS512", "PS256", "ES256", "HS256", "EdDSA", "rs256", "RS256 ", ""})
        cases.withHeader(u"alg %1"_s.arg(QString::fromLatin1(alg)), with(u"alg"_s, QString::fromLatin1(alg)));
    for (const QString &key : {u"key-1"_s, u"hidden"_s}) {
        cases.withHmac(u"HS256 with the public key of "_s + key, with(u"alg"_s, u"HS256"_s),
                       cases.firebase.publicKey(key));
        cases.withHmac(u"HS256 with the certificate of "_s + key, with(u"alg"_s, u"HS256"_s),
                       cases.firebase.certificate(key));
    }
    cases.withHmac(u"HMAC under RS256"_s, header, cases.firebase.publicKey(u"key-1"_s));
    QJsonObject noKid = header;
    noKid.remove(u"kid"_s);
    cases.withHeader(u"no kid"_s, noKid);
    for (const QJsonValue &kid :
         {QJsonValue(u"key-3"_s), QJsonValue(u"KEY-1"_s), QJsonValue(u"key-2"_s), QJsonValue(u"hidden"_s),
          QJsonValue(u"../../../dev/null"_s), QJsonValue(u"' OR 1=1 --"_s), QJsonValue(u"http://127.0.0.1/key-1"_s),
          QJsonValue(u"__proto__"_s), QJsonValue(u"constructor"_s), QJsonValue(1), QJsonValue(QString(5'000, u'k'))})
        cases.withHeader(u"kid "_s + kid.toVariant().toString().left(40), with(u"kid"_s, kid));
    // Without a name the SDK tries every key.
    cases.withHeader(u"kid empty"_s, with(u"kid"_s, u""_s), Verdict::Stricter);
    cases.withHeader(u"kid null"_s, with(u"kid"_s, QJsonValue::Null), Verdict::Stricter);
    cases.withHeader(u"crit"_s, with(u"crit"_s, QJsonArray{u"exp"_s}), Verdict::Stricter);
    cases.withHeader(u"b64 false"_s, with(u"b64"_s, false), Verdict::Stricter);
    cases.add(u"header with alg twice"_s,
              cases.firebase.sign("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"key-1\",\"typ\":\"JWT\"}",
                                  cases.payload(), u"key-1"_s),
              Verdict::Stricter);
}

void addSignatures(Cases &cases)
{
    const QByteArray good = cases.good();
    const auto parts = good.split('.');
    const QByteArray unsignedPart = parts.at(0) + '.' + parts.at(1) + '.';
    cases.add(u"signed by a key that is not published"_s, cases.firebase.token(u"hidden"_s, cases.claims()));
    cases.add(u"another's signature under our kid"_s,
              cases.firebase.sign(FakeFirebase::header(u"key-1"_s), cases.payload(), u"hidden"_s));
    cases.add(u"a weak key"_s, cases.firebase.token(u"weak"_s, cases.claims()), Verdict::Stricter);
    const QByteArray signature = QByteArray::fromBase64(parts.at(2), urlSafe);
    QJsonObject brings = FakeFirebase::header(u"hidden"_s); // a key that comes with the token, or its address
    brings.insert(u"jwk"_s, QJsonObject{{u"kty"_s, u"RSA"_s}, {u"n"_s, u"AQAB"_s}, {u"e"_s, u"AQAB"_s}});
    brings.insert(u"jku"_s, cases.firebase.url().toString());
    brings.insert(u"x5u"_s, cases.firebase.url().toString());
    brings.insert(
        u"x5c"_s,
        QJsonArray{QString::fromLatin1(cases.firebase.certificate(u"hidden"_s)).split(u'\n').mid(1).join(QString())});
    cases.add(u"a key of its own"_s, cases.firebase.sign(brings, cases.payload(), u"hidden"_s));
    for (qsizetype i = 0; i < signature.size(); i += 17) {
        QByteArray flipped = signature;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        cases.add(u"signature's byte %1"_s.arg(i), unsignedPart + flipped.toBase64(urlSafe));
    }
    cases.add(u"signature of zeros"_s, unsignedPart + QByteArray(256, '\0').toBase64(urlSafe));
    cases.add(u"signature of ones"_s, unsignedPart + QByteArray(256, '\xff').toBase64(urlSafe));
    cases.add(u"signature cut"_s, good.chopped(4));
    cases.add(u"no signature"_s, unsignedPart);
    cases.add(u"two segments"_s, unsignedPart.chopped(1));
    cases.add(u"four segments"_s, good + ".x");
    cases.add(u"nothing"_s, "");
    cases.add(u"dots"_s, "..");
    cases.add(u"padded"_s, good + "==", Verdict::Stricter);
    cases.add(u"a blank after it"_s, good + ' ', Verdict::Stricter);
    cases.add(u"a line break after it"_s, good + '\n', Verdict::Stricter);
    cases.add(u"nested in itself"_s, cases.firebase.sign(FakeFirebase::header(u"key-1"_s), good, u"key-1"_s));
    QJsonObject large = cases.claims();
    large.insert(u"x"_s, QString(1'000'000, u'x'));
    cases.add(u"a megabyte"_s, cases.firebase.token(u"key-1"_s, large), Verdict::Stricter);
}

} // namespace

QList<FirebaseCase> firebaseCases(const FakeFirebase &firebase, qint64 now_s)
{
    Cases cases{firebase, now_s};
    addGood(cases);
    addClaims(cases);
    addTimes(cases);
    addHeaders(cases);
    addSignatures(cases);
    return cases.all;
}

} // namespace companion::test
