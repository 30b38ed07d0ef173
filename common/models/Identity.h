#pragma once

#include "common/describe/Json.h"

#include <array>

namespace companion {

enum class Role { User, Admin, Finance, Support, Qa, Viewer };
template <>
struct EnumNames<Role>
{
    static constexpr std::array values{std::pair{Role::User, "user"},       std::pair{Role::Admin, "admin"},
                                       std::pair{Role::Finance, "finance"}, std::pair{Role::Support, "support"},
                                       std::pair{Role::Qa, "qa"},           std::pair{Role::Viewer, "viewer"}};
};

enum class Tier { Free, Premium, Vip };
template <>
struct EnumNames<Tier>
{
    static constexpr std::array values{std::pair{Tier::Free, "free"}, std::pair{Tier::Premium, "premium"},
                                       std::pair{Tier::Vip, "vip"}};
};

enum class UserStatus { Active, Suspended, Erased };
template <>
struct EnumNames<UserStatus>
{
    static constexpr std::array values{std::pair{UserStatus::Active, "active"},
                                       std::pair{UserStatus::Suspended, "suspended"},
                                       std::pair{UserStatus::Erased, "erased"}};
};

// What a user sees of their own account.
struct User
{
    UserId id;
    QString displayName;
    QString email;
    QList<Role> roles;
    Tier tier = Tier::Free;
    std::optional<QDateTime> tierExpiresAt;
    bool ageVerified = false;
    std::optional<QString> region; // ISO 3166-1 alpha-2
    QString locale; // BCP 47
    QDateTime createdAt;

    static constexpr const char *modelName = "User";
    static constexpr auto fields()
    {
        return std::tuple(field("id", &User::id), field("display_name", &User::displayName, {.title = "Name"}),
                          field("email", &User::email, {.title = "Email"}),
                          field("roles", &User::roles, {.title = "Roles"}),
                          field("tier", &User::tier, {.title = "Tier"}),
                          field("tier_expires_at", &User::tierExpiresAt, {.title = "Tier until", .nullable = true}),
                          field("age_verified", &User::ageVerified, {.title = "Age verified"}),
                          field("region", &User::region, {.title = "Region", .nullable = true}),
                          field("locale", &User::locale, {.title = "Locale"}),
                          field("created_at", &User::createdAt, {.title = "Joined"}));
    }
};

struct UserPatch
{
    std::optional<QString> displayName;
    std::optional<QString> region;
    std::optional<QString> locale;

    static constexpr const char *modelName = "UserPatch";
    static constexpr auto fields()
    {
        return std::tuple(field("display_name", &UserPatch::displayName, {.minLength = 1, .maxLength = 80}),
                          field("region", &UserPatch::region, {.pattern = "[A-Z]{2}"}),
                          field("locale", &UserPatch::locale,
                                {.maxLength = 35, .pattern = "[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"}));
    }
};

enum class LoginProvider { AccessKey, Firebase };
template <>
struct EnumNames<LoginProvider>
{
    static constexpr std::array values{std::pair{LoginProvider::AccessKey, "access_key"},
                                       std::pair{LoginProvider::Firebase, "firebase"}};
};

struct LoginRequest
{
    LoginProvider provider = LoginProvider::AccessKey;
    QString token;

    static constexpr const char *modelName = "LoginRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("provider", &LoginRequest::provider),
                          field("token", &LoginRequest::token, {.minLength = 1, .maxLength = 16384}));
    }
};

// A way to sign in that this server offers, with what a client needs for it. Nothing of it is secret.
struct SignInOffer
{
    LoginProvider provider = LoginProvider::AccessKey;
    std::optional<QString> projectId;    // Firebase's
    std::optional<QString> apiKey;       // Firebase's web API key, for signing in with email and password
    std::optional<QString> emulatorHost; // HOST:PORT of Firebase's emulator, in development

    static constexpr const char *modelName = "SignInOffer";
    static constexpr auto fields()
    {
        using O = SignInOffer;
        return std::tuple(field("provider", &O::provider), field("project_id", &O::projectId),
                          field("api_key", &O::apiKey), field("emulator_host", &O::emulatorHost));
    }
};

struct SignInOffers
{
    QList<SignInOffer> items;

    static constexpr const char *modelName = "SignInOffers";
    static constexpr auto fields() { return std::tuple(field("items", &SignInOffers::items)); }
};

struct RefreshRequest
{
    QString refreshToken;

    static constexpr const char *modelName = "RefreshRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("refresh_token", &RefreshRequest::refreshToken, {.minLength = 1, .maxLength = 512}));
    }
};

struct TokenGrant
{
    QString accessToken;
    QString tokenType = QStringLiteral("Bearer");
    int expiresIn = 0; // seconds, at most 900
    QString refreshToken;
    User user;

    static constexpr const char *modelName = "TokenGrant";
    static constexpr auto fields()
    {
        return std::tuple(field("access_token", &TokenGrant::accessToken), field("token_type", &TokenGrant::tokenType),
                          field("expires_in", &TokenGrant::expiresIn),
                          field("refresh_token", &TokenGrant::refreshToken), field("user", &TokenGrant::user));
    }
};

// One signed-in device: a family of refresh tokens.
struct Device
{
    DeviceId id;
    QString userAgent;
    QDateTime createdAt;
    QDateTime lastUsedAt;
    bool current = false;

    static constexpr const char *modelName = "Device";
    static constexpr auto fields()
    {
        return std::tuple(field("id", &Device::id), field("user_agent", &Device::userAgent, {.title = "Program"}),
                          field("created_at", &Device::createdAt, {.title = "Signed in"}),
                          field("last_used_at", &Device::lastUsedAt, {.title = "Last used"}),
                          field("current", &Device::current, {.title = "This one"}));
    }
};

// POST /auth/age-verification
struct AgeVerificationRequest
{
    QString method;
    QString reference; // the verifier's own; any for the method "development"

    static constexpr const char *modelName = "AgeVerificationRequest";
    static constexpr auto fields()
    {
        using R = AgeVerificationRequest;
        return std::tuple(field("method", &R::method, {.minLength = 1, .maxLength = 40}),
                          field("reference", &R::reference, {.maxLength = 200}));
    }
};

struct AgeVerification
{
    bool ageVerified = false;
    QString method;
    QDateTime verifiedAt;
    std::optional<QString> notice; // set where nobody's age was really checked

    static constexpr const char *modelName = "AgeVerification";
    static constexpr auto fields()
    {
        using V = AgeVerification;
        return std::tuple(field("age_verified", &V::ageVerified), field("method", &V::method),
                          field("verified_at", &V::verifiedAt), field("notice", &V::notice));
    }
};

// A user's own key for the /v1 door.
struct ApiKey
{
    ApiKeyId id;
    QString name;
    QString prefix; // the key's beginning, to recognise it by
    QDateTime createdAt;
    std::optional<QDateTime> lastUsedAt; // exact to 5 minutes

    static constexpr const char *modelName = "ApiKey";
    static constexpr auto fields()
    {
        return std::tuple(field("id", &ApiKey::id), field("name", &ApiKey::name, {.title = "Name"}),
                          field("prefix", &ApiKey::prefix, {.title = "Key"}),
                          field("created_at", &ApiKey::createdAt, {.title = "Created"}),
                          field("last_used_at", &ApiKey::lastUsedAt, {.title = "Last used", .nullable = true}));
    }
};

struct ApiKeyRequest
{
    QString name;

    static constexpr const char *modelName = "ApiKeyRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("name", &ApiKeyRequest::name, {.minLength = 1, .maxLength = 80}));
    }
};

struct CreatedApiKey
{
    ApiKeyId id;
    QString name;
    QString prefix;
    QDateTime createdAt;
    QString key; // shown this once

    static constexpr const char *modelName = "CreatedApiKey";
    static constexpr auto fields()
    {
        using K = CreatedApiKey;
        return std::tuple(field("id", &K::id), field("name", &K::name), field("prefix", &K::prefix),
                          field("created_at", &K::createdAt), field("key", &K::key));
    }
};

} // namespace companion
