#pragma once

#include "common/models/Identity.h"

namespace companion::identity {

// Who is asking, as the database says now: loaded anew in every act, so that a suspension works at once.
struct Account
{
    User user;
    UserStatus status = UserStatus::Active;

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
