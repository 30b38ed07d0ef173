#include "payments/EventKeys.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

QString paymentKey(const QString &reference)
{
    return u"payment "_s + reference;
}

QString subscriptionKey(const QString &reference)
{
    return u"subscription "_s + reference;
}

QStringList paymentKeys(const QStringList &references)
{
    QStringList keys;
    for (const QString &reference : references)
        keys.append(paymentKey(reference));
    return keys;
}

QStringList keysOf(const FactList &facts)
{
    QStringList keys;
    for (const SubscriptionFact &fact : facts.subscriptions)
        keys.append(subscriptionKey(fact.reference));
    for (const PaymentFact &fact : facts.payments) {
        keys.append(paymentKeys(fact.references));
        if (fact.payment)
            keys.append(paymentKey(fact.payment->toString()));
        if (!fact.subscription.isEmpty())
            keys.append(subscriptionKey(fact.subscription));
    }
    for (const DisputeFact &fact : facts.disputes)
        keys.append(paymentKeys(fact.payment));
    return keys;
}

QStringList keysOf(const ProviderEvent &event)
{
    return keysOf(event.facts) << QString(u"event "_s + event.id);
}

QString signatureOf(const Webhook &raw)
{
    for (const char *name : {"Stripe-Signature", "Sandbox-Signature", "Authorization"})
        if (const QByteArray value = raw.header(name); !value.isEmpty())
            return QString::fromLatin1(value.left(4000)).remove(QChar(u'\0'));
    return {};
}

} // namespace companion::payments
