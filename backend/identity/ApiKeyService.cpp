#include "identity/ApiKeyService.h"

#include "identity/Secrets.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

Result<CreatedApiKey> ApiKeyService::create(db::Session &db, const UserId &user, const QString &name) const
{
    db.one("identity.lock_api_keys", {{"user_id", user}});
    if (db.one("identity.count_api_keys", {{"user_id", user}}).integer("total") >= maxKeys)
        return refuse(ErrorCode::Conflict, u"There are %1 keys already; take one away first."_s.arg(maxKeys));
    const Secret secret = newSecret(apiKeyPrefix);
    const CreatedApiKey key{
        .id = ApiKeyId::create(), .name = name, .prefix = secret.prefix, .createdAt = db.now(), .key = secret.text};
    db.execute("identity.create_api_key",
               {{"id", key.id},
                {"user_id", user},
                {"key_hash", secret.hash},
                {"prefix", key.prefix},
                {"name", key.name},
                {"now", key.createdAt}});
    return key;
}

Page<ApiKey> ApiKeyService::list(db::Session &db, const UserId &user, const PageRequest &page) const
{
    Page<ApiKey> keys{.items = {}, .total = {}, .limit = page.limit, .offset = page.offset, .nextCursor = {}};
    keys.total = db.one("identity.count_api_keys", {{"user_id", user}}).integer("total");
    for (const db::Row &row :
         db.rows("identity.list_api_keys", {{"user_id", user}, {"limit", page.limit}, {"offset", page.offset}}))
        keys.items.append({.id = row.id<ApiKeyId>("id"),
                           .name = row.text("name"),
                           .prefix = row.text("prefix"),
                           .createdAt = row.time("created_at"),
                           .lastUsedAt = row.maybeTime("last_used_at")});
    keys.hasMore = page.offset + keys.items.size() < *keys.total;
    return keys;
}

Result<void> ApiKeyService::revoke(db::Session &db, const UserId &user, const ApiKeyId &key) const
{
    if (db.execute("identity.revoke_api_key", {{"user_id", user}, {"id", key}, {"now", db.now()}}) == 0)
        return refuse(ErrorCode::NotFound, u"There is no such key."_s);
    return {};
}

Result<TokenClaims> ApiKeyService::claims(db::Session &db, const QString &key) const
{
    const QDateTime now = db.now();
    const auto row = db.first("identity.use_api_key", {{"key_hash", secretHash(key)}, {"now", now}});
    if (!row || row->value<UserStatus>("status") == UserStatus::Erased)
        return refuse(ErrorCode::Unauthenticated, u"The API key is not valid."_s);
    if (row->value<UserStatus>("status") == UserStatus::Suspended)
        return refuse(ErrorCode::AccountSuspended, u"This account is suspended."_s);
    return TokenClaims{.user = row->id<UserId>("user_id"),
                       .device = {},
                       .roles = {Role::User},
                       .expiresAt = now.addSecs(AccessTokens::lifetime_s)};
}

} // namespace companion::identity
