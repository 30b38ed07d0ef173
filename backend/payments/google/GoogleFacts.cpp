#include "payments/google/GoogleFacts.h"

#include <QCryptographicHash>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype longestReference = 255;

std::optional<StoreProduct> googleProduct(const QString &product, PaidFor kind, const StoreCatalogue &catalogue)
{
    const auto found = catalogue.find(product);
    return found && found->kind == kind ? found : std::nullopt;
}

std::optional<QDateTime> maybeTime(const QDateTime &time)
{
    return time.isValid() ? std::optional(time) : std::nullopt;
}

SubscriptionStatus googleStatus(const GoogleSubscription &subscription, const std::optional<GoogleOrder> &order)
{
    using S = GoogleSubscription::State;
    switch (subscription.state) {
    case S::Active:
        if (!subscription.renews) // prepaid
            return SubscriptionStatus::Canceled;
        return order && order->isTrial ? SubscriptionStatus::Trialing : SubscriptionStatus::Active;
    case S::InGrace:
    case S::OnHold:
        return SubscriptionStatus::PastDue;
    case S::Canceled:
        return SubscriptionStatus::Canceled;
    case S::Pending:
    case S::Paused:
    case S::Expired:
        break;
    }
    return SubscriptionStatus::Expired;
}

} // namespace

QString googleReference(const QString &token)
{
    if (token.size() <= longestReference)
        return token;
    return u"sha256:"_s
        + QString::fromLatin1(QCryptographicHash::hash(token.toUtf8(), QCryptographicHash::Sha256).toHex());
}

QList<PaymentFact> googlePayments(const GoogleOrder &order, const std::optional<UserId> &user,
                                  const QString &subscription, const StoreCatalogue &catalogue,
                                  const QDateTime &askedAt)
{
    const bool isPeriod = !subscription.isEmpty();
    if (!order.isPaid || (isPeriod && order.total_minor == 0))
        return {};
    const auto kind = isPeriod ? PaidFor::Period : PaidFor::CreditPackage;
    const auto product = googleProduct(order.product, kind, catalogue);
    PaymentFact sale{.references = {order.id},
                     .user = user,
                     .kind = kind,
                     .product = product ? product->product : order.product,
                     .state = PaymentFact::State::Paid,
                     .amountMinor = order.total_minor,
                     .taxMinor = order.tax_minor,
                     .feeMinor = order.fee_minor,
                     .currency = order.currency,
                     .refundedMinor = std::min(order.refunded_minor, order.total_minor),
                     .version = askedAt.toMSecsSinceEpoch(),
                     .at = std::min(order.at, askedAt)};
    if (isPeriod) {
        sale.subscription = product ? subscription : QString();
        sale.periodStart = maybeTime(order.periodStart);
        if (order.periodEnd.isValid() && order.periodEnd >= order.periodStart)
            sale.periodEnd = order.periodEnd;
        return {sale};
    }
    return inPieces(sale, order.quantity);
}

QList<PaymentFact> googleGift(const GoogleSale &sale, const QString &product, const QString &token,
                              const std::optional<UserId> &user, const StoreCatalogue &catalogue,
                              const QDateTime &askedAt)
{
    if (sale.state != GoogleSale::State::Purchased)
        return {};
    const auto known = googleProduct(product, PaidFor::CreditPackage, catalogue);
    const PaymentFact gift{.references = {sale.order.isEmpty() ? googleReference(token) : sale.order},
                           .user = user,
                           .kind = PaidFor::CreditPackage,
                           .product = known ? known->product : product,
                           .state = PaymentFact::State::Paid,
                           .currency = known ? known->currency : u"USD"_s,
                           .refundedMinor = 0,
                           .version = askedAt.toMSecsSinceEpoch(),
                           .at = std::min(sale.purchasedAt, askedAt)};
    return inPieces(gift, sale.quantity);
}

std::optional<SubscriptionFact> googleSubscription(const GoogleSubscription &subscription, const QString &token,
                                                   const std::optional<GoogleOrder> &order,
                                                   const std::optional<UserId> &user, const StoreCatalogue &catalogue,
                                                   const QDateTime &askedAt, const std::optional<QDateTime> &replacedAt)
{
    const auto product = googleProduct(subscription.product, PaidFor::Period, catalogue);
    const auto tier = product ? product->tier() : std::nullopt;
    if (!tier || subscription.state == GoogleSubscription::State::Pending)
        return std::nullopt;
    SubscriptionFact fact{.reference = googleReference(token),
                          .user = user,
                          .customer = {},
                          .tier = *tier,
                          .nextTier = {},
                          .status = replacedAt ? SubscriptionStatus::Expired : googleStatus(subscription, order),
                          .periodStart =
                              order && order->periodStart.isValid() ? order->periodStart : subscription.startedAt,
                          .periodEnd = subscription.expiresAt,
                          .graceUntil = {},
                          .version = askedAt.toMSecsSinceEpoch(),
                          .at = askedAt};
    if (replacedAt)
        fact.periodEnd = std::min(fact.periodEnd, *replacedAt);
    if (fact.status == SubscriptionStatus::PastDue) {
        fact.graceUntil = subscription.expiresAt; // Google moves it on in a grace, and not while on hold
        if (order && order->periodEnd.isValid() && order->periodEnd < fact.periodEnd)
            fact.periodEnd = order->periodEnd;
    }
    fact.periodStart = std::min(fact.periodStart, fact.periodEnd);
    if (fact.status == SubscriptionStatus::Expired)
        fact.at = std::min(askedAt, fact.periodEnd);
    if (const auto next = googleProduct(subscription.next, PaidFor::Period, catalogue); next && next->tier() < tier)
        fact.nextTier = next->tier();
    return fact;
}

} // namespace companion::payments
