#pragma once

namespace companion::api {
class Api;
}

namespace companion::ledger {
class Ledger;
}

namespace companion::billing {

class Market;
class TierStore;

void addMarketRoutes(api::Api &api, const Market &market);
void addWalletRoutes(api::Api &api, const ledger::Ledger &ledger, const TierStore &tiers);

} // namespace companion::billing
