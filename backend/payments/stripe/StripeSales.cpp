// Customers, prices, Checkout Sessions and the billing portal.

#include "common/describe/EnumText.h"
#include "payments/stripe/StripeMoney.h"
#include "payments/stripe/StripeProvider.h"
#include "payments/stripe/StripeReader.h"

namespace companion::payments {

using namespace Qt::StringLiterals;
using namespace stripe;

namespace {

QString lookupKeyOf(Tier tier, const Money &price)
{
    return u"companion_%1_%2_%3"_s.arg(toText(tier), price.currency().toLower(), QString::number(price.minor()));
}

bool misses(const Refusal &refusal, const QString &parameter)
{
    return refusal.code == ErrorCode::NotFound && refusal.log.contains(QString(u"at "_s + parameter));
}

std::unexpected<Refusal> badPrice(const Money &price)
{
    return std::unexpected(Refusal{.code = ErrorCode::Conflict,
                                   .detail = u"This price cannot be paid by Stripe."_s,
                                   .log = u"Stripe takes no %1 %2"_s.arg(price.amount(), price.currency())});
}

// What is missing at Stripe (a price that the operator named) is no fault of the customer's: when it is there, the same
// request may be made again.
Refusal cannotSell(const Refusal &refusal)
{
    if (refusal.code != ErrorCode::NotFound)
        return refusal;
    return {.code = ErrorCode::ProviderFailed,
            .detail = u"The payment provider cannot sell this now."_s,
            .log = refusal.log};
}

template <class T>
std::unexpected<Refusal> failed(const Result<T> &result)
{
    return std::unexpected(result.error());
}

} // namespace

// ---------------------------------------------------------------------------------------------------------- customers

void StripeProvider::withCustomer(const UserId &user, const QString &known, const QString &email,
                                  const Then<QString> &then)
{
    m_operators.act(
        this,
        [user](db::Session &db) {
            const auto row = db.first("payments.customer_at", {{"provider", Provider::Stripe}, {"user_id", user}});
            return row ? row->text("reference") : QString();
        },
        [=, this](const Result<QString> &kept) {
            if (!kept || !kept->isEmpty())
                return then(kept);
            if (!known.isEmpty())
                return then(known);
            createCustomer(user, email, {}, then);
        });
}

// `instead`: of one that Stripe knows no more.
void StripeProvider::createCustomer(const UserId &user, const QString &email, const QString &instead,
                                    const Then<QString> &then)
{
    Form form{{u"metadata[%1]"_s.arg(mark::user), user.toString()}};
    if (!email.isEmpty())
        form.append({u"email"_s, email});
    const QString key = u"customer:%1:%2:%3"_s.arg(user.toString(), instead, email.left(100));
    m_api.post(u"customers"_s, form, key, [=, this](const Result<Answer> &made) {
        if (!made)
            return then(failed(made));
        m_operators.act(
            this,
            [user, instead, reference = idOf(made->object)](db::Session &db) {
                db::Transaction transaction(db);
                if (!instead.isEmpty())
                    db.execute("payments.forget_customer",
                               {{"provider", Provider::Stripe}, {"user_id", user}, {"reference", instead}});
                const QString kept = db.one("payments.keep_customer",
                                            {{"provider", Provider::Stripe},
                                             {"user_id", user},
                                             {"reference", reference},
                                             {"now", db.now()}})
                                         .text("reference");
                transaction.commit();
                return kept;
            },
            [then](const Result<QString> &kept) { then(kept); });
    });
}

// ------------------------------------------------------------------------------------------------------------- prices

// The operator's own price where one is set; else ours, made when it is first wanted. A changed price of a tier is
// another Price: who subscribed before keeps the old one.
void StripeProvider::withPrice(Tier tier, const Money &price, const QString &own, const QString &title,
                               const Then<QString> &then)
{
    const QString lookupKey = lookupKeyOf(tier, price);
    if (!own.isEmpty())
        return then(own);
    if (const QString known = m_prices.value(lookupKey); !known.isEmpty())
        return then(known);
    const auto keep = [=, this](const Result<QString> &found) {
        if (found)
            m_prices.insert(lookupKey, *found);
        then(found);
    };
    m_api.get(u"prices"_s, {{u"lookup_keys[]"_s, lookupKey}, {u"active"_s, u"true"_s}, {u"limit"_s, u"1"_s}},
              [=, this](const Result<Answer> &found) {
                  if (!found)
                      return keep(failed(found));
                  const QString id = idOf(found->object[u"data"_s][0]);
                  id.isEmpty() ? createPrice(tier, price, lookupKey, title, keep) : keep(id);
              });
}

void StripeProvider::createPrice(Tier tier, const Money &price, const QString &lookupKey, const QString &title,
                                 const Then<QString> &then)
{
    const auto amount = toStripe(price.minor(), price.currency());
    if (!amount)
        return then(badPrice(price));
    const QString product = tierProduct(toText(tier));
    const Form form{{u"product"_s, product},
                    {u"currency"_s, price.currency().toLower()},
                    {u"unit_amount"_s, QString::number(*amount)},
                    {u"recurring[interval]"_s, u"month"_s},
                    {u"lookup_key"_s, lookupKey},
                    {u"transfer_lookup_key"_s, u"true"_s}, // from an archived one
                    {u"metadata[%1]"_s.arg(mark::tier), toText(tier)}};
    const auto makePrice = [=, this] {
        m_api.post(u"prices"_s, form, u"price:"_s + lookupKey, [then](const Result<Answer> &made) {
            then(made ? Result<QString>(idOf(made->object)) : failed(made));
        });
    };
    m_api.get(u"products/"_s + product, {}, [=, this](const Result<Answer> &known) {
        if (known)
            return makePrice();
        if (known.error().code != ErrorCode::NotFound)
            return then(failed(known));
        const QString name = title.isEmpty() ? toText(tier) : title;
        m_api.post(u"products"_s, {{u"id"_s, product}, {u"name"_s, name}}, u"product:"_s + product,
                   [=](const Result<Answer> &made) { made ? makePrice() : then(failed(made)); });
    });
}

// ---------------------------------------------------------------------------------------------------------- checkouts

void StripeProvider::createCheckout(const CheckoutOrder &order, const Then<Checkout> &then)
{
    withCustomer(order.user, order.customer, order.email, [=, this](const Result<QString> &customer) {
        if (!customer)
            return then(failed(customer));
        const bool ofTier = order.kind == PaidFor::Period;
        const auto tier = fromText<Tier>(order.product);
        if (!ofTier || !tier)
            return openSession(order, *customer, order.providerProduct, false, then);
        withPrice(*tier, order.price, order.providerProduct, order.title, [=, this](const Result<QString> &price) {
            price ? openSession(order, *customer, *price, false, then) : then(failed(price));
        });
    });
}

Result<Form> StripeProvider::sessionForm(const CheckoutOrder &order, const QString &customer,
                                         const QString &price) const
{
    const bool ofTier = order.kind == PaidFor::Period;
    const QString returnTo = order.returnUrl.isEmpty() ? m_options.returnUrl : order.returnUrl;
    Form form{{u"mode"_s, ofTier ? u"subscription"_s : u"payment"_s},
              {u"client_reference_id"_s, order.payment.toString()},
              {u"customer"_s, customer},
              {u"success_url"_s, returnTo},
              {u"cancel_url"_s, returnTo},
              {u"adaptive_pricing[enabled]"_s, u"false"_s}, // paid as asked, in the currency asked
              {u"line_items[0][quantity]"_s, u"1"_s}};
    if (!price.isEmpty()) {
        form.append({u"line_items[0][price]"_s, price});
    } else {
        const auto amount = toStripe(order.price.minor(), order.price.currency());
        if (!amount)
            return badPrice(order.price);
        form.append({{u"line_items[0][price_data][currency]"_s, order.price.currency().toLower()},
                     {u"line_items[0][price_data][unit_amount]"_s, QString::number(*amount)},
                     {u"line_items[0][price_data][product_data][name]"_s, order.title}});
    }
    // On the session, and on what outlives it.
    const QString lasting = ofTier ? u"subscription_data"_s : u"payment_intent_data"_s;
    const Form marks{{mark::payment, order.payment.toString()},
                     {mark::user, order.user.toString()},
                     {ofTier ? mark::tier : mark::product, order.product}};
    for (const auto &[name, value] : marks)
        form.append({{u"metadata[%1]"_s.arg(name), value}, {u"%1[metadata][%2]"_s.arg(lasting, name), value}});
    if (ofTier)
        form.append({u"metadata[%1]"_s.arg(mark::product), order.product});
    if (ofTier && order.trialDays > 0)
        form.append({u"subscription_data[trial_period_days]"_s, QString::number(order.trialDays)});
    if (m_options.automaticTax)
        form.append({{u"automatic_tax[enabled]"_s, u"true"_s}, {u"customer_update[address]"_s, u"auto"_s}});
    return form;
}

void StripeProvider::openSession(const CheckoutOrder &order, const QString &customer, const QString &price,
                                 bool isSecond, const Then<Checkout> &then)
{
    const auto form = sessionForm(order, customer, price);
    if (!form)
        return then(failed(form));
    // The same order by the same customer is the same checkout, whoever asks again.
    const QString key = u"checkout:%1:%2"_s.arg(order.payment.toString(), customer);
    m_api.post(u"checkout/sessions"_s, *form, key, [=, this](const Result<Answer> &made) {
        if (made) {
            const QString url = made->object[u"url"_s].toString();
            if (url.isEmpty())
                return then(std::unexpected(Refusal{.code = ErrorCode::ProviderFailed,
                                                    .detail = u"The payment provider does not answer."_s,
                                                    .log = u"Stripe's checkout session has no url"_s}));
            return then(Checkout{{idOf(made->object)}, url});
        }
        m_prices.removeIf([&](const auto &known) { return known.value() == price; }); // it may be archived
        if (isSecond || !misses(made.error(), u"customer"_s))
            return then(std::unexpected(cannotSell(made.error())));
        createCustomer(order.user, order.email, customer, [=, this](const Result<QString> &fresh) {
            fresh ? openSession(order, *fresh, price, true, then) : then(failed(fresh));
        });
    });
}

// ------------------------------------------------------------------------------------------------------------- portal

void StripeProvider::openPortal(const PortalOrder &order, const Then<QString> &then)
{
    m_operators.act(
        this,
        [user = order.user](db::Session &db) {
            const auto row = db.first("payments.customer_at", {{"provider", Provider::Stripe}, {"user_id", user}});
            return row ? row->text("reference") : QString();
        },
        [=, this](const Result<QString> &kept) {
            if (!kept)
                return then(kept);
            const QString customer = kept->isEmpty() ? order.customer : *kept;
            if (customer.isEmpty())
                return then(companion::refuse(ErrorCode::NotFound, u"You have not bought anything by Stripe."_s));
            Form form{{u"customer"_s, customer},
                      {u"return_url"_s, order.returnUrl.isEmpty() ? m_options.returnUrl : order.returnUrl}};
            if (!m_options.portalConfiguration.isEmpty())
                form.append({u"configuration"_s, m_options.portalConfiguration});
            const QString key = u"portal:"_s + QUuid::createUuid().toString(QUuid::WithoutBraces);
            m_api.post(u"billing_portal/sessions"_s, form, key, [then](const Result<Answer> &made) {
                then(made ? Result<QString>(made->object[u"url"_s].toString()) : failed(made));
            });
        });
}

} // namespace companion::payments
