#include "payments/PaymentRoutes.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

struct StoreConsents
{
    bool shareConsumption = false;

    static constexpr const char *modelName = "StoreConsents";
    static constexpr auto fields() { return std::tuple(field("share_consumption", &StoreConsents::shareConsumption)); }
};

StoreConsents consentsOf(db::Session &db, const UserId &user)
{
    const auto row = db.first("payments.store_consent", {{"user_id", user}});
    return {.shareConsumption = row && row->boolean("share_consumption")};
}

} // namespace

// What a customer lets us tell a store: asked by the app, kept here, and no without an answer.
void addStoreRoutes(api::Api &api)
{
    const QString path = u"/api/v1/market/consents"_s;
    api.act({.path = path,
             .tag = u"Market"_s,
             .summary = u"What you let us tell the store you bought at"_s,
             .answers = {api::answer<StoreConsents>()}},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                return api::ok(consentsOf(db, call.user()));
            });
    api.act({.method = http::Method::Put,
             .path = path,
             .tag = u"Market"_s,
             .summary = u"Whether we may tell it how much of a purchase was used, when you ask it for a refund"_s,
             .body = schemaOf<StoreConsents>(),
             .answers = {api::answer<StoreConsents>()}},
            [](const api::Call &call, db::Session &db) -> Result<http::Reply> {
                const auto wanted = call.body<StoreConsents>();
                if (!wanted)
                    return std::unexpected(wanted.error());
                db.execute("payments.store_set_consent",
                           {{"user_id", call.user()},
                            {"share_consumption", wanted->shareConsumption},
                            {"now", db.now()}});
                return api::ok(consentsOf(db, call.user()));
            });
}

} // namespace companion::payments
