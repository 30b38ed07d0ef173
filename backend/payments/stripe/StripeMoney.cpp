#include "payments/stripe/StripeMoney.h"

#include <algorithm>

namespace companion::payments::stripe {

using namespace Qt::StringLiterals;

namespace {

int stripeDigits(const QString &currency)
{
    if (currency == "MGA"_L1)
        return 0;
    if (currency == "ISK"_L1 || currency == "UGX"_L1)
        return 2;
    return Money::minorDigits(currency);
}

bool isCode(const QString &currency)
{
    return currency.size() == 3 && std::ranges::all_of(currency, [](QChar c) { return c >= u'A' && c <= u'Z'; });
}

// Moves the point; nullopt where a digit would be lost or the number grow too large.
std::optional<qint64> rescaled(qint64 amount, int fromDigits, int toDigits)
{
    for (; fromDigits < toDigits; ++fromDigits)
        if (__builtin_mul_overflow(amount, qint64(10), &amount))
            return std::nullopt;
    for (; fromDigits > toDigits; --fromDigits) {
        if (amount % 10 != 0)
            return std::nullopt;
        amount /= 10;
    }
    return amount;
}

} // namespace

std::optional<qint64> toStripe(qint64 minor, const QString &currency)
{
    if (!isCode(currency) || (Money::minorDigits(currency) == 3 && minor % 10 != 0))
        return std::nullopt;
    return rescaled(minor, Money::minorDigits(currency), stripeDigits(currency));
}

std::optional<qint64> fromStripe(qint64 amount, const QString &stripeCurrency)
{
    const QString currency = stripeCurrency.toUpper();
    if (!isCode(currency))
        return std::nullopt;
    return rescaled(amount, stripeDigits(currency), Money::minorDigits(currency));
}

} // namespace companion::payments::stripe
