#include "common/money/Money.h"

#include "common/Ensure.h"
#include "common/money/FixedPoint.h"

#include <algorithm>
#include <array>

namespace companion {

namespace {

bool isCurrencyCode(QStringView code)
{
    return code.size() == 3 && std::ranges::all_of(code, [](QChar c) { return c >= u'A' && c <= u'Z'; });
}

} // namespace

Money Money::fromMinor(std::int64_t minor, const QString &currency)
{
    ensure(isCurrencyCode(currency), "a currency is three capital letters");
    Money money;
    money.m_minor = minor;
    money.m_currency = currency;
    return money;
}

std::optional<Money> Money::parse(QStringView amount, const QString &currency)
{
    if (!isCurrencyCode(currency))
        return std::nullopt;
    const auto minor = fixed_point::parse(amount, minorDigits(currency));
    return minor ? std::optional(fromMinor(*minor, currency)) : std::nullopt;
}

QString Money::amount() const
{
    return fixed_point::format(m_minor, minorDigits(m_currency));
}

int Money::minorDigits(QStringView currency)
{
    // ISO 4217, the currencies whose exponent is not 2.
    static constexpr std::array none{u"BIF", u"CLP", u"DJF", u"GNF", u"ISK", u"JPY", u"KMF", u"KRW",
                                     u"PYG", u"RWF", u"UGX", u"VND", u"VUV", u"XAF", u"XOF", u"XPF"};
    static constexpr std::array three{u"BHD", u"IQD", u"JOD", u"KWD", u"LYD", u"OMR", u"TND"};
    const auto is = [currency](const char16_t *code) { return currency == QStringView(code, 3); };
    return std::ranges::any_of(none, is) ? 0 : std::ranges::any_of(three, is) ? 3 : 2;
}

} // namespace companion
