#pragma once

namespace companion::api {
class Api;
}

namespace companion::identity {
class AuditLog;
}

namespace companion::ledger {
class Ledger;
}

namespace companion::billing {

class Market;
class TierStore;

void addMarketRoutes(api::Api &api, const Market &market);
// /admin/products and /admin/tiers: read by operators, changed by admins.
void addProductRoutes(api::Api &api, const identity::AuditLog &audit);
// /admin/policies/{rails,regions} and /admin/provider-products: read by operators, changed by admins.
void addPolicyRoutes(api::Api &api, const identity::AuditLog &audit);
void addWalletRoutes(api::Api &api, const ledger::Ledger &ledger, const TierStore &tiers);

} // namespace companion::billing
