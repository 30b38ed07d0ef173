#pragma once

#include "common/models/Identity.h"

#include <algorithm>

namespace companion::identity {

// Who is asking, as the database says now: loaded anew in every act, so that a suspension works at once.
struct Account
{
    User user; // its tier is the one that counts now: a paid tier whose end has passed reads free
    UserStatus status = UserStatus::Active;
    qint64 version = 1; // of what the user's object says: the ETag

    UserId id() const { return user.id; }
    Tier tier() const { return user.tier; }
    bool has(Role role) const { return user.roles.contains(role); }
    // admin may do whatever any other role may
    bool hasAny(const QList<Role> &roles) const
    {
        return has(Role::Admin) || std::ranges::any_of(roles, [this](Role role) { return has(role); });
    }
};

} // namespace companion::identity
