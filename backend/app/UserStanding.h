#pragma once

#include "app/Command.h"
#include "identity/Account.h"

namespace companion::app {

// What `user set` and `access-key create` may change of a user. What is not set stays.
struct UserStanding
{
    std::optional<Tier> tier = {}; // until further notice
    bool ageVerified = false;
    std::optional<QString> region = {};
    std::optional<UserStatus> status = {};
    std::optional<QList<Role>> roles = {};
};

// --tier, --age-verified, --region: the options and their reading.
QList<QCommandLineOption> standingOptions();
std::expected<UserStanding, Outcome> readStanding(const CommandArguments &arguments);
// Exit 2 where it is no email.
std::expected<QString, Outcome> readEmail(const CommandArguments &arguments, const QString &text);

// In the caller's transaction; the users row is locked from here on.
Result<identity::Account> applyStanding(db::Session &db, const UserId &user, const UserStanding &standing);
// What the audit log keeps of a user: standing, and nothing that says who it is.
QJsonObject standingOf(const identity::Account &account);

} // namespace companion::app
