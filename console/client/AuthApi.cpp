#include "console/client/AuthApi.h"

namespace companion::console {

ApiCall<TokenGrant> AuthApi::logIn(const QString &accessKey)
{
    const LoginRequest body{.provider = LoginProvider::AccessKey, .token = accessKey};
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
