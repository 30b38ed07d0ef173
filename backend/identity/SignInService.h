#pragma once

#include "common/models/Page.h"
#include "identity/AccessTokens.h"
#include "identity/AccountStore.h"
#include "identity/IdentityProvider.h"

namespace companion::identity {

// Signing in, staying signed in, signing out. A signed-in device is a family of refresh tokens: each works once, within
// 30 days, and gives the next. An old one that comes back means that two hold the family, and one of them stole it: the
// family ends (docs/roles.md). Stateless but for its references, safe on any worker.
class SignInService
{
public:
    // The providers live as long as this.
    SignInService(const AccessTokens &tokens, QList<const IdentityProvider *> providers);

    void offer(const IdentityProvider &provider); // at composition, before anybody signs in

    // On the event loop, before login(): what the provider has to fetch first. See IdentityProvider.
    void prepare(const LoginRequest &request, QObject *context, std::function<void()> then) const;
    // Operator lane, in the caller's transaction. invalid (the provider is not configured here), unauthenticated,
    // account_suspended
    Result<TokenGrant> login(db::Session &db, const LoginRequest &request, const QString &userAgent) const;
    // Operator lane, WITHOUT a transaction around it: ending a family must stay even though the caller is refused.
    // unauthenticated, account_suspended (the token is not used up)
    Result<TokenGrant> refresh(db::Session &db, const QString &refreshToken, const QString &requestId) const;

    // The user's own, as the user or on the operator lane.
    void logout(db::Session &db, const UserId &user, const DeviceId &device) const;
    Page<Device> devices(db::Session &db, const UserId &user, const DeviceId &current, const PageRequest &page) const;
    Result<void> revokeDevice(db::Session &db, const UserId &user, const DeviceId &device) const; // not_found

    // Takes away up to `batch` families that ended more than a day ago; how many. Scheduled; operator lane.
    int purge(db::Session &db, int batch) const;

    // From the last use. A device that signed in by Firebase lives so long from its sign-in on, however much it is
    // used: whether its user has been disabled or deleted there shows only in a fresh ID token.
    static constexpr int refreshLifetime_days = 30;

private:
    const IdentityProvider *providerOf(LoginProvider kind) const;
    Result<TokenGrant> grant(const Account &account, const DeviceId &device, const QString &refreshToken,
                             const QDateTime &now) const;

    const AccessTokens &m_tokens;
    QList<const IdentityProvider *> m_providers;
    AccountStore m_accounts;
};

} // namespace companion::identity
