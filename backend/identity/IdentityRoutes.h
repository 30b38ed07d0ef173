#pragma once

#include "common/models/Identity.h"

namespace companion::api {
class Api;
}

namespace companion::identity {

class SignInService;

// What a deployment allows.
struct IdentityOptions
{
    // The method "development", which checks nobody's age: never in production.
    bool developmentAgeVerification = false;
    QList<SignInOffer> offers = {{}}; // an access key always
};

// /api/v1/auth/…: signing in, staying signed in, one's own profile, age and API keys.
void addIdentityRoutes(api::Api &api, const SignInService &signIn, IdentityOptions options);

} // namespace companion::identity
