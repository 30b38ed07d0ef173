// The calls that are understood, and their parameters: any other is refused, as the real one does.

#include "fakes/FakeStripe.h"

#include <QRegularExpression>

#include <algorithm>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

bool isWithin(const StripeCall &call, const QJsonObject &object)
{
    const qint64 created = object[u"created"_s].toInteger();
    const auto bound = [&](const char *name, qint64 otherwise) {
        const QString key = u"created[%1]"_s.arg(QLatin1StringView(name));
        return call.has(key) ? call.field(key).toLongLong() : otherwise;
    };
    return created >= bound("gte", 0) && created < bound("lt", std::numeric_limits<qint64>::max())
        && created > bound("gt", -1) && created <= bound("lte", std::numeric_limits<qint64>::max());
}

QJsonObject merged(QJsonObject marks, const QJsonObject &changes)
{
    for (auto it = changes.begin(); it != changes.end(); ++it) {
        if (it.value().toString().isEmpty())
            marks.remove(it.key());
        else
            marks.insert(it.key(), it.value());
    }
    return marks;
}

} // namespace

const QList<FakeStripe::Route> &FakeStripe::routes()
{
    using F = FakeStripe;
    static const QString page = u"limit|starting_after|created\\[(gte|lt|gt|lte)\\]"_s;
    static const QString marks = u"metadata\\[\\w+\\]"_s;
    static const QList<Route> all{
        {"POST", u"customers"_s, &F::createCustomer, QString(marks + u"|email|name"_s)},
        {"GET", u"customers"_s, &F::listCustomers, QString(page + u"|email"_s)},
        {"POST", u"products"_s, &F::createProduct, QString(marks + u"|id|name"_s)},
        {"POST", u"prices"_s, &F::createPrice,
         QString(
             marks
             + u"|product|product_data\\[name\\]|currency|unit_amount|recurring\\[interval\\]|lookup_key|transfer_lookup_key"_s)},
        {"GET", u"prices"_s, &F::listPrices, QString(page + u"|lookup_keys\\[\\d*\\]|active"_s)},
        {"POST", u"prices/*"_s, &F::updatePrice, QString(marks + u"|active"_s)},
        {"POST", u"checkout/sessions"_s, &F::createSession,
         QString(
             marks
             + u"|mode|client_reference_id|customer|success_url|cancel_url|adaptive_pricing\\[enabled\\]"
               "|line_items\\[0\\]\\[(quantity|price|price_data\\]\\[(currency|unit_amount|product_data\\]\\[name))\\]"
               "|(subscription_data|payment_intent_data)\\[metadata\\]\\[\\w+\\]|subscription_data\\[trial_period_"
               "days\\]"
               "|automatic_tax\\[enabled\\]|customer_update\\[address\\]"_s)},
        {"POST", u"checkout/sessions/*/expire"_s, &F::expireSession, {}},
        {"POST", u"billing_portal/sessions"_s, &F::createPortal, u"customer|return_url|configuration"_s},
        {"POST", u"subscriptions/*"_s, &F::updateSubscription,
         QString(marks + u"|items\\[0\\]\\[(id|price)\\]|cancel_at_period_end|proration_behavior|payment_behavior"_s)},
        {"DELETE", u"subscriptions/*"_s, &F::deleteSubscription, {}},
        {"POST", u"refunds"_s, &F::createRefund, QString(marks + u"|payment_intent|charge|amount|reason"_s)},
        {"GET", u"refunds"_s, &F::listRefunds, QString(page + u"|charge|payment_intent"_s)},
        {"GET", u"charges"_s, &F::listCharges, QString(page + u"|customer|payment_intent"_s)},
        {"GET", u"disputes"_s, &F::listDisputes, QString(page + u"|charge"_s)},
        {"GET", u"invoices"_s, &F::listInvoices, QString(page + u"|subscription|status|customer"_s)},
        {"GET", u"events"_s, &F::listEvents, QString(page + u"|types\\[\\d*\\]|type"_s)},
        {"GET", u"invoice_payments"_s, &F::listInvoicePayments,
         QString(page + u"|invoice|status|payment\\[(type|payment_intent)\\]"_s)},
        {"GET",
         u"(?:customers|products|prices|checkout/sessions|subscriptions|invoices|payment_intents|charges|refunds|disputes|events)/*"_s,
         &F::getOne,
         {}},
    };
    return all;
}

// ------------------------------------------------------------------------------------------------- shapes of answers

// "data.charge.balance_transaction": ids become objects, down the path.
QJsonValue FakeStripe::expanded(const QJsonValue &value, QStringList path) const
{
    if (value.isArray()) {
        QJsonArray all;
        for (const auto &one : value.toArray())
            all.append(expanded(one, path));
        return all;
    }
    if (value.isString() && m_objects.contains(value.toString()))
        return expanded(m_objects[value.toString()], path);
    if (path.isEmpty() || !value.isObject())
        return value;
    QJsonObject object = value.toObject();
    const QString name = path.takeFirst();
    if (name == "payments"_L1 && object[u"object"_s] == "invoice"_L1) { // there only where it is asked for
        QJsonArray of;
        for (const QString &id : m_order.value(u"invoice_payment"_s))
            if (m_objects[id][u"invoice"_s] == object[u"id"_s])
                of.append(m_objects[id]);
        object[name] = QJsonObject{{u"object"_s, u"list"_s},
                                   {u"data"_s, of},
                                   {u"has_more"_s, false},
                                   {u"url"_s, u"/v1/invoice_payments"_s}};
    } else if (object.contains(name)) {
        object[name] = expanded(object[name], path);
    }
    return object;
}

StripeReply FakeStripe::shown(const StripeCall &call, QJsonObject object) const
{
    for (const QString &path : call.values(u"expand"_s))
        object = expanded(object, path.split(u'.')).toObject();
    return {200, object};
}

StripeReply FakeStripe::listed(const StripeCall &call, const QString &kind,
                               const std::function<bool(const QJsonObject &)> &fits) const
{
    const int limit = call.field(u"limit"_s, u"10"_s).toInt();
    if (limit < 1 || limit > 100)
        return error(400, u"invalid_request_error"_s, u"parameter_invalid_integer"_s, u"Invalid limit"_s, u"limit"_s);
    QStringList ids = m_order.value(kind);
    std::reverse(ids.begin(), ids.end()); // the newest first
    const QString after = call.field(u"starting_after"_s);
    if (!after.isEmpty() && !ids.contains(after))
        return missing(kind, after, u"starting_after"_s);
    QJsonArray data;
    bool more = false;
    for (const QString &id : ids.mid(after.isEmpty() ? 0 : ids.indexOf(after) + 1)) {
        const QJsonObject object = m_objects[id];
        if (!isWithin(call, object) || (fits && !fits(object)))
            continue;
        if (data.size() == limit) {
            more = true;
            break;
        }
        data.append(object);
    }
    return shown(call,
                 {{u"object"_s, u"list"_s},
                  {u"url"_s, QString(u"/v1/"_s + call.path)},
                  {u"has_more"_s, more},
                  {u"data"_s, data}});
}

StripeReply FakeStripe::getOne(const StripeCall &call, const QString &id)
{
    if (!m_objects.contains(id))
        return missing(call.path.section(u'/', 0, -2), id, u"id"_s);
    return shown(call, m_objects[id]);
}

// ------------------------------------------------------------------------------------- customers, products and prices

StripeReply FakeStripe::createCustomer(const StripeCall &call, const QString &)
{
    const QString email = call.field(u"email"_s);
    const QString id = newId(u"cus"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"customer"_s},
         {u"created"_s, m_now_s()},
         {u"email"_s, email.isEmpty() ? QJsonValue() : QJsonValue(email)},
         {u"livemode"_s, false},
         {u"metadata"_s, call.map(u"metadata"_s)}},
        u"customer"_s);
    announce(u"customer.created"_s, id);
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::listCustomers(const StripeCall &call, const QString &)
{
    return listed(call, u"customer"_s, [&](const QJsonObject &object) {
        return !call.has(u"email"_s) || object[u"email"_s].toString() == call.field(u"email"_s);
    });
}

StripeReply FakeStripe::createProduct(const StripeCall &call, const QString &)
{
    const QString id = call.field(u"id"_s, newId(u"prod"_s));
    if (m_objects.contains(id))
        return error(400, u"invalid_request_error"_s, u"resource_already_exists"_s, u"Product already exists."_s,
                     u"id"_s);
    if (call.field(u"name"_s).isEmpty())
        return error(400, u"invalid_request_error"_s, u"parameter_missing"_s, u"Missing required param: name."_s,
                     u"name"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"product"_s},
         {u"active"_s, true},
         {u"created"_s, m_now_s()},
         {u"livemode"_s, false},
         {u"metadata"_s, call.map(u"metadata"_s)},
         {u"name"_s, call.field(u"name"_s)}},
        u"product"_s);
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::createPrice(const StripeCall &call, const QString &)
{
    const QString lookupKey = call.field(u"lookup_key"_s);
    bool isInteger = false;
    const qint64 amount = call.field(u"unit_amount"_s).toLongLong(&isInteger);
    if (!isInteger || amount < 0)
        return error(400, u"invalid_request_error"_s, u"parameter_invalid_integer"_s, u"Invalid integer"_s,
                     u"unit_amount"_s);
    QString product = call.field(u"product"_s);
    if (call.has(u"product_data[name]"_s)) {
        product = newId(u"prod"_s);
        put({{u"id"_s, product}, {u"object"_s, u"product"_s}, {u"name"_s, call.field(u"product_data[name]"_s)}},
            u"product"_s);
    }
    if (!m_objects.contains(product))
        return missing(u"product"_s, product, u"product"_s);
    for (const QString &id : m_order.value(u"price"_s)) {
        if (lookupKey.isEmpty() || m_objects[id][u"lookup_key"_s].toString() != lookupKey)
            continue;
        if (call.field(u"transfer_lookup_key"_s) != "true"_L1)
            return error(400, u"invalid_request_error"_s, {}, u"A price already uses that lookup key."_s,
                         u"lookup_key"_s);
        change(id, {{u"lookup_key"_s, QJsonValue()}});
    }
    const bool recurs = call.has(u"recurring[interval]"_s);
    const QString id = newId(u"price"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"price"_s},
         {u"active"_s, true},
         {u"billing_scheme"_s, u"per_unit"_s},
         {u"created"_s, m_now_s()},
         {u"currency"_s, call.field(u"currency"_s)},
         {u"livemode"_s, false},
         {u"lookup_key"_s, lookupKey.isEmpty() ? QJsonValue() : QJsonValue(lookupKey)},
         {u"metadata"_s, call.map(u"metadata"_s)},
         {u"product"_s, product},
         {u"recurring"_s,
          recurs ? QJsonValue(QJsonObject{{u"interval"_s, call.field(u"recurring[interval]"_s)},
                                          {u"interval_count"_s, 1},
                                          {u"usage_type"_s, u"licensed"_s}})
                 : QJsonValue()},
         {u"type"_s, recurs ? u"recurring"_s : u"one_time"_s},
         {u"unit_amount"_s, amount}},
        u"price"_s);
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::updatePrice(const StripeCall &call, const QString &id)
{
    if (!m_objects.contains(id))
        return missing(u"price"_s, id, u"price"_s);
    if (call.has(u"active"_s))
        change(id, {{u"active"_s, call.field(u"active"_s) == "true"_L1}});
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::listPrices(const StripeCall &call, const QString &)
{
    const QStringList keys = call.values(u"lookup_keys"_s);
    return listed(call, u"price"_s, [&](const QJsonObject &price) {
        return (keys.isEmpty() || keys.contains(price[u"lookup_key"_s].toString()))
            && (!call.has(u"active"_s) || price[u"active"_s].toBool() == (call.field(u"active"_s) == "true"_L1));
    });
}

// ------------------------------------------------------------------------------------------------ checkout and portal

// The price of line_items[0], whichever way it was given.
QJsonObject FakeStripe::priceOf(const StripeCall &call, const QString &at, StripeReply &wrong)
{
    const QString id = call.field(QString(at + u"[price]"_s));
    if (!id.isEmpty()) {
        if (!m_objects.contains(id))
            wrong = missing(u"price"_s, id, QString(at + u"[price]"_s));
        else if (!m_objects[id][u"active"_s].toBool())
            wrong = error(400, u"invalid_request_error"_s, {}, u"The price specified is inactive."_s,
                          QString(at + u"[price]"_s));
        return m_objects.value(id);
    }
    bool isInteger = false;
    const qint64 amount = call.field(QString(at + u"[price_data][unit_amount]"_s)).toLongLong(&isInteger);
    const QString currency = call.field(QString(at + u"[price_data][currency]"_s));
    if (!isInteger || amount < 0 || currency.size() != 3
        || call.field(QString(at + u"[price_data][product_data][name]"_s)).isEmpty())
        wrong = error(400, u"invalid_request_error"_s, u"parameter_missing"_s, u"Missing required param."_s, at);
    return {{u"unit_amount"_s, amount}, {u"currency"_s, currency}};
}

StripeReply FakeStripe::createSession(const StripeCall &call, const QString &)
{
    const QString mode = call.field(u"mode"_s);
    const QString customer = call.field(u"customer"_s);
    const QString wrongData = mode == "payment"_L1 ? u"subscription_data"_s : u"payment_intent_data"_s;
    StripeReply wrong;
    if (mode != "payment"_L1 && mode != "subscription"_L1)
        return error(400, u"invalid_request_error"_s, u"parameter_missing"_s, u"Missing required param: mode."_s,
                     u"mode"_s);
    if (call.field(u"success_url"_s).isEmpty())
        return error(400, u"invalid_request_error"_s, u"parameter_missing"_s, u"Missing required param: success_url."_s,
                     u"success_url"_s);
    if (!customer.isEmpty() && !m_objects.contains(customer))
        return missing(u"customer"_s, customer, u"customer"_s);
    if (std::ranges::any_of(call.fields, [&](const auto &field) { return field.first.startsWith(wrongData); }))
        return error(400, u"invalid_request_error"_s, {}, u"You can not pass `%1` in `%2` mode."_s.arg(wrongData, mode),
                     wrongData);
    const QJsonObject price = priceOf(call, u"line_items[0]"_s, wrong);
    if (wrong.status != 200)
        return wrong;
    if ((mode == "subscription"_L1) != price[u"recurring"_s].isObject())
        return error(400, u"invalid_request_error"_s, {}, u"The price's recurrence does not fit the mode."_s,
                     u"line_items[0]"_s);
    const int trial = call.field(u"subscription_data[trial_period_days]"_s).toInt();
    const qint64 net = trial > 0 ? 0 : price[u"unit_amount"_s].toInteger();
    const qint64 tax = call.field(u"automatic_tax[enabled]"_s) == "true"_L1 ? net * taxPercent / 100 : 0;
    const QString id = newId(u"cs_test"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"checkout.session"_s},
         {u"amount_subtotal"_s, net},
         {u"amount_total"_s, net + tax},
         {u"cancel_url"_s, call.field(u"cancel_url"_s)},
         {u"client_reference_id"_s, call.field(u"client_reference_id"_s)},
         {u"created"_s, m_now_s()},
         {u"currency"_s, price[u"currency"_s]},
         {u"customer"_s, customer.isEmpty() ? QJsonValue() : QJsonValue(customer)},
         {u"expires_at"_s, m_now_s() + 86'400},
         {u"invoice"_s, QJsonValue()},
         {u"livemode"_s, false},
         {u"metadata"_s, call.map(u"metadata"_s)},
         {u"mode"_s, mode},
         {u"payment_intent"_s, QJsonValue()},
         {u"payment_status"_s, u"unpaid"_s},
         {u"status"_s, u"open"_s},
         {u"subscription"_s, QJsonValue()},
         {u"success_url"_s, call.field(u"success_url"_s)},
         {u"total_details"_s,
          QJsonObject{{u"amount_discount"_s, 0}, {u"amount_shipping"_s, 0}, {u"amount_tax"_s, tax}}},
         {u"url"_s, QString(u"https://checkout.stripe.com/c/pay/"_s + id)}},
        u"checkout.session"_s);
    const QString data = mode == "payment"_L1 ? u"payment_intent_data[metadata]"_s : u"subscription_data[metadata]"_s;
    m_hidden.insert(id, {{u"price"_s, price}, {u"marks"_s, call.map(data)}, {u"trial"_s, trial}});
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::expireSession(const StripeCall &call, const QString &id)
{
    if (!m_objects.contains(id))
        return missing(u"checkout.session"_s, id, u"id"_s);
    if (m_objects[id][u"status"_s] != "open"_L1)
        return error(400, u"invalid_request_error"_s, {}, u"Only open sessions can be expired."_s);
    expire(id);
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::createPortal(const StripeCall &call, const QString &)
{
    const QString customer = call.field(u"customer"_s);
    if (!m_objects.contains(customer))
        return missing(u"customer"_s, customer, u"customer"_s);
    const QString id = newId(u"bps"_s);
    put({{u"id"_s, id},
         {u"object"_s, u"billing_portal.session"_s},
         {u"configuration"_s, call.field(u"configuration"_s, u"bpc_default"_s)},
         {u"created"_s, m_now_s()},
         {u"customer"_s, customer},
         {u"livemode"_s, false},
         {u"return_url"_s, call.field(u"return_url"_s)},
         {u"url"_s, QString(u"https://billing.stripe.com/p/session/"_s + id)}},
        u"portal"_s);
    return shown(call, m_objects[id]);
}

// ---------------------------------------------------------------------------------------------------- subscriptions

StripeReply FakeStripe::updateSubscription(const StripeCall &call, const QString &id)
{
    if (!m_objects.contains(id))
        return missing(u"subscription"_s, id, u"id"_s);
    const QJsonObject before = m_objects[id];
    if (before[u"status"_s] == "canceled"_L1)
        return error(404, u"invalid_request_error"_s, u"resource_missing"_s, u"No such subscription: '%1'"_s.arg(id),
                     u"id"_s);
    QJsonObject fields{{u"metadata"_s, merged(before[u"metadata"_s].toObject(), call.map(u"metadata"_s))}};
    if (call.has(u"cancel_at_period_end"_s)) {
        const bool ends = call.field(u"cancel_at_period_end"_s) == "true"_L1;
        const QJsonValue end = before[u"items"_s][u"data"_s][0][u"current_period_end"_s];
        fields.insert(u"cancel_at_period_end"_s, ends);
        fields.insert(u"cancel_at"_s, ends ? end : QJsonValue());
        fields.insert(u"canceled_at"_s, ends ? QJsonValue(m_now_s()) : QJsonValue());
    }
    if (call.has(u"items[0][price]"_s)) {
        StripeReply wrong;
        const QJsonObject price = priceOf(call, u"items[0]"_s, wrong);
        if (wrong.status != 200)
            return wrong;
        QJsonObject items = before[u"items"_s].toObject();
        QJsonObject item = items[u"data"_s][0].toObject();
        if (call.field(u"items[0][id]"_s) != item[u"id"_s].toString())
            return missing(u"subscription item"_s, call.field(u"items[0][id]"_s), u"items[0][id]"_s);
        const QJsonObject old = item[u"price"_s].toObject();
        if (call.field(u"proration_behavior"_s) == "always_invoice"_L1 && before[u"status"_s] == "active"_L1) {
            if (!cardsWork) {
                StripeReply declined = error(402, u"card_error"_s, u"card_declined"_s, u"Your card was declined."_s);
                QJsonObject object = declined.body[u"error"_s].toObject();
                object.insert(u"decline_code"_s, u"generic_decline"_s);
                return {402, {{u"error"_s, object}}};
            }
            fields.insert(u"latest_invoice"_s, prorate(id, old, price));
        }
        item.insert(u"price"_s, price);
        items.insert(u"data"_s, QJsonArray{item});
        fields.insert(u"items"_s, items);
    }
    change(id, fields);
    announce(u"customer.subscription.updated"_s, id);
    return shown(call, m_objects[id]);
}

StripeReply FakeStripe::deleteSubscription(const StripeCall &call, const QString &id)
{
    if (!m_objects.contains(id) || m_objects[id][u"status"_s] == "canceled"_L1)
        return missing(u"subscription"_s, id, u"id"_s);
    cancelNow(id);
    return shown(call, m_objects[id]);
}

// ---------------------------------------------------------------------------------------------------- money going back

StripeReply FakeStripe::createRefund(const StripeCall &call, const QString &)
{
    QString id = call.field(u"charge"_s);
    if (call.has(u"payment_intent"_s))
        id = m_objects.value(call.field(u"payment_intent"_s))[u"latest_charge"_s].toString();
    if (!m_objects.contains(id))
        return missing(u"charge"_s, id, call.has(u"charge"_s) ? u"charge"_s : u"payment_intent"_s);
    const QJsonObject charge = m_objects[id];
    const qint64 left = charge[u"amount"_s].toInteger() - charge[u"amount_refunded"_s].toInteger();
    const qint64 amount = call.has(u"amount"_s) ? call.field(u"amount"_s).toLongLong() : left;
    if (left <= 0)
        return error(400, u"invalid_request_error"_s, u"charge_already_refunded"_s,
                     u"Charge %1 has already been refunded."_s.arg(id));
    if (amount <= 0 || amount > left)
        return error(400, u"invalid_request_error"_s, {},
                     u"Refund amount is greater than unrefunded amount on charge"_s, u"amount"_s);
    const QString refundId = refund(id, amount);
    change(refundId,
           {{u"metadata"_s, call.map(u"metadata"_s)},
            {u"reason"_s, call.has(u"reason"_s) ? QJsonValue(call.field(u"reason"_s)) : QJsonValue()}});
    return shown(call, m_objects[refundId]);
}

StripeReply FakeStripe::listCharges(const StripeCall &call, const QString &)
{
    return listed(call, u"charge"_s, [&](const QJsonObject &charge) {
        return !call.has(u"payment_intent"_s)
            || charge[u"payment_intent"_s].toString() == call.field(u"payment_intent"_s);
    });
}

StripeReply FakeStripe::listRefunds(const StripeCall &call, const QString &)
{
    return listed(call, u"refund"_s, [&](const QJsonObject &refund) {
        return !call.has(u"charge"_s) || refund[u"charge"_s].toString() == call.field(u"charge"_s);
    });
}

StripeReply FakeStripe::listDisputes(const StripeCall &call, const QString &)
{
    return listed(call, u"dispute"_s);
}

StripeReply FakeStripe::listInvoices(const StripeCall &call, const QString &)
{
    return listed(call, u"invoice"_s, [&](const QJsonObject &invoice) {
        const QString of = invoice[u"parent"_s][u"subscription_details"_s][u"subscription"_s].toString();
        return (!call.has(u"subscription"_s) || of == call.field(u"subscription"_s))
            && (!call.has(u"status"_s) || invoice[u"status"_s].toString() == call.field(u"status"_s));
    });
}

StripeReply FakeStripe::listEvents(const StripeCall &call, const QString &)
{
    QStringList types = call.values(u"types"_s);
    if (call.has(u"type"_s))
        types.append(call.field(u"type"_s));
    if (types.size() > 20)
        return error(400, u"invalid_request_error"_s, {}, u"At most 20 types."_s, u"types"_s);
    return listed(call, u"event"_s, [&](const QJsonObject &event) {
        return types.isEmpty() || types.contains(event[u"type"_s].toString());
    });
}

StripeReply FakeStripe::listInvoicePayments(const StripeCall &call, const QString &)
{
    const QString intent = call.field(u"payment[payment_intent]"_s);
    if (!intent.isEmpty() && call.field(u"payment[type]"_s) != "payment_intent"_L1)
        return error(400, u"invalid_request_error"_s, u"parameter_missing"_s,
                     u"Missing required param: payment[type]."_s, u"payment[type]"_s);
    return listed(call, u"invoice_payment"_s, [&](const QJsonObject &payment) {
        return (intent.isEmpty() || payment[u"payment"_s][u"payment_intent"_s].toString() == intent)
            && (!call.has(u"invoice"_s) || payment[u"invoice"_s].toString() == call.field(u"invoice"_s))
            && (!call.has(u"status"_s) || payment[u"status"_s].toString() == call.field(u"status"_s));
    });
}

} // namespace companion::test
