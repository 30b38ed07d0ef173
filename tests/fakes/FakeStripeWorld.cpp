// What happens at Stripe: payments, invoices, periods, disputes, and the events that tell of them.

#include "fakes/FakeStripe.h"

#include <QDateTime>
#include <QTimeZone>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

qint64 aMonthAfter(qint64 time_s)
{
    return QDateTime::fromSecsSinceEpoch(time_s, Qt::UTC).addMonths(1).toSecsSinceEpoch();
}

QJsonObject listOf(const QJsonArray &data, const QString &url)
{
    return {{u"object"_s, u"list"_s}, {u"data"_s, data}, {u"has_more"_s, false}, {u"url"_s, url}};
}

} // namespace

QString FakeStripe::newId(const QString &prefix)
{
    return u"%1_1Fake%2"_s.arg(prefix).arg(++m_number, 6, 10, QChar(u'0'));
}

void FakeStripe::put(const QJsonObject &object, const QString &kind)
{
    const QString id = object[u"id"_s].toString();
    m_objects.insert(id, object);
    m_order[kind].append(id);
}

void FakeStripe::change(const QString &id, const QJsonObject &fields)
{
    QJsonObject &object = m_objects[id];
    for (auto it = fields.begin(); it != fields.end(); ++it)
        object.insert(it.key(), it.value());
}

QJsonObject FakeStripe::madeEvent(const QString &type, const QJsonObject &object)
{
    return {{u"id"_s, newId(u"evt"_s)},
            {u"object"_s, u"event"_s},
            {u"api_version"_s, u"2026-10-28.endive"_s},
            {u"created"_s, m_now_s()},
            {u"data"_s, QJsonObject{{u"object"_s, object}}},
            {u"livemode"_s, false},
            {u"pending_webhooks"_s, 1},
            {u"request"_s, QJsonObject{{u"id"_s, QJsonValue()}, {u"idempotency_key"_s, QJsonValue()}}},
            {u"type"_s, type}};
}

void FakeStripe::announce(const QString &type, const QString &id)
{
    put(madeEvent(type, m_objects[id]), u"event"_s);
}

QList<QJsonObject> FakeStripe::takeEvents()
{
    QList<QJsonObject> fresh;
    const QStringList all = m_order.value(u"event"_s);
    for (; m_taken < all.size(); ++m_taken)
        fresh.append(m_objects[all[m_taken]]);
    return fresh;
}

QString FakeStripe::chargeOf(const QString &id) const
{
    QString intent = m_objects.value(id)[u"payment_intent"_s].toString();
    for (const QString &payment : m_order.value(u"invoice_payment"_s))
        if (m_objects[payment][u"invoice"_s].toString() == id)
            intent = m_objects[payment][u"payment"_s][u"payment_intent"_s].toString();
    return m_objects.value(intent)[u"latest_charge"_s].toString();
}

// An intent with its charge and what is booked for it; the intent's id.
QString FakeStripe::charge(qint64 amount, const QString &currency, const QString &customer, const QJsonObject &metadata)
{
    const QString intent = newId(u"pi"_s);
    const QString id = newId(u"ch"_s);
    const QString moved = newId(u"txn"_s);
    const qint64 fee = amount * 29 / 1000 + 30;
    put({{u"id"_s, moved},
         {u"object"_s, u"balance_transaction"_s},
         {u"amount"_s, amount},
         {u"created"_s, m_now_s()},
         {u"currency"_s, settlesIn.isEmpty() ? currency : settlesIn},
         {u"fee"_s, fee},
         {u"net"_s, amount - fee},
         {u"source"_s, id},
         {u"status"_s, u"pending"_s},
         {u"type"_s, u"charge"_s}},
        u"balance_transaction"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"charge"_s},
         {u"amount"_s, amount},
         {u"amount_captured"_s, amount},
         {u"amount_refunded"_s, 0},
         {u"balance_transaction"_s, moved},
         {u"captured"_s, true},
         {u"created"_s, m_now_s()},
         {u"currency"_s, currency},
         {u"customer"_s, customer},
         {u"disputed"_s, false},
         {u"livemode"_s, false},
         {u"metadata"_s, metadata},
         {u"paid"_s, true},
         {u"payment_intent"_s, intent},
         {u"refunded"_s, false},
         {u"status"_s, u"succeeded"_s}},
        u"charge"_s);
    put({{u"id"_s, intent},
         {u"object"_s, u"payment_intent"_s},
         {u"amount"_s, amount},
         {u"amount_received"_s, amount},
         {u"created"_s, m_now_s()},
         {u"currency"_s, currency},
         {u"customer"_s, customer},
         {u"latest_charge"_s, id},
         {u"livemode"_s, false},
         {u"metadata"_s, metadata},
         {u"status"_s, u"succeeded"_s}},
        u"payment_intent"_s);
    announce(u"payment_intent.succeeded"_s, intent);
    announce(u"charge.succeeded"_s, id);
    return intent;
}

// ------------------------------------------------------------------------------------------------------- checkouts

void FakeStripe::pay(const QString &id)
{
    const QJsonObject session = m_objects[id];
    if (session[u"status"_s] != "open"_L1)
        return;
    if (session[u"mode"_s] == "subscription"_L1)
        return beginSubscription(id);
    const QString intent = charge(session[u"amount_total"_s].toInteger(), session[u"currency"_s].toString(),
                                  session[u"customer"_s].toString(), m_hidden[id][u"marks"_s].toObject());
    change(id, {{u"payment_intent"_s, intent}, {u"payment_status"_s, u"paid"_s}, {u"status"_s, u"complete"_s}});
    announce(u"checkout.session.completed"_s, id);
}

void FakeStripe::payLater(const QString &id)
{
    change(id, {{u"status"_s, u"complete"_s}});
    announce(u"checkout.session.completed"_s, id);
}

void FakeStripe::settleLater(const QString &id, bool works)
{
    const QJsonObject session = m_objects[id];
    if (works)
        change(id,
               {{u"payment_intent"_s,
                 charge(session[u"amount_total"_s].toInteger(), session[u"currency"_s].toString(),
                        session[u"customer"_s].toString(), m_hidden[id][u"marks"_s].toObject())},
                {u"payment_status"_s, u"paid"_s}});
    announce(works ? u"checkout.session.async_payment_succeeded"_s : u"checkout.session.async_payment_failed"_s, id);
}

void FakeStripe::expire(const QString &id)
{
    change(id, {{u"status"_s, u"expired"_s}, {u"url"_s, QJsonValue()}});
    announce(u"checkout.session.expired"_s, id);
}

void FakeStripe::beginSubscription(const QString &id)
{
    const QJsonObject session = m_objects[id];
    const QJsonObject price = m_hidden[id][u"price"_s].toObject();
    const int trial = m_hidden[id][u"trial"_s].toInt();
    const qint64 now = m_now_s();
    const qint64 end = trial > 0 ? now + trial * 86'400LL : aMonthAfter(now);
    const QString subscription = newId(u"sub"_s);
    const QJsonObject item{{u"id"_s, newId(u"si"_s)},
                           {u"object"_s, u"subscription_item"_s},
                           {u"created"_s, now},
                           {u"current_period_end"_s, end},
                           {u"current_period_start"_s, now},
                           {u"metadata"_s, QJsonObject()},
                           {u"price"_s, price},
                           {u"quantity"_s, 1},
                           {u"subscription"_s, subscription}};
    put({{u"id"_s, subscription},
         {u"object"_s, u"subscription"_s},
         {u"billing_cycle_anchor"_s, end},
         {u"cancel_at"_s, QJsonValue()},
         {u"cancel_at_period_end"_s, false},
         {u"canceled_at"_s, QJsonValue()},
         {u"collection_method"_s, u"charge_automatically"_s},
         {u"created"_s, now},
         {u"currency"_s, price[u"currency"_s]},
         {u"customer"_s, session[u"customer"_s]},
         {u"ended_at"_s, QJsonValue()},
         {u"items"_s, listOf({item}, u"/v1/subscription_items"_s)},
         {u"livemode"_s, false},
         {u"metadata"_s, m_hidden[id][u"marks"_s]},
         {u"start_date"_s, now},
         {u"status"_s, trial > 0 ? u"trialing"_s : u"active"_s},
         {u"trial_end"_s, trial > 0 ? QJsonValue(end) : QJsonValue()},
         {u"trial_start"_s, trial > 0 ? QJsonValue(now) : QJsonValue()}},
        u"subscription"_s);
    const QString invoice =
        makeInvoice(subscription, u"subscription_create"_s,
                    {line(subscription, price, trial > 0 ? 0 : price[u"unit_amount"_s].toInteger(), now, end, false)});
    announce(u"customer.subscription.created"_s, subscription);
    payInvoice(invoice);
    change(id,
           {{u"invoice"_s, invoice},
            {u"subscription"_s, subscription},
            {u"payment_status"_s, trial > 0 ? u"no_payment_required"_s : u"paid"_s},
            {u"status"_s, u"complete"_s}});
    announce(u"checkout.session.completed"_s, id);
}

// -------------------------------------------------------------------------------------------------------- invoices

QJsonObject FakeStripe::line(const QString &subscription, const QJsonObject &price, qint64 amount, qint64 start,
                             qint64 end, bool proration) const
{
    return {{u"id"_s, u"il_1Fake%1%2"_s.arg(m_number).arg(amount < 0 ? u"a"_s : u"b"_s)},
            {u"object"_s, u"line_item"_s},
            {u"amount"_s, amount},
            {u"currency"_s, price[u"currency"_s]},
            {u"livemode"_s, false},
            {u"metadata"_s, QJsonObject()},
            {u"parent"_s,
             QJsonObject{{u"type"_s, u"subscription_item_details"_s},
                         {u"invoice_item_details"_s, QJsonValue()},
                         {u"subscription_item_details"_s,
                          QJsonObject{{u"proration"_s, proration},
                                      {u"subscription"_s, subscription},
                                      {u"subscription_item"_s,
                                       m_objects[subscription][u"items"_s][u"data"_s][0][u"id"_s]}}}}},
            {u"period"_s, QJsonObject{{u"start"_s, start}, {u"end"_s, end}}},
            {u"pricing"_s,
             QJsonObject{{u"type"_s, u"price_details"_s},
                         {u"price_details"_s,
                          QJsonObject{{u"price"_s, price[u"id"_s]}, {u"product"_s, price[u"product"_s]}}}}},
            {u"quantity"_s, 1}};
}

QString FakeStripe::makeInvoice(const QString &subscription, const QString &reason, const QJsonArray &lines)
{
    const QJsonObject of = m_objects[subscription];
    qint64 net = 0;
    for (const auto &one : lines)
        net += one[u"amount"_s].toInteger();
    const qint64 tax = net > 0 ? net * taxPercent / 100 : 0;
    const QString id = newId(u"in"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"invoice"_s},
         {u"amount_due"_s, net + tax},
         {u"amount_paid"_s, 0},
         {u"amount_remaining"_s, net + tax},
         {u"attempt_count"_s, 0},
         {u"attempted"_s, false},
         {u"billing_reason"_s, reason},
         {u"collection_method"_s, u"charge_automatically"_s},
         {u"created"_s, m_now_s()},
         {u"currency"_s, of[u"currency"_s]},
         {u"customer"_s, of[u"customer"_s]},
         {u"lines"_s, listOf(lines, QString(u"/v1/invoices/%1/lines"_s.arg(id)))},
         {u"livemode"_s, false},
         {u"metadata"_s, QJsonObject()},
         {u"parent"_s,
          QJsonObject{{u"type"_s, u"subscription_details"_s},
                      {u"quote_details"_s, QJsonValue()},
                      {u"subscription_details"_s,
                       QJsonObject{{u"metadata"_s, of[u"metadata"_s]}, {u"subscription"_s, subscription}}}}},
         {u"period_end"_s, m_now_s()},
         {u"period_start"_s, m_now_s()},
         {u"status"_s, u"open"_s},
         {u"status_transitions"_s,
          QJsonObject{{u"finalized_at"_s, m_now_s()},
                      {u"marked_uncollectible_at"_s, QJsonValue()},
                      {u"paid_at"_s, QJsonValue()},
                      {u"voided_at"_s, QJsonValue()}}},
         {u"subtotal"_s, net},
         {u"total"_s, net + tax},
         {u"total_taxes"_s,
          tax == 0 ? QJsonArray()
                   : QJsonArray{QJsonObject{{u"amount"_s, tax},
                                            {u"tax_behavior"_s, u"exclusive"_s},
                                            {u"type"_s, u"tax_rate_details"_s}}}}},
        u"invoice"_s);
    change(subscription, {{u"latest_invoice"_s, id}});
    return id;
}

void FakeStripe::payInvoice(const QString &id)
{
    const QJsonObject invoice = m_objects[id];
    const qint64 due = invoice[u"amount_due"_s].toInteger();
    if (due > 0) {
        const QString intent = charge(due, invoice[u"currency"_s].toString(), invoice[u"customer"_s].toString(), {});
        const QString payment = newId(u"inpay"_s);
        put({{u"id"_s, payment},
             {u"object"_s, u"invoice_payment"_s},
             {u"amount_paid"_s, due},
             {u"amount_requested"_s, due},
             {u"created"_s, invoice[u"created"_s]},
             {u"currency"_s, invoice[u"currency"_s]},
             {u"invoice"_s, id},
             {u"is_default"_s, true},
             {u"livemode"_s, false},
             {u"payment"_s, QJsonObject{{u"type"_s, u"payment_intent"_s}, {u"payment_intent"_s, intent}}},
             {u"status"_s, u"paid"_s},
             {u"status_transitions"_s, QJsonObject{{u"canceled_at"_s, QJsonValue()}, {u"paid_at"_s, m_now_s()}}}},
            u"invoice_payment"_s);
    }
    QJsonObject transitions = invoice[u"status_transitions"_s].toObject();
    transitions.insert(u"paid_at"_s, m_now_s());
    change(id,
           {{u"amount_paid"_s, std::max<qint64>(due, 0)},
            {u"amount_remaining"_s, 0},
            {u"attempt_count"_s, invoice[u"attempt_count"_s].toInt() + 1},
            {u"attempted"_s, true},
            {u"status"_s, u"paid"_s},
            {u"status_transitions"_s, transitions}});
    announce(u"invoice.paid"_s, id);
    announce(u"invoice.payment_succeeded"_s, id);
    if (due > 0)
        announce(u"invoice_payment.paid"_s, latest(u"invoice_payment"_s));
}

void FakeStripe::failInvoice(const QString &id)
{
    change(id, {{u"attempt_count"_s, m_objects[id][u"attempt_count"_s].toInt() + 1}, {u"attempted"_s, true}});
    announce(u"invoice.payment_failed"_s, id);
}

// The rest of the period: what is not used of the old price goes back, what is left of the new one is paid.
QString FakeStripe::prorate(const QString &subscription, const QJsonObject &before, const QJsonObject &after)
{
    const QJsonObject item = m_objects[subscription][u"items"_s][u"data"_s][0].toObject();
    const qint64 start = item[u"current_period_start"_s].toInteger();
    const qint64 end = item[u"current_period_end"_s].toInteger();
    const qint64 now = m_now_s();
    const auto part = [&](const QJsonObject &price) {
        return price[u"unit_amount"_s].toInteger() * (end - now) / (end - start);
    };
    const QString invoice = makeInvoice(subscription, u"subscription_update"_s,
                                        {line(subscription, before, -part(before), now, end, true),
                                         line(subscription, after, part(after), now, end, true)});
    payInvoice(invoice);
    return invoice;
}

// -------------------------------------------------------------------------------------------------------- the calendar

void FakeStripe::renew(const QString &id)
{
    QJsonObject items = m_objects[id][u"items"_s].toObject();
    QJsonObject item = items[u"data"_s][0].toObject();
    const qint64 start = item[u"current_period_end"_s].toInteger();
    const qint64 end = aMonthAfter(start);
    item.insert(u"current_period_start"_s, start);
    item.insert(u"current_period_end"_s, end);
    items.insert(u"data"_s, QJsonArray{item});
    change(id, {{u"items"_s, items}, {u"status"_s, u"active"_s}});
    const QJsonObject price = item[u"price"_s].toObject();
    makeInvoice(id, u"subscription_cycle"_s, {line(id, price, price[u"unit_amount"_s].toInteger(), start, end, false)});
    announce(u"customer.subscription.updated"_s, id);
}

void FakeStripe::collect(const QString &id, bool works)
{
    const QString invoice = m_objects[id][u"latest_invoice"_s].toString();
    const bool wasDue = m_objects[id][u"status"_s] == "past_due"_L1;
    if (works)
        payInvoice(invoice);
    else
        failInvoice(invoice);
    if (works == wasDue) {
        change(id, {{u"status"_s, works ? u"active"_s : u"past_due"_s}});
        announce(u"customer.subscription.updated"_s, id);
    }
}

void FakeStripe::giveUp(const QString &id)
{
    cancelNow(id);
}

void FakeStripe::endPeriod(const QString &id)
{
    cancelNow(id);
}

void FakeStripe::cancelNow(const QString &id)
{
    change(id, {{u"status"_s, u"canceled"_s}, {u"canceled_at"_s, m_now_s()}, {u"ended_at"_s, m_now_s()}});
    announce(u"customer.subscription.deleted"_s, id);
}

// ------------------------------------------------------------------------------------------------- refunds and
// disputes

QString FakeStripe::refund(const QString &charge, qint64 amount)
{
    const qint64 refunded = m_objects[charge][u"amount_refunded"_s].toInteger() + amount;
    change(charge,
           {{u"amount_refunded"_s, refunded}, {u"refunded"_s, refunded >= m_objects[charge][u"amount"_s].toInteger()}});
    const QString id = newId(u"re"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"refund"_s},
         {u"amount"_s, amount},
         {u"charge"_s, charge},
         {u"created"_s, m_now_s()},
         {u"currency"_s, m_objects[charge][u"currency"_s]},
         {u"metadata"_s, QJsonObject()},
         {u"payment_intent"_s, m_objects[charge][u"payment_intent"_s]},
         {u"status"_s, u"succeeded"_s}},
        u"refund"_s);
    announce(u"charge.refunded"_s, charge);
    announce(u"refund.created"_s, id);
    return id;
}

void FakeStripe::failRefund(const QString &id)
{
    const QString charge = m_objects[id][u"charge"_s].toString();
    const qint64 left = m_objects[charge][u"amount_refunded"_s].toInteger() - m_objects[id][u"amount"_s].toInteger();
    change(charge, {{u"amount_refunded"_s, left}, {u"refunded"_s, false}});
    change(id, {{u"status"_s, u"failed"_s}, {u"failure_reason"_s, u"expired_or_canceled_card"_s}});
    announce(u"refund.failed"_s, id);
    announce(u"refund.updated"_s, id);
}

QString FakeStripe::dispute(const QString &charge, const QString &status, qint64 amount, const QString &currency)
{
    const QString id = newId(u"du"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"dispute"_s},
         {u"amount"_s, amount > 0 ? QJsonValue(amount) : m_objects[charge][u"amount"_s]},
         {u"charge"_s, charge},
         {u"created"_s, m_now_s()},
         {u"currency"_s, currency.isEmpty() ? m_objects[charge][u"currency"_s] : QJsonValue(currency)},
         {u"livemode"_s, false},
         {u"metadata"_s, QJsonObject()},
         {u"payment_intent"_s, m_objects[charge][u"payment_intent"_s]},
         {u"reason"_s, u"fraudulent"_s},
         {u"status"_s, status}},
        u"dispute"_s);
    change(charge, {{u"disputed"_s, true}});
    announce(u"charge.dispute.created"_s, id);
    if (!status.startsWith("warning_"_L1))
        announce(u"charge.dispute.funds_withdrawn"_s, id);
    return id;
}

void FakeStripe::closeDispute(const QString &id, const QString &status)
{
    change(id, {{u"status"_s, status}});
    announce(u"charge.dispute.closed"_s, id);
    if (status == "won"_L1)
        announce(u"charge.dispute.funds_reinstated"_s, id);
}

void FakeStripe::sell(const StripeCall &checkout)
{
    pay(createSession(checkout, {}).body[u"id"_s].toString());
}

void FakeStripe::forget(const QString &customer)
{
    m_objects.remove(customer);
    m_order[u"customer"_s].removeAll(customer);
}

} // namespace companion::test
