#pragma once

#include "common/Clock.h"
#include "common/Ids.h"
#include "common/Result.h"
#include "common/models/Identity.h"

#include <memory>
#include <mutex>

namespace companion::identity {

struct TokenClaims
{
    UserId user;
    DeviceId device;   // null for an API key, which is no token
    QList<Role> roles; // what the key narrowed the user's roles to; the account's own roles still decide
    QDateTime expiresAt;
};

// Signs and verifies our own access tokens: JWS compact, HS256, `kid` names one of our keys, at most 900 s.
// Verifying needs no database and is safe on any thread (10 µs: test_identity_AccessTokens verifying_is_cheap); keys
// come from `signing_keys` at start and after a rotation (SigningKeys).
//
// Only what issue() writes is accepted, byte for byte: the header must be one of our keys' own headers (so there is no
// alg, crit or kid to play with), the payload must be its claims' one canonical form (no claim twice, none unknown).
// Every token names a device, which each act looks up: whoever learns a signing key still has to learn a living one.
class AccessTokens
{
public:
    struct Key
    {
        QString id;
        QByteArray secret; // 32 bytes
    };
    AccessTokens(const Clock &clock, QList<Key> keys); // the first signs, all verify
    ~AccessTokens();

    // Expires at claims.expiresAt, but never later than lifetime_s from now.
    QString issue(const TokenClaims &claims) const;
    // unauthenticated (anything wrong, said alike) or token_expired
    Result<TokenClaims> verify(const QByteArray &token) const;
    void setKeys(QList<Key> keys);

    static constexpr int lifetime_s = 900;
    static constexpr int clockSkew_s = 60; // how far ahead another instance's clock may be
    static constexpr qsizetype maxLength = 2048;

private:
    struct KeyRing;
    std::shared_ptr<const KeyRing> keys() const;

    const Clock &m_clock;
    mutable std::mutex m_mutex; // held just to copy the pointer
    std::shared_ptr<const KeyRing> m_keys;
};

} // namespace companion::identity
