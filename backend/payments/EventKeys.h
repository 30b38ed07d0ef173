#pragma once

#include "payments/Facts.h"
#include "payments/PaymentProvider.h"

#include <QStringList>

namespace companion::payments {

// By these names the things that events speak of are locked while one is applied, and may be waited for.
QString paymentKey(const QString &reference);
QString subscriptionKey(const QString &reference);
QStringList paymentKeys(const QStringList &references);
// All that the facts are about.
QStringList keysOf(const FactList &facts);
// And the event itself.
QStringList keysOf(const ProviderEvent &event);

// The header that proved a webhook, as it is kept.
QString signatureOf(const Webhook &raw);

} // namespace companion::payments
