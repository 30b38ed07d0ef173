#pragma once

#include "common/Ids.h"
#include "common/Result.h"
#include "common/describe/Field.h"
#include "common/money/Money.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonObject>
#include <QStringList>

namespace companion {

enum class UnknownFields { Refuse, Ignore };

// Reading collects every wrong place instead of stopping at the first.
class JsonReader
{
public:
    explicit JsonReader(UnknownFields unknown = UnknownFields::Refuse)
        : m_unknown(unknown)
    {
    }
    UnknownFields unknownFields() const { return m_unknown; }
    void fail(const QString &pointer, const QString &message) { m_errors.append({pointer, message}); }
    const QList<FieldError> &errors() const { return m_errors; }

private:
    UnknownFields m_unknown;
    QList<FieldError> m_errors;
};

// JsonType<T> knows one C++ type's JSON: write, read (false when it reported an error) and its JSON Schema.
template <class T>
struct JsonType;

namespace json {
QString childPointer(const QString &pointer, const QString &name); // escapes ~ and /
bool readText(const QJsonValue &value, QString &out, JsonReader &reader, const QString &pointer,
              const FieldRules &rules);
bool readInteger(const QJsonValue &value, qint64 low, qint64 high, qint64 &out, JsonReader &reader,
                 const QString &pointer, const FieldRules &rules);
bool readNumber(const QJsonValue &value, double &out, JsonReader &reader, const QString &pointer,
                const FieldRules &rules);
bool readTime(const QJsonValue &value, QDateTime &out, JsonReader &reader, const QString &pointer);
// RFC 3339 in UTC with milliseconds only where there are any: "2026-03-01T12:00:00Z".
QString timeText(const QDateTime &time);
std::optional<QDateTime> parseTime(QStringView text);
QJsonObject textSchema(const FieldRules &rules);
QJsonObject numberSchema(const char *type, const FieldRules &rules);
QJsonObject integerSchema(const FieldRules &rules, bool isWide);
QJsonObject decimalSchema(int places);
QJsonObject listSchema(const QJsonObject &items, const FieldRules &rules);
QJsonObject orNull(const QJsonObject &schema);
void refuseUnknown(const QJsonObject &object, const QStringList &known, JsonReader &reader, const QString &pointer);
QJsonObject describeSchema(QJsonObject schema, const FieldRules &rules);
} // namespace json

template <>
struct JsonType<QString>
{
    static QJsonValue write(const QString &value) { return value; }
    static bool read(const QJsonValue &v, QString &out, JsonReader &r, const QString &p, const FieldRules &rules)
    {
        return json::readText(v, out, r, p, rules);
    }
    static QJsonObject schema(const FieldRules &rules) { return json::textSchema(rules); }
};

template <>
struct JsonType<bool>
{
    static QJsonValue write(bool value) { return value; }
    static bool read(const QJsonValue &v, bool &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        if (!v.isBool()) {
            r.fail(p, QStringLiteral("must be true or false"));
            return false;
        }
        out = v.toBool();
        return true;
    }
    static QJsonObject schema(const FieldRules &) { return {{QStringLiteral("type"), QStringLiteral("boolean")}}; }
};

template <std::integral I>
    requires(!std::same_as<I, bool>)
struct JsonType<I>
{
    static QJsonValue write(I value) { return static_cast<qint64>(value); }
    static bool read(const QJsonValue &v, I &out, JsonReader &r, const QString &p, const FieldRules &rules)
    {
        qint64 number = 0;
        if (!json::readInteger(v, std::numeric_limits<I>::min(), std::numeric_limits<I>::max(), number, r, p, rules))
            return false;
        out = static_cast<I>(number);
        return true;
    }
    static QJsonObject schema(const FieldRules &rules) { return json::integerSchema(rules, sizeof(I) > 4); }
};

template <>
struct JsonType<double>
{
    static QJsonValue write(double value) { return value; }
    static bool read(const QJsonValue &v, double &out, JsonReader &r, const QString &p, const FieldRules &rules)
    {
        return json::readNumber(v, out, r, p, rules);
    }
    static QJsonObject schema(const FieldRules &rules) { return json::numberSchema("number", rules); }
};

template <class Tag, int Places>
struct JsonType<FixedPoint<Tag, Places>>
{
    using Value = FixedPoint<Tag, Places>;
    static QJsonValue write(Value value) { return value.toString(); }
    static bool read(const QJsonValue &v, Value &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        const auto parsed = v.isString() ? Value::parse(v.toString()) : std::nullopt;
        if (!parsed) {
            r.fail(p, QStringLiteral("must be a decimal string with at most %1 places, like \"12.34\"").arg(Places));
            return false;
        }
        out = *parsed;
        return true;
    }
    static QJsonObject schema(const FieldRules &) { return json::decimalSchema(Places); }
};

template <class Tag>
struct JsonType<Id<Tag>>
{
    static QJsonValue write(const Id<Tag> &value) { return value.toString(); }
    static bool read(const QJsonValue &v, Id<Tag> &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        const auto parsed = v.isString() ? Id<Tag>::parse(v.toString()) : std::nullopt;
        if (!parsed) {
            r.fail(p, QStringLiteral("must be a UUID"));
            return false;
        }
        out = *parsed;
        return true;
    }
    static QJsonObject schema(const FieldRules &)
    {
        return {{QStringLiteral("type"), QStringLiteral("string")}, {QStringLiteral("format"), QStringLiteral("uuid")}};
    }
};

template <>
struct JsonType<QDateTime>
{
    static QJsonValue write(const QDateTime &value) { return json::timeText(value); }
    static bool read(const QJsonValue &v, QDateTime &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        return json::readTime(v, out, r, p);
    }
    static QJsonObject schema(const FieldRules &)
    {
        return {{QStringLiteral("type"), QStringLiteral("string")},
                {QStringLiteral("format"), QStringLiteral("date-time")}};
    }
};

// Free-form objects: kept as they come.
template <>
struct JsonType<QJsonObject>
{
    static QJsonValue write(const QJsonObject &value) { return value; }
    static bool read(const QJsonValue &v, QJsonObject &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        if (!v.isObject()) {
            r.fail(p, QStringLiteral("must be an object"));
            return false;
        }
        out = v.toObject();
        return true;
    }
    static QJsonObject schema(const FieldRules &) { return {{QStringLiteral("type"), QStringLiteral("object")}}; }
};

template <NamedEnum E>
struct JsonType<E>
{
    static QJsonValue write(E value) { return QString::fromLatin1(enumName(value)); }
    static bool read(const QJsonValue &v, E &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        const QString text = v.toString();
        QStringList names;
        for (const auto &[value, name] : EnumNames<E>::values) {
            if (v.isString() && text == QLatin1StringView(name)) {
                out = value;
                return true;
            }
            names.append(QLatin1StringView(name));
        }
        r.fail(p, QStringLiteral("must be one of: %1").arg(names.join(QStringLiteral(", "))));
        return false;
    }
    static QJsonObject schema(const FieldRules &)
    {
        QJsonArray names;
        for (const auto &[value, name] : EnumNames<E>::values)
            names.append(QString::fromLatin1(name));
        return {{QStringLiteral("type"), QStringLiteral("string")}, {QStringLiteral("enum"), names}};
    }
};

template <class T>
struct JsonType<QList<T>>
{
    static QJsonValue write(const QList<T> &values)
    {
        QJsonArray array;
        for (const T &value : values)
            array.append(JsonType<T>::write(value));
        return array;
    }
    static bool read(const QJsonValue &v, QList<T> &out, JsonReader &r, const QString &p, const FieldRules &rules)
    {
        if (!v.isArray()) {
            r.fail(p, QStringLiteral("must be an array"));
            return false;
        }
        const QJsonArray array = v.toArray();
        if (array.size() > rules.maxLength || array.size() < rules.minLength) {
            r.fail(p, QStringLiteral("must have %1 to %2 entries").arg(rules.minLength).arg(rules.maxLength));
            return false;
        }
        out.clear();
        bool fine = true;
        for (qsizetype i = 0; i < array.size(); ++i) {
            T entry{};
            fine &= JsonType<T>::read(array[i], entry, r, json::childPointer(p, QString::number(i)), {});
            out.append(std::move(entry));
        }
        return fine;
    }
    static QJsonObject schema(const FieldRules &rules)
    {
        return json::listSchema(JsonType<T>::schema(FieldRules{}), rules);
    }
};

template <class T>
struct JsonType<std::optional<T>>
{
    static QJsonValue write(const std::optional<T> &value)
    {
        return value ? JsonType<T>::write(*value) : QJsonValue(QJsonValue::Null);
    }
    static bool read(const QJsonValue &v, std::optional<T> &out, JsonReader &r, const QString &p,
                     const FieldRules &rules)
    {
        if (v.isNull() && rules.nullable) {
            out.reset();
            return true;
        }
        T value{};
        if (!JsonType<T>::read(v, value, r, p, rules))
            return false;
        out = std::move(value);
        return true;
    }
    static QJsonObject schema(const FieldRules &rules)
    {
        const QJsonObject inner = JsonType<T>::schema(rules);
        return rules.nullable ? json::orNull(inner) : inner;
    }
};

template <class T>
inline constexpr bool isOptional = false;
template <class T>
inline constexpr bool isOptional<std::optional<T>> = true;

template <Described T>
QJsonObject toJson(const T &model)
{
    QJsonObject object;
    forEachField<T>([&](const auto &f) {
        using Member = std::remove_cvref_t<decltype(model.*(f.member))>;
        if constexpr (isOptional<Member>)
            if (!(model.*(f.member)).has_value() && !f.rules.nullable)
                return;
        object.insert(QLatin1StringView(f.name), JsonType<Member>::write(model.*(f.member)));
    });
    return object;
}

template <Described T>
bool readObject(const QJsonValue &value, T &out, JsonReader &reader, const QString &pointer)
{
    if (!value.isObject()) {
        reader.fail(pointer, QStringLiteral("must be an object"));
        return false;
    }
    const QJsonObject object = value.toObject();
    const qsizetype before = reader.errors().size();
    QStringList known;
    forEachField<T>([&](const auto &f) {
        using Member = std::remove_cvref_t<decltype(out.*(f.member))>;
        const QString name = QString::fromLatin1(f.name);
        known.append(name);
        const auto at = object.constFind(name);
        if (at == object.constEnd()) {
            if (!isOptional<Member> && !f.rules.hasDefault)
                reader.fail(json::childPointer(pointer, name), QStringLiteral("is missing"));
            return;
        }
        JsonType<Member>::read(*at, out.*(f.member), reader, json::childPointer(pointer, name), f.rules);
    });
    if (reader.unknownFields() == UnknownFields::Refuse)
        json::refuseUnknown(object, known, reader, pointer);
    return reader.errors().size() == before;
}

// The model, or 422 `invalid` with every wrong place named.
template <Described T>
Result<T> fromJson(const QJsonValue &value, UnknownFields unknown = UnknownFields::Refuse)
{
    JsonReader reader(unknown);
    T model{};
    if (readObject(value, model, reader, QString()))
        return model;
    return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                   .detail = QStringLiteral("The body is not valid; see errors."),
                                   .errors = reader.errors()});
}

// JSON Schema (2020-12, as OpenAPI 3.1 uses it). Nested models are written in place, each with its name as `title`; the
// OpenAPI document gives every title a place of its own.
template <Described T>
QJsonObject schemaOf()
{
    QJsonObject properties;
    QJsonArray required;
    forEachField<T>([&](const auto &f) {
        using Member = std::remove_cvref_t<decltype(std::declval<T>().*(f.member))>;
        const QString name = QString::fromLatin1(f.name);
        QJsonObject described = json::describeSchema(JsonType<Member>::schema(f.rules), f.rules);
        if constexpr (!isOptional<Member>)
            if (f.rules.hasDefault)
                described.insert(QStringLiteral("default"), JsonType<Member>::write(T{}.*(f.member)));
        properties.insert(name, described);
        if ((!isOptional<Member> || f.rules.nullable) && !f.rules.hasDefault)
            required.append(name);
    });
    QJsonObject schema{{QStringLiteral("title"), QString::fromLatin1(T::modelName)},
                       {QStringLiteral("type"), QStringLiteral("object")},
                       {QStringLiteral("properties"), properties}};
    if (!required.isEmpty())
        schema.insert(QStringLiteral("required"), required);
    return schema;
}

template <Described T>
struct JsonType<T>
{
    static QJsonValue write(const T &value) { return toJson(value); }
    static bool read(const QJsonValue &v, T &out, JsonReader &r, const QString &p, const FieldRules &)
    {
        return readObject(v, out, r, p);
    }
    static QJsonObject schema(const FieldRules &) { return schemaOf<T>(); }
};

} // namespace companion
