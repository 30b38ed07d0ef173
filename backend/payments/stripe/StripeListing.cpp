#include "payments/stripe/StripeListing.h"

#include "payments/stripe/StripeReader.h"

#include <QJsonArray>
#include <QSet>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;
using namespace stripe;

namespace {

constexpr qint64 finalizedEarlier_s = 7200; // an invoice's payment is made an hour before it is collected

bool isPaidCharge(const QJsonObject &charge)
{
    return charge[u"status"_s].toString() == "succeeded"_L1 && charge[u"captured"_s].toBool(true);
}

bool shareReferences(const PaymentFact &a, const PaymentFact &b)
{
    return std::ranges::any_of(a.references, [&](const QString &id) { return b.references.contains(id); });
}

} // namespace

void StripeProvider::listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then)
{
    std::make_shared<StripeListing>(*this, from, to, then)->start();
}

StripeListing::StripeListing(StripeProvider &provider, const QDateTime &from, const QDateTime &to, const Then &then)
    : m_provider(provider)
    , m_from(from)
    , m_to(to)
    , m_then(then)
{
}

Form StripeListing::during(const QString &expand, qint64 earlier_s) const
{
    Form query{{u"created[gte]"_s, QString::number(m_from.toSecsSinceEpoch() - earlier_s)},
               {u"created[lt]"_s, QString::number(m_to.toSecsSinceEpoch())}};
    if (!expand.isEmpty())
        query.append({u"expand[]"_s, expand});
    return query;
}

void StripeListing::list(const QString &path, const Form &query, Step step)
{
    m_provider.m_api.list(path, query, [self = shared_from_this(), step](const Result<Listed> &listed) {
        listed ? (self.get()->*step)(*listed) : self->answer(std::unexpected(listed.error()));
    });
}

void StripeListing::start()
{
    list(u"charges"_s, during(u"data.balance_transaction"_s), &StripeListing::takeCharges);
}

void StripeListing::addCharge(const QJsonObject &charge, qint64 version)
{
    const QString id = idOf(charge);
    if (isPaidCharge(charge) && (!m_charges.contains(id) || m_charges[id].version < version))
        m_charges.insert(id, {charge, version});
}

void StripeListing::takeCharges(const Listed &charges)
{
    for (const QJsonObject &charge : charges.objects)
        addCharge(charge, charges.version);
    list(u"refunds"_s, during(u"data.charge.balance_transaction"_s), &StripeListing::takeRefunds);
}

void StripeListing::takeRefunds(const Listed &refunds)
{
    for (const QJsonObject &refund : refunds.objects)
        addCharge(refund[u"charge"_s].toObject(), refunds.version);
    list(u"disputes"_s, during(u"data.charge.balance_transaction"_s), &StripeListing::takeDisputes);
}

void StripeListing::takeDisputes(const Listed &disputes)
{
    for (const QJsonObject &dispute : disputes.objects) {
        addCharge(dispute[u"charge"_s].toObject(), disputes.version);
        m_disputes.insert(idOf(dispute),
                          {dispute, disputes.version, QDateTime::fromMSecsSinceEpoch(disputes.version, Qt::UTC)});
    }
    list(u"invoice_payments"_s, during(u"data.invoice"_s, finalizedEarlier_s), &StripeListing::takeInvoices);
}

void StripeListing::takeInvoices(const Listed &invoicePayments)
{
    for (const QJsonObject &payment : invoicePayments.objects)
        m_invoiceOfIntent.insert(idOf(payment[u"payment"_s][u"payment_intent"_s]), payment[u"invoice"_s].toObject());
    Form query = during({});
    for (const char *type :
         {"checkout.session.completed", "checkout.session.async_payment_succeeded", "invoice.paid",
          "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
          "customer.subscription.paused", "customer.subscription.resumed", "charge.refunded", "refund.failed",
          "refund.updated", "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
          "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"})
        query.append({u"types[]"_s, QString::fromLatin1(type)});
    list(u"events"_s, query, &StripeListing::takeEvents);
}

void StripeListing::takeEvents(const Listed &events)
{
    for (const QJsonObject &event : events.objects)
        takeEvent(event);
    for (const Dispute &dispute : std::as_const(m_disputes))
        m_wantedCharges.insert(idOf(dispute.object[u"charge"_s]));
    for (const QString &charge : std::as_const(m_wantedCharges))
        if (!m_charges.contains(charge))
            m_queue.push_back(charge);
    lookUpCharges();
}

void StripeListing::takeEvent(const QJsonObject &event)
{
    const ReadEvent read = readEvent(event);
    for (const SubscriptionFact &fact : read.facts.subscriptions)
        if (!m_subscriptions.contains(fact.reference) || m_subscriptions[fact.reference].version < fact.version)
            m_subscriptions.insert(fact.reference, fact);
    for (const PaymentFact &fact : read.facts.payments) {
        if (fact.state == PaymentFact::State::Paid)
            m_paid.append(fact);
        else if (fact.refundedMinor)
            m_wantedCharges.insert(fact.references.value(0));
    }
    if (!read.lookUp)
        return;
    const QJsonObject object = (*read.lookUp)[u"object"_s].toObject();
    const QString what = (*read.lookUp)[u"what"_s].toString();
    const qint64 version = integerOf((*read.lookUp)[u"version"_s]);
    if (what == "dispute"_L1 && m_disputes.value(idOf(object)).version < version)
        m_disputes.insert(idOf(object), {object, version, timeOf(event[u"created"_s])});
    else if (what != "dispute"_L1)
        m_wantedCharges.insert(what == "charge"_L1 ? idOf(object) : idOf(object[u"charge"_s]));
}

void StripeListing::lookUpCharges()
{
    if (m_queue.empty()) {
        for (auto it = m_charges.cbegin(); it != m_charges.cend(); ++it)
            m_queue.push_back(it.key());
        return lookUpOwners();
    }
    const QString id = m_queue.front();
    m_queue.pop_front();
    m_provider.fetchCharge(id, [self = shared_from_this()](const Result<Answer> &charge) {
        if (!charge && charge.error().code != ErrorCode::NotFound)
            return self->answer(std::unexpected(charge.error()));
        if (charge)
            self->addCharge(charge->object, charge->version);
        self->lookUpCharges();
    });
}

void StripeListing::lookUpOwners()
{
    while (!m_queue.empty()) {
        const QString id = m_queue.front();
        m_queue.pop_front();
        const QJsonObject charge = m_charges[id].object;
        const QJsonObject invoice = m_invoiceOfIntent.value(idOf(charge[u"payment_intent"_s]));
        if (isOurCharge(charge) || isOurInvoice(invoice)) {
            takeOwner(id, isOurCharge(charge) ? QJsonObject() : invoice);
            continue;
        }
        if (!invoice.isEmpty())
            continue; // somebody else's
        return m_provider.findOwner(charge, [self = shared_from_this(), id](const auto &owner) {
            if (!owner)
                return self->answer(std::unexpected(owner.error()));
            if (*owner)
                self->takeOwner(id, (**owner).object);
            self->lookUpOwners();
        });
    }
    const FactList told = m_facts;
    for (const PaymentFact &fact : std::as_const(m_paid)) {
        if (fact.amountMinor == 0) // a trial's: there is no charge
            m_facts.payments.append(fact);
        else if (!std::ranges::any_of(told.payments, [&](const auto &other) { return shareReferences(other, fact); }))
            m_untold.push_back(fact);
    }
    lookUpPayments();
}

// An empty invoice: the charge has our marks itself.
void StripeListing::takeOwner(const QString &charge, const QJsonObject &invoice)
{
    auto fact = readPaidCharge(m_charges[charge].object, m_charges[charge].version);
    if (!fact)
        return;
    m_invoiceOfCharge.insert(charge, invoice);
    if (!invoice.isEmpty()) {
        auto whole = readInvoice(invoice, fact->version, fact->at);
        if (!whole || whole->state != PaymentFact::State::Paid)
            return;
        whole->references = fact->references + QStringList{idOf(invoice)};
        whole->references.removeDuplicates();
        whole->refundedMinor = fact->refundedMinor;
        whole->feeMinor = fact->feeMinor;
        fact = whole;
    }
    m_facts.payments.append(merged(*fact));
}

// What an event told of it knows more than the charge (the tax, our checkout), the charge what became of it since.
PaymentFact StripeListing::merged(const PaymentFact &ofCharge) const
{
    const auto told =
        std::ranges::find_if(m_paid, [&](const PaymentFact &fact) { return shareReferences(fact, ofCharge); });
    if (told == m_paid.end())
        return ofCharge;
    PaymentFact whole = *told;
    whole.references += ofCharge.references;
    whole.references.removeDuplicates();
    whole.refundedMinor = ofCharge.refundedMinor;
    whole.feeMinor = ofCharge.feeMinor;
    whole.version = ofCharge.version;
    return whole;
}

void StripeListing::lookUpPayments()
{
    if (m_untold.empty())
        return finish();
    const PaymentFact fact = m_untold.front();
    m_untold.pop_front();
    m_provider.fetchPayment(fact.references, [self = shared_from_this(), fact](const Result<FactList> &found) {
        const bool hasNone =
            !found && (found.error().code == ErrorCode::NotFound || found.error().code == ErrorCode::Conflict);
        if (!found && !hasNone)
            return self->answer(std::unexpected(found.error()));
        // Without a charge it was paid outside of Stripe, or by a balance.
        self->m_facts.payments.append(found && !found->payments.isEmpty() ? self->merged(found->payments.first())
                                                                          : fact);
        self->lookUpPayments();
    });
}

void StripeListing::finish()
{
    m_facts.subscriptions = m_subscriptions.values();
    for (const Dispute &dispute : std::as_const(m_disputes)) {
        const QString charge = idOf(dispute.object[u"charge"_s]);
        if (!m_invoiceOfCharge.contains(charge))
            continue;
        auto fact = readDispute(dispute.object, m_charges[charge].object, dispute.version, dispute.at);
        const QString invoice = idOf(m_invoiceOfCharge[charge]);
        if (fact && !invoice.isEmpty())
            fact->payment.append(invoice);
        if (fact)
            m_facts.disputes.append(*fact);
    }
    answer(m_facts);
}

void StripeListing::answer(const Result<FactList> &facts)
{
    m_then(facts);
}

} // namespace companion::payments
