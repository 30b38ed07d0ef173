#include "common/describe/Json.h"

#include <QJsonDocument>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>

namespace companion::json {

QString childPointer(const QString &pointer, const QString &name)
{
    QString escaped = name;
    escaped.replace(u'~', QStringLiteral("~0")).replace(u'/', QStringLiteral("~1"));
    return pointer + u'/' + escaped;
}

namespace {

qsizetype charactersOf(const QString &text)
{
    return text.size() - std::ranges::count_if(text, [](QChar c) { return c.isLowSurrogate(); });
}

std::optional<QString> textProblem(const QString &text, const FieldRules &rules)
{
    if (text.contains(QChar(u'\0')))
        return QStringLiteral("must not hold a NUL character");
    if (!text.isValidUtf16())
        return QStringLiteral("must be valid Unicode");
    if (charactersOf(text) < rules.minLength)
        return rules.minLength == 1 ? QStringLiteral("must not be empty")
                                    : QStringLiteral("must have at least %1 characters").arg(rules.minLength);
    if (charactersOf(text) > rules.maxLength)
        return QStringLiteral("must have at most %1 characters").arg(rules.maxLength);
    if (rules.maxBytes != std::numeric_limits<int>::max() && text.toUtf8().size() > rules.maxBytes)
        return QStringLiteral("must have at most %1 bytes").arg(rules.maxBytes);
    if (*rules.pattern) {
        const QRegularExpression whole(QRegularExpression::anchoredPattern(QString::fromLatin1(rules.pattern)));
        if (!whole.match(text).hasMatch())
            return QStringLiteral("must match %1").arg(QLatin1StringView(rules.pattern));
    }
    return std::nullopt;
}

std::optional<QString> rangeProblem(double number, const FieldRules &rules)
{
    if (number < rules.minimum)
        return QStringLiteral("must be at least %1").arg(rules.minimum);
    if (number > rules.maximum)
        return QStringLiteral("must be at most %1").arg(rules.maximum);
    return std::nullopt;
}

bool report(const std::optional<QString> &problem, JsonReader &reader, const QString &pointer)
{
    if (problem)
        reader.fail(pointer, *problem);
    return !problem;
}

} // namespace

bool readText(const QJsonValue &value, QString &out, JsonReader &reader, const QString &pointer,
              const FieldRules &rules)
{
    if (!value.isString())
        return report(QStringLiteral("must be a string"), reader, pointer);
    out = value.toString();
    return report(textProblem(out, rules), reader, pointer);
}

bool readInteger(const QJsonValue &value, qint64 low, qint64 high, qint64 &out, JsonReader &reader,
                 const QString &pointer, const FieldRules &rules)
{
    // toInteger gives the default for anything that is no whole number; two defaults tell it from that very number.
    if (!value.isDouble() || (value.toInteger(0) == 0 && value.toInteger(1) == 1))
        return report(QStringLiteral("must be a whole number"), reader, pointer);
    out = value.toInteger();
    if (out < low || out > high)
        return report(QStringLiteral("is out of range"), reader, pointer);
    return report(rangeProblem(static_cast<double>(out), rules), reader, pointer);
}

bool readNumber(const QJsonValue &value, double &out, JsonReader &reader, const QString &pointer,
                const FieldRules &rules)
{
    if (!value.isDouble() || !std::isfinite(value.toDouble()))
        return report(QStringLiteral("must be a number"), reader, pointer);
    out = value.toDouble();
    return report(rangeProblem(out, rules), reader, pointer);
}

QString timeText(const QDateTime &time)
{
    const QDateTime utc = time.toUTC();
    return utc.toString(utc.time().msec() ? Qt::ISODateWithMs : Qt::ISODate);
}

std::optional<QDateTime> parseTime(QStringView text)
{
    static const QRegularExpression shape(
        QStringLiteral(R"(^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$)"));
    if (!shape.match(text.toString()).hasMatch())
        return std::nullopt;
    const QDateTime time = QDateTime::fromString(text.toString().toUpper(), Qt::ISODateWithMs);
    return time.isValid() ? std::optional(time.toUTC()) : std::nullopt;
}

bool readTime(const QJsonValue &value, QDateTime &out, JsonReader &reader, const QString &pointer)
{
    const auto time = value.isString() ? parseTime(value.toString()) : std::nullopt;
    if (!time)
        return report(QStringLiteral("must be an RFC 3339 time, like \"2026-03-01T12:00:00Z\""), reader, pointer);
    out = *time;
    return true;
}

QJsonObject textSchema(const FieldRules &rules)
{
    QJsonObject schema{{QStringLiteral("type"), QStringLiteral("string")}};
    static const QRegularExpression choice(QStringLiteral("^\\w+(\\|\\w+)*$"));
    if (*rules.pattern && choice.match(QLatin1StringView(rules.pattern)).hasMatch()) {
        schema.insert(QStringLiteral("enum"),
                      QJsonArray::fromStringList(QString::fromLatin1(rules.pattern).split(u'|')));
        return schema;
    }
    if (rules.minLength > 0)
        schema.insert(QStringLiteral("minLength"), rules.minLength);
    if (rules.maxLength != std::numeric_limits<int>::max())
        schema.insert(QStringLiteral("maxLength"), rules.maxLength);
    if (*rules.pattern)
        schema.insert(QStringLiteral("pattern"), QStringLiteral("^(?:%1)$").arg(QLatin1StringView(rules.pattern)));
    if (rules.maxBytes != std::numeric_limits<int>::max()) {
        schema.insert(QStringLiteral("maxLength"), std::min(rules.maxLength, rules.maxBytes));
        schema.insert(QStringLiteral("description"), QStringLiteral("At most %1 bytes in UTF-8.").arg(rules.maxBytes));
    }
    return schema;
}

QJsonObject numberSchema(const char *type, const FieldRules &rules)
{
    QJsonObject schema{{QStringLiteral("type"), QString::fromLatin1(type)}};
    if (rules.minimum != std::numeric_limits<double>::lowest())
        schema.insert(QStringLiteral("minimum"), rules.minimum);
    if (rules.maximum != std::numeric_limits<double>::max())
        schema.insert(QStringLiteral("maximum"), rules.maximum);
    return schema;
}

QJsonObject integerSchema(const FieldRules &rules, bool isWide)
{
    QJsonObject schema = numberSchema("integer", rules);
    schema.insert(QStringLiteral("format"), isWide ? QStringLiteral("int64") : QStringLiteral("int32"));
    return schema;
}

QJsonObject decimalSchema(int places)
{
    return {{QStringLiteral("type"), QStringLiteral("string")},
            {QStringLiteral("pattern"), QStringLiteral("^-?[0-9]+(\\.[0-9]{1,%1})?$").arg(places)},
            {QStringLiteral("examples"),
             QJsonArray{QString(QStringLiteral("12.") + QStringLiteral("5").leftJustified(places, u'0'))}}};
}

QJsonObject listSchema(const QJsonObject &items, const FieldRules &rules)
{
    QJsonObject schema{{QStringLiteral("type"), QStringLiteral("array")}, {QStringLiteral("items"), items}};
    if (rules.minLength > 0)
        schema.insert(QStringLiteral("minItems"), rules.minLength);
    if (rules.maxLength != std::numeric_limits<int>::max())
        schema.insert(QStringLiteral("maxItems"), rules.maxLength);
    return schema;
}

QJsonObject orNull(const QJsonObject &schema)
{
    QJsonObject null{{QStringLiteral("type"), QStringLiteral("null")}};
    const bool isSimple = schema.value(QStringLiteral("type")).isString() && !schema.contains(QStringLiteral("enum"))
        && !schema.contains(QStringLiteral("title"));
    if (!isSimple)
        return {{QStringLiteral("oneOf"), QJsonArray{schema, null}}};
    QJsonObject both = schema;
    both.insert(QStringLiteral("type"), QJsonArray{schema.value(QStringLiteral("type")), QStringLiteral("null")});
    return both;
}

void refuseUnknown(const QJsonObject &object, const QStringList &known, JsonReader &reader, const QString &pointer)
{
    for (auto it = object.begin(); it != object.end(); ++it)
        if (!known.contains(it.key()))
            reader.fail(childPointer(pointer, it.key()), QStringLiteral("is not a known field"));
}

QJsonObject describeSchema(QJsonObject schema, const FieldRules &rules)
{
    if (*rules.description)
        schema.insert(QStringLiteral("description"), QString::fromUtf8(rules.description));
    if (*rules.example) {
        const QString type = schema.value(QStringLiteral("type")).toString();
        const QByteArray text(rules.example);
        const bool isText =
            type == u"string" || schema.value(QStringLiteral("type")).toArray().contains(QStringLiteral("string"));
        const QJsonValue value =
            isText ? QJsonValue(QString::fromUtf8(text)) : QJsonDocument::fromJson('[' + text + ']').array().first();
        schema.insert(QStringLiteral("examples"), QJsonArray{value});
    }
    return schema;
}

} // namespace companion::json
