#pragma once

#include "common/describe/Json.h"
#include "common/models/Identity.h"

namespace companion {

enum class Bucket { DailyFree, Purchased, Bonus };
template <>
struct EnumNames<Bucket>
{
    static constexpr std::array values{std::pair{Bucket::DailyFree, "daily_free"},
                                       std::pair{Bucket::Purchased, "purchased"}, std::pair{Bucket::Bonus, "bonus"}};
};

enum class TransactionKind {
    DailyRefresh,
    DailyExpiry,
    Purchase,
    BonusGrant,
    BonusExpiry,
    Chat,
    ChatRefund,
    PaymentRefund,
    Chargeback,
    Debt,
    DebtPayment,
    Adjustment,
    SubscriptionChange,
};
template <>
struct EnumNames<TransactionKind>
{
    using K = TransactionKind;
    static constexpr std::array values{std::pair{K::DailyRefresh, "daily_refresh"},
                                       std::pair{K::DailyExpiry, "daily_expiry"},
                                       std::pair{K::Purchase, "purchase"},
                                       std::pair{K::BonusGrant, "bonus_grant"},
                                       std::pair{K::BonusExpiry, "bonus_expiry"},
                                       std::pair{K::Chat, "chat"},
                                       std::pair{K::ChatRefund, "chat_refund"},
                                       std::pair{K::PaymentRefund, "payment_refund"},
                                       std::pair{K::Chargeback, "chargeback"},
                                       std::pair{K::Debt, "debt"},
                                       std::pair{K::DebtPayment, "debt_payment"},
                                       std::pair{K::Adjustment, "adjustment"},
                                       std::pair{K::SubscriptionChange, "subscription_change"}};
};

// An amount split over the three buckets: a charge, a change, or a state.
struct BucketAmounts
{
    Credits dailyFree;
    Credits purchased;
    Credits bonus;

    Credits total() const { return dailyFree + purchased + bonus; }
    bool operator==(const BucketAmounts &) const = default;

    static constexpr const char *modelName = "BucketAmounts";
    static constexpr auto fields()
    {
        return std::tuple(field("daily_free", &BucketAmounts::dailyFree, {.title = "Daily"}),
                          field("purchased", &BucketAmounts::purchased, {.title = "Purchased"}),
                          field("bonus", &BucketAmounts::bonus, {.title = "Bonus"}));
    }
};

// What one reply cost, and out of which buckets it was paid.
struct Charge
{
    Credits amount;
    Credits dailyFree;
    Credits purchased;
    Credits bonus;

    static constexpr const char *modelName = "Charge";
    static constexpr auto fields()
    {
        return std::tuple(field("amount", &Charge::amount), field("daily_free", &Charge::dailyFree),
                          field("purchased", &Charge::purchased), field("bonus", &Charge::bonus));
    }
};

// total = daily_free + purchased + bonus, held credit included; available = total - held.
struct BalanceSummary
{
    Credits total;
    Credits available;
    Credits held;
    Credits dailyFree;
    Credits purchased;
    Credits bonus;

    static constexpr const char *modelName = "BalanceSummary";
    static constexpr auto fields()
    {
        return std::tuple(field("total", &BalanceSummary::total), field("available", &BalanceSummary::available),
                          field("held", &BalanceSummary::held), field("daily_free", &BalanceSummary::dailyFree),
                          field("purchased", &BalanceSummary::purchased), field("bonus", &BalanceSummary::bonus));
    }
};

struct Lot
{
    Bucket bucket = Bucket::DailyFree;
    Credits remaining; // held credit included
    std::optional<QDateTime> expiresAt;

    static constexpr const char *modelName = "Lot";
    static constexpr auto fields()
    {
        return std::tuple(field("bucket", &Lot::bucket, {.title = "Bucket"}),
                          field("remaining", &Lot::remaining, {.title = "Remaining"}),
                          field("expires_at", &Lot::expiresAt, {.title = "Expires", .nullable = true}));
    }
};

struct Balance
{
    Credits total;
    Credits available;
    Credits held;
    Credits dailyFree;
    Credits purchased;
    Credits bonus;
    Credits debt;
    Credits dailyLimit;
    QDateTime refreshesAt;
    QList<Lot> lots;

    BalanceSummary summary() const { return {total, available, held, dailyFree, purchased, bonus}; }

    static constexpr const char *modelName = "Balance";
    static constexpr auto fields()
    {
        return std::tuple(field("total", &Balance::total), field("available", &Balance::available),
                          field("held", &Balance::held), field("daily_free", &Balance::dailyFree),
                          field("purchased", &Balance::purchased), field("bonus", &Balance::bonus),
                          field("debt", &Balance::debt), field("daily_limit", &Balance::dailyLimit),
                          field("refreshes_at", &Balance::refreshesAt), field("lots", &Balance::lots));
    }
};

// One row of the history. Credits that leave the wallet are negative.
struct Transaction
{
    TransactionId id;
    TransactionKind kind = TransactionKind::Adjustment;
    Credits amount;
    BucketAmounts buckets;
    BucketAmounts balanceAfter;
    QDateTime createdAt;
    QString description;
    QJsonObject metadata;

    static constexpr const char *modelName = "Transaction";
    static constexpr auto fields()
    {
        return std::tuple(field("id", &Transaction::id), field("kind", &Transaction::kind, {.title = "Kind"}),
                          field("amount", &Transaction::amount, {.title = "Amount"}),
                          field("buckets", &Transaction::buckets), field("balance_after", &Transaction::balanceAfter),
                          field("created_at", &Transaction::createdAt, {.title = "Time"}),
                          field("description", &Transaction::description, {.title = "Description"}),
                          field("metadata", &Transaction::metadata));
    }
};

// POST /admin/users/{id}/adjustments: a negative amount takes credits away.
struct AdjustmentRequest
{
    Bucket bucket = Bucket::Purchased;
    Credits amount;
    QString reason;

    static constexpr const char *modelName = "AdjustmentRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("bucket", &AdjustmentRequest::bucket), field("amount", &AdjustmentRequest::amount),
                          field("reason", &AdjustmentRequest::reason, {.minLength = 3, .maxLength = 500}));
    }
};

} // namespace companion
