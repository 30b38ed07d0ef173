#pragma once

#include "api/Api.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "moderation/ModerationStore.h"
#include "moderation/RuleSets.h"

namespace companion::moderation {

struct ModerationParts
{
    const ModerationStore &store;
    const RuleSets &rules;
    const identity::AccountStore &accounts;
    const identity::AuditLog &audit;
    // A new version may be there: the engine is to catch up, once this request has committed. Any thread.
    std::function<void()> published = {};
};

// /admin/moderation/… and the users' own /notices. Who may do what: docs/roles.md.
void addModerationRoutes(api::Api &api, const ModerationParts &parts);
void addRuleRoutes(api::Api &api, const ModerationParts &parts);

} // namespace companion::moderation
