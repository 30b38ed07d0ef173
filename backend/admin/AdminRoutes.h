#pragma once

#include "api/Api.h"
#include "billing/Subscriptions.h"
#include "billing/TierStore.h"
#include "identity/AccountStore.h"
#include "identity/AuditLog.h"
#include "ledger/Ledger.h"
#include "memory/MemoryService.h"

namespace companion::admin {

// What is remembered of a user, for support: with a reason, and a line of the audit log for each look.
void addUserMemoryRoutes(api::Api &api, const memory::MemoryService &memories, const identity::AuditLog &audit);

// Who may do what on the admin routes stands in docs/roles.md.
void addStatsRoutes(api::Api &api);
void addUserRoutes(api::Api &api, const ledger::Ledger &ledger, const billing::TierStore &tiers,
                   const billing::SubscriptionService &subscriptions, const identity::AccountStore &accounts,
                   const identity::AuditLog &audit);
void addAuditRoutes(api::Api &api, const identity::AuditLog &audit);

} // namespace companion::admin
