#include "payments/stripe/StripeReader.h"

#include "common/describe/EnumText.h"
#include "payments/stripe/StripeMoney.h"

#include <QJsonArray>

#include <algorithm>

namespace companion::payments::stripe {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 lastOfSecond_ms = 999;
const QString tierProductBegin = u"companion_tier_"_s;

std::optional<Tier> tierNamed(const QString &code)
{
    const auto tier = fromText<Tier>(code);
    return tier && *tier != Tier::Free ? tier : std::nullopt;
}

// By the price's own marks, for those change with the price wherever it is changed; then by the product's id.
std::optional<Tier> tierOfPrice(const QJsonObject &price)
{
    if (const auto tier = tierNamed(price[u"metadata"_s].toObject()[mark::tier].toString()))
        return tier;
    const QString product = idOf(price[u"product"_s]);
    return product.startsWith(tierProductBegin) ? tierNamed(product.mid(tierProductBegin.size())) : std::nullopt;
}

// The item that stands for the tier; the highest, were there several.
struct Item
{
    QJsonObject item;
    Tier tier = Tier::Free;
};
std::optional<Item> tierItem(const QJsonObject &subscription)
{
    const auto fallback = tierNamed(subscription[u"metadata"_s].toObject()[mark::tier].toString());
    std::optional<Item> best;
    for (const auto &value : subscription[u"items"_s].toObject()[u"data"_s].toArray()) {
        const QJsonObject item = value.toObject();
        const auto own = tierOfPrice(item[u"price"_s].toObject());
        const auto tier = own ? own : fallback;
        if (tier && (!best || best->tier < *tier))
            best = Item{item, *tier};
    }
    return best;
}

// On the item since 2025-03-31, on the subscription before.
QDateTime periodOf(const QJsonObject &subscription, const QJsonObject &item, const QString &name)
{
    const QDateTime onItem = timeOf(item[name]);
    return onItem.isValid() ? onItem : timeOf(subscription[name]);
}

QDateTime aPeriodBefore(const QDateTime &end, const QJsonObject &item)
{
    const QJsonObject recurring = item[u"price"_s].toObject()[u"recurring"_s].toObject();
    const int count = static_cast<int>(std::clamp<qint64>(integerOf(recurring[u"interval_count"_s]), 1, 366));
    const QString interval = recurring[u"interval"_s].toString();
    return interval == "year"_L1 ? end.addYears(-count)
        : interval == "week"_L1  ? end.addDays(-7 * count)
        : interval == "day"_L1   ? end.addDays(-count)
                                 : end.addMonths(-count);
}

// What Stripe calls a status, and up to when it is paid. Stripe moves the period on before the renewal is paid: of what
// is past due the period that was paid is the one before.
bool takeStatus(const QJsonObject &subscription, const QJsonObject &item, SubscriptionFact &fact)
{
    const QString status = subscription[u"status"_s].toString();
    const QDateTime cancelAt = timeOf(subscription[u"cancel_at"_s]);
    const bool ends =
        subscription[u"cancel_at_period_end"_s].toBool() || (cancelAt.isValid() && cancelAt <= fact.periodEnd);
    if (status == "active"_L1 || status == "trialing"_L1) {
        fact.status = ends            ? SubscriptionStatus::Canceled
            : status == "trialing"_L1 ? SubscriptionStatus::Trialing
                                      : SubscriptionStatus::Active;
        if (ends && cancelAt.isValid() && cancelAt < fact.periodEnd && cancelAt >= fact.periodStart)
            fact.periodEnd = cancelAt;
        return true;
    }
    if (status == "past_due"_L1 || status == "unpaid"_L1) {
        fact.status = status == "unpaid"_L1 ? SubscriptionStatus::Expired : SubscriptionStatus::PastDue;
        fact.periodEnd = fact.periodStart;
        fact.periodStart = aPeriodBefore(fact.periodEnd, item);
        return true;
    }
    if (status == "canceled"_L1 || status == "paused"_L1) {
        fact.status = SubscriptionStatus::Expired;
        const QDateTime ended = timeOf(subscription[u"ended_at"_s]);
        fact.periodEnd = ended.isValid() ? ended : std::min(fact.at, fact.periodEnd);
        fact.periodStart = std::min(fact.periodStart, fact.periodEnd);
        // Nothing comes after an end: of two states of one second it is the later.
        if (status == "canceled"_L1)
            fact.version += lastOfSecond_ms;
        return true;
    }
    return false; // incomplete, incomplete_expired: it has not begun
}

// A downgrade of ours, until the renewal: the price is the new tier's, the old one is what was paid for.
void takeKept(const QJsonObject &marks, const QDateTime &periodStart, SubscriptionFact &fact)
{
    const auto kept = tierNamed(marks[mark::keeps].toString());
    const qint64 until_s = marks[mark::keepsUntil].toString().toLongLong();
    if (!kept || periodStart.toSecsSinceEpoch() >= until_s || *kept <= fact.tier)
        return;
    fact.nextTier = fact.tier;
    fact.tier = *kept;
}

QJsonObject marksOfInvoice(const QJsonObject &invoice)
{
    const QJsonObject parent = invoice[u"parent"_s].toObject()[u"subscription_details"_s].toObject();
    const QJsonObject details =
        parent.isEmpty() ? invoice[u"subscription_details"_s].toObject() : parent; // before 2025-03-31
    return details[u"metadata"_s].toObject();
}

QString subscriptionOfInvoice(const QJsonObject &invoice)
{
    const QString of = idOf(invoice[u"parent"_s].toObject()[u"subscription_details"_s].toObject()[u"subscription"_s]);
    return of.isEmpty() ? idOf(invoice[u"subscription"_s]) : of;
}

// The invoice's ids of its payment: a list of payments since 2025-03-31 (where it is expanded), else its own fields.
QStringList paymentsOfInvoice(const QJsonObject &invoice)
{
    QStringList ids;
    for (const auto &value : invoice[u"payments"_s].toObject()[u"data"_s].toArray()) {
        const QJsonObject payment = value[u"payment"_s].toObject();
        if (value[u"status"_s].toString() == "paid"_L1)
            ids << idOf(payment[u"payment_intent"_s]) << idOf(payment[u"charge"_s]);
    }
    ids << idOf(invoice[u"payment_intent"_s]) << idOf(invoice[u"charge"_s]);
    ids.removeAll(QString());
    return ids;
}

qint64 taxOfInvoice(const QJsonObject &invoice)
{
    if (!invoice.contains(u"total_taxes"_s)) // before 2025-03-31
        return integerOf(invoice[u"tax"_s]);
    qint64 tax = 0;
    for (const auto &value : invoice[u"total_taxes"_s].toArray())
        tax += integerOf(value[u"amount"_s]);
    return tax;
}

bool isProration(const QJsonObject &line)
{
    const QJsonObject parent = line[u"parent"_s].toObject();
    return line[u"proration"_s].toBool() // before 2025-03-31
        || parent[u"subscription_item_details"_s].toObject()[u"proration"_s].toBool()
        || parent[u"invoice_item_details"_s].toObject()[u"proration"_s].toBool();
}

std::optional<Tier> tierOfLine(const QJsonObject &line)
{
    const QJsonObject details = line[u"pricing"_s].toObject()[u"price_details"_s].toObject();
    if (details[u"price"_s].isObject())
        if (const auto tier = tierOfPrice(details[u"price"_s].toObject()))
            return tier;
    const QString product = idOf(details[u"product"_s]);
    if (product.startsWith(tierProductBegin))
        return tierNamed(product.mid(tierProductBegin.size()));
    return tierOfPrice(line[u"price"_s].toObject()); // before 2025-03-31
}

// What is paid for: the period's own lines, or where there are none (an upgrade in its midst) what was added.
void takeLines(const QJsonObject &invoice, PaymentFact &fact)
{
    QList<QJsonObject> whole;
    QList<QJsonObject> added;
    for (const auto &value : invoice[u"lines"_s].toObject()[u"data"_s].toArray()) {
        const QJsonObject line = value.toObject();
        if (isProration(line) && integerOf(line[u"amount"_s]) > 0)
            added.append(line);
        else if (!isProration(line) && timeOf(line[u"period"_s][u"end"_s]) > timeOf(line[u"period"_s][u"start"_s]))
            whole.append(line);
    }
    for (const QJsonObject &line : std::as_const(whole.isEmpty() ? added : whole)) {
        const QDateTime start = timeOf(line[u"period"_s][u"start"_s]);
        const QDateTime end = timeOf(line[u"period"_s][u"end"_s]);
        if (!start.isValid() || !end.isValid())
            continue;
        fact.periodStart = fact.periodStart ? std::min(*fact.periodStart, start) : start;
        fact.periodEnd = fact.periodEnd ? std::max(*fact.periodEnd, end) : end;
        if (const auto tier = tierOfLine(line))
            fact.product = toText(*tier);
    }
}

// Amount, tax and currency in our minor units; false: Stripe says what we cannot hold.
bool takeAmounts(PaymentFact &fact, qint64 amount, qint64 tax, const QString &currency)
{
    const auto ours = fromStripe(amount, currency);
    const auto oursOfTax = fromStripe(tax, currency);
    if (!ours || !oursOfTax || *ours < 0)
        return false;
    fact.amountMinor = *ours;
    fact.taxMinor = std::clamp<qint64>(*oursOfTax, 0, *ours);
    fact.currency = currency.toUpper();
    return true;
}

std::optional<UserId> userIn(const QJsonObject &marks)
{
    return UserId::parse(marks[mark::user].toString());
}

} // namespace

QString idOf(const QJsonValue &value)
{
    return value.isObject() ? value[u"id"_s].toString() : value.toString();
}

qint64 integerOf(const QJsonValue &value)
{
    return value.toInteger(0);
}

QDateTime timeOf(const QJsonValue &seconds)
{
    constexpr qint64 year9999 = 253'402'300'799;
    const qint64 time_s = seconds.toInteger(-1);
    return time_s < 0 || time_s > year9999 ? QDateTime() : QDateTime::fromSecsSinceEpoch(time_s, Qt::UTC);
}

QString tierProduct(const QString &tier)
{
    return tierProductBegin + tier;
}

std::optional<SubscriptionFact> readSubscription(const QJsonObject &subscription, qint64 version, const QDateTime &at)
{
    const QJsonObject marks = subscription[u"metadata"_s].toObject();
    const auto item = tierItem(subscription);
    const auto user = userIn(marks);
    if (!item || !user)
        return std::nullopt;
    SubscriptionFact fact{.reference = idOf(subscription),
                          .user = user,
                          .customer = idOf(subscription[u"customer"_s]),
                          .tier = item->tier,
                          .nextTier = {},
                          .status = SubscriptionStatus::Active,
                          .periodStart = periodOf(subscription, item->item, u"current_period_start"_s),
                          .periodEnd = periodOf(subscription, item->item, u"current_period_end"_s),
                          .graceUntil = {},
                          .version = version,
                          .at = at};
    if (fact.reference.isEmpty() || !fact.periodStart.isValid() || !fact.periodEnd.isValid()
        || fact.periodEnd < fact.periodStart)
        return std::nullopt;
    takeKept(marks, fact.periodStart, fact);
    if (!takeStatus(subscription, item->item, fact))
        return std::nullopt;
    return fact;
}

bool isOurInvoice(const QJsonObject &invoice)
{
    return userIn(marksOfInvoice(invoice)) && !subscriptionOfInvoice(invoice).isEmpty();
}

std::optional<PaymentFact> readInvoice(const QJsonObject &invoice, qint64 version, const QDateTime &at)
{
    const QJsonObject marks = marksOfInvoice(invoice);
    const bool isPaid = invoice[u"status"_s].toString() == "paid"_L1;
    if (!isOurInvoice(invoice))
        return std::nullopt;
    PaymentFact fact{.references = QStringList{idOf(invoice)} + paymentsOfInvoice(invoice),
                     .payment = {},
                     .user = userIn(marks),
                     .kind = PaidFor::Period,
                     .product = marks[mark::tier].toString(),
                     .state = isPaid ? PaymentFact::State::Paid : PaymentFact::State::Failed,
                     .version = version,
                     .at = at,
                     .subscription = subscriptionOfInvoice(invoice),
                     .failure = isPaid ? QString() : u"The payment could not be collected."_s};
    if (invoice[u"billing_reason"_s].toString() == "subscription_create"_L1) { // the first: what the checkout was for
        fact.payment = PaymentId::parse(marks[mark::payment].toString());
        if (!isPaid)
            fact.subscription.clear(); // it has not begun, and may never
    }
    takeLines(invoice, fact);
    const qint64 amount = integerOf(invoice[isPaid ? u"amount_paid"_s : u"amount_due"_s]);
    return takeAmounts(fact, amount, taxOfInvoice(invoice), invoice[u"currency"_s].toString()) ? std::optional(fact)
                                                                                               : std::nullopt;
}

std::optional<PaymentFact> readSession(const QJsonObject &session, std::optional<PaymentFact::State> state,
                                       qint64 version, const QDateTime &at)
{
    const QJsonObject marks = session[u"metadata"_s].toObject();
    const auto payment = PaymentId::parse(marks[mark::payment].toString());
    const auto user = userIn(marks);
    if (!payment || !user)
        return std::nullopt;
    const bool ofPeriod = session[u"mode"_s].toString() == "subscription"_L1;
    PaymentFact fact{.references = {idOf(session), idOf(session[u"payment_intent"_s]), idOf(session[u"invoice"_s])},
                     .payment = payment,
                     .user = user,
                     .kind = ofPeriod ? PaidFor::Period : PaidFor::CreditPackage,
                     .product = marks[mark::product].toString(),
                     .state = state,
                     .version = version,
                     .at = at};
    fact.references.removeAll(QString());
    if (state == PaymentFact::State::Failed)
        fact.failure =
            session[u"status"_s].toString() == "expired"_L1 ? u"The checkout expired."_s : u"The payment failed."_s;
    if (ofPeriod && state == PaymentFact::State::Paid)
        fact.state.reset();
    const qint64 tax = integerOf(session[u"total_details"_s].toObject()[u"amount_tax"_s]);
    return takeAmounts(fact, integerOf(session[u"amount_total"_s]), tax, session[u"currency"_s].toString())
        ? std::optional(fact)
        : std::nullopt;
}

bool isOurCharge(const QJsonObject &charge)
{
    return PaymentId::parse(charge[u"metadata"_s].toObject()[mark::payment].toString()).has_value();
}

std::optional<PaymentFact> readCharge(const QJsonObject &charge, qint64 version, const QDateTime &at)
{
    const QJsonObject marks = charge[u"metadata"_s].toObject();
    const auto refunded = fromStripe(integerOf(charge[u"amount_refunded"_s]), charge[u"currency"_s].toString());
    if (!refunded)
        return std::nullopt;
    PaymentFact fact{.references = {idOf(charge), idOf(charge[u"payment_intent"_s]), idOf(charge[u"invoice"_s])},
                     .payment = PaymentId::parse(marks[mark::payment].toString()),
                     .user = userIn(marks),
                     .product = marks[mark::product].toString(),
                     .refundedMinor = refunded,
                     .version = version,
                     .at = at};
    fact.references.removeAll(QString());
    return fact;
}

std::optional<PaymentFact> readPaidCharge(const QJsonObject &charge, qint64 version)
{
    auto fact = readCharge(charge, version, timeOf(charge[u"created"_s]));
    const QString currency = charge[u"currency"_s].toString();
    if (!fact || !fact->at.isValid() || !takeAmounts(*fact, integerOf(charge[u"amount"_s]), 0, currency))
        return std::nullopt;
    fact->state = PaymentFact::State::Paid;
    const QJsonObject moved = charge[u"balance_transaction"_s].toObject();
    if (moved[u"currency"_s].toString() == currency && !currency.isEmpty())
        if (const auto fee = fromStripe(integerOf(moved[u"fee"_s]), currency); fee && *fee >= 0)
            fact->feeMinor = fee;
    return fact;
}

std::optional<DisputeFact> readDispute(const QJsonObject &dispute, const QJsonObject &charge, qint64 version,
                                       const QDateTime &at)
{
    const QString status = dispute[u"status"_s].toString();
    if (status.startsWith("warning_"_L1) || status.isEmpty())
        return std::nullopt;
    QString currency = dispute[u"currency"_s].toString();
    auto amount = fromStripe(integerOf(dispute[u"amount"_s]), currency);
    // In another currency than was paid there is no telling which part of it: all.
    if (!charge.isEmpty() && charge[u"currency"_s].toString() != currency) {
        currency = charge[u"currency"_s].toString();
        amount = fromStripe(integerOf(charge[u"amount"_s]), currency);
    }
    if (!amount || *amount <= 0)
        return std::nullopt;
    DisputeFact fact{.reference = idOf(dispute),
                     .payment = {idOf(dispute[u"charge"_s]), idOf(dispute[u"payment_intent"_s])},
                     .state = DisputeState::Open,
                     .amountMinor = *amount,
                     .currency = currency.toUpper(),
                     .reason = dispute[u"reason"_s].toString(),
                     .version = version,
                     .at = at};
    fact.payment.removeAll(QString());
    if (status == "won"_L1 || status == "prevented"_L1) // prevented: it came to no chargeback
        fact.state = DisputeState::Won;
    else if (status == "lost"_L1)
        fact.state = DisputeState::Lost;
    return fact; // needs_response, under_review, and an appeal's: open
}

} // namespace companion::payments::stripe
