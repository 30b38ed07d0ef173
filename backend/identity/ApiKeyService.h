#pragma once

#include "common/models/Page.h"
#include "identity/AccessTokens.h"
#include "identity/AccountStore.h"

namespace companion::identity {

// A user's own keys for the /v1 door. Stateless, safe on any worker.
class ApiKeyService
{
public:
    // As the user. conflict: there are 20 keys already.
    Result<CreatedApiKey> create(db::Session &db, const UserId &user, const QString &name) const;
    Page<ApiKey> list(db::Session &db, const UserId &user, const PageRequest &page) const; // unrevoked, newest first
    Result<void> revoke(db::Session &db, const UserId &user, const ApiKeyId &key) const;   // not_found

    // Whose key this is, as claims like a token's: no device, the user role alone, good for this request. Notes the use
    // at most every 5 minutes. Operator lane. unauthenticated, account_suspended
    Result<TokenClaims> claims(db::Session &db, const QString &key) const;

    static constexpr int maxKeys = 20;
};

} // namespace companion::identity
