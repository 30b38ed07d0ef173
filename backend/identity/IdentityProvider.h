#pragma once

#include "common/Result.h"
#include "common/models/Identity.h"
#include "db/Session.h"

namespace companion::identity {

struct VerifiedIdentity
{
    UserId user;
    QList<Role> roles; // what this credential may act as
};

// One way to prove who one is. Runs inside an act on the operator lane (the user is not known before).
class IdentityProvider
{
public:
    virtual ~IdentityProvider() = default;
    virtual LoginProvider kind() const = 0;
    // unauthenticated, account_suspended
    virtual Result<VerifiedIdentity> verify(db::Session &db, const QString &token) const = 0;
};

} // namespace companion::identity
