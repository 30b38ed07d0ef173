#include "payments/google/GoogleObjects.h"

#include "common/describe/Json.h"
#include "common/money/Money.h"
#include "payments/google/GooglePush.h"

#include <QHash>
#include <QJsonArray>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

// RFC 3339 with none to nine places.
QDateTime googleTime(const QJsonValue &value)
{
    return json::parseTime(value.toString()).value_or(QDateTime());
}

qint64 powerOfTen(int exponent)
{
    qint64 power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

struct GoogleMoney
{
    qint64 minor = 0;
    QString currency;
};

// {"currencyCode", "units" (text), "nanos"}; in minor units, half up.
std::optional<GoogleMoney> googleMoney(const QJsonValue &value)
{
    const QString currency = value["currencyCode"_L1].toString();
    const qint64 units = value["units"_L1].toVariant().toLongLong(), nanos = value["nanos"_L1].toInteger();
    const bool isCode =
        currency.size() == 3 && std::ranges::all_of(currency, [](QChar c) { return c >= u'A' && c <= u'Z'; });
    if (!isCode || units < 0 || units > 1'000'000'000'000 || nanos < 0 || nanos > 999'999'999)
        return std::nullopt;
    const int digits = Money::minorDigits(currency);
    const qint64 step = powerOfTen(9 - digits);
    return GoogleMoney{units * powerOfTen(digits) + (2 * nanos + step) / (2 * step), currency};
}

std::optional<UserId> googleUser(const QJsonValue &value)
{
    return UserId::parse(value.toString().toLower());
}

qint64 refundedOf(const QJsonObject &order, qint64 total_minor)
{
    const QJsonValue history = order.value("orderHistory"_L1);
    if (order.value("state"_L1) == "REFUNDED"_L1) {
        const auto whole = googleMoney(history["refundEvent"_L1]["refundDetails"_L1]["total"_L1]);
        return whole && whole->minor > 0 ? std::max(whole->minor, total_minor) : total_minor;
    }
    qint64 refunded = 0;
    for (const QJsonValue &event : history["partialRefundEvents"_L1].toArray())
        if (event["state"_L1] == "PROCESSED_SUCCESSFULLY"_L1)
            if (const auto part = googleMoney(event["refundDetails"_L1]["total"_L1]))
                refunded += part->minor;
    return std::min(refunded, total_minor);
}

} // namespace

std::optional<GoogleSale> GoogleSale::from(const QJsonObject &object)
{
    GoogleSale sale;
    const int state = object.value("purchaseState"_L1).toInt(-1);
    const qint64 at_ms = object.value("purchaseTimeMillis"_L1).toVariant().toLongLong();
    if (state < 0 || state > 2 || at_ms <= 0)
        return std::nullopt;
    sale.state = State(state);
    sale.order = object.value("orderId"_L1).toString();
    sale.purchasedAt = QDateTime::fromMSecsSinceEpoch(at_ms, Qt::UTC);
    sale.quantity = std::clamp(object.value("quantity"_L1).toInt(1), 1, 100);
    sale.user = googleUser(object.value("obfuscatedExternalAccountId"_L1));
    sale.isTest = object.value("purchaseType"_L1).toInt(-1) == 0;
    sale.isSettled = object.value("consumptionState"_L1).toInt() == 1;
    if (!sale.order.isEmpty() && !isGoogleOrder(sale.order))
        return std::nullopt;
    return sale;
}

std::optional<GoogleSubscription> GoogleSubscription::from(const QJsonObject &object)
{
    static const QHash<QString, State> states{
        {u"SUBSCRIPTION_STATE_PENDING"_s, State::Pending},
        {u"SUBSCRIPTION_STATE_PENDING_PURCHASE_CANCELED"_s, State::Pending},
        {u"SUBSCRIPTION_STATE_ACTIVE"_s, State::Active},
        {u"SUBSCRIPTION_STATE_PAUSED"_s, State::Paused},
        {u"SUBSCRIPTION_STATE_IN_GRACE_PERIOD"_s, State::InGrace},
        {u"SUBSCRIPTION_STATE_ON_HOLD"_s, State::OnHold},
        {u"SUBSCRIPTION_STATE_CANCELED"_s, State::Canceled},
        {u"SUBSCRIPTION_STATE_EXPIRED"_s, State::Expired},
    };
    const auto state = states.constFind(object.value("subscriptionState"_L1).toString());
    // Of several items the one that lasts longest is what the customer has; one that is to come has no order yet.
    QJsonObject item;
    for (const QJsonValue &each : object.value("lineItems"_L1).toArray())
        if (item.isEmpty() || googleTime(item.value("expiryTime"_L1)) < googleTime(each["expiryTime"_L1]))
            item = each.toObject();
    if (state == states.constEnd() || item.isEmpty())
        return std::nullopt;
    const QJsonValue accounts = object.value("externalAccountIdentifiers"_L1);
    const QJsonValue former = object.value("outOfAppPurchaseContext"_L1)["expiredExternalAccountIdentifiers"_L1];
    GoogleSubscription read;
    read.state = *state;
    read.product = item.value("productId"_L1).toString();
    read.order = item.value("latestSuccessfulOrderId"_L1).toString(object.value("latestOrderId"_L1).toString());
    read.startedAt = googleTime(object.value("startTime"_L1));
    read.expiresAt = googleTime(item.value("expiryTime"_L1));
    read.renews = item.value("autoRenewingPlan"_L1)["autoRenewEnabled"_L1].toBool();
    read.next = item.value("deferredItemReplacement"_L1)["productId"_L1].toString();
    read.linkedToken = object.value("linkedPurchaseToken"_L1).toString();
    read.user = googleUser(accounts["obfuscatedExternalAccountId"_L1]);
    if (!read.user)
        read.user = googleUser(former["obfuscatedExternalAccountId"_L1]);
    read.isTest = object.contains("testPurchase"_L1);
    read.isSettled = object.value("acknowledgementState"_L1) == "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"_L1;
    const bool isWhole = isGoogleProduct(read.product) && (read.order.isEmpty() || isGoogleOrder(read.order))
        && (read.linkedToken.isEmpty() || isGoogleToken(read.linkedToken))
        && (read.state == State::Pending || (read.startedAt.isValid() && read.expiresAt.isValid()));
    return isWhole ? std::optional(read) : std::nullopt;
}

std::optional<GoogleOrder> GoogleOrder::from(const QJsonObject &object)
{
    const auto total = googleMoney(object.value("total"_L1));
    const auto tax = googleMoney(object.value("tax"_L1));
    const auto revenue = googleMoney(object.value("developerRevenueInBuyerCurrency"_L1));
    const QJsonValue item = object.value("lineItems"_L1).toArray().at(0);
    const QJsonValue period = item["subscriptionDetails"_L1];
    const QString state = object.value("state"_L1).toString();
    GoogleOrder order{.id = object.value("orderId"_L1).toString(),
                      .product = item["productId"_L1].toString(),
                      .token = object.value("purchaseToken"_L1).toString(),
                      .isPaid = state == "PROCESSED"_L1 || state == "PENDING_REFUND"_L1
                          || state == "PARTIALLY_REFUNDED"_L1 || state == "REFUNDED"_L1,
                      .at = googleTime(object.value("orderHistory"_L1)["processedEvent"_L1]["eventTime"_L1])};
    if (!order.at.isValid())
        order.at = googleTime(object.value("createTime"_L1));
    if (!total || !isGoogleOrder(order.id) || !order.at.isValid() || !isGoogleProduct(order.product))
        return std::nullopt;
    order.total_minor = total->minor;
    order.currency = total->currency;
    order.tax_minor = tax ? std::min(tax->minor, total->minor) : 0;
    order.refunded_minor = refundedOf(object, total->minor);
    if (revenue && revenue->currency == total->currency && order.refunded_minor == 0 && state == "PROCESSED"_L1)
        order.fee_minor = std::max<qint64>(0, total->minor - order.tax_minor - revenue->minor);
    order.quantity = std::clamp(item["oneTimePurchaseDetails"_L1]["quantity"_L1].toInt(1), 1, 100);
    order.isSubscription = period.isObject();
    order.isTrial = period["offerPhase"_L1] == "FREE_TRIAL"_L1;
    order.periodStart = googleTime(period["servicePeriodStartTime"_L1]);
    order.periodEnd = googleTime(period["servicePeriodEndTime"_L1]);
    return order;
}

} // namespace companion::payments
