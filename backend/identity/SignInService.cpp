#include "identity/SignInService.h"

#include "identity/AuditLog.h"
#include "identity/RoleList.h"
#include "identity/Secrets.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype userAgentLength = 300;

std::unexpected<Refusal> notARefreshToken()
{
    return refuse(ErrorCode::Unauthenticated, u"The refresh token is not valid; sign in again."_s);
}

QDateTime endOfFamily(LoginProvider provider, const QDateTime &signedInAt, const QDateTime &now)
{
    const QDateTime &from = provider == LoginProvider::Firebase ? signedInAt : now;
    return from.addDays(SignInService::refreshLifetime_days);
}

QString newRefreshToken(db::Session &db, const UserId &user, const DeviceId &device, const QDateTime &now,
                        const QDateTime &end)
{
    const Secret secret = newSecret(refreshTokenPrefix);
    db.execute(
        "identity.create_refresh_token",
        {{"token_hash", secret.hash}, {"device_id", device}, {"user_id", user}, {"now", now}, {"expires_at", end}});
    return secret.text;
}

DeviceId newDevice(db::Session &db, LoginProvider provider, const VerifiedIdentity &identity, const QString &userAgent,
                   const QDateTime &now, const QDateTime &end)
{
    const DeviceId device = DeviceId::create();
    const auto roles = identity.narrowedTo ? std::optional(textsOf(*identity.narrowedTo)) : std::nullopt;
    db.execute("identity.create_device",
               {{"id", device},
                {"user_id", identity.user},
                {"provider", provider},
                {"access_key_id", identity.accessKey},
                {"roles", roles},
                {"user_agent", userAgent.left(userAgentLength)},
                {"now", now},
                {"expires_at", end}});
    return device;
}

void narrow(Account &account, const std::optional<QList<Role>> &to)
{
    if (to)
        account.user.roles = narrowed(account.user.roles, *to);
}

// Somebody holds a token that was used before: whoever it is, both lose the family.
void endFamily(db::Session &db, const UserId &user, const DeviceId &device, const QString &requestId,
               const QDateTime &now)
{
    const bool wasAlive = db.execute("identity.end_family", {{"device_id", device}, {"now", now}}) > 0;
    if (wasAlive)
        AuditLog().append(db,
                          {.actor = u"system"_s,
                           .act = u"device.end_on_reuse"_s,
                           .target = auditTarget(user),
                           .reason = u"A refresh token that had been used came again."_s,
                           .after = QJsonObject{{u"device"_s, device.toString()}},
                           .requestId = requestId});
}

} // namespace

SignInService::SignInService(const AccessTokens &tokens, QList<const IdentityProvider *> providers)
    : m_tokens(tokens)
    , m_providers(std::move(providers))
{
}

void SignInService::offer(const IdentityProvider &provider)
{
    ensure(!providerOf(provider.kind()), "a provider is offered once");
    m_providers.append(&provider);
}

const IdentityProvider *SignInService::providerOf(LoginProvider kind) const
{
    const auto found = std::ranges::find(m_providers, kind, &IdentityProvider::kind);
    return found == m_providers.end() ? nullptr : *found;
}

void SignInService::prepare(const LoginRequest &request, QObject *context, std::function<void()> then) const
{
    const IdentityProvider *provider = providerOf(request.provider);
    provider ? provider->prepare(request.token, context, std::move(then)) : then();
}

Result<TokenGrant> SignInService::login(db::Session &db, const LoginRequest &request, const QString &userAgent) const
{
    const IdentityProvider *provider = providerOf(request.provider);
    if (!provider)
        return std::unexpected(
            Refusal{.code = ErrorCode::Invalid,
                    .detail = u"This server offers no sign-in by %1."_s.arg(toText(request.provider)),
                    .errors = {{u"/provider"_s, u"is not configured on this server"_s}}});
    const auto identity = provider->verify(db, request.token);
    if (!identity)
        return std::unexpected(identity.error());

    const QDateTime now = db.now();
    auto account = m_accounts.account(db, identity->user, now);
    if (!account)
        return std::unexpected(account.error());
    narrow(*account, identity->narrowedTo);
    const QDateTime end = endOfFamily(request.provider, now, now);
    const DeviceId device = newDevice(db, request.provider, *identity, userAgent, now, end);
    return grant(*account, device, newRefreshToken(db, account->id(), device, now, end), now);
}

Result<TokenGrant> SignInService::refresh(db::Session &db, const QString &refreshToken, const QString &requestId) const
{
    db::Transaction transaction(db);
    const QDateTime now = db.now();
    const QByteArray hash = secretHash(refreshToken);
    const auto locked = db.first("identity.lock_device_of_token", {{"token_hash", hash}});
    const auto token = locked ? db.first("identity.find_refresh_token", {{"token_hash", hash}}) : std::nullopt;
    if (!token)
        return notARefreshToken();

    const UserId user = token->id<UserId>("user_id");
    const DeviceId device = locked->id<DeviceId>("id");
    if (!token->isNull("used_at")) {
        endFamily(db, user, device, requestId, now);
        transaction.commit();
        return notARefreshToken();
    }
    if (!token->isNull("revoked_at") || token->time("expires_at") <= now)
        return notARefreshToken();
    auto account = m_accounts.account(db, user, now);
    if (!account)
        return std::unexpected(account.error());
    if (!token->isNull("roles"))
        narrow(*account, rolesFrom(token->texts("roles")));

    db.execute("identity.use_refresh_token", {{"token_hash", hash}, {"now", now}});
    const QDateTime end = endOfFamily(token->value<LoginProvider>("provider"), token->time("signed_in_at"), now);
    db.execute("identity.prolong_device", {{"device_id", device}, {"now", now}, {"expires_at", end}});
    const auto answer = grant(*account, device, newRefreshToken(db, user, device, now, end), now);
    transaction.commit();
    return answer;
}

Result<TokenGrant> SignInService::grant(const Account &account, const DeviceId &device, const QString &refreshToken,
                                        const QDateTime &now) const
{
    TokenGrant grant;
    grant.expiresIn = AccessTokens::lifetime_s;
    grant.accessToken = m_tokens.issue({.user = account.id(),
                                        .device = device,
                                        .roles = account.user.roles,
                                        .expiresAt = now.addSecs(AccessTokens::lifetime_s)});
    grant.refreshToken = refreshToken;
    grant.user = account.user;
    return grant;
}

void SignInService::logout(db::Session &db, const UserId &user, const DeviceId &device) const
{
    db.execute("identity.revoke_device",
               {{"user_id", user}, {"device_id", device}, {"reason", u"logout"_s}, {"now", db.now()}});
}

Page<Device> SignInService::devices(db::Session &db, const UserId &user, const DeviceId &current,
                                    const PageRequest &page) const
{
    const QDateTime now = db.now();
    Page<Device> devices{.items = {}, .total = {}, .limit = page.limit, .offset = page.offset, .nextCursor = {}};
    devices.total = db.one("identity.count_devices", {{"user_id", user}, {"now", now}}).integer("total");
    for (const db::Row &row :
         db.rows("identity.list_devices",
                 {{"user_id", user}, {"now", now}, {"limit", page.limit}, {"offset", page.offset}}))
        devices.items.append({.id = row.id<DeviceId>("id"),
                              .userAgent = row.text("user_agent"),
                              .createdAt = row.time("created_at"),
                              .lastUsedAt = row.time("last_used_at"),
                              .current = row.id<DeviceId>("id") == current});
    devices.hasMore = page.offset + devices.items.size() < *devices.total;
    return devices;
}

Result<void> SignInService::revokeDevice(db::Session &db, const UserId &user, const DeviceId &device) const
{
    if (db.execute("identity.revoke_device",
                   {{"user_id", user}, {"device_id", device}, {"reason", u"revoked"_s}, {"now", db.now()}})
        == 0)
        return refuse(ErrorCode::NotFound, u"There is no such device."_s);
    return {};
}

int SignInService::purge(db::Session &db, int batch) const
{
    return static_cast<int>(db.execute("identity.purge_devices", {{"now", db.now()}, {"batch", batch}}));
}

} // namespace companion::identity
