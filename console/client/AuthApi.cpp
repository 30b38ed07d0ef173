#include "console/client/AuthApi.h"

namespace companion::console {

ApiCall<SignInOffers> AuthApi::offers()
{
    return m_client.call<SignInOffers>({.path = QStringLiteral("/auth/providers"), .anonymous = true});
}

ApiCall<TokenGrant> AuthApi::logIn(LoginProvider provider, const QString &token)
{
    const LoginRequest body{.provider = provider, .token = token};
    return m_client.call<TokenGrant>(
        {.method = "POST", .path = QStringLiteral("/auth/login"), .body = toJson(body), .anonymous = true});
}

ApiCall<TokenGrant> AuthApi::refresh(const QString &refreshToken)
{
    return m_client.call<TokenGrant>({.method = "POST",
                                      .path = QStringLiteral("/auth/refresh"),
                                      .body = toJson(RefreshRequest{refreshToken}),
                                      .anonymous = true});
}

ApiCall<User> AuthApi::me()
{
    return m_client.call<User>({.path = QStringLiteral("/auth/me")});
}

ApiCall<ApiAnswer> AuthApi::logOut()
{
    return m_client.call<ApiAnswer>({.method = "POST", .path = QStringLiteral("/auth/logout")});
}

} // namespace companion::console
