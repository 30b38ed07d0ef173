#pragma once

#include "common/models/Admin.h"
#include "common/models/Page.h"
#include "db/Session.h"

namespace companion::admin {

struct UserFilter
{
    std::optional<QString> text; // part of the email or name, or a whole id
    std::optional<Tier> tier;    // the one that counts now
    std::optional<UserStatus> status;
};

// Users as operators see them: the account beside the wallet's total. Operator role.
class UserStore
{
public:
    Page<AdminUser> search(db::Session &db, const UserFilter &filter, const PageRequest &page) const;
    std::optional<AdminUser> find(db::Session &db, const UserId &user) const;
};

} // namespace companion::admin
