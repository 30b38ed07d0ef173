#pragma once

#include "api/Api.h"
#include "rights/ErasureService.h"
#include "rights/ExportService.h"

namespace companion::rights {

// What the routes use; all outlive them.
struct RightsParts
{
    db::Workers &bulk;
    const identity::AccountStore &accounts;
    const ExportService &exports;
    const ErasureService &erasures;
    // Cancels the user's running subscription at its provider, then calls; see PaymentDesk::cancel.
    std::function<void(const UserId &, const std::function<void(Result<void>)> &)> cancelSubscription;
};

// /api/v1/auth/export, DELETE /api/v1/auth/me, /api/v1/auth/consents.
void addRightsRoutes(api::Api &api, const RightsParts &parts);

} // namespace companion::rights
