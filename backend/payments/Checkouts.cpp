#include "payments/Checkouts.h"

#include <QCryptographicHash>
#include <QJsonDocument>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

template <Described T>
QByteArray printOf(const char *what, const T &request)
{
    const QByteArray text = QByteArray(what) + QJsonDocument(toJson(request)).toJson(QJsonDocument::Compact);
    return QCryptographicHash::hash(text, QCryptographicHash::Sha256);
}

QString providerProductOf(db::Session &db, Provider provider, PaidFor kind, const QString &product)
{
    const auto row =
        db.first("payments.provider_product", {{"provider", provider}, {"kind", kind}, {"product", product}});
    return row ? row->text("reference") : QString();
}

Money priceIn(const db::Row &row)
{
    return Money::fromMinor(row.integer("price_minor"), row.text("currency"));
}

bool runs(SubscriptionStatus status)
{
    return status == SubscriptionStatus::Trialing || status == SubscriptionStatus::Active
        || status == SubscriptionStatus::PastDue || status == SubscriptionStatus::Canceled;
}

} // namespace

Payment paymentIn(const db::Row &row)
{
    const QString currency = row.text("currency");
    const auto money = [&](const char *column) { return Money::fromMinor(row.integer(column), currency).amount(); };
    Payment payment{.id = row.id<PaymentId>("id"),
                    .provider = row.value<Provider>("provider"),
                    .kind = row.value<PaidFor>("kind"),
                    .product = row.text("product"),
                    .amount = money("amount_minor"),
                    .tax = money("tax_minor"),
                    .refunded = money("refunded_minor"),
                    .currency = currency,
                    .status = row.value<PaymentStatus>("status"),
                    .credits = row.maybeCredits("credits"),
                    .bonusCredits = row.maybeCredits("bonus_credits"),
                    .checkoutUrl = {},
                    .failure = row.maybeText("failure"),
                    .createdAt = row.time("created_at"),
                    .paidAt = row.maybeTime("paid_at")};
    if (payment.status == PaymentStatus::Pending)
        payment.checkoutUrl = row.maybeText("checkout_url");
    return payment;
}

Result<Begun> Checkouts::beginPackage(db::Session &db, const Buyer &buyer, const PurchaseRequest &wanted,
                                      const QString &key) const
{
    const auto offer = db.first("payments.offered_package", {{"code", wanted.product}, {"also_inactive", false}});
    if (!offer)
        return refuse(ErrorCode::NotFound, u"There is no such package."_s);
    CheckoutOrder order;
    order.kind = PaidFor::CreditPackage;
    order.product = wanted.product;
    order.title =
        u"%1: %2 credits"_s.arg(offer->text("name"), offer->credits("credits").toString().section(u'.', 0, 0));
    order.returnUrl = wanted.returnUrl.value_or(QString());
    return begin(db, buyer, std::move(order), wanted.provider, *offer, key, printOf("buy", wanted));
}

Result<std::variant<Begun, TierChange>> Checkouts::beginTier(db::Session &db, const Buyer &buyer,
                                                             const SubscribeRequest &wanted, const QString &key) const
{
    if (wanted.tier == Tier::Free)
        return refuse(ErrorCode::Invalid, u"The free tier is not for sale: cancel instead."_s);
    const auto offer = db.one("payments.offered_tier", {{"code", wanted.tier}});
    const QString product = providerProductOf(db, wanted.provider, PaidFor::Period, toText(wanted.tier));
    const auto known = m_subscriptions.ofUser(db, buyer.id);
    if (known && runs(known->state.status)) {
        const auto &state = known->state;
        if (state.provider != wanted.provider)
            return refuse(ErrorCode::Conflict,
                          u"A subscription runs at %1: cancel it there first."_s.arg(toText(state.provider)));
        const bool canceled = state.status == SubscriptionStatus::Canceled;
        if (state.tier == wanted.tier && !canceled && !state.nextTier)
            return refuse(ErrorCode::Conflict, u"This subscription runs already."_s);
        return TierChange{{.idempotencyKey = u"%1:%2"_s.arg(buyer.id.toString(), key),
                           .reference = known->reference,
                           .tier = wanted.tier,
                           .providerProduct = product,
                           .price = priceIn(offer)},
                          wanted.tier >= state.tier};
    }
    CheckoutOrder order;
    order.kind = PaidFor::Period;
    order.product = toText(wanted.tier);
    order.title = u"%1, monthly"_s.arg(offer.text("name"));
    order.returnUrl = wanted.returnUrl.value_or(QString());
    order.trialDays = known ? 0 : static_cast<int>(offer.integer("trial_days")); // one trial a user
    auto begun = begin(db, buyer, std::move(order), wanted.provider, offer, key, printOf("subscribe", wanted));
    if (!begun)
        return std::unexpected(begun.error());
    return *begun;
}

Result<Begun> Checkouts::begin(db::Session &db, const Buyer &buyer, CheckoutOrder order, Provider provider,
                               const db::Row &offer, const QString &key, const QByteArray &print) const
{
    order.user = buyer.id;
    order.email = buyer.email;
    order.price = priceIn(offer);
    order.providerProduct = providerProductOf(db, provider, order.kind, order.product);
    if (const auto customer = db.first("payments.customer_of", {{"user_id", buyer.id}, {"provider", provider}}))
        order.customer = customer->text("customer");

    db.one("payments.lock_user", {{"user_id", buyer.id}}); // two requests with one key come one after the other
    if (const auto earlier = db.first("payments.payment_of_request", {{"user_id", buyer.id}, {"request_key", key}})) {
        if (earlier->bytes("request_print") != print)
            return refuse(ErrorCode::IdempotencyKeyReused, u"This Idempotency-Key was used for another request."_s);
        order.payment = earlier->id<PaymentId>("id");
        order.price = Money::fromMinor(earlier->integer("amount_minor"), earlier->text("currency"));
        return Begun{paymentIn(*earlier), order, true};
    }
    order.payment = PaymentId::create();
    const bool ofCredits = order.kind == PaidFor::CreditPackage;
    db.execute("payments.insert_payment",
               {{"id", order.payment},
                {"user_id", buyer.id},
                {"provider", provider},
                {"kind", order.kind},
                {"product", order.product},
                {"amount_minor", static_cast<qint64>(order.price.minor())},
                {"currency", order.price.currency()},
                {"created_at", db.now()},
                {"credits", ofCredits ? std::optional(offer.credits("credits")) : std::nullopt},
                {"bonus_credits", ofCredits ? std::optional(offer.credits("bonus_credits")) : std::nullopt},
                {"bonus_days", ofCredits ? offer.maybeInteger("bonus_days") : std::nullopt},
                {"request_key", key},
                {"request_print", print},
                {"now", db.now()}});
    return Begun{paymentIn(db.one("payments.payment", {{"id", order.payment}})), order, false};
}

Result<SubscriptionOrder> Checkouts::cancellation(db::Session &db, const UserId &user, Provider &provider) const
{
    const auto known = m_subscriptions.ofUser(db, user);
    if (!known || !runs(known->state.status))
        return refuse(ErrorCode::Conflict, u"No subscription runs."_s);
    if (known->state.status == SubscriptionStatus::Canceled)
        return refuse(ErrorCode::Conflict, u"The subscription is canceled already."_s);
    provider = known->state.provider;
    return SubscriptionOrder{
        .idempotencyKey = u"cancel:%1:%2"_s.arg(known->reference).arg(known->state.periodEnd.toMSecsSinceEpoch()),
        .reference = known->reference,
        .tier = known->state.tier,
        .providerProduct = {},
        .price = {}};
}

Payment Checkouts::attach(db::Session &db, Provider provider, const Begun &begun, const Checkout &checkout) const
{
    db.execute("payments.add_references",
               {{"provider", provider},
                {"payment_id", begun.order.payment},
                {"user_id", begun.order.user},
                {"references", checkout.references}});
    return paymentIn(
        db.one("payments.set_checkout", {{"id", begun.order.payment}, {"url", checkout.url}, {"now", db.now()}}));
}

void Checkouts::fail(db::Session &db, const PaymentId &payment, const QString &why) const
{
    db.execute("payments.fail_begun", {{"id", payment}, {"failure", why.left(300)}, {"now", db.now()}});
}

Page<Payment> Checkouts::ofUser(db::Session &db, const UserId &user, const PageRequest &request) const
{
    Page<Payment> page;
    page.limit = request.limit;
    page.offset = request.offset;
    page.total = db.one("payments.count_payments_of_user", {{"user_id", user}}).integer("total");
    for (const auto &row : db.rows("payments.payments_of_user",
                                   {{"user_id", user}, {"limit", request.limit}, {"offset", request.offset}}))
        page.items.append(paymentIn(row));
    page.hasMore = request.offset + page.items.size() < *page.total;
    return page;
}

std::optional<Payment> Checkouts::find(db::Session &db, const PaymentId &id) const
{
    const auto row = db.first("payments.payment", {{"id", id}});
    return row ? std::optional(paymentIn(*row)) : std::nullopt;
}

} // namespace companion::payments
