#pragma once

#include "common/describe/Field.h"

#include <QString>
#include <optional>

namespace companion {

template <NamedEnum E>
QString toText(E value)
{
    return QString::fromLatin1(enumName(value));
}

template <NamedEnum E>
std::optional<E> fromText(QStringView text)
{
    for (const auto &[value, name] : EnumNames<E>::values)
        if (text == QLatin1StringView(name))
            return value;
    return std::nullopt;
}

} // namespace companion
