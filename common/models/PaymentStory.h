#pragma once

#include "common/models/PaymentAdmin.h"

namespace companion {

// A lot that a payment made, as it stands.
struct PaymentLot
{
    Bucket bucket = Bucket::Purchased;
    Credits granted;
    Credits remaining; // held credit included
    Credits held;
    Credits returned; // taken back for refunds and disputes, as credit or as debt
    std::optional<QDateTime> expiresAt;

    static constexpr const char *modelName = "PaymentLot";
    static constexpr auto fields()
    {
        using L = PaymentLot;
        return std::tuple(field("bucket", &L::bucket, {.title = "Bucket"}),
                          field("granted", &L::granted, {.title = "Granted"}),
                          field("remaining", &L::remaining, {.title = "Remaining"}),
                          field("held", &L::held, {.title = "Held"}),
                          field("returned", &L::returned, {.title = "Taken back"}),
                          field("expires_at", &L::expiresAt, {.title = "Expires", .nullable = true}));
    }
};

// What the payment did to the wallet: a row of its history.
struct PaymentEntry
{
    TransactionId id;
    TransactionKind kind = TransactionKind::Purchase;
    Credits amount;
    Credits debt; // how much more is owed since
    QString description;
    QDateTime createdAt;

    static constexpr const char *modelName = "PaymentEntry";
    static constexpr auto fields()
    {
        using E = PaymentEntry;
        return std::tuple(field("id", &E::id), field("kind", &E::kind, {.title = "Kind"}),
                          field("amount", &E::amount, {.title = "Credits"}), field("debt", &E::debt, {.title = "Owed"}),
                          field("description", &E::description, {.title = "Description"}),
                          field("created_at", &E::createdAt, {.title = "Time"}));
    }
};

enum class MoneyKind { Payment, Refund, Chargeback };
template <>
struct EnumNames<MoneyKind>
{
    static constexpr std::array values{std::pair{MoneyKind::Payment, "payment"}, std::pair{MoneyKind::Refund, "refund"},
                                       std::pair{MoneyKind::Chargeback, "chargeback"}};
};

// Money that moved for the payment, in its currency: what came is positive.
struct MoneyEntry
{
    MoneyKind kind = MoneyKind::Payment;
    QString amount;
    QString tax;
    QString fee;
    QDateTime at;

    static constexpr const char *modelName = "MoneyEntry";
    static constexpr auto fields()
    {
        using E = MoneyEntry;
        return std::tuple(field("kind", &E::kind, {.title = "Kind"}), field("amount", &E::amount, {.title = "Amount"}),
                          field("tax", &E::tax, {.title = "Tax"}), field("fee", &E::fee, {.title = "Fee"}),
                          field("at", &E::at, {.title = "Time"}));
    }
};

enum class RefundState { Ordered, Done, Failed };
template <>
struct EnumNames<RefundState>
{
    static constexpr std::array values{std::pair{RefundState::Ordered, "ordered"}, std::pair{RefundState::Done, "done"},
                                       std::pair{RefundState::Failed, "failed"}};
};

// A refund that an operator ordered.
struct PaymentRefund
{
    QString id;
    QString amount;
    RefundState state = RefundState::Ordered;
    QString reason;
    std::optional<QString> failure;
    QString actor; // who ordered it: email or name
    QDateTime createdAt;
    std::optional<QDateTime> doneAt;

    static constexpr const char *modelName = "PaymentRefund";
    static constexpr auto fields()
    {
        using R = PaymentRefund;
        return std::tuple(field("id", &R::id), field("amount", &R::amount, {.title = "Amount"}),
                          field("state", &R::state, {.title = "State"}),
                          field("reason", &R::reason, {.title = "Reason"}),
                          field("failure", &R::failure, {.title = "Why it failed", .nullable = true}),
                          field("actor", &R::actor, {.title = "By"}),
                          field("created_at", &R::createdAt, {.title = "Ordered"}),
                          field("done_at", &R::doneAt, {.title = "Done", .nullable = true}));
    }
};

// GET /admin/payments/{id}/story: one payment with all that came of it. Each list oldest first.
struct PaymentStory
{
    AdminPayment payment;
    std::optional<Credits> credits;
    std::optional<Credits> bonusCredits;
    std::optional<QString> subscriptionId;
    QList<PaymentLot> lots;
    QList<PaymentEntry> entries;
    QList<MoneyEntry> money;
    QList<PaymentRefund> refunds;
    QList<AdminDispute> disputes;
    QList<Debt> debts;
    QList<AdminWebhook> webhooks; // the newest hundred

    static constexpr const char *modelName = "PaymentStory";
    static constexpr auto fields()
    {
        using S = PaymentStory;
        return std::tuple(field("payment", &S::payment),
                          field("credits", &S::credits, {.title = "Credits", .nullable = true}),
                          field("bonus_credits", &S::bonusCredits, {.title = "Bonus", .nullable = true}),
                          field("subscription_id", &S::subscriptionId, {.title = "Subscription", .nullable = true}),
                          field("lots", &S::lots), field("entries", &S::entries), field("money", &S::money),
                          field("refunds", &S::refunds), field("disputes", &S::disputes), field("debts", &S::debts),
                          field("webhooks", &S::webhooks));
    }
};

enum class SubscriptionEventKind { Told, PaymentRefunded, PaymentDisputed, PaymentRestored };
template <>
struct EnumNames<SubscriptionEventKind>
{
    using K = SubscriptionEventKind;
    static constexpr std::array values{std::pair{K::Told, "told"}, std::pair{K::PaymentRefunded, "payment_refunded"},
                                       std::pair{K::PaymentDisputed, "payment_disputed"},
                                       std::pair{K::PaymentRestored, "payment_restored"}};
};

// One event of a subscription: a state that the provider told, or what became of a period's payment.
struct SubscriptionEvent
{
    int sequence = 0; // the order we heard of them
    SubscriptionEventKind kind = SubscriptionEventKind::Told;
    std::optional<SubscriptionStatus> status;
    std::optional<Tier> tier;
    std::optional<Tier> nextTier;
    QDateTime periodStart;
    QDateTime periodEnd;
    std::optional<QDateTime> entitledUntil;
    std::optional<PaymentId> paymentId;
    QDateTime effectiveAt; // since when it holds
    QDateTime recordedAt;  // when we heard of it

    static constexpr const char *modelName = "SubscriptionEvent";
    static constexpr auto fields()
    {
        using E = SubscriptionEvent;
        return std::tuple(field("sequence", &E::sequence), field("kind", &E::kind, {.title = "Event"}),
                          field("status", &E::status, {.title = "Status", .nullable = true}),
                          field("tier", &E::tier, {.title = "Tier", .nullable = true}),
                          field("next_tier", &E::nextTier, {.title = "Then", .nullable = true}),
                          field("period_start", &E::periodStart, {.title = "Period from"}),
                          field("period_end", &E::periodEnd, {.title = "Period to"}),
                          field("entitled_until", &E::entitledUntil, {.title = "Entitled until", .nullable = true}),
                          field("payment_id", &E::paymentId, {.title = "Payment", .nullable = true}),
                          field("effective_at", &E::effectiveAt, {.title = "Holds since"}),
                          field("recorded_at", &E::recordedAt, {.title = "Heard"}));
    }
};

// GET /admin/subscriptions/{id}: the subscription, its history as it was told, and what was paid for it; newest first,
// the newest 200 of each.
struct SubscriptionHistory
{
    AdminSubscription subscription;
    QList<SubscriptionEvent> events;
    QList<AdminPayment> payments;

    static constexpr const char *modelName = "SubscriptionHistory";
    static constexpr auto fields()
    {
        using H = SubscriptionHistory;
        return std::tuple(field("subscription", &H::subscription), field("events", &H::events),
                          field("payments", &H::payments));
    }
};

// GET /admin/users/{id}/tier?at=: the tier that counted at a moment, by when things took effect.
struct TierAt
{
    UserId userId;
    QDateTime at;
    Tier tier = Tier::Free;

    static constexpr const char *modelName = "TierAt";
    static constexpr auto fields()
    {
        return std::tuple(field("user_id", &TierAt::userId), field("at", &TierAt::at), field("tier", &TierAt::tier));
    }
};

} // namespace companion
