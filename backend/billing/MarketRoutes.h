#pragma once

namespace companion::api {
class Api;
}

namespace companion::billing {

class Market;

void addMarketRoutes(api::Api &api, const Market &market);

} // namespace companion::billing
