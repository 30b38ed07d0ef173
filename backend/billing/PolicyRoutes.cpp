#include "api/Api.h"
#include "billing/MarketRoutes.h"
#include "common/models/Policies.h"
#include "identity/AuditLog.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> policyReaders{Role::Finance, Role::Support, Role::Viewer};

api::Endpoint policyEndpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin"_s + path,
            .tag = u"Admin: policies"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

api::Parameter segment(const char *name, const char *example, const char *description)
{
    return {name,
            description,
            {{u"type"_s, u"string"_s}, {u"maxLength"_s, 300}, {u"examples"_s, QJsonArray{QString::fromUtf8(example)}}}};
}

void logPolicy(const identity::AuditLog &audit, const api::Call &call, db::Session &db, const QString &act,
               const QString &target, const QString &reason, const std::optional<QJsonObject> &before,
               const std::optional<QJsonObject> &after)
{
    audit.append(db,
                 {.actor = call.user().toString(),
                  .act = act,
                  .target = target,
                  .reason = reason,
                  .before = before,
                  .after = after,
                  .requestId = QString::fromLatin1(call.request().id)});
}

std::optional<QJsonObject> spicyIn(const std::optional<db::Row> &row)
{
    return row ? std::optional(QJsonObject{{u"spicy"_s, row->boolean("spicy")}}) : std::nullopt;
}

void addRails(api::Api &api, const identity::AuditLog &audit)
{
    auto list = policyEndpoint(http::Method::Get, u"/policies/rails"_s,
                               u"Which payment rails may fund the spicy mode"_s, policyReaders);
    list.answers = {api::answer<RailPolicyList>()};
    api.act(list, [](const api::Call &, db::Session &db) -> Result<http::Reply> {
        RailPolicyList rails;
        for (const auto &row : db.rows("billing.rail_policies"))
            rails.items.append({row.text("rail"), row.boolean("spicy")});
        return api::ok(rails);
    });

    auto put = policyEndpoint(http::Method::Put, u"/policies/rails/{rail}"_s,
                              u"Whether this rail may fund the spicy mode, from the next turn on"_s, {});
    put.body = schemaOf<PolicyChange>();
    put.answers = {api::answer<RailPolicy>()};
    put.segments = {segment("rail", "stripe", "A provider, or operator")};
    api.act(put, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<PolicyChange>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const QString rail = call.request().param(u"rail"_s);
        const auto before = db.first("billing.lock_rail_policy", {{"rail", rail}});
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such rail."_s);
        db.execute("billing.set_rail_policy", {{"rail", rail}, {"spicy", wanted->spicy}});
        logPolicy(audit, call, db, u"policy.rail"_s, QString(u"rail:"_s + rail), wanted->reason, spicyIn(before),
                  QJsonObject{{u"spicy"_s, wanted->spicy}});
        return api::ok(RailPolicy{rail, wanted->spicy});
    });
}

bool isRegion(const QString &text)
{
    return text.size() == 2 && std::ranges::all_of(text, [](QChar c) { return c >= u'A' && c <= u'Z'; });
}

void addRegions(api::Api &api, const identity::AuditLog &audit)
{
    auto list = policyEndpoint(http::Method::Get, u"/policies/regions"_s, u"Where the spicy mode is not offered"_s,
                               policyReaders);
    list.answers = {api::answer<RegionPolicyList>()};
    api.act(list, [](const api::Call &, db::Session &db) -> Result<http::Reply> {
        RegionPolicyList regions;
        for (const auto &row : db.rows("billing.region_policies"))
            regions.items.append({row.text("region"), row.boolean("spicy")});
        return api::ok(regions);
    });

    auto put = policyEndpoint(http::Method::Put, u"/policies/regions/{region}"_s,
                              u"Whether the spicy mode is offered in this region, from the next turn on"_s, {});
    put.body = schemaOf<PolicyChange>();
    put.answers = {api::answer<RegionPolicy>()};
    put.segments = {segment("region", "DE", "ISO 3166-1 alpha-2; ZZ: users who told none")};
    api.act(put, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<PolicyChange>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const QString region = call.request().param(u"region"_s);
        if (!isRegion(region))
            return refuse(ErrorCode::NotFound, u"There is no such region."_s);
        const auto before = db.first("billing.lock_region_policy", {{"region", region}});
        db.execute("billing.put_region_policy", {{"region", region}, {"spicy", wanted->spicy}});
        logPolicy(audit, call, db, u"policy.region"_s, QString(u"region:"_s + region), wanted->reason, spicyIn(before),
                  QJsonObject{{u"spicy"_s, wanted->spicy}});
        return api::ok(RegionPolicy{region, wanted->spicy});
    });
}

ProviderProduct providerProductIn(const db::Row &row)
{
    return {row.value<Provider>("provider"), row.text("reference"), row.value<PaidFor>("kind"), row.text("product")};
}

void addProviderProducts(api::Api &api, const identity::AuditLog &audit)
{
    auto list = policyEndpoint(http::Method::Get, u"/provider-products"_s, u"What providers call what we sell"_s,
                               policyReaders);
    list.answers = {api::answer<ProviderProductList>()};
    api.act(list, [](const api::Call &, db::Session &db) -> Result<http::Reply> {
        ProviderProductList products;
        for (const auto &row : db.rows("billing.provider_products"))
            products.items.append(providerProductIn(row));
        return api::ok(products);
    });

    auto put = policyEndpoint(http::Method::Put, u"/provider-products"_s,
                              u"Name a package or tier at a provider: its price's or product's id there"_s, {});
    put.body = schemaOf<ProviderProduct>();
    put.answers = {api::answer<ProviderProduct>()};
    api.act(put, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<ProviderProduct>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const bool ofCredits = wanted->kind == PaidFor::CreditPackage;
        if (!db.first(ofCredits ? "billing.one_product" : "billing.one_tier", {{"code", wanted->product}}))
            return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                           .detail = u"There is no such package or tier."_s,
                                           .errors = {{u"/product"_s, u"must be a package's or a tier's code"_s}}});
        const auto before = db.first("billing.lock_provider_product",
                                     {{"provider", wanted->provider}, {"reference", wanted->reference}});
        db.execute("billing.put_provider_product",
                   {{"provider", wanted->provider},
                    {"reference", wanted->reference},
                    {"kind", wanted->kind},
                    {"product", wanted->product}});
        logPolicy(audit, call, db, u"provider_product.change"_s,
                  u"provider_product:%1:%2"_s.arg(toText(wanted->provider), wanted->reference), {},
                  before ? std::optional(toJson(providerProductIn(*before))) : std::nullopt, toJson(*wanted));
        return api::ok(*wanted);
    });

    auto remove = policyEndpoint(http::Method::Delete, u"/provider-products/{id}"_s,
                                 u"Forget a provider's name of what we sell"_s, {});
    remove.answers = {{204}};
    remove.segments = {segment("id", "stripe:price_1PopularUSD", "The provider, a colon, and its id of the product")};
    api.act(remove, [&audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const QString id = call.request().param(u"id"_s);
        const auto provider = fromText<Provider>(id.section(u':', 0, 0));
        const QString reference = id.section(u':', 1);
        const auto before = provider
            ? db.first("billing.lock_provider_product", {{"provider", *provider}, {"reference", reference}})
            : std::nullopt;
        if (!before)
            return refuse(ErrorCode::NotFound, u"There is no such name."_s);
        db.execute("billing.delete_provider_product", {{"provider", *provider}, {"reference", reference}});
        logPolicy(audit, call, db, u"provider_product.delete"_s, QString(u"provider_product:"_s + id), {},
                  toJson(providerProductIn(*before)), std::nullopt);
        return http::Reply::noContent();
    });
}

} // namespace

void addPolicyRoutes(api::Api &api, const identity::AuditLog &audit)
{
    addRails(api, audit);
    addRegions(api, audit);
    addProviderProducts(api, audit);
}

} // namespace companion::billing
