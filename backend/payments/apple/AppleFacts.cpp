#include "payments/apple/AppleFacts.h"

#include "common/money/Int128.h"
#include "common/money/Money.h"

#include <QSet>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

qint64 ms(const QDateTime &time)
{
    return time.toMSecsSinceEpoch();
}

qint64 halfUp(Int128 part, Int128 whole)
{
    return static_cast<qint64>((2 * part + whole) / (2 * whole));
}

// Thousandths of the unit in the currency's own minor digits: 8990 is 899 in USD, 980000 is 980 in JPY.
qint64 minorOf(qint64 price_milli, const QString &currency)
{
    qint64 perUnit = 1;
    for (int digit = 0; digit < Money::minorDigits(currency); ++digit)
        perUnit *= 10;
    return halfUp(Int128(price_milli) * perUnit, 1000);
}

bool isSubscription(const AppleTransaction &transaction)
{
    return transaction.type == AppleTransaction::Type::AutoRenewable;
}

// What the table says it is, where that fits what the store says it is.
std::optional<StoreProduct> soldAs(const AppleTransaction &transaction, const StoreCatalogue &catalogue)
{
    const auto product = catalogue.find(transaction.productId);
    const auto kind = isSubscription(transaction) ? PaidFor::Period : PaidFor::CreditPackage;
    return product && product->kind == kind ? product : std::nullopt;
}

std::optional<QDateTime> maybe(const QDateTime &time)
{
    return time.isValid() ? std::optional(time) : std::nullopt;
}

PaymentFact saleOf(const AppleTransaction &from, const std::optional<StoreProduct> &product)
{
    PaymentFact sale{.references = {from.id},
                     .user = from.user,
                     .kind = isSubscription(from) ? PaidFor::Period : PaidFor::CreditPackage,
                     .product = product ? product->product : from.productId,
                     .state = PaymentFact::State::Paid,
                     .currency = from.currency,
                     .version = ms(from.signedAt),
                     .at = std::min(from.purchasedAt, from.signedAt)}; // a renewal is charged before its period
    if (from.price_milli) {
        sale.amountMinor = minorOf(*from.price_milli, from.currency) * from.quantity;
    } else if (product) {
        sale.amountMinor = product->price_minor * from.quantity;
        sale.currency = product->currency;
    }
    sale.refundedMinor =
        from.revokedAt.isValid() ? halfUp(Int128(sale.amountMinor) * from.revoked_milliPercent, 100'000) : 0;
    if (isSubscription(from)) {
        // Of a product that nobody knows there is no subscription to wait for.
        sale.subscription = product ? from.originalId : QString();
        sale.periodStart = from.purchasedAt;
        sale.periodEnd = std::max(from.purchasedAt, from.expiresAt);
    }
    return sale;
}

SubscriptionStatus statusOf(const AppleTransaction &newest, const std::optional<AppleRenewal> &renewal,
                            const QDateTime &asOf)
{
    if (newest.revokedAt.isValid())
        return SubscriptionStatus::Expired;
    if (renewal && renewal->inBillingRetry)
        return SubscriptionStatus::PastDue;
    if (newest.expiresAt <= asOf)
        return renewal && renewal->graceUntil > asOf ? SubscriptionStatus::PastDue : SubscriptionStatus::Expired;
    if (renewal && !renewal->renews)
        return SubscriptionStatus::Canceled;
    return newest.isTrial ? SubscriptionStatus::Trialing : SubscriptionStatus::Active;
}

// Whether a transaction that was refunded, or is asked back, is the period that runs.
bool isRunning(const AppleTransaction &transaction, const std::optional<AppleRenewal> &renewal)
{
    const QDateTime moment = transaction.revokedAt.isValid() ? transaction.revokedAt : transaction.signedAt;
    const bool isRenewed = renewal && renewal->renewsAt > transaction.expiresAt;
    const bool endsByRefund = transaction.revokedAt.isValid() && transaction.revoked_milliPercent == 100'000;
    return transaction.expiresAt > moment && !isRenewed && !endsByRefund;
}

} // namespace

QList<PaymentFact> paymentFacts(const AppleTransaction &transaction, const StoreCatalogue &catalogue,
                                const std::optional<UserId> &claimant)
{
    if (transaction.isFamilyShared)
        return {};
    PaymentFact sale = saleOf(transaction, soldAs(transaction, catalogue));
    if (isSubscription(transaction) && sale.amountMinor == 0)
        return {};
    if (!sale.user)
        sale.user = claimant;
    return inPieces(sale, transaction.quantity);
}

std::optional<SubscriptionFact> subscriptionFact(const AppleTransaction &newest,
                                                 const std::optional<AppleRenewal> &renewal,
                                                 const StoreCatalogue &catalogue, bool graceEnded,
                                                 const std::optional<UserId> &claimant)
{
    const auto product = soldAs(newest, catalogue);
    const auto tier = product ? product->tier() : std::nullopt;
    if (!tier || newest.isFamilyShared || newest.isUpgraded)
        return std::nullopt;
    const QDateTime asOf = renewal ? std::max(newest.signedAt, renewal->signedAt) : newest.signedAt;
    SubscriptionFact fact{.reference = newest.originalId,
                          .user = newest.user ? newest.user : claimant,
                          .customer = {},
                          .tier = *tier,
                          .nextTier = {},
                          .status = statusOf(newest, renewal, asOf),
                          .periodStart = newest.purchasedAt,
                          .periodEnd = newest.revokedAt.isValid() ? std::min(newest.revokedAt, newest.expiresAt)
                                                                  : newest.expiresAt,
                          .graceUntil = {},
                          .version = ms(asOf),
                          .at = asOf};
    fact.periodEnd = std::max(fact.periodStart, fact.periodEnd);
    if (fact.status == SubscriptionStatus::PastDue)
        fact.graceUntil = graceEnded ? std::optional(std::max(asOf, fact.periodEnd))
                                     : maybe(renewal ? renewal->graceUntil : QDateTime());
    if (fact.status == SubscriptionStatus::Expired)
        fact.at = std::min(asOf, fact.periodEnd);
    if (renewal && renewal->renews && fact.status != SubscriptionStatus::Expired)
        if (const auto next = catalogue.find(renewal->renewsTo); next && next->tier() && *next->tier() < *tier)
            fact.nextTier = next->tier();
    return fact;
}

FactList factsOf(const AppleNotification &notification, const StoreCatalogue &catalogue)
{
    static const QSet<QString> aboutMoneyGoingBack{u"REFUND"_s, u"REFUND_REVERSED"_s, u"REFUND_DECLINED"_s,
                                                   u"CONSUMPTION_REQUEST"_s, u"REVOKE"_s};
    FactList facts;
    if (!notification.transaction)
        return facts;
    const AppleTransaction &transaction = *notification.transaction;
    facts.payments = paymentFacts(transaction, catalogue);
    if (!isSubscription(transaction)
        || (aboutMoneyGoingBack.contains(notification.type) && !isRunning(transaction, notification.renewal)))
        return facts;
    if (const auto fact = subscriptionFact(transaction, notification.renewal, catalogue,
                                           notification.type == "GRACE_PERIOD_EXPIRED"_L1))
        facts.subscriptions.append(*fact);
    return facts;
}

} // namespace companion::payments
