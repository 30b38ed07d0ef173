#pragma once

#include "common/describe/Json.h"
#include "common/models/Identity.h"

namespace companion {

// A subscription tier as it is sold.
struct TierOffer
{
    Tier code = Tier::Free;
    QString name;
    QString price; // a month, decimal text in `currency`
    QString currency;
    Credits dailyCredits;
    int requestsPerMinute = 0;
    Factor discount;
    QStringList features;

    static constexpr const char *modelName = "TierOffer";
    static constexpr auto fields()
    {
        using T = TierOffer;
        return std::tuple(field("code", &T::code), field("name", &T::name, {.title = "Tier"}),
                          field("price", &T::price, {.title = "Price a month"}), field("currency", &T::currency),
                          field("daily_credits", &T::dailyCredits, {.title = "Daily credits"}),
                          field("requests_per_minute", &T::requestsPerMinute, {.title = "Requests a minute"}),
                          field("discount", &T::discount, {.title = "Discount"}),
                          field("features", &T::features, {.title = "Features"}));
    }
};

// A credit package. effective_price = price / (credits + bonus_credits), computed, 4 places.
struct PackageOffer
{
    QString code;
    QString name;
    QString price;
    QString currency;
    Credits credits;
    Credits bonusCredits;
    QString effectivePrice;

    static constexpr const char *modelName = "PackageOffer";
    static constexpr auto fields()
    {
        using P = PackageOffer;
        return std::tuple(field("code", &P::code), field("name", &P::name, {.title = "Package"}),
                          field("price", &P::price, {.title = "Price"}), field("currency", &P::currency),
                          field("credits", &P::credits, {.title = "Credits"}),
                          field("bonus_credits", &P::bonusCredits, {.title = "Bonus"}),
                          field("effective_price", &P::effectivePrice, {.title = "Price per credit"}));
    }
};

struct ProductList
{
    QList<TierOffer> tiers;
    QList<PackageOffer> packages;

    static constexpr const char *modelName = "ProductList";
    static constexpr auto fields()
    {
        return std::tuple(field("tiers", &ProductList::tiers), field("packages", &ProductList::packages));
    }
};

} // namespace companion
