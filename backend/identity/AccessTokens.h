#pragma once

#include "common/Clock.h"
#include "common/Ids.h"
#include "common/Result.h"
#include "common/models/Identity.h"

#include <memory>

namespace companion::identity {

struct TokenClaims
{
    UserId user;
    DeviceId device;
    QList<Role> roles; // what the key narrowed the user's roles to; the account's own roles still decide
    QDateTime expiresAt;
};

// Signs and verifies our own access tokens: JWS compact, HS256, `kid` names one of our keys, at most 900 s.
// Verifying needs no database and is safe on any thread; keys come from `signing_keys` at start and after a rotation.
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

    QString issue(const TokenClaims &claims) const;
    // unauthenticated (anything wrong, said alike) or token_expired
    Result<TokenClaims> verify(const QByteArray &token) const;
    void setKeys(QList<Key> keys);

    static constexpr int lifetime_s = 900;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace companion::identity
