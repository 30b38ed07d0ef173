#include "console/models/MoneyWords.h"

#include "common/describe/EnumText.h"
#include "console/models/Format.h"
#include "console/models/Words.h"

#include <QCoreApplication>

namespace companion::console::words {

namespace {

QString moneyWord(const char *text)
{
    return QCoreApplication::translate("MoneyWords", text);
}

} // namespace

QString provider(Provider provider)
{
    switch (provider) {
    case Provider::Stripe:
        return QStringLiteral("Stripe");
    case Provider::Apple:
        return QStringLiteral("App Store");
    case Provider::Google:
        return QStringLiteral("Google Play");
    case Provider::Sandbox:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Sandbox"));
    }
    return {};
}

QString paidFor(PaidFor kind, const QString &code)
{
    return kind == PaidFor::CreditPackage
        ? moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "%1 package")).arg(product(code))
        : moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "%1 subscription")).arg(product(code));
}

QString paymentStatus(PaymentStatus status)
{
    switch (status) {
    case PaymentStatus::Pending:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Pending"));
    case PaymentStatus::Paid:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Paid"));
    case PaymentStatus::Failed:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Failed"));
    case PaymentStatus::Refunded:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Refunded"));
    case PaymentStatus::PartiallyRefunded:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Partly refunded"));
    case PaymentStatus::Disputed:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Disputed"));
    }
    return {};
}

QString subscriptionStatus(SubscriptionStatus status)
{
    switch (status) {
    case SubscriptionStatus::Trialing:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Trial"));
    case SubscriptionStatus::Active:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Active"));
    case SubscriptionStatus::PastDue:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Past due"));
    case SubscriptionStatus::Canceled:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Canceled, runs on"));
    case SubscriptionStatus::Expired:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Ended"));
    case SubscriptionStatus::Refunded:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Refunded"));
    }
    return {};
}

QString disputeState(DisputeState state)
{
    switch (state) {
    case DisputeState::Open:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Open"));
    case DisputeState::Won:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Won"));
    case DisputeState::Lost:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Lost"));
    }
    return {};
}

QString differenceKind(DifferenceKind kind)
{
    switch (kind) {
    case DifferenceKind::MissingHere:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Missing here"));
    case DifferenceKind::MissingThere:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Missing there"));
    case DifferenceKind::Amount:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Another amount"));
    case DifferenceKind::Refunded:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Another refund"));
    case DifferenceKind::Status:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Another state"));
    case DifferenceKind::UnusableEvent:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Webhook not applied"));
    }
    return {};
}

QString debtCause(const QString &cause)
{
    return cause == QLatin1StringView("chargeback") ? moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Chargeback"))
        : cause == QLatin1StringView("payment_refund")
        ? moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Refund of spent credits"))
        : format::words(cause);
}

QString subscriptionEvent(const SubscriptionEvent &event)
{
    switch (event.kind) {
    case SubscriptionEventKind::Told:
        return event.status ? subscriptionStatus(*event.status) : QString();
    case SubscriptionEventKind::PaymentRefunded:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Period refunded"));
    case SubscriptionEventKind::PaymentDisputed:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Period disputed"));
    case SubscriptionEventKind::PaymentRestored:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Period restored"));
    }
    return {};
}

QString revenueInterval(RevenueInterval interval)
{
    switch (interval) {
    case RevenueInterval::Day:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "By day"));
    case RevenueInterval::Week:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "By week"));
    case RevenueInterval::Month:
        return moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "By month"));
    }
    return {};
}

Tone tone(PaymentStatus status)
{
    switch (status) {
    case PaymentStatus::Paid:
        return Tone::Positive;
    case PaymentStatus::Failed:
    case PaymentStatus::Disputed:
        return Tone::Danger;
    case PaymentStatus::Pending:
    case PaymentStatus::PartiallyRefunded:
        return Tone::Warning;
    case PaymentStatus::Refunded:
        break;
    }
    return Tone::Neutral;
}

Tone tone(SubscriptionStatus status)
{
    switch (status) {
    case SubscriptionStatus::Trialing:
        return Tone::Accent;
    case SubscriptionStatus::Active:
        return Tone::Positive;
    case SubscriptionStatus::PastDue:
        return Tone::Danger;
    case SubscriptionStatus::Canceled:
        return Tone::Warning;
    case SubscriptionStatus::Expired:
    case SubscriptionStatus::Refunded:
        break;
    }
    return Tone::Neutral;
}

Tone tone(DisputeState state)
{
    return state == DisputeState::Open ? Tone::Warning : state == DisputeState::Won ? Tone::Positive : Tone::Danger;
}

QString differenceState(const ReconciliationDifference &difference)
{
    return difference.healed    ? moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Healed by itself"))
        : difference.resolvedAt ? moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Resolved"))
                                : moneyWord(QT_TRANSLATE_NOOP("MoneyWords", "Open"));
}

Tone tone(const ReconciliationDifference &difference)
{
    return difference.healed ? Tone::Positive : difference.resolvedAt ? Tone::Neutral : Tone::Danger;
}

} // namespace companion::console::words
