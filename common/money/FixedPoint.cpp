#include "common/money/FixedPoint.h"

namespace companion::fixed_point {

std::optional<std::int64_t> parse(QStringView text, int places)
{
    const bool negative = text.startsWith(u'-');
    if (negative)
        text = text.sliced(1);
    const qsizetype point = text.indexOf(u'.');
    const QStringView whole = point < 0 ? text : text.first(point);
    const QStringView fraction = point < 0 ? QStringView() : text.sliced(point + 1);
    if (whole.isEmpty() || (point >= 0 && fraction.isEmpty()) || fraction.size() > places)
        return std::nullopt;

    std::int64_t units = 0;
    const auto append = [&units, negative](QChar c) {
        const int digit = c.unicode() - u'0';
        return digit >= 0 && digit <= 9 && !__builtin_mul_overflow(units, 10, &units)
            && !__builtin_add_overflow(units, negative ? -digit : digit, &units);
    };
    for (QChar c : whole)
        if (!append(c))
            return std::nullopt;
    for (int i = 0; i < places; ++i)
        if (!append(i < fraction.size() ? fraction[i] : u'0'))
            return std::nullopt;
    return units;
}

QString format(std::int64_t units, int places)
{
    const bool negative = units < 0;
    const std::uint64_t magnitude =
        negative ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
    QString text = QString::number(magnitude).rightJustified(places + 1, u'0');
    if (places > 0)
        text.insert(text.size() - places, u'.');
    return negative ? QString(u'-' + text) : text;
}

std::optional<std::int64_t> add(std::int64_t a, std::int64_t b)
{
    std::int64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? std::nullopt : std::optional(sum);
}

std::optional<std::int64_t> subtract(std::int64_t a, std::int64_t b)
{
    std::int64_t difference = 0;
    return __builtin_sub_overflow(a, b, &difference) ? std::nullopt : std::optional(difference);
}

} // namespace companion::fixed_point
