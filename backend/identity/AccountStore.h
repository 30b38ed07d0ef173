#pragma once

#include "common/Result.h"
#include "db/Session.h"
#include "identity/AccessTokens.h"
#include "identity/Account.h"

namespace companion::identity {

struct NewUser
{
    QString displayName;
    QString email; // empty: none
    QList<Role> roles = {Role::User};
    std::optional<QString> region = {}; // ISO 3166-1 alpha-2
    QString locale = QStringLiteral("en");
};

// What an edit changes; what is not set stays. The user's own profile first, what only operators change after it.
struct AccountChange
{
    std::optional<QString> displayName = {};
    std::optional<QString> region = {};
    std::optional<QString> locale = {};
    std::optional<UserStatus> status = {};  // active or suspended
    std::optional<QList<Role>> roles = {};
};

// The users table. Stateless, safe on any worker. `now` is the act's time (db.now()).
//
// In a transaction that also touches the wallet, come here first: the users row is locked before the wallet row.
class AccountStore
{
public:
    // Who is asking, for every signed-in act: the user's roles narrowed to the token's, the tier that counts now.
    // One round trip, which also notes that the user was seen (at most every 5 minutes, never waiting for a lock).
    // unauthenticated (no such user, erased, or the device was signed out), account_suspended
    Result<Account> account(db::Session &db, const TokenClaims &claims, const QDateTime &now) const;
    // The same without a device and with all of the user's roles.
    Result<Account> account(db::Session &db, const UserId &user, const QDateTime &now) const;

    // Who is asking, out of a row that another statement has made with account_seen (the columns of
    // identity.load_account); the same refusals.
    static Result<Account> read(const db::Row &row, const TokenClaims &claims);

    // As they are, suspended and erased ones too. Operator lane, but for one's own id.
    std::optional<Account> find(db::Session &db, const UserId &user, const QDateTime &now) const;
    std::optional<Account> findByEmail(db::Session &db, const QString &email, const QDateTime &now) const;

    // conflict: the email is taken. The transaction stays usable. Operator lane.
    Result<Account> create(db::Session &db, const NewUser &user, const QDateTime &now) const;

    // not_found (erased ones too); precondition_failed when `version` is given and is not the row's any more.
    // With only displayName, region, locale set it runs as the user as well; the rest on the operator lane.
    Result<Account> change(db::Session &db, const UserId &user, const AccountChange &change, const QDateTime &now,
                           std::optional<qint64> version = {}) const;
    // An operator's grant, kept in the history; of it and a subscription the higher tier counts (docs/payments.md).
    // nullopt as the end: until further notice. free has no end. not_found. Operator lane.
    Result<Account> setTier(db::Session &db, const UserId &user, Tier tier, std::optional<QDateTime> expiresAt,
                            const QDateTime &now) const;
    // Keeps the verifier's record and marks the user; a later verification replaces the mark. not_found.
    Result<Account> verifyAge(db::Session &db, const UserId &user, const QString &method, const QString &reference,
                              const QDateTime &now) const;
};

} // namespace companion::identity
