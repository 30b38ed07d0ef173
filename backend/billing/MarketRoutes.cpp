#include "billing/MarketRoutes.h"

#include "api/Api.h"
#include "billing/Market.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

void addMarketRoutes(api::Api &api, const Market &market)
{
    api.act({.path = u"/api/v1/market/products"_s,
             .tag = u"Market"_s,
             .summary = u"Tiers and credit packages with their prices"_s,
             .access = api::Access::everybody(),
             .answers = {{.schema = schemaOf<ProductList>(), .headers = {"Cache-Control"}}}},
            [&market](const api::Call &, db::Session &db) -> Result<http::Reply> {
                return api::ok(market.products(db)).with("Cache-Control", "public, max-age=60");
            });
}

} // namespace companion::billing
