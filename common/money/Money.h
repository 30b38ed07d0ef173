#pragma once

#include <QString>
#include <cstdint>
#include <optional>

namespace companion {

// Real money: an integer of the currency's minor units beside its ISO 4217 code. "9.99" USD is {999, "USD"}.
class Money
{
public:
    Money() = default;
    static Money fromMinor(std::int64_t minor, const QString &currency);
    // nullopt when the text has more places than the currency, or the currency is no ISO 4217 code.
    static std::optional<Money> parse(QStringView amount, const QString &currency);

    std::int64_t minor() const { return m_minor; }
    QString currency() const { return m_currency; }
    // The amount alone with the currency's places: "9.99", "980" for JPY.
    QString amount() const;

    // Digits after the point: 2 for most, 0 for JPY and its like, 3 for KWD and its like.
    static int minorDigits(QStringView currency);

    bool operator==(const Money &) const = default;

private:
    std::int64_t m_minor = 0;
    QString m_currency = QStringLiteral("USD");
};

} // namespace companion
