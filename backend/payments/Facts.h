#pragma once

#include "common/models/Payments.h"

namespace companion::payments {

// What a provider says about its own objects, in our words. A fact is a state and not a change: the same fact twice is
// one fact, and of two about one object the one with the higher `version` counts, whenever it arrives. `version` is the
// provider's own: a counter, or the object's time in ms since 1970 (Stripe: the event's `created`, in ms; Apple:
// signedDate; Google: the RTDN's eventTimeMillis or the fetch's time). All facts of one object count the same way.

// One payment: what was paid and what of it was refunded, cumulated. `references` are all the ids by which the provider
// calls it (a checkout session, an intent, a charge, an invoice): later facts may know just one of them.
struct PaymentFact
{
    enum class State { Pending, Paid, Failed };

    QStringList references;
    std::optional<PaymentId> payment; // ours, where the provider hands it back (client_reference_id, metadata)
    std::optional<UserId> user; // likewise; needed for a payment that we did not begin (a renewal, a store sale)
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // our package's or tier's code; may be empty where we began the payment
    std::optional<State> state; // unset: this fact is about refunds alone
    qint64 amountMinor = 0; // what the customer paid, tax included
    qint64 taxMinor = 0;
    std::optional<qint64> feeMinor; // what the provider keeps, where it says so
    QString currency; // ISO 4217, capitals; empty with no state
    std::optional<qint64> refundedMinor; // of the whole payment so far; may go down (a refund reversed)
    qint64 version = 0;
    QDateTime at; // when it took effect
    QString subscription; // the provider's id of the subscription it pays for
    std::optional<QDateTime> periodStart; // what it pays
    std::optional<QDateTime> periodEnd;
    QString failure; // in words, for the customer

    static constexpr const char *modelName = "PaymentFact";
    static constexpr auto fields();
};

// A subscription as it stands. Never tells that it has ended unless the provider says so: that is seen by the clock.
struct SubscriptionFact
{
    QString reference;
    std::optional<UserId> user; // where the provider hands it back; known ones are found by their reference
    QString customer; // the provider's id of the user
    Tier tier = Tier::Premium;
    std::optional<Tier> nextTier; // a downgrade at the period's end; canceling is a status
    SubscriptionStatus status = SubscriptionStatus::Active; // never refunded: that follows from its payments
    QDateTime periodStart;
    QDateTime periodEnd; // of what is paid; for expired: when it ended
    std::optional<QDateTime> graceUntil; // the provider's own; else ours
    qint64 version = 0;
    QDateTime at;

    static constexpr const char *modelName = "SubscriptionFact";
    static constexpr auto fields();
};

struct DisputeFact
{
    QString reference;
    QStringList payment; // the provider's ids of the disputed payment
    DisputeState state = DisputeState::Open;
    qint64 amountMinor = 0;
    QString currency;
    QString reason;
    qint64 version = 0;
    QDateTime at;

    static constexpr const char *modelName = "DisputeFact";
    static constexpr auto fields();
};

struct FactList
{
    QList<SubscriptionFact> subscriptions; // applied in this order
    QList<PaymentFact> payments;
    QList<DisputeFact> disputes;

    bool isEmpty() const { return subscriptions.isEmpty() && payments.isEmpty() && disputes.isEmpty(); }

    static constexpr const char *modelName = "FactList";
    static constexpr auto fields()
    {
        return std::tuple(field("subscriptions", &FactList::subscriptions), field("payments", &FactList::payments),
                          field("disputes", &FactList::disputes));
    }
};

// A verified webhook. No facts: an event that does not matter to us; it is kept and done with.
struct ProviderEvent
{
    QString id; // the provider's, unique: what makes it apply once
    QString type;
    QDateTime createdAt;
    FactList facts;
    // What PaymentProvider::complete needs where the webhook only says that something changed (Google, thin events).
    std::optional<QJsonObject> lookUp;
};

} // namespace companion::payments

namespace companion {

template <>
struct EnumNames<payments::PaymentFact::State>
{
    using S = payments::PaymentFact::State;
    static constexpr std::array values{std::pair{S::Pending, "pending"}, std::pair{S::Paid, "paid"},
                                       std::pair{S::Failed, "failed"}};
};

} // namespace companion

namespace companion::payments {

constexpr auto PaymentFact::fields()
{
    using F = PaymentFact;
    return std::tuple(field("references", &F::references), field("payment", &F::payment), field("user", &F::user),
                      field("kind", &F::kind), field("product", &F::product), field("state", &F::state),
                      field("amount_minor", &F::amountMinor), field("tax_minor", &F::taxMinor),
                      field("fee_minor", &F::feeMinor), field("currency", &F::currency),
                      field("refunded_minor", &F::refundedMinor), field("version", &F::version), field("at", &F::at),
                      field("subscription", &F::subscription), field("period_start", &F::periodStart),
                      field("period_end", &F::periodEnd), field("failure", &F::failure));
}

constexpr auto SubscriptionFact::fields()
{
    using F = SubscriptionFact;
    return std::tuple(field("reference", &F::reference), field("user", &F::user), field("customer", &F::customer),
                      field("tier", &F::tier), field("next_tier", &F::nextTier), field("status", &F::status),
                      field("period_start", &F::periodStart), field("period_end", &F::periodEnd),
                      field("grace_until", &F::graceUntil), field("version", &F::version), field("at", &F::at));
}

constexpr auto DisputeFact::fields()
{
    using F = DisputeFact;
    return std::tuple(field("reference", &F::reference), field("payment", &F::payment), field("state", &F::state),
                      field("amount_minor", &F::amountMinor), field("currency", &F::currency),
                      field("reason", &F::reason), field("version", &F::version), field("at", &F::at));
}

} // namespace companion::payments
