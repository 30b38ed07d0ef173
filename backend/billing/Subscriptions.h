#pragma once

#include "billing/TierStore.h"
#include "common/models/Payments.h"
#include "ledger/Ledger.h"

namespace companion::billing {

using SubscriptionId = Id<struct SubscriptionTag>;

// A state of a provider's subscription, as the provider tells it. Of two states the one with the higher version counts,
// whichever is heard of first.
struct ToldSubscription
{
    UserId user;
    Provider provider = Provider::Sandbox;
    QString reference; // the provider's id of it
    QString customer = {}; // the provider's id of the user
    SubscriptionStatus status = SubscriptionStatus::Active; // never refunded
    Tier tier = Tier::Premium;
    std::optional<Tier> nextTier = {}; // a downgrade at the period's end
    QDateTime periodStart;
    QDateTime periodEnd; // of what is paid
    std::optional<QDateTime> graceUntil = {}; // the provider's own
    qint64 version = 0;
    QDateTime at; // since when it is so
    std::optional<QUuid> event = {};
};

// What became of the payment for a period.
struct PeriodPayment
{
    enum class Fate { Restored, Refunded, Disputed };
    SubscriptionId subscription;
    PaymentId payment;
    Fate fate = Fate::Restored;
    qint64 version = 0;
    QDateTime at;
    QDateTime periodStart;
    QDateTime periodEnd;
    std::optional<QUuid> event = {};
};

struct KnownSubscription
{
    SubscriptionId id;
    UserId user;
    QString reference;
    QString customer;
    Subscription state; // status as of now: past_due in the grace, expired after it
};

// Subscriptions, event-sourced (docs/payments.md): each thing told is kept, the state is folded from all of them, and
// the tier follows by the clock. Writing runs on the operator lane, in the caller's transaction; it locks the users
// row, then the subscription, then (when the tier rises) the wallet.
class SubscriptionService
{
public:
    struct Terms
    {
        int grace_days = 3; // after a renewal that failed, where the provider has no grace of its own
        int renewalLeeway_s = 7200; // after a period that renews by itself: its webhook is on its way
    };

    SubscriptionService(const ledger::Ledger &ledger, const TierStore &tiers, Terms terms)
        : m_ledger(ledger)
        , m_tiers(tiers)
        , m_terms(terms)
    {
    }

    // not_found: no such user; conflict: the subscription is another user's. When the tier rises, the day's credits are
    // topped up by the difference at once, once a day however often it goes up and down.
    Result<SubscriptionId> told(db::Session &db, const ToldSubscription &told) const;
    // A refund or dispute of the period's payment ends its tier; restored gives it back.
    void paymentChanged(db::Session &db, const UserId &user, const PeriodPayment &payment) const;

    std::optional<KnownSubscription> find(db::Session &db, Provider provider, const QString &reference) const;
    // The user's subscription: one in force before any that has ended, then the newest.
    std::optional<KnownSubscription> ofUser(db::Session &db, const UserId &user) const;
    SubscriptionState stateOf(db::Session &db, const UserId &user) const;
    // What the tier was at a past moment, by when things took effect.
    Tier tierAt(db::Session &db, const UserId &user, const QDateTime &at) const;

private:
    QDateTime entitledUntil(const ToldSubscription &told) const;
    void topUp(db::Session &db, const UserId &user) const;

    const ledger::Ledger &m_ledger;
    const TierStore &m_tiers;
    Terms m_terms;
};

} // namespace companion::billing
