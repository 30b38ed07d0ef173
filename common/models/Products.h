#pragma once

#include "common/describe/Json.h"
#include "common/models/Identity.h"

namespace companion {

// A credit package as operators edit it.
struct AdminProduct
{
    QString code;
    QString name;
    QString price; // decimal text in the currency's own digits
    QString currency;
    Credits credits;
    Factor bonusPercent; // "20.0000"
    std::optional<int> bonusDays; // how long the bonus lives; none: for ever
    int rank = 0;
    bool active = true;

    static constexpr const char *modelName = "AdminProduct";
    static constexpr auto fields()
    {
        using P = AdminProduct;
        return std::tuple(
            field("code", &P::code, {.title = "Code", .pattern = "[a-z0-9_]{1,40}", .example = "popular"}),
            field("name", &P::name, {.title = "Package", .minLength = 1, .maxLength = 80, .example = "Popular"}),
            field("price", &P::price, {.title = "Price", .pattern = "[0-9]{1,9}(\\.[0-9]{1,3})?", .example = "8.99"}),
            field("currency", &P::currency, {.title = "Currency", .pattern = "[A-Z]{3}", .example = "USD"}),
            field("credits", &P::credits, {.title = "Credits"}),
            field("bonus_percent", &P::bonusPercent, {.title = "Bonus %"}),
            field("bonus_days", &P::bonusDays,
                  {.title = "Bonus days", .minimum = 1, .maximum = 3650, .nullable = true}),
            field("rank", &P::rank, {.title = "Rank", .minimum = 0, .maximum = 1000}),
            field("active", &P::active, {.title = "On sale"}));
    }
};

struct AdminProductList
{
    QList<AdminProduct> items;

    static constexpr const char *modelName = "AdminProductList";
    static constexpr auto fields() { return std::tuple(field("items", &AdminProductList::items)); }
};

// A tier as operators edit it.
struct AdminTier
{
    Tier code = Tier::Free;
    QString name;
    QString price; // a month
    QString currency;
    Credits dailyCredits;
    int requestsPerMinute = 1;
    Factor discount; // "0.3000" for 30 %
    bool longTermMemory = false;
    bool spicy = false;
    int priority = 0;
    int trialDays = 0;

    static constexpr const char *modelName = "AdminTier";
    static constexpr auto fields()
    {
        using T = AdminTier;
        return std::tuple(
            field("code", &T::code, {.title = "Code"}),
            field("name", &T::name, {.title = "Tier", .minLength = 1, .maxLength = 80, .example = "Premium"}),
            field("price", &T::price, {.title = "Price", .pattern = "[0-9]{1,9}(\\.[0-9]{1,3})?", .example = "8.99"}),
            field("currency", &T::currency, {.title = "Currency", .pattern = "[A-Z]{3}", .example = "USD"}),
            field("daily_credits", &T::dailyCredits, {.title = "Daily credits"}),
            field("requests_per_minute", &T::requestsPerMinute,
                  {.title = "Requests a minute", .minimum = 1, .maximum = 100000}),
            field("discount", &T::discount, {.title = "Discount"}),
            field("long_term_memory", &T::longTermMemory, {.title = "Long-term memory"}),
            field("spicy", &T::spicy, {.title = "Spicy"}),
            field("priority", &T::priority, {.title = "Priority", .minimum = 0, .maximum = 100}),
            field("trial_days", &T::trialDays, {.title = "Trial days", .minimum = 0, .maximum = 365}));
    }
};

struct AdminTierList
{
    QList<AdminTier> items;

    static constexpr const char *modelName = "AdminTierList";
    static constexpr auto fields() { return std::tuple(field("items", &AdminTierList::items)); }
};

} // namespace companion
