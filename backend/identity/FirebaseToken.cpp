#include "identity/FirebaseToken.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxUid = 128;

std::unexpected<Refusal> notAnIdToken()
{
    return refuse(ErrorCode::Unauthenticated, u"The Firebase ID token is not valid; get a fresh one and try again."_s);
}

// A whole number of seconds, written as a number; -1 for everything else. Firebase writes no fractions.
qint64 seconds(const QJsonObject &claims, QLatin1StringView name)
{
    const QJsonValue value = claims.value(name);
    return value.isDouble() ? value.toInteger(-1) : -1;
}

QString textClaim(const QJsonObject &claims, QLatin1StringView name)
{
    return claims.value(name).toString();
}

bool inTime(const QJsonObject &claims, qint64 now_s)
{
    const qint64 issued_s = seconds(claims, "iat"_L1), expires_s = seconds(claims, "exp"_L1);
    const qint64 authenticated_s = seconds(claims, "auth_time"_L1), latest_s = now_s + FirebaseToken::clockSkew_s;
    const bool notYet =
        claims.contains("nbf"_L1) && (seconds(claims, "nbf"_L1) < 0 || seconds(claims, "nbf"_L1) > now_s);
    return expires_s > now_s && issued_s >= 0 && issued_s <= latest_s && expires_s > issued_s && authenticated_s >= 0
        && authenticated_s <= latest_s && !notYet;
}

FirebaseUser userFrom(const QJsonObject &claims)
{
    return {.uid = textClaim(claims, "sub"_L1),
            .email = textClaim(claims, "email"_L1),
            .emailVerified = claims.value("email_verified"_L1).toBool(),
            .name = textClaim(claims, "name"_L1),
            .tenant = textClaim(claims.value("firebase"_L1).toObject(), "tenant"_L1),
            .authenticatedAt = QDateTime::fromSecsSinceEpoch(seconds(claims, "auth_time"_L1), Qt::UTC)};
}

} // namespace

FirebaseToken::FirebaseToken(QString project, Signed expected, Keys keys)
    : m_project(std::move(project))
    , m_expected(expected)
    , m_keys(std::move(keys))
{
}

std::optional<QString> FirebaseToken::wantedKey(const QByteArray &token) const
{
    const auto jws = m_expected == Signed::ByGoogle ? jose::Jws::read(token, maxLength) : std::nullopt;
    if (!jws || jws->algorithm() != "RS256"_L1 || jws->keyId().isEmpty())
        return std::nullopt;
    const auto claims = jws->claims();
    if (!claims || textClaim(*claims, "aud"_L1) != m_project)
        return std::nullopt;
    return jws->keyId();
}

bool FirebaseToken::isSigned(const jose::Jws &jws) const
{
    if (m_expected == Signed::NotAtAll)
        return jws.algorithm() == "none"_L1 && jws.isUnsigned();
    const auto key = jws.keyId().isEmpty() ? std::nullopt : m_keys(jws.keyId());
    return key && key->algorithm() == jose::JwsKey::Algorithm::RS256 && key->verifies(jws);
}

Result<FirebaseUser> FirebaseToken::verify(const QByteArray &token, const QDateTime &now) const
{
    const auto jws = jose::Jws::read(token, maxLength);
    if (!jws || !isSigned(*jws))
        return notAnIdToken();
    const auto claims = jws->claims();
    const auto uid = claims ? textClaim(*claims, "sub"_L1) : QString();
    if (uid.isEmpty() || uid.size() > maxUid || textClaim(*claims, "aud"_L1) != m_project
        || textClaim(*claims, "iss"_L1) != QString(u"https://securetoken.google.com/"_s + m_project)
        || !inTime(*claims, now.toSecsSinceEpoch()))
        return notAnIdToken();
    return userFrom(*claims);
}

} // namespace companion::identity
