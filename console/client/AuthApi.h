#pragma once

#include "common/models/Identity.h"
#include "console/client/ApiClient.h"

namespace companion::console {

class AuthApi
{
public:
    explicit AuthApi(ApiClient &client)
        : m_client(client)
    {
    }
    ApiCall<SignInOffers> offers();
    ApiCall<TokenGrant> logIn(LoginProvider provider, const QString &token);
    ApiCall<TokenGrant> refresh(const QString &refreshToken);
    ApiCall<User> me();
    ApiCall<ApiAnswer> logOut();

private:
    ApiClient &m_client;
};

} // namespace companion::console
