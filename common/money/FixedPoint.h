#pragma once

#include "common/Ensure.h"

#include <QString>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace companion {

namespace fixed_point {
// Shape: [-]digits[.digits], at most `places` digits after the point, no exponent, no blanks, no plus sign.
// nullopt for any other text and for values outside int64.
std::optional<std::int64_t> parse(QStringView text, int places);
QString format(std::int64_t units, int places);
std::optional<std::int64_t> add(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> subtract(std::int64_t a, std::int64_t b);
} // namespace fixed_point

// A decimal number with a fixed count of places, as an int64 count of its smallest unit.
// Arithmetic that leaves int64 is a Bug: amounts are bounded where they enter.
template <class Tag, int Places>
class FixedPoint
{
public:
    static constexpr int places = Places;

    constexpr FixedPoint() = default;
    static constexpr FixedPoint fromUnits(std::int64_t units) { return FixedPoint(units); }
    static std::optional<FixedPoint> parse(QStringView text)
    {
        const auto units = fixed_point::parse(text, Places);
        return units ? std::optional(FixedPoint(*units)) : std::nullopt;
    }

    constexpr std::int64_t units() const { return m_units; }
    // Always with all its places: "12.3400".
    QString toString() const { return fixed_point::format(m_units, Places); }

    constexpr bool isZero() const { return m_units == 0; }
    constexpr bool isNegative() const { return m_units < 0; }

    FixedPoint operator+(FixedPoint other) const { return checked(fixed_point::add(m_units, other.m_units)); }
    FixedPoint operator-(FixedPoint other) const { return checked(fixed_point::subtract(m_units, other.m_units)); }
    FixedPoint operator-() const { return FixedPoint() - *this; }
    FixedPoint &operator+=(FixedPoint other) { return *this = *this + other; }
    FixedPoint &operator-=(FixedPoint other) { return *this = *this - other; }
    constexpr auto operator<=>(const FixedPoint &) const = default;

private:
    constexpr explicit FixedPoint(std::int64_t units)
        : m_units(units)
    {
    }
    static FixedPoint checked(std::optional<std::int64_t> units)
    {
        ensure(units.has_value(), "fixed-point arithmetic overflows");
        return FixedPoint(*units);
    }

    std::int64_t m_units = 0;
};

} // namespace companion
