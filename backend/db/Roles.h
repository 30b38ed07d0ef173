#pragma once

#include <QString>

namespace companion::db {

class Session;

inline constexpr char appRole[] = "companion_app"; // row-level security by user
inline constexpr char operatorRole[] = "companion_operator"; // admin, jobs, webhooks: every row, history read-only

// Makes the two login roles where they are missing, and gives them these passwords ("" = none). Roles belong to the
// whole server, so several databases, and several instances at the same moment, may do this. Returns "" or what an
// administrator must run, when the session's user may not create roles.
QString ensureRoles(Session &owner, const QString &appPassword, const QString &operatorPassword);

// The password of a role, from the owner's: the same on every instance, and nothing to be configured.
QString derivedPassword(const QString &ownerPassword, const QString &role);

} // namespace companion::db
