#include "identity/AccountStore.h"

#include "identity/RoleList.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

Account accountFrom(const db::Row &row)
{
    Account account;
    account.user = {.id = row.id<UserId>("id"),
                    .displayName = row.text("display_name"),
                    .email = row.text("email"),
                    .roles = rolesFrom(row.texts("roles")),
                    .tier = row.value<Tier>("current_tier"),
                    .tierExpiresAt = row.maybeTime("current_tier_expires_at"),
                    .ageVerified = row.boolean("age_verified"),
                    .region = row.maybeText("region"),
                    .locale = row.text("locale"),
                    .createdAt = row.time("created_at")};
    account.status = row.value<UserStatus>("status");
    account.version = row.integer("version");
    return account;
}

Result<Account> accountIn(const db::Row &row)
{
    if (row.isNull("status") || row.value<UserStatus>("status") == UserStatus::Erased || !row.boolean("signed_in"))
        return refuse(ErrorCode::Unauthenticated, u"Sign in again."_s);
    if (row.value<UserStatus>("status") == UserStatus::Suspended)
        return refuse(ErrorCode::AccountSuspended, u"This account is suspended."_s);
    return accountFrom(row);
}

db::Row load(db::Session &db, const UserId &user, std::optional<DeviceId> device, const QDateTime &now)
{
    return db.one("identity.load_account", {{"user_id", user}, {"device_id", device}, {"now", now}});
}

std::unexpected<Refusal> noSuchUser()
{
    return refuse(ErrorCode::NotFound, u"There is no such user."_s);
}

// The row's version, locked until the transaction ends.
std::optional<qint64> lockUser(db::Session &db, const UserId &user)
{
    const auto row = db.first("identity.lock_user", {{"user_id", user}});
    return row ? std::optional(row->integer("version")) : std::nullopt;
}

} // namespace

Result<Account> AccountStore::account(db::Session &db, const TokenClaims &claims, const QDateTime &now) const
{
    return read(load(db, claims.user, claims.device.isNull() ? std::nullopt : std::optional(claims.device), now),
                claims);
}

Result<Account> AccountStore::account(db::Session &db, const UserId &user, const QDateTime &now) const
{
    return accountIn(load(db, user, std::nullopt, now));
}

Result<Account> AccountStore::read(const db::Row &row, const TokenClaims &claims)
{
    auto account = accountIn(row);
    if (account)
        account->user.roles = narrowed(account->user.roles, claims.roles);
    return account;
}

std::optional<Account> AccountStore::find(db::Session &db, const UserId &user, const QDateTime &now) const
{
    const auto row = db.first("identity.find_account", {{"user_id", user}, {"now", now}});
    return row ? std::optional(accountFrom(*row)) : std::nullopt;
}

std::optional<Account> AccountStore::findByEmail(db::Session &db, const QString &email, const QDateTime &now) const
{
    const auto row = db.first("identity.find_account_by_email", {{"email", email}, {"now", now}});
    return row ? std::optional(accountFrom(*row)) : std::nullopt;
}

Result<Account> AccountStore::create(db::Session &db, const NewUser &user, const QDateTime &now) const
{
    const UserId id = UserId::create();
    const auto email = user.email.isEmpty() ? std::nullopt : std::optional(user.email);
    const auto row = db.first("identity.create_user",
                              {{"id", id},
                               {"display_name", user.displayName},
                               {"email", email},
                               {"roles", textsOf(user.roles)},
                               {"region", user.region},
                               {"locale", user.locale},
                               {"now", now}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"A user with this email is there already."_s);
    return *find(db, id, now);
}

Result<Account> AccountStore::change(db::Session &db, const UserId &user, const AccountChange &change,
                                     const QDateTime &now, std::optional<qint64> version) const
{
    ensure(change.status != UserStatus::Erased, "erasing is more than a change of status");
    const auto current = lockUser(db, user);
    if (!current)
        return noSuchUser();
    if (version && *version != *current)
        return refuse(ErrorCode::PreconditionFailed, u"The profile was changed meanwhile; read it again."_s);
    if (change.displayName || change.region || change.locale)
        db.execute("identity.change_profile",
                   {{"user_id", user},
                    {"display_name", change.displayName},
                    {"region", change.region},
                    {"locale", change.locale}});
    if (change.status || change.roles)
        db.execute("identity.change_standing",
                   {{"user_id", user},
                    {"status", change.status},
                    {"roles", change.roles ? std::optional(textsOf(*change.roles)) : std::nullopt},
                    {"now", now}});
    return *find(db, user, now);
}

Result<Account> AccountStore::setTier(db::Session &db, const UserId &user, Tier tier,
                                      std::optional<QDateTime> expiresAt, const QDateTime &now) const
{
    ensure(tier != Tier::Free || !expiresAt, "free has no end");
    if (!lockUser(db, user))
        return noSuchUser();
    db.execute("identity.set_tier", {{"user_id", user}, {"tier", tier}, {"expires_at", expiresAt}, {"now", now}});
    return *find(db, user, now);
}

Result<Account> AccountStore::verifyAge(db::Session &db, const UserId &user, const QString &method,
                                        const QString &reference, const QDateTime &now) const
{
    if (!lockUser(db, user))
        return noSuchUser();
    db.execute("identity.keep_age_verification",
               {{"id", QUuid::createUuid().toString(QUuid::WithoutBraces)},
                {"user_id", user},
                {"method", method},
                {"reference", reference},
                {"now", now}});
    db.execute("identity.mark_age_verified", {{"user_id", user}, {"method", method}, {"now", now}});
    return *find(db, user, now);
}

} // namespace companion::identity
