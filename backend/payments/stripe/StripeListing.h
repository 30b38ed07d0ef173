#pragma once

#include "payments/stripe/StripeProvider.h"

#include <deque>
#include <memory>

namespace companion::payments {

// One reconciliation's questions to Stripe, one after the other, and their answers put together: all charges, refunds
// and disputes that were made in [from, to), and the events of that time, which tell what of older ones changed. Keeps
// itself alive until it has answered; the provider lives longer or nothing is answered.
class StripeListing : public std::enable_shared_from_this<StripeListing>
{
public:
    using Then = PaymentProvider::Then<FactList>;

    StripeListing(StripeProvider &provider, const QDateTime &from, const QDateTime &to, const Then &then);
    void start();

private:
    struct Charge
    {
        QJsonObject object;
        qint64 version = 0;
    };
    struct Dispute
    {
        QJsonObject object;
        qint64 version = 0;
        QDateTime at;
    };
    using Step = void (StripeListing::*)(const stripe::Listed &);

    stripe::Form during(const QString &expand, qint64 earlier_s = 0) const;
    void list(const QString &path, const stripe::Form &query, Step step);
    void takeCharges(const stripe::Listed &charges);
    void takeRefunds(const stripe::Listed &refunds);
    void takeDisputes(const stripe::Listed &disputes);
    void takeInvoices(const stripe::Listed &invoicePayments);
    void takeEvents(const stripe::Listed &events);
    void takeEvent(const QJsonObject &event);
    void addCharge(const QJsonObject &charge, qint64 version);

    void lookUpCharges(); // that an event speaks of and no list held
    void lookUpOwners(); // of charges that no list told the invoice of
    void takeOwner(const QString &charge, const QJsonObject &invoice);
    void lookUpPayments(); // of invoices whose charge is of another day
    void finish();
    PaymentFact merged(const PaymentFact &ofCharge) const;
    void answer(const Result<FactList> &facts);

    StripeProvider &m_provider;
    const QDateTime m_from;
    const QDateTime m_to;
    const Then m_then;

    QMap<QString, Charge> m_charges;
    QMap<QString, Dispute> m_disputes;
    QHash<QString, QJsonObject> m_invoiceOfIntent;
    QHash<QString, QJsonObject> m_invoiceOfCharge; // ours; an empty object: the charge has our marks itself
    QMap<QString, SubscriptionFact> m_subscriptions;
    QList<PaymentFact> m_paid; // as events told
    QSet<QString> m_wantedCharges;
    std::deque<QString> m_queue; // charges to look up
    std::deque<PaymentFact> m_untold; // paid, as events say, by charges that no list held
    FactList m_facts;
};

} // namespace companion::payments
