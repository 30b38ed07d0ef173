#pragma once

#include "common/Clock.h"
#include "common/Result.h"
#include "jose/Jws.h"

#include <functional>

namespace companion::identity {

// What an ID token says of its user, once it has been verified.
struct FirebaseUser
{
    QString uid;    // 1 to 128 characters
    QString email;  // as given; empty where there is none
    bool emailVerified = false;
    QString name;   // may be empty
    QString tenant; // of Identity Platform; empty for the project's own users
    QDateTime authenticatedAt;
};

// Verifies Firebase ID tokens by the rules of the vendor's Admin SDK (verifyIdToken) and its documentation: RS256 by
// the key that `kid` names; aud the project, iss https://securetoken.google.com/PROJECT, sub 1 to 128 characters, exp
// ahead; iat and auth_time not ahead (a minute of clocks' difference is let pass). Stricter than the SDK where it is
// lax: each of these must be there and of its type (times whole numbers), no member may stand twice. Whether the user
// has been disabled or deleted since the token was made, no token can say: the SDK's checkRevoked needs a service
// account, which we have not.
//
// For the Auth emulator, and only then: tokens with alg "none" and an empty signature, and no others.
class FirebaseToken
{
public:
    enum class Signed { ByGoogle, NotAtAll };
    using Keys = std::function<std::optional<jose::JwsKey>(const QString &keyId)>; // any thread

    FirebaseToken(QString project, Signed expected, Keys keys);

    const QString &project() const { return m_project; }
    // The key that a token names, if it looks like one of these at all; for fetching it before it is verified.
    std::optional<QString> wantedKey(const QByteArray &token) const;
    // unauthenticated, said alike for everything wrong
    Result<FirebaseUser> verify(const QByteArray &token, const QDateTime &now) const;

    static constexpr qsizetype maxLength = 16 * 1024;
    static constexpr int clockSkew_s = 60;

private:
    bool isSigned(const jose::Jws &jws) const;

    QString m_project;
    Signed m_expected;
    Keys m_keys;
};

} // namespace companion::identity
