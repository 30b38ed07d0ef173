#pragma once

#include "common/Result.h"
#include "common/models/Identity.h"
#include "db/Session.h"

#include <functional>

class QObject;

namespace companion::identity {

struct VerifiedIdentity
{
    UserId user;
    // What the credential narrows the user's roles to; nullopt: it does not.
    std::optional<QList<Role>> narrowedTo = {};
    // The access key that proved it: when it is revoked, the devices that signed in with it are signed out.
    std::optional<AccessKeyId> accessKey = {};
};

// One way to prove who one is. Runs inside an act on the operator lane (the user is not known before), in its
// transaction. It says whose the credential is; SignInService checks that user's status. Stateless, any thread.
class IdentityProvider
{
public:
    virtual ~IdentityProvider() = default;
    virtual LoginProvider kind() const = 0;
    // On the event loop, before the act that verifies: fetches what verify() will need, within bounded time, then calls
    // `then`, unless `context` is gone. By default there is nothing to fetch.
    virtual void prepare(const QString &token, QObject *context, std::function<void()> then) const
    {
        (void)token, (void)context;
        then();
    }
    // unauthenticated
    virtual Result<VerifiedIdentity> verify(db::Session &db, const QString &token) const = 0;
};

} // namespace companion::identity
