#pragma once

#include "common/money/Money.h"

#include <optional>

namespace companion::payments::stripe {

// Stripe's integers and ours (ISO 4217 minor units) are the same but where they are not: to Stripe MGA has no minor
// unit, and ISK and UGX, which have none, are written with two zeros. Currencies with three places end in 0 there.

// nullopt: the amount cannot be said to Stripe (KWD 1.2345's last digit, MGA's fifths).
std::optional<qint64> toStripe(qint64 minor, const QString &currency);
// nullopt: no ISO code, or a part of ours that does not exist. Takes Stripe's lower case.
std::optional<qint64> fromStripe(qint64 amount, const QString &currency);

} // namespace companion::payments::stripe
