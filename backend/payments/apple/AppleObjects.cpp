#include "payments/apple/AppleObjects.h"

#include <QRegularExpression>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 latest_ms = 253'402'300'799'999; // the year 9999

QDateTime timeIn(const QJsonObject &object, QLatin1StringView name)
{
    const qint64 ms = object.value(name).toInteger(-1);
    return ms >= 0 && ms <= latest_ms ? QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC) : QDateTime();
}

QString textIn(const QJsonObject &object, QLatin1StringView name)
{
    return object.value(name).toString().left(255);
}

std::optional<AppleTransaction::Type> typeIn(const QJsonObject &object)
{
    using T = AppleTransaction::Type;
    static const QHash<QString, T> types{{u"Auto-Renewable Subscription"_s, T::AutoRenewable},
                                         {u"Non-Consumable"_s, T::NonConsumable},
                                         {u"Consumable"_s, T::Consumable},
                                         {u"Non-Renewing Subscription"_s, T::NonRenewing}};
    const auto found = types.constFind(textIn(object, "type"_L1));
    return found == types.constEnd() ? std::nullopt : std::optional(*found);
}

QString currencyIn(const QJsonObject &object)
{
    static const QRegularExpression code(u"\\A[A-Z]{3}\\z"_s);
    const QString text = textIn(object, "currency"_L1);
    return code.match(text).hasMatch() ? text : QString();
}

AppleTransaction transactionFrom(const QJsonObject &object, AppleTransaction::Type type)
{
    AppleTransaction transaction{.id = textIn(object, "transactionId"_L1),
                                 .originalId = textIn(object, "originalTransactionId"_L1),
                                 .productId = textIn(object, "productId"_L1),
                                 .type = type,
                                 .purchasedAt = timeIn(object, "purchaseDate"_L1),
                                 .expiresAt = timeIn(object, "expiresDate"_L1),
                                 .quantity = object.value("quantity"_L1).toInt(1),
                                 .user = UserId::parse(textIn(object, "appAccountToken"_L1).toLower()),
                                 .isFamilyShared = textIn(object, "inAppOwnershipType"_L1) == "FAMILY_SHARED"_L1,
                                 .isUpgraded = object.value("isUpgraded"_L1).toBool(),
                                 .isTrial = textIn(object, "offerDiscountType"_L1) == "FREE_TRIAL"_L1,
                                 .price_milli = {},
                                 .currency = currencyIn(object),
                                 .revokedAt = timeIn(object, "revocationDate"_L1),
                                 .signedAt = timeIn(object, "signedDate"_L1)};
    if (const QJsonValue price = object.value("price"_L1); price.isDouble() && !transaction.currency.isEmpty())
        transaction.price_milli = price.toInteger();
    if (const QJsonValue part = object.value("revocationPercentage"_L1); part.isDouble())
        transaction.revoked_milliPercent = part.toInt(100'000);
    return transaction;
}

QString environmentName(AppleEnvironment environment)
{
    return environment == AppleEnvironment::Production ? u"Production"_s : u"Sandbox"_s;
}

} // namespace

std::optional<QString> AppleVerifier::wrongEnvironment(const QJsonObject &about) const
{
    const QString told = textIn(about, "environment"_L1);
    if (told != environmentName(m_app.environment))
        return u"of another environment: \"%1\""_s.arg(told.left(20));
    return {};
}

std::optional<QString> AppleVerifier::wrongApp(const QJsonObject &about) const
{
    if (textIn(about, "bundleId"_L1) != m_app.bundleId)
        return u"of another app: \"%1\""_s.arg(textIn(about, "bundleId"_L1).left(80));
    if (m_app.environment == AppleEnvironment::Production && about.value("appAppleId"_L1).toInteger() != m_app.appId)
        return u"of another app: its App Store id is not ours"_s;
    return {};
}

std::expected<AppleTransaction, QString> AppleVerifier::transaction(const QByteArray &jws) const
{
    const auto object = m_signatures->verified(jws);
    if (!object)
        return std::unexpected(object.error());
    if (textIn(*object, "bundleId"_L1) != m_app.bundleId)
        return std::unexpected(u"of another app: \"%1\""_s.arg(textIn(*object, "bundleId"_L1).left(80)));
    if (const auto wrong = wrongEnvironment(*object))
        return std::unexpected(*wrong);
    const auto type = typeIn(*object);
    auto transaction = transactionFrom(*object, type.value_or(AppleTransaction::Type::Consumable));
    const bool isWhole = type && !transaction.id.isEmpty() && transaction.id.size() <= 64
        && transaction.originalId.size() <= 64 && !transaction.originalId.isEmpty() && !transaction.productId.isEmpty()
        && transaction.purchasedAt.isValid() && transaction.signedAt.isValid() && transaction.quantity >= 1
        && transaction.quantity <= 100 && transaction.price_milli.value_or(0) >= 0
        && transaction.revoked_milliPercent >= 0 && transaction.revoked_milliPercent <= 100'000
        && (type != AppleTransaction::Type::AutoRenewable || transaction.expiresAt.isValid());
    if (!isWhole)
        return std::unexpected(u"unreadable: a transaction lacks what every one has"_s);
    return transaction;
}

std::expected<AppleRenewal, QString> AppleVerifier::renewal(const QByteArray &jws) const
{
    const auto object = m_signatures->verified(jws);
    if (!object)
        return std::unexpected(object.error());
    if (const auto wrong = wrongEnvironment(*object))
        return std::unexpected(*wrong);
    AppleRenewal renewal{.originalId = textIn(*object, "originalTransactionId"_L1),
                         .renewsTo = textIn(*object, "autoRenewProductId"_L1),
                         .renews = object->value("autoRenewStatus"_L1).toInt() == 1,
                         .inBillingRetry = object->value("isInBillingRetryPeriod"_L1).toBool(),
                         .graceUntil = timeIn(*object, "gracePeriodExpiresDate"_L1),
                         .renewsAt = timeIn(*object, "renewalDate"_L1),
                         .signedAt = timeIn(*object, "signedDate"_L1)};
    if (renewal.originalId.isEmpty() || !renewal.signedAt.isValid())
        return std::unexpected(u"unreadable: a renewal of no subscription"_s);
    return renewal;
}

std::expected<AppleNotification, QString> AppleVerifier::notification(const QByteArray &jws) const
{
    const auto object = m_signatures->verified(jws);
    if (!object)
        return std::unexpected(object.error());
    AppleNotification notification{.id = textIn(*object, "notificationUUID"_L1),
                                   .type = textIn(*object, "notificationType"_L1),
                                   .subtype = textIn(*object, "subtype"_L1),
                                   .signedAt = timeIn(*object, "signedDate"_L1),
                                   .transaction = {},
                                   .renewal = {}};
    if (notification.id.isEmpty() || notification.type.isEmpty() || !notification.signedAt.isValid())
        return std::unexpected(u"unreadable: a notification without id, type or time"_s);
    // Each kind tells in a place of its own for whom it is; one that tells it nowhere is for nobody.
    QJsonObject about;
    for (const auto place : {"data"_L1, "summary"_L1, "appData"_L1, "externalPurchaseToken"_L1})
        if (about.isEmpty())
            about = object->value(place).toObject();
    if (about.contains("externalPurchaseId"_L1))
        about.insert("environment"_L1,
                     textIn(about, "externalPurchaseId"_L1).startsWith("SANDBOX"_L1) ? u"Sandbox"_s : u"Production"_s);
    if (const auto wrong = wrongEnvironment(about))
        return std::unexpected(*wrong);
    if (const auto wrong = wrongApp(about))
        return std::unexpected(*wrong);
    if (const QJsonValue inner = about.value("signedTransactionInfo"_L1); !inner.isUndefined()) {
        auto read = transaction(inner.toString().toLatin1());
        if (!read)
            return std::unexpected(QString(u"its transaction is "_s + read.error()));
        notification.transaction = *read;
    }
    if (const QJsonValue inner = about.value("signedRenewalInfo"_L1); !inner.isUndefined()) {
        auto read = renewal(inner.toString().toLatin1());
        if (!read)
            return std::unexpected(QString(u"its renewal is "_s + read.error()));
        if (notification.transaction && read->originalId != notification.transaction->originalId)
            return std::unexpected(u"its renewal and its transaction are of two subscriptions"_s);
        notification.renewal = *read;
    }
    return notification;
}

} // namespace companion::payments
