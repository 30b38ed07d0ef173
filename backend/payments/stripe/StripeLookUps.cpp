// What Stripe is asked: whose a charge is, one payment, one subscription.

#include "payments/stripe/StripeProvider.h"
#include "payments/stripe/StripeReader.h"

#include <QJsonArray>

namespace companion::payments {

using namespace Qt::StringLiterals;
using namespace stripe;

namespace {

QDateTime asOf(qint64 version)
{
    return QDateTime::fromMSecsSinceEpoch(version, Qt::UTC);
}

} // namespace

// A package's charge has our marks. Any other may be a subscription's: its invoice has them.
void StripeProvider::findOwner(const QJsonObject &charge, const Then<std::optional<Owner>> &then)
{
    if (isOurCharge(charge))
        return then(Owner());
    const QString intent = idOf(charge[u"payment_intent"_s]);
    if (!StripeApi::isId(intent, "pi_"))
        return then(std::optional<Owner>());
    m_api.get(u"invoice_payments"_s,
              {{u"payment[type]"_s, u"payment_intent"_s},
               {u"payment[payment_intent]"_s, intent},
               {u"expand[]"_s, u"data.invoice"_s}},
              [then](const Result<Answer> &found) {
                  if (!found)
                      return then(std::unexpected(found.error()));
                  for (const auto &payment : found->object[u"data"_s].toArray()) {
                      const QJsonObject invoice = payment[u"invoice"_s].toObject();
                      if (isOurInvoice(invoice))
                          return then(Owner{idOf(invoice), invoice});
                  }
                  then(std::optional<Owner>());
              });
}

// asPayment: that it was paid as well, with its invoice where it has one.
void StripeProvider::factsOfCharge(const QJsonObject &charge, qint64 version, bool asPayment,
                                   const Then<FactList> &then)
{
    findOwner(charge, [=](const Result<std::optional<Owner>> &owner) {
        if (!owner)
            return then(std::unexpected(owner.error()));
        const bool succeeded = charge[u"status"_s].toString() == "succeeded"_L1;
        auto fact =
            asPayment && succeeded ? readPaidCharge(charge, version) : readCharge(charge, version, asOf(version));
        if (!*owner || !fact)
            return then(FactList());
        if (const auto &invoice = **owner; !invoice.invoice.isEmpty()) {
            fact->references.append(invoice.invoice);
            fact->references.removeDuplicates();
            auto whole = asPayment ? readInvoice(invoice.object, version, fact->at) : std::nullopt;
            if (whole && whole->state == PaymentFact::State::Paid) {
                whole->references = fact->references;
                whole->refundedMinor = fact->refundedMinor;
                whole->feeMinor = fact->feeMinor;
                fact = whole;
            } else {
                fact->state.reset();
            }
        }
        then(FactList{{}, {*fact}, {}});
    });
}

// The dispute, and beside it by which names its payment goes here.
void StripeProvider::factsOfDispute(const QJsonObject &dispute, qint64 version, const QDateTime &at,
                                    const Then<FactList> &then)
{
    const auto withCharge = [=, this](const Result<Answer> &charge) {
        if (!charge)
            return then(std::unexpected(charge.error()));
        findOwner(charge->object, [=](const Result<std::optional<Owner>> &owner) {
            if (!owner)
                return then(std::unexpected(owner.error()));
            auto fact = readDispute(dispute, charge->object, version, at);
            if (!*owner || !fact)
                return then(FactList());
            const QString invoice = (**owner).invoice;
            if (!invoice.isEmpty())
                fact->payment.append(invoice);
            FactList facts{{}, {}, {*fact}};
            if (auto link = readCharge(charge->object, version, at); link && invoice.isEmpty()) {
                link->refundedMinor.reset();
                facts.payments.append(*link);
            }
            then(facts);
        });
    };
    fetchCharge(idOf(dispute[u"charge"_s]), withCharge);
}

void StripeProvider::complete(const ProviderEvent &event, const Then<ProviderEvent> &then)
{
    const auto answer = [=](const Result<FactList> &facts) {
        if (!facts)
            return then(std::unexpected(facts.error()));
        ProviderEvent whole = event;
        whole.facts = *facts;
        whole.lookUp.reset();
        then(whole);
    };
    const QJsonObject wanted = event.lookUp.value_or(QJsonObject());
    const QJsonObject object = wanted[u"object"_s].toObject();
    const QString what = wanted[u"what"_s].toString();
    if (what == "charge"_L1)
        return factsOfCharge(object, integerOf(wanted[u"version"_s]), false, answer);
    if (what == "dispute"_L1)
        return factsOfDispute(object, integerOf(wanted[u"version"_s]), event.createdAt, answer);
    if (what == "refund"_L1)
        return fetchCharge(idOf(object[u"charge"_s]), [=, this](const Result<Answer> &charge) {
            charge ? factsOfCharge(charge->object, charge->version, false, answer)
                   : answer(std::unexpected(charge.error()));
        });
    then(event);
}

void StripeProvider::fetchSubscription(const QString &reference, const Then<FactList> &then)
{
    if (!StripeApi::isId(reference, "sub_"))
        return then(companion::refuse(ErrorCode::NotFound, u"The payment provider does not know it."_s));
    m_api.get(u"subscriptions/"_s + reference, {}, [then](const Result<Answer> &found) {
        if (!found)
            return then(std::unexpected(found.error()));
        const auto fact = readSubscription(found->object, found->version, asOf(found->version));
        then(fact ? FactList{{*fact}, {}, {}} : FactList());
    });
}

void StripeProvider::fetchPayment(const QStringList &references, const Then<FactList> &then)
{
    const auto withCharge = [=, this](const Result<Answer> &charge) {
        charge ? factsOfCharge(charge->object, charge->version, true, then) : then(std::unexpected(charge.error()));
    };
    withIntent(references, [=, this](const Result<Form> &target) {
        if (!target)
            return then(std::unexpected(target.error()));
        const auto &[name, id] = target->first();
        if (name == "charge"_L1)
            return fetchCharge(id, withCharge);
        m_api.get(u"payment_intents/"_s + id, {}, [=, this](const Result<Answer> &intent) {
            if (!intent)
                return then(std::unexpected(intent.error()));
            const QString charge = idOf(intent->object[u"latest_charge"_s]);
            charge.isEmpty() ? then(FactList()) : fetchCharge(charge, withCharge);
        });
    });
}

} // namespace companion::payments
