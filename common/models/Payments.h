#pragma once

#include "common/models/Market.h"
#include "common/models/Wallet.h"

namespace companion {

enum class Provider { Stripe, Apple, Google, Sandbox };
template <>
struct EnumNames<Provider>
{
    static constexpr std::array values{std::pair{Provider::Stripe, "stripe"}, std::pair{Provider::Apple, "apple"},
                                       std::pair{Provider::Google, "google"}, std::pair{Provider::Sandbox, "sandbox"}};
};

enum class PaidFor { CreditPackage, Period };
template <>
struct EnumNames<PaidFor>
{
    static constexpr std::array values{std::pair{PaidFor::CreditPackage, "credits"},
                                       std::pair{PaidFor::Period, "subscription"}};
};

enum class PaymentStatus { Pending, Paid, Failed, Refunded, PartiallyRefunded, Disputed };
template <>
struct EnumNames<PaymentStatus>
{
    using S = PaymentStatus;
    static constexpr std::array values{std::pair{S::Pending, "pending"},
                                       std::pair{S::Paid, "paid"},
                                       std::pair{S::Failed, "failed"},
                                       std::pair{S::Refunded, "refunded"},
                                       std::pair{S::PartiallyRefunded, "partially_refunded"},
                                       std::pair{S::Disputed, "disputed"}};
};

enum class SubscriptionStatus { Trialing, Active, PastDue, Canceled, Expired, Refunded };
template <>
struct EnumNames<SubscriptionStatus>
{
    using S = SubscriptionStatus;
    static constexpr std::array values{std::pair{S::Trialing, "trialing"}, std::pair{S::Active, "active"},
                                       std::pair{S::PastDue, "past_due"},  std::pair{S::Canceled, "canceled"},
                                       std::pair{S::Expired, "expired"},   std::pair{S::Refunded, "refunded"}};
};

enum class DisputeState { Open, Won, Lost };
template <>
struct EnumNames<DisputeState>
{
    static constexpr std::array values{std::pair{DisputeState::Open, "open"}, std::pair{DisputeState::Won, "won"},
                                       std::pair{DisputeState::Lost, "lost"}};
};

// Amounts are decimal text in the currency's own digits: "9.99" USD, "980" JPY.
struct Payment
{
    PaymentId id;
    Provider provider = Provider::Sandbox;
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // a package's or a tier's code
    QString amount;  // what the customer pays, tax included
    QString tax;
    QString refunded;
    QString currency;
    PaymentStatus status = PaymentStatus::Pending;
    std::optional<Credits> credits;
    std::optional<Credits> bonusCredits;
    std::optional<QString> checkoutUrl; // while it is pending
    std::optional<QString> failure;
    QDateTime createdAt;
    std::optional<QDateTime> paidAt;

    static constexpr const char *modelName = "Payment";
    static constexpr auto fields()
    {
        using P = Payment;
        return std::tuple(field("id", &P::id), field("provider", &P::provider, {.title = "Provider"}),
                          field("kind", &P::kind, {.title = "For"}),
                          field("product", &P::product, {.title = "Product"}),
                          field("amount", &P::amount, {.title = "Amount"}), field("tax", &P::tax, {.title = "Tax"}),
                          field("refunded", &P::refunded, {.title = "Refunded"}),
                          field("currency", &P::currency, {.title = "Currency"}),
                          field("status", &P::status, {.title = "Status"}),
                          field("credits", &P::credits, {.title = "Credits", .nullable = true}),
                          field("bonus_credits", &P::bonusCredits, {.title = "Bonus", .nullable = true}),
                          field("checkout_url", &P::checkoutUrl, {.nullable = true}),
                          field("failure", &P::failure, {.title = "Why it failed", .nullable = true}),
                          field("created_at", &P::createdAt, {.title = "Time"}),
                          field("paid_at", &P::paidAt, {.title = "Paid", .nullable = true}));
    }
};

// POST /market/buy_credits: sandbox and stripe answer a checkout_url, apple and google take a receipt.
struct PurchaseRequest
{
    QString product;
    Provider provider = Provider::Sandbox;
    std::optional<QString> receipt;
    std::optional<QString> returnUrl;

    static constexpr const char *modelName = "PurchaseRequest";
    static constexpr auto fields()
    {
        using R = PurchaseRequest;
        return std::tuple(field("product", &R::product, {.minLength = 1, .maxLength = 40}),
                          field("provider", &R::provider),
                          field("receipt", &R::receipt, {.minLength = 1, .maxLength = 65536}),
                          field("return_url", &R::returnUrl, {.maxLength = 2000, .pattern = "https?://.+"}));
    }
};

// POST /market/subscribe. A user who has a subscription changes it: a higher tier at once, a lower one at the period's
// end.
struct SubscribeRequest
{
    Tier tier = Tier::Premium;
    Provider provider = Provider::Sandbox;
    std::optional<QString> receipt;
    std::optional<QString> returnUrl;

    static constexpr const char *modelName = "SubscribeRequest";
    static constexpr auto fields()
    {
        using R = SubscribeRequest;
        return std::tuple(field("tier", &R::tier), field("provider", &R::provider),
                          field("receipt", &R::receipt, {.minLength = 1, .maxLength = 65536}),
                          field("return_url", &R::returnUrl, {.maxLength = 2000, .pattern = "https?://.+"}));
    }
};

// What buy_credits and subscribe answer. No payment_id: the provider changed a running subscription without one.
struct StartedPayment
{
    std::optional<PaymentId> paymentId;
    PaymentStatus status = PaymentStatus::Pending;
    std::optional<QString> checkoutUrl;

    static constexpr const char *modelName = "StartedPayment";
    static constexpr auto fields()
    {
        using P = StartedPayment;
        return std::tuple(field("payment_id", &P::paymentId, {.nullable = true}), field("status", &P::status),
                          field("checkout_url", &P::checkoutUrl, {.nullable = true}));
    }
};

// POST /market/portal: the provider's own page for cards, bills and the subscription.
struct PortalRequest
{
    Provider provider = Provider::Stripe;
    std::optional<QString> returnUrl;

    static constexpr const char *modelName = "PortalRequest";
    static constexpr auto fields()
    {
        using R = PortalRequest;
        return std::tuple(field("provider", &R::provider),
                          field("return_url", &R::returnUrl, {.maxLength = 2000, .pattern = "https?://.+"}));
    }
};

struct PortalLink
{
    QString url; // for this customer alone, for some minutes

    static constexpr const char *modelName = "PortalLink";
    static constexpr auto fields() { return std::tuple(field("url", &PortalLink::url)); }
};

struct Subscription
{
    Provider provider = Provider::Sandbox;
    Tier tier = Tier::Free;
    SubscriptionStatus status = SubscriptionStatus::Expired;
    QDateTime periodStart;
    QDateTime periodEnd;
    QDateTime entitledUntil; // the period's end and, where it renews by itself, the grace
    std::optional<Tier> nextTier; // from the period's end on
    QDateTime createdAt;

    static constexpr const char *modelName = "Subscription";
    static constexpr auto fields()
    {
        using S = Subscription;
        return std::tuple(field("provider", &S::provider, {.title = "Provider"}),
                          field("tier", &S::tier, {.title = "Tier"}), field("status", &S::status, {.title = "Status"}),
                          field("period_start", &S::periodStart, {.title = "Period from"}),
                          field("period_end", &S::periodEnd, {.title = "Period to"}),
                          field("entitled_until", &S::entitledUntil, {.title = "Entitled until"}),
                          field("next_tier", &S::nextTier, {.title = "Then", .nullable = true}),
                          field("created_at", &S::createdAt, {.title = "Since"}));
    }
};

// GET /market/subscription: the tier that counts now, and the subscription it may come from.
struct SubscriptionState
{
    Tier tier = Tier::Free;
    std::optional<QDateTime> tierExpiresAt;
    std::optional<Subscription> subscription;

    static constexpr const char *modelName = "SubscriptionState";
    static constexpr auto fields()
    {
        using S = SubscriptionState;
        return std::tuple(field("tier", &S::tier), field("tier_expires_at", &S::tierExpiresAt, {.nullable = true}),
                          field("subscription", &S::subscription, {.nullable = true}));
    }
};

} // namespace companion
