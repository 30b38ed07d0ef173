#pragma once

#include "payments/Facts.h"

#include <QJsonObject>

// Stripe's objects as of API 2026-10-28 (and with the fields where versions before 2025-03-31 had them), read into
// facts. Pure functions: no network, no clock.
namespace companion::payments::stripe {

// What we write on the objects we make, and by which they are known for ours when they come back. Stripe copies a
// subscription's onto its invoices and an intent's onto its charges. Clients cannot set them.
namespace mark {
inline const QString payment = QStringLiteral("companion_payment"); // our payment's id
inline const QString user = QStringLiteral("companion_user");
inline const QString product = QStringLiteral("companion_product"); // a package's code
inline const QString tier = QStringLiteral("companion_tier"); // a tier's code; on prices too
// After a downgrade the price is the new tier's at once, and what was paid for is kept until then (s since 1970).
inline const QString keeps = QStringLiteral("companion_keeps");
inline const QString keepsUntil = QStringLiteral("companion_keeps_until");
inline const QString refund = QStringLiteral("companion_refund");
} // namespace mark

QString idOf(const QJsonValue &idOrObject); // expanded or not
qint64 integerOf(const QJsonValue &value); // 0 for what is no whole number
QDateTime timeOf(const QJsonValue &seconds); // invalid for null
QString tierProduct(const QString &tier); // the id of Stripe's product that stands for a tier: "companion_tier_vip"

// A subscription as it stood at `version`. nullopt: it is not ours, has not begun, or its price is no tier.
std::optional<SubscriptionFact> readSubscription(const QJsonObject &subscription, qint64 version, const QDateTime &at);

// An invoice of a subscription of ours: paid, or open after an attempt that failed. nullopt: another one.
std::optional<PaymentFact> readInvoice(const QJsonObject &invoice, qint64 version, const QDateTime &at);
bool isOurInvoice(const QJsonObject &invoice);

// A checkout session of ours; `state` is what the event says of it. For a subscription only which invoice is whose:
// the invoice itself tells the rest.
std::optional<PaymentFact> readSession(const QJsonObject &session, std::optional<PaymentFact::State> state,
                                       qint64 version, const QDateTime &at);

// Whose charge it is (by our marks), its ids and what of it was refunded. No state.
std::optional<PaymentFact> readCharge(const QJsonObject &charge, qint64 version, const QDateTime &at);
bool isOurCharge(const QJsonObject &charge);
// Also that it was paid, and the fee where balance_transaction is expanded and in the charge's own currency.
std::optional<PaymentFact> readPaidCharge(const QJsonObject &charge, qint64 version);

// nullopt: an enquiry, for which no money was taken. `charge` (may be empty) for its amount in its own currency.
std::optional<DisputeFact> readDispute(const QJsonObject &dispute, const QJsonObject &charge, qint64 version,
                                       const QDateTime &at);

// An event's facts, or what has to be looked up first (see StripeProvider::complete). Neither: nothing of ours.
struct ReadEvent
{
    FactList facts;
    std::optional<QJsonObject> lookUp;
};
ReadEvent readEvent(const QJsonObject &event);
QStringList eventTypes(); // those that are read

} // namespace companion::payments::stripe
