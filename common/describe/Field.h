#pragma once

#include <concepts>
#include <limits>
#include <tuple>
#include <utility>

namespace companion {

// What a field is beyond its C++ type. Lengths count characters (Unicode code points, as JSON Schema and PostgreSQL do)
// unless they say bytes (UTF-8).
struct FieldRules
{
    const char *title = ""; // column header and form label, English; translated where it is shown
    const char *description = ""; // for the OpenAPI document
    int minLength = 0;
    int maxLength = std::numeric_limits<int>::max(); // for text: characters; for lists: entries
    int maxBytes = std::numeric_limits<int>::max();
    double minimum = std::numeric_limits<double>::lowest();
    double maximum = std::numeric_limits<double>::max();
    const char *pattern = ""; // ECMA 262, matched against the whole text
    bool hasDefault = false; // may be missing on input; keeps the member's initial value
    bool nullable = false; // an empty std::optional is written as null, and null is read as empty
    const char *example = ""; // for the OpenAPI document: the text itself, or the JSON of what is no text
};

template <class Owner, class Member>
struct Field
{
    const char *name; // snake_case, as in JSON and in the database
    Member Owner::*member;
    FieldRules rules = {};
};

template <class Owner, class Member>
constexpr Field<Owner, Member> field(const char *name, Member Owner::*member, FieldRules rules = {})
{
    return {name, member, rules};
}

// A shared model describes itself once, and the description serves JSON in and out, validation messages, the OpenAPI
// schema and the console's table columns:
//
//   struct Lot
//   {
//       Bucket bucket;
//       Credits remaining;
//       std::optional<QDateTime> expiresAt;
//       static constexpr const char *modelName = "Lot";
//       static constexpr auto fields() { return std::tuple(field("bucket", &Lot::bucket), …); }
//   };
template <class T>
concept Described = requires {
    T::fields();
    { T::modelName } -> std::convertible_to<const char *>;
};

// An enumeration names its values once:
// template <> struct EnumNames<Mode> { static constexpr std::array values{…pairs}; };
template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = requires { EnumNames<E>::values; };

template <Described T, class Visitor>
constexpr void forEachField(Visitor &&visit)
{
    std::apply([&](const auto &...fields) { (visit(fields), ...); }, T::fields());
}

template <NamedEnum E>
constexpr const char *enumName(E value)
{
    for (const auto &[candidate, name] : EnumNames<E>::values)
        if (candidate == value)
            return name;
    return "";
}

} // namespace companion
