#include "identity/AccessKeys.h"

#include "identity/RoleList.h"
#include "identity/Secrets.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

std::optional<QList<Role>> narrowingFrom(const db::Row &row)
{
    return row.isNull("roles") ? std::nullopt : std::optional(rolesFrom(row.texts("roles")));
}

AccessKey accessKeyFrom(const db::Row &row)
{
    return {.id = row.id<AccessKeyId>("id"),
            .user = row.id<UserId>("user_id"),
            .email = row.text("email"),
            .prefix = row.text("prefix"),
            .roles = narrowingFrom(row),
            .createdAt = row.time("created_at"),
            .lastUsedAt = row.maybeTime("last_used_at"),
            .revokedAt = row.maybeTime("revoked_at")};
}

} // namespace

CreatedAccessKey AccessKeys::create(db::Session &db, const UserId &user, std::optional<QList<Role>> narrowedTo) const
{
    const Secret secret = newSecret(accessKeyPrefix);
    const AccessKeyId id = AccessKeyId::create();
    const auto roles = narrowedTo ? std::optional(textsOf(united(*narrowedTo, {Role::User}))) : std::nullopt;
    db.execute("identity.create_access_key",
               {{"id", id},
                {"user_id", user},
                {"key_hash", secret.hash},
                {"prefix", secret.prefix},
                {"roles", roles},
                {"now", db.now()}});
    return {id, secret.text, secret.prefix};
}

QList<AccessKey> AccessKeys::list(db::Session &db, std::optional<UserId> user) const
{
    QList<AccessKey> keys;
    for (const db::Row &row : db.rows("identity.list_access_keys", {{"user_id", user}}))
        keys.append(accessKeyFrom(row));
    return keys;
}

Result<AccessKey> AccessKeys::revoke(db::Session &db, const QString &which) const
{
    const auto rows = db.rows("identity.find_access_keys", {{"which", which}, {"key_hash", secretHash(which)}});
    if (rows.isEmpty())
        return refuse(ErrorCode::NotFound, u"There is no such access key."_s);
    if (rows.size() > 1)
        return refuse(ErrorCode::Conflict, u"Several access keys begin so; name one by its id."_s);
    AccessKey key = accessKeyFrom(rows.first());
    const QDateTime now = db.now();
    db.execute("identity.revoke_access_key", {{"id", key.id}, {"now", now}});
    db.execute("identity.revoke_devices_of_access_key", {{"id", key.id}, {"now", now}});
    key.revokedAt = key.revokedAt.value_or(now);
    return key;
}

Result<VerifiedIdentity> AccessKeyProvider::verify(db::Session &db, const QString &token) const
{
    const auto row = db.first("identity.use_access_key", {{"key_hash", secretHash(token)}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Unauthenticated, u"The access key is not valid."_s);
    return VerifiedIdentity{.user = row->id<UserId>("user_id"),
                            .narrowedTo = narrowingFrom(*row),
                            .accessKey = row->id<AccessKeyId>("id")};
}

} // namespace companion::identity
