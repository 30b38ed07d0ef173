#pragma once

#include "common/models/Payments.h"

namespace companion {

// Whether credit or a tier that came by this rail may fund the spicy mode. A rail is a provider, or "operator".
struct RailPolicy
{
    QString rail;
    bool spicy = false;

    static constexpr const char *modelName = "RailPolicy";
    static constexpr auto fields()
    {
        return std::tuple(field("rail", &RailPolicy::rail, {.title = "Rail", .example = "stripe"}),
                          field("spicy", &RailPolicy::spicy, {.title = "Spicy"}));
    }
};

struct RailPolicyList
{
    QList<RailPolicy> items;

    static constexpr const char *modelName = "RailPolicyList";
    static constexpr auto fields() { return std::tuple(field("items", &RailPolicyList::items)); }
};

// Whether the spicy mode is offered in a region; ZZ: to users who told none. A region that is not listed: yes.
struct RegionPolicy
{
    QString region;
    bool spicy = false;

    static constexpr const char *modelName = "RegionPolicy";
    static constexpr auto fields()
    {
        return std::tuple(field("region", &RegionPolicy::region, {.title = "Region", .example = "DE"}),
                          field("spicy", &RegionPolicy::spicy, {.title = "Spicy"}));
    }
};

struct RegionPolicyList
{
    QList<RegionPolicy> items;

    static constexpr const char *modelName = "RegionPolicyList";
    static constexpr auto fields() { return std::tuple(field("items", &RegionPolicyList::items)); }
};

struct PolicyChange
{
    bool spicy = false;
    QString reason;

    static constexpr const char *modelName = "PolicyChange";
    static constexpr auto fields()
    {
        return std::tuple(field("spicy", &PolicyChange::spicy),
                          field("reason", &PolicyChange::reason, {.minLength = 3, .maxLength = 500}));
    }
};

// What a provider calls what we sell: an App Store product id, a Stripe price.
struct ProviderProduct
{
    Provider provider = Provider::Stripe;
    QString reference;
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // a package's or a tier's code

    static constexpr const char *modelName = "ProviderProduct";
    static constexpr auto fields()
    {
        using P = ProviderProduct;
        return std::tuple(field("provider", &P::provider, {.title = "Provider"}),
                          field("reference", &P::reference,
                                {.title = "Its id", .minLength = 1, .maxLength = 255, .example = "price_1PopularUSD"}),
                          field("kind", &P::kind, {.title = "For"}),
                          field("product", &P::product,
                                {.title = "Product", .minLength = 1, .maxLength = 40, .example = "popular"}));
    }
};

struct ProviderProductList
{
    QList<ProviderProduct> items;

    static constexpr const char *modelName = "ProviderProductList";
    static constexpr auto fields() { return std::tuple(field("items", &ProviderProductList::items)); }
};

} // namespace companion
