#pragma once

#include "billing/Subscriptions.h"
#include "ledger/Ledger.h"
#include "payments/PaymentProvider.h"

#include <QUuid>
#include <vector>

namespace companion::payments {

// A payment that was granted by an act, for PaymentProvider::acknowledge after its commit.
struct Granted
{
    Provider provider = Provider::Sandbox;
    QStringList references;
    PaidFor kind = PaidFor::CreditPackage;
    QString product;
};

struct Taken
{
    enum class What {
        Applied,   // the books say now what the provider says
        Duplicate, // this event had been applied
        Waiting,   // it speaks of what is not known yet, and is applied when that comes
        Unusable,  // kept with its reason, for people
    };
    What what = What::Applied;
    QString reason;
    QList<Granted> granted;
};

// A verified webhook as it came.
struct Delivery
{
    Provider provider = Provider::Sandbox;
    ProviderEvent event;
    Webhook raw;
};

// A verified webhook whose facts have yet to be looked up.
struct KeptEvent
{
    QString id; // of our row
    Provider provider = Provider::Sandbox;
    ProviderEvent event; // without facts, with its lookUp
};

// What the providers tell, taken into the books: payments, credits, subscriptions, debts. On the operator lane, each
// event in one transaction that applies all of its facts or none; what had waited for it follows at once, each in a
// transaction of its own. The order of arrival does not matter: facts about one object come one after the other
// (advisory locks on its references), the object's own version decides between old and new, and what is told is
// compared with what was done, so that a repeated fact does nothing. Lock order: references, the event, the user, the
// payment, the wallet, the audit log. Stateless; any worker.
class PaymentBooks
{
public:
    struct Policy
    {
        bool suspendOnDispute = true;
    };

    PaymentBooks(const ledger::Ledger &ledger, const billing::SubscriptionService &subscriptions, Policy policy)
        : m_ledger(ledger)
        , m_subscriptions(subscriptions)
        , m_policy(policy)
    {
    }

    // A verified webhook: kept, and applied once.
    Taken take(db::Session &db, Provider provider, const ProviderEvent &event, const Webhook &raw) const;
    // Several at once, in one statement: those that are the plain case (migration 0022: new, or seen before; about
    // nothing, or one sale of credits). Nothing in the answer's place: nothing was done, it is to be taken alone.
    std::vector<std::optional<Taken>> takeTogether(db::Session &db, const std::vector<Delivery> &deliveries) const;
    // Whether an event may be the plain case, as far as can be told without the database.
    static bool mayBePlain(const ProviderEvent &event, const Webhook &raw);
    // Keeps a verified webhook whose facts have yet to be looked up; false when it was applied before.
    bool keep(db::Session &db, Provider provider, const ProviderEvent &event, const Webhook &raw) const;
    // One that was not believed: kept with the reason, and nothing else. A repeated one only counts, and of new ones
    // mostRefused a minute are kept: anybody may send them.
    void keepRefused(db::Session &db, Provider provider, const Webhook &raw, const QString &reason) const;
    // What a provider answered to a call of ours.
    Taken apply(db::Session &db, Provider provider, const FactList &facts) const;

    // Applies what was kept and not applied (an instance died), or what waited and has come by another way; how many it
    // looked at. One that still waits is looked at ever less often, for 30 days.
    int retry(db::Session &db, int batch, QList<Granted> &granted) const;
    // One kept event, at a person's word; duplicate: it is applied.
    Taken applyKept(db::Session &db, Provider provider, const QString &event, const FactList &facts) const;
    // Those whose facts have to be looked up (again): whoever claims one has it for a minute, and longer each time.
    QList<KeptEvent> claimIncomplete(db::Session &db, int batch) const;
    Taken completed(db::Session &db, const KeptEvent &kept, const FactList &facts) const;
    // The provider's word on it is final: it cannot be used. Listed as a difference.
    void uncompletable(db::Session &db, const KeptEvent &kept, const QString &why) const;
    // Job: what has waited for a day is listed as a difference, until it can be applied; how many are new.
    int listOverdue(db::Session &db) const;
    // Job: throws away what was refused 30 days ago; how many.
    int purge(db::Session &db, int batch) const;

    static constexpr qsizetype mostBytes = 262'144; // of a webhook
    static constexpr int mostRefused = 120;
    static constexpr qsizetype mostBytesTogether = 16'384; // of a webhook that is taken together with others

private:
    // Why facts cannot be applied now: some thing is not known yet, or never will be.
    struct Obstacle
    {
        QStringList waitsFor; // empty: unusable
        QString reason;
    };
    template <class T>
    using Step = std::expected<T, Obstacle>;
    struct Done
    {
        QList<Granted> granted;
        std::optional<PaymentId> payment;
        QList<QJsonObject> audit; // lines for the log, written last
    };
    struct Found
    {
        PaymentId id;
        UserId user;
    };

    Taken settleEvent(db::Session &db, Provider provider, const db::Row &event, const FactList &facts) const;
    Taken settleKept(db::Session &db, Provider provider, const QString &event, const FactList &facts) const;
    void wake(db::Session &db, Provider provider, QStringList keys, QList<Granted> &granted) const;
    void writeAudit(db::Session &db, const QList<QJsonObject> &lines) const;
    Step<Done> applyAll(db::Session &db, Provider provider, const FactList &facts) const;
    Step<void> takeSubscription(db::Session &db, Provider provider, const SubscriptionFact &fact) const;
    Step<void> takePayment(db::Session &db, Provider provider, const PaymentFact &fact, Done &done) const;
    Step<void> takeDispute(db::Session &db, Provider provider, const DisputeFact &fact, Done &done) const;

    Step<std::optional<Found>> find(db::Session &db, Provider provider, const std::optional<PaymentId> &id,
                                    const QStringList &references) const;
    Step<Found> create(db::Session &db, Provider provider, const PaymentFact &fact,
                       const std::optional<billing::KnownSubscription> &subscription) const;
    Step<void> takeState(db::Session &db, Provider provider, const PaymentFact &fact, const db::Row &payment,
                         const std::optional<billing::KnownSubscription> &subscription) const;
    void takeRefunds(db::Session &db, const PaymentFact &fact, const db::Row &payment) const;

    // Compares what the payment says with what was done for it, and does the difference.
    Step<void> settle(db::Session &db, const PaymentId &id, TransactionKind cause, Done &done) const;
    Step<void> grant(db::Session &db, const db::Row &payment) const;
    Step<int> drive(db::Session &db, const db::Row &payment, const char *entry, Credits granted, qint64 back_minor,
                    TransactionKind cause, int settlements) const;
    void book(db::Session &db, const db::Row &payment, qint64 disputed_minor) const;
    void tellSubscription(db::Session &db, const db::Row &payment, qint64 back_minor, const db::Row &disputes) const;
    void suspend(db::Session &db, const UserId &user, const db::Row &dispute, Done &done) const;
    void restore(db::Session &db, const UserId &user, const db::Row &dispute, Done &done) const;

    const ledger::Ledger &m_ledger;
    const billing::SubscriptionService &m_subscriptions;
    Policy m_policy;
};

// Its checkouts are ours and are paid as offered; what a store sells has the store's prices.
bool sellsAtOurPrices(Provider provider);

// The share of `credits` that `part` is of `whole` minor units, half up to 4 places; all of it for the whole, and none
// where nothing was paid.
Credits shareOf(Credits credits, qint64 part_minor, qint64 whole_minor);

} // namespace companion::payments
