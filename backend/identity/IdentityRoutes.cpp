#include "identity/IdentityRoutes.h"

#include "api/Api.h"
#include "identity/ApiKeyService.h"
#include "identity/SignInService.h"

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

QString userAgentOf(const http::Request &request)
{
    return QString::fromUtf8(request.headers.value("User-Agent")).simplified();
}

http::Reply userReply(const Account &account)
{
    return api::ok(account.user).with("ETag", '"' + QByteArray::number(account.version) + '"');
}

http::Reply secretReply(http::Reply reply)
{
    return reply.with("Cache-Control", "no-store");
}

template <class T>
Result<http::Reply> orRefusal(const Result<T> &result, int status = 200)
{
    if (!result)
        return std::unexpected(result.error());
    return secretReply(api::ok(*result, status));
}

Result<http::Reply> doneOrRefusal(const Result<void> &result)
{
    if (!result)
        return std::unexpected(result.error());
    return http::Reply::noContent();
}

// What the provider has to fetch comes before the act, which may not wait for the network.
void prepareLogin(const SignInService &signIn, const http::Request &request, QObject *context,
                  std::function<void()> then)
{
    const auto object = api::readJsonObject(request);
    const auto login = object ? fromJson<LoginRequest>(*object) : std::unexpected(object.error());
    login ? signIn.prepare(*login, context, std::move(then)) : then();
}

void addOffers(api::Api &api, const QList<SignInOffer> &offers)
{
    api.onLoop({.path = u"/api/v1/auth/providers"_s,
                .tag = u"Sign-in"_s,
                .summary = u"The ways to sign in that this server offers, and what a client needs for them"_s,
                .access = api::Access::everybody(),
                .answers = {api::answer<SignInOffers>()}},
               [reply = api::ok(SignInOffers{offers})](http::Exchange exchange, const api::Entry &entry) {
                   http::Reply answer = reply;
                   for (const auto &[name, value] : entry.headers.all())
                       answer.with(name, value);
                   exchange.send(std::move(answer));
               });
}

void addLogin(api::Api &api, const SignInService &signIn)
{
    api.actAfter(
        {.method = http::Method::Post,
         .path = u"/api/v1/auth/login"_s,
         .tag = u"Sign-in"_s,
         .summary = u"Sign in with an access key or a provider's token"_s,
         .access = api::Access::everybody(),
         .body = schemaOf<LoginRequest>(),
         .answers = {api::answer<TokenGrant>()},
         .refusals = {ErrorCode::Unauthenticated, ErrorCode::AccountSuspended},
         .rate = api::Rate::SignIn},
        [&signIn, &api](const http::Request &request, std::function<void()> then) {
            prepareLogin(signIn, request, &api, std::move(then));
        },
        [&signIn](const api::Call &call, db::Session &db) -> Result<http::Reply> {
            const auto request = call.body<LoginRequest>();
            if (!request)
                return std::unexpected(request.error());
            return orRefusal(signIn.login(db, *request, userAgentOf(call.request())));
        });
}

void addRefresh(api::Api &api, const SignInService &signIn)
{
    // Bare: a family that ends because of a reused token stays ended although the caller is refused.
    api.bareAct({.method = http::Method::Post,
                 .path = u"/api/v1/auth/refresh"_s,
                 .tag = u"Sign-in"_s,
                 .summary = u"The next access token and refresh token; a used refresh token ends the family"_s,
                 .access = api::Access::everybody(),
                 .body = schemaOf<RefreshRequest>(),
                 .answers = {api::answer<TokenGrant>()},
                 .refusals = {ErrorCode::Unauthenticated, ErrorCode::AccountSuspended},
                 .rate = api::Rate::SignIn},
                [&signIn](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                    const auto request = call.body<RefreshRequest>();
                    if (!request)
                        return std::unexpected(request.error());
                    return orRefusal(signIn.refresh(db, request->refreshToken, QString::fromLatin1(call.request().id)));
                });
}

void addLogout(api::Api &api, const SignInService &signIn)
{
    api.act({.method = http::Method::Post,
             .path = u"/api/v1/auth/logout"_s,
             .tag = u"Sign-in"_s,
             .summary = u"Sign this device out"_s,
             .answers = {{.status = 204}}},
            [&signIn](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                signIn.logout(db, call.user(), call.device());
                return http::Reply::noContent();
            });
}

void addDevices(api::Api &api, const SignInService &signIn)
{
    api.act({.path = u"/api/v1/auth/devices"_s,
             .tag = u"Sign-in"_s,
             .summary = u"The signed-in devices, the last used first"_s,
             .answers = {api::answer<Page<Device>>()},
             .paged = true},
            [&signIn](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto page = call.page();
                if (!page)
                    return std::unexpected(page.error());
                return api::ok(signIn.devices(db, call.user(), call.device(), *page));
            });
    api.act({.method = http::Method::Delete,
             .path = u"/api/v1/auth/devices/{id}"_s,
             .tag = u"Sign-in"_s,
             .summary = u"Sign a device out"_s,
             .answers = {{.status = 204}}},
            [&signIn](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto id = call.id<DeviceId>();
                if (!id)
                    return std::unexpected(id.error());
                return doneOrRefusal(signIn.revokeDevice(db, call.user(), *id));
            });
}

Result<http::Reply> patchProfile(const api::Call &call, db::Session &db)
{
    const auto patch = call.body<UserPatch>();
    if (!patch)
        return std::unexpected(patch.error());
    const Account &account = call.account();
    if (const auto fresh = call.checkIfMatch(QByteArray::number(account.version)); !fresh)
        return std::unexpected(fresh.error());
    auto changed =
        AccountStore().change(db, account.id(),
                              {.displayName = patch->displayName, .region = patch->region, .locale = patch->locale},
                              db.now(), account.version);
    if (!changed)
        return std::unexpected(changed.error());
    changed->user.roles = account.user.roles; // narrowed to the key's, as GET says them
    return userReply(*changed);
}

void addProfile(api::Api &api)
{
    api.act({.path = u"/api/v1/auth/me"_s,
             .tag = u"Profile"_s,
             .summary = u"One's own account"_s,
             .answers = {api::answer<User>()},
             .etag = true},
            [](const api::Call &call, db::Session &) -> Result<http::Reply> { return userReply(call.account()); });
    api.act({.method = http::Method::Patch,
             .path = u"/api/v1/auth/me"_s,
             .tag = u"Profile"_s,
             .summary = u"Change name, region or locale; needs If-Match"_s,
             .body = schemaOf<UserPatch>(),
             .answers = {api::answer<User>()},
             .etag = true,
             .ifMatchRequired = true},
            &patchProfile);
}

Result<http::Reply> verifyAge(const api::Call &call, db::Session &db, IdentityOptions options)
{
    const auto request = call.body<AgeVerificationRequest>();
    if (!request)
        return std::unexpected(request.error());
    if (!options.developmentAgeVerification || request->method != u"development"_s) {
        const QString problem = options.developmentAgeVerification
            ? u"must be one of: development"_s
            : u"is not a verifier that is configured on this server"_s;
        return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                       .detail = u"This server does not know this way to verify an age."_s,
                                       .errors = {{u"/method"_s, problem}}});
    }
    const auto account = AccountStore().verifyAge(db, call.user(), request->method, request->reference, db.now());
    if (!account)
        return std::unexpected(account.error());
    return api::ok(AgeVerification{.ageVerified = account->user.ageVerified,
                                   .method = request->method,
                                   .verifiedAt = db.now(),
                                   .notice = u"Development only: nobody's age was checked."_s});
}

void addAgeVerification(api::Api &api, IdentityOptions options)
{
    api.act({.method = http::Method::Post,
             .path = u"/api/v1/auth/age-verification"_s,
             .tag = u"Profile"_s,
             .summary = u"Prove to be 18 or older by a configured verifier"_s,
             .body = schemaOf<AgeVerificationRequest>(),
             .answers = {api::answer<AgeVerification>()}},
            [options](const api::Call &call, db::Session &db) { return verifyAge(call, db, options); });
}

void addApiKeys(api::Api &api)
{
    api.act({.path = u"/api/v1/auth/api-keys"_s,
             .tag = u"API keys"_s,
             .summary = u"One's own keys for the /v1 door"_s,
             .answers = {api::answer<Page<ApiKey>>()},
             .paged = true},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto page = call.page();
                if (!page)
                    return std::unexpected(page.error());
                return api::ok(ApiKeyService().list(db, call.user(), *page));
            });
    api.act({.method = http::Method::Post,
             .path = u"/api/v1/auth/api-keys"_s,
             .tag = u"API keys"_s,
             .summary = u"A new key, shown this once"_s,
             .body = schemaOf<ApiKeyRequest>(),
             .answers = {api::answer<CreatedApiKey>(201)},
             .refusals = {ErrorCode::Conflict}},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto request = call.body<ApiKeyRequest>();
                if (!request)
                    return std::unexpected(request.error());
                return orRefusal(ApiKeyService().create(db, call.user(), request->name), 201);
            });
    api.act({.method = http::Method::Delete,
             .path = u"/api/v1/auth/api-keys/{id}"_s,
             .tag = u"API keys"_s,
             .summary = u"Revoke a key"_s,
             .answers = {{.status = 204}}},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto id = call.id<ApiKeyId>();
                if (!id)
                    return std::unexpected(id.error());
                return doneOrRefusal(ApiKeyService().revoke(db, call.user(), *id));
            });
}

} // namespace

void addIdentityRoutes(api::Api &api, const SignInService &signIn, IdentityOptions options)
{
    addOffers(api, options.offers);
    addLogin(api, signIn);
    addRefresh(api, signIn);
    addLogout(api, signIn);
    addDevices(api, signIn);
    addProfile(api);
    addAgeVerification(api, options);
    addApiKeys(api);
}

} // namespace companion::identity
