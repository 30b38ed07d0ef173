#pragma once

#include "identity/IdentityProvider.h"

namespace companion::identity {

struct AccessKey
{
    AccessKeyId id;
    UserId user;
    QString email;
    QString prefix; // the key's beginning, to recognise it by
    std::optional<QList<Role>> roles; // nullopt: all of the user's
    QDateTime createdAt;
    std::optional<QDateTime> lastUsedAt; // exact to 5 minutes
    std::optional<QDateTime> revokedAt;

    static constexpr const char *modelName = "AccessKey";
    static constexpr auto fields()
    {
        using K = AccessKey;
        return std::tuple(field("id", &K::id), field("user_id", &K::user), field("email", &K::email),
                          field("prefix", &K::prefix), field("roles", &K::roles, {.nullable = true}),
                          field("created_at", &K::createdAt), field("last_used_at", &K::lastUsedAt, {.nullable = true}),
                          field("revoked_at", &K::revokedAt, {.nullable = true}));
    }
};

struct CreatedAccessKey
{
    AccessKeyId id;
    QString key; // shown this once; only its hash is kept
    QString prefix;
};

// Keys that an operator hands out so that somebody can sign in without an outside provider. Operator lane. Stateless.
class AccessKeys
{
public:
    // `narrowedTo` nullopt: the key may act as whatever its user may, also later. The user role is always in.
    CreatedAccessKey create(db::Session &db, const UserId &user, std::optional<QList<Role>> narrowedTo) const;
    QList<AccessKey> list(db::Session &db, std::optional<UserId> user = {}) const; // newest first, at most 1000
    // `which`: the key's id, its prefix, or the key itself. Signs out what signed in with it; a revoked one again is
    // fine. not_found; conflict when a prefix fits several.
    Result<AccessKey> revoke(db::Session &db, const QString &which) const;
};

// Sign-in with such a key. Notes the use at most every 5 minutes.
class AccessKeyProvider final : public IdentityProvider
{
public:
    LoginProvider kind() const override { return LoginProvider::AccessKey; }
    Result<VerifiedIdentity> verify(db::Session &db, const QString &token) const override;
};

} // namespace companion::identity
