// Changes of a running subscription, and refunds.

#include "common/describe/EnumText.h"
#include "payments/stripe/StripeMoney.h"
#include "payments/stripe/StripeProvider.h"
#include "payments/stripe/StripeReader.h"

#include <QJsonArray>

namespace companion::payments {

using namespace Qt::StringLiterals;
using namespace stripe;

namespace {

// A change is asked for by what it should be, so that asking twice is one; the key is for the repetitions of this call
// alone. (With a lasting one Stripe would answer a second cancellation, after the first was taken back, from memory.)
QString keyOfThisCall(const QString &what)
{
    return u"%1:%2"_s.arg(what.left(180), QUuid::createUuid().toString(QUuid::WithoutBraces));
}

QString path(const QString &reference)
{
    return u"subscriptions/"_s + reference;
}

std::unexpected<Refusal> unknownReference()
{
    return companion::refuse(ErrorCode::NotFound, u"The payment provider does not know it."_s);
}

QString firstWith(const QStringList &references, const char *prefix)
{
    for (const QString &reference : references)
        if (StripeApi::isId(reference, prefix))
            return reference;
    return {};
}

// The item that the tier stands on: the first, for we make no others.
QJsonObject itemOf(const QJsonObject &subscription)
{
    return subscription[u"items"_s].toObject()[u"data"_s][0].toObject();
}

} // namespace

// The answer's state; where it is one from memory, or the change is refused because things stand otherwise, the truth.
void StripeProvider::answerWithSubscription(const Result<Answer> &answer, const QString &reference,
                                            const Then<FactList> &then)
{
    if (!answer || answer->replayed)
        return fetchSubscription(reference, [=](const Result<FactList> &truth) {
            if (!answer && (!truth || truth->subscriptions.isEmpty()))
                return then(std::unexpected(answer.error()));
            const bool over = truth && !truth->subscriptions.isEmpty()
                && truth->subscriptions.first().status == SubscriptionStatus::Expired;
            !answer && !over ? then(std::unexpected(answer.error())) : then(truth);
        });
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(answer->version, Qt::UTC);
    FactList facts;
    if (const auto fact = readSubscription(answer->object, answer->version, at))
        facts.subscriptions.append(*fact);
    const QJsonObject invoice = answer->object[u"latest_invoice"_s].toObject();
    if (invoice[u"status"_s].toString() == "paid"_L1)
        if (const auto fact =
                readInvoice(invoice, answer->version, timeOf(invoice[u"status_transitions"_s][u"paid_at"_s]));
            fact && fact->at.isValid())
            facts.payments.append(*fact);
    then(facts);
}

void StripeProvider::cancel(const SubscriptionOrder &order, const Then<FactList> &then)
{
    if (!StripeApi::isId(order.reference, "sub_"))
        return then(unknownReference());
    m_api.post(path(order.reference), {{u"cancel_at_period_end"_s, u"true"_s}}, keyOfThisCall(order.idempotencyKey),
               [=, this](const Result<Answer> &answer) { answerWithSubscription(answer, order.reference, then); });
}

void StripeProvider::upgrade(const SubscriptionOrder &order, const Then<FactList> &then)
{
    changePrice(order, true, then);
}

void StripeProvider::downgrade(const SubscriptionOrder &order, const Then<FactList> &then)
{
    changePrice(order, false, then);
}

void StripeProvider::changePrice(const SubscriptionOrder &order, bool up, const Then<FactList> &then)
{
    if (!StripeApi::isId(order.reference, "sub_"))
        return then(unknownReference());
    m_api.get(path(order.reference), {}, [=, this](const Result<Answer> &before) {
        if (!before)
            return then(std::unexpected(before.error()));
        withPrice(order.tier, order.price, order.providerProduct, {}, [=, this](const Result<QString> &price) {
            price ? putPrice(order, up, *price, *before, then) : then(std::unexpected(price.error()));
        });
    });
}

// Up: the rest of the period is paid at once, or nothing changes. Down, and back to what is paid for: the price changes
// without any settling up, and marks say until when the old tier holds.
void StripeProvider::putPrice(const SubscriptionOrder &order, bool up, const QString &price, const Answer &before,
                              const Then<FactList> &then)
{
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(before.version, Qt::UTC);
    const auto known = readSubscription(before.object, before.version, at);
    const QJsonObject item = itemOf(before.object);
    if (!known || idOf(item).isEmpty() || known->status == SubscriptionStatus::Expired)
        return then(companion::refuse(ErrorCode::Conflict, u"No such subscription runs."_s));
    const bool isPaidFor = order.tier <= known->tier;
    const bool settles = up && !isPaidFor && known->status != SubscriptionStatus::PastDue;
    if (up && !isPaidFor && !settles)
        return then(companion::refuse(ErrorCode::Conflict, u"Pay the open bill first."_s));
    const bool keeps = order.tier < known->tier;
    Form form{{u"items[0][id]"_s, idOf(item)},
              {u"items[0][price]"_s, price},
              {u"cancel_at_period_end"_s, u"false"_s},
              {u"proration_behavior"_s, settles ? u"always_invoice"_s : u"none"_s},
              {u"metadata[%1]"_s.arg(mark::tier), toText(order.tier)},
              {u"metadata[%1]"_s.arg(mark::keeps), keeps ? toText(known->tier) : QString()},
              {u"metadata[%1]"_s.arg(mark::keepsUntil),
               keeps ? QString::number(known->periodEnd.toSecsSinceEpoch()) : QString()}};
    if (settles)
        form.append({{u"payment_behavior"_s, u"error_if_incomplete"_s}, {u"expand[]"_s, u"latest_invoice.payments"_s}});
    m_api.post(path(order.reference), form, keyOfThisCall(order.idempotencyKey),
               [=, this](const Result<Answer> &answer) { answerWithSubscription(answer, order.reference, then); });
}

// ------------------------------------------------------------------------------------------------------------ refunds

// What a refund is asked of: the intent or the charge, found by whatever reference is at hand.
void StripeProvider::withIntent(const QStringList &references, const Then<Form> &then)
{
    if (const QString intent = firstWith(references, "pi_"); !intent.isEmpty())
        return then(Form{{u"payment_intent"_s, intent}});
    for (const char *prefix : {"ch_", "py_"})
        if (const QString charge = firstWith(references, prefix); !charge.isEmpty())
            return then(Form{{u"charge"_s, charge}});
    const auto ofObject = [then](const QJsonObject &object) {
        const QString intent = idOf(object[u"payment_intent"_s]);
        const QString charge = idOf(object[u"charge"_s]);
        if (intent.isEmpty() && charge.isEmpty())
            return then(companion::refuse(ErrorCode::Conflict, u"No money was taken for it."_s));
        then(Form{intent.isEmpty() ? std::pair(u"charge"_s, charge) : std::pair(u"payment_intent"_s, intent)});
    };
    if (const QString invoice = firstWith(references, "in_"); !invoice.isEmpty())
        return m_api.get(u"invoice_payments"_s, {{u"invoice"_s, invoice}, {u"status"_s, u"paid"_s}},
                         [=](const Result<Answer> &paid) {
                             paid ? ofObject(paid->object[u"data"_s][0][u"payment"_s].toObject())
                                  : then(std::unexpected(paid.error()));
                         });
    if (const QString session = firstWith(references, "cs_"); !session.isEmpty())
        return m_api.get(u"checkout/sessions/"_s + session, {}, [=](const Result<Answer> &found) {
            found ? ofObject(found->object) : then(std::unexpected(found.error()));
        });
    then(unknownReference());
}

void StripeProvider::refund(const RefundOrder &order, const Then<FactList> &then)
{
    const auto amount = toStripe(order.amountMinor, order.currency);
    if (!amount || *amount <= 0)
        return then(std::unexpected(Refusal{.code = ErrorCode::Conflict,
                                            .detail = u"Stripe cannot refund this amount of %1."_s.arg(order.currency),
                                            .log = u"amount %1 %2"_s.arg(order.amountMinor).arg(order.currency)}));
    withIntent(order.references, [=, this](const Result<Form> &target) {
        target ? askRefund(order, *amount, *target, then) : then(std::unexpected(target.error()));
    });
}

void StripeProvider::askRefund(const RefundOrder &order, qint64 amount, const Form &target, const Then<FactList> &then)
{
    const Form form = target
        + Form{{u"amount"_s, QString::number(amount)},
               {u"reason"_s, u"requested_by_customer"_s},
               {u"metadata[%1]"_s.arg(mark::refund), order.idempotencyKey},
               {u"metadata[reason]"_s, order.reason.left(500)}};
    // The key lasts: the same order is the same refund. Whether the answer is new or from memory, the charge is read.
    m_api.post(u"refunds"_s, form, u"refund:"_s + order.idempotencyKey, [=, this](const Result<Answer> &made) {
        if (!made)
            return then(std::unexpected(made.error()));
        const QString status = made->object[u"status"_s].toString();
        if (status == "failed"_L1 || status == "canceled"_L1)
            return then(companion::refuse(ErrorCode::Conflict, u"The refund came to nothing."_s));
        fetchCharge(idOf(made->object[u"charge"_s]), [=](const Result<Answer> &charge) {
            if (!charge)
                return then(std::unexpected(charge.error()));
            auto fact =
                readCharge(charge->object, charge->version, QDateTime::fromMSecsSinceEpoch(charge->version, Qt::UTC));
            if (!fact)
                return then(FactList());
            for (const QString &reference : order.references) // the caller's payment, whatever the charge says
                if (!fact->references.contains(reference))
                    fact->references.append(reference);
            then(FactList{{}, {*fact}, {}});
        });
    });
}

void StripeProvider::fetchCharge(const QString &charge, const Then<Answer> &then)
{
    if (!StripeApi::isId(charge, "ch_") && !StripeApi::isId(charge, "py_"))
        return then(unknownReference());
    m_api.get(u"charges/"_s + charge, {{u"expand[]"_s, u"balance_transaction"_s}}, then);
}

} // namespace companion::payments
