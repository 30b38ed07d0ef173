#include "api/OpenApiSchemas.h"

#include "common/Ensure.h"
#include "common/ErrorCode.h"

#include <QHash>
#include <QJsonArray>
#include <algorithm>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

// "#/components/schemas/Device" → "Device"
QString nameIn(const QJsonValue &reference)
{
    return reference[u"$ref"_s].toString().section(u'/', -1);
}

QString placeName(const QJsonObject &schema)
{
    const QString title = schema[u"title"_s].toString();
    const QString listed = nameIn(schema[u"properties"_s][u"items"][u"items"]);
    return listed.isEmpty() ? title : QString(listed + title);
}

QJsonObject described(QJsonObject schema, const char *description)
{
    schema.insert(u"description"_s, QString::fromUtf8(description));
    return schema;
}

QJsonObject text(const char *description, const char *example)
{
    return {{u"type"_s, u"string"_s},
            {u"description"_s, QString::fromUtf8(description)},
            {u"examples"_s, QJsonArray{QString::fromUtf8(example)}}};
}

QJsonArray allCodes()
{
    QJsonArray codes;
    for (const ErrorDescription &error : allErrors())
        codes.append(QString::fromLatin1(error.name));
    return codes;
}

} // namespace

QJsonValue SchemaPlaces::place(const QJsonValue &value, bool closed)
{
    if (value.isArray()) {
        QJsonArray placed;
        for (const QJsonValue &entry : value.toArray())
            placed.append(place(entry, closed));
        return placed;
    }
    if (!value.isObject())
        return value;
    QJsonObject object = value.toObject();
    for (auto it = object.begin(); it != object.end(); ++it)
        if (it.key() != u"default" && it.key() != u"examples" && it.key() != u"enum" && it.key() != u"const")
            *it = place(*it, closed);
    // "title" is a keyword only where it is a text: a model may have a field of that name.
    return object.value(u"title"_s).isString() ? placeTitled(object, closed) : object;
}

QJsonObject SchemaPlaces::placeTitled(QJsonObject schema, bool closed)
{
    // What a field says about its model stays with the field.
    QJsonObject reference;
    for (const QString &own : {u"description"_s, u"default"_s, u"examples"_s})
        if (schema.contains(own))
            reference.insert(own, schema.take(own));
    if (closed)
        schema.insert(u"additionalProperties"_s, schema.value(u"additionalProperties"_s).toBool(false));
    QString name = placeName(schema);
    if (closed && m_places.contains(name) && m_places.value(name) != schema)
        name += u"Input"_s;
    schema.insert(u"title"_s, name);
    if (!m_places.contains(name))
        m_places.insert(name, schema);
    ensure(m_places.value(name) == schema, "two models have one name");
    reference.insert(u"$ref"_s, QString(u"#/components/schemas/"_s + name));
    return reference;
}

namespace {

// What a text of this name looks like, where its field does not say: a reader learns more from it than from "text".
const char *exampleByName(const QString &name)
{
    static const QHash<QString, const char *> examples{
        {u"access_token"_s, "eyJhbGciOiJIUzI1NiIs…"},
        {u"actor"_s, "7f0c1b1e-0d5c-4c8e-9a57-3f6f0c2b7a11"},
        {u"act"_s, "user.suspend"},
        {u"author"_s, "Nadia"},
        {u"avatar_url"_s, "/api/v1/config/characters/aria/avatar?v=4be1"},
        {u"character"_s, "aria"},
        {u"character_name"_s, "Aria"},
        {u"character_slug"_s, "aria"},
        {u"content"_s, "Hello! I was just thinking of you."},
        {u"currency"_s, "USD"},
        {u"current"_s, "42"},
        {u"description"_s, "A reply of Aria"},
        {u"display_name"_s, "Nadia"},
        {u"effective_price"_s, "0.0817"},
        {u"email"_s, "nadia@example.com"},
        {u"environment"_s, "production"},
        {u"finish_reason"_s, "stop"},
        {u"greeting"_s, "Hi, I'm Aria."},
        {u"key"_s, "sk-companion-…"},
        {u"locale"_s, "en-US"},
        {u"message"_s, "Hello Aria"},
        {u"method"_s, "development"},
        {u"model"_s, "grok-4"},
        {u"name"_s, "Aria"},
        {u"next_cursor"_s, "MTI4"},
        {u"prefix"_s, "sk-companion-4be1"},
        {u"previous"_s, "40"},
        {u"price"_s, "8.99"},
        {u"product"_s, "popular"},
        {u"reason"_s, "as agreed by phone"},
        {u"reference"_s, "any"},
        {u"refresh_token"_s, "rt-companion-…"},
        {u"region"_s, "DE"},
        {u"revenue_usd"_s, "8.99"},
        {u"slug"_s, "aria"},
        {u"system_prompt"_s, "You are Aria, a warm and curious companion."},
        {u"tagline"_s, "Warm, curious, up late"},
        {u"target"_s, "user:7f0c1b1e-0d5c-4c8e-9a57-3f6f0c2b7a11"},
        {u"title"_s, "Late evening"},
        {u"token"_s, "ak-companion-…"},
        {u"token_type"_s, "Bearer"},
        {u"user_agent"_s, "Companion/1.0 (iPhone)"},
        {u"version"_s, "1.0.0"},
    };
    return examples.value(name);
}

QJsonValue exampleOfText(const QJsonObject &schema, const QString &name)
{
    const QString format = schema[u"format"_s].toString();
    if (format == u"uuid")
        return u"7f0c1b1e-0d5c-4c8e-9a57-3f6f0c2b7a11"_s;
    if (format == u"date-time")
        return u"2026-03-01T12:00:00Z"_s;
    if (const char *known = exampleByName(name))
        return QString::fromUtf8(known);
    return u"text"_s.left(schema[u"maxLength"_s].toInt(4));
}

QJsonValue exampleOfObject(const QJsonObject &schema)
{
    const QJsonArray required = schema[u"required"_s].toArray();
    const QJsonObject properties = schema[u"properties"_s].toObject();
    QJsonObject object;
    for (auto it = properties.begin(); it != properties.end(); ++it) {
        const QJsonObject property = it->toObject();
        const bool isTold = property.contains(u"examples"_s) || (required.isEmpty() && exampleByName(it.key()));
        if (required.contains(it.key()) || isTold)
            object.insert(it.key(), exampleOf(property, it.key()));
    }
    return object;
}

} // namespace

QJsonValue exampleOf(const QJsonObject &schema, const QString &name)
{
    if (const QJsonArray examples = schema[u"examples"_s].toArray(); !examples.isEmpty())
        return examples.first();
    for (const QString &choices : {u"enum"_s, u"oneOf"_s, u"anyOf"_s})
        if (const QJsonArray list = schema[choices].toArray(); !list.isEmpty())
            return choices == u"enum" ? list.first() : exampleOf(list.first().toObject(), name);
    if (schema.contains(u"const"_s))
        return schema[u"const"_s];
    if (schema.contains(u"default"_s))
        return schema[u"default"_s];
    const QJsonValue declared = schema[u"type"_s];
    const QString type = declared.isArray() ? declared[0].toString() : declared.toString();
    if (type == u"string")
        return exampleOfText(schema, name);
    if (type == u"integer" || type == u"number")
        return std::max(schema[u"minimum"_s].toDouble(1), 1.0);
    if (type == u"boolean")
        return false;
    if (type == u"array")
        return QJsonArray{exampleOf(schema[u"items"_s].toObject(), name)};
    return exampleOfObject(schema);
}

QJsonObject problemSchema()
{
    const QJsonObject entry{
        {u"type"_s, u"object"_s},
        {u"properties"_s,
         QJsonObject{{u"pointer"_s, text("JSON Pointer into the body, or /query/NAME", "/message")},
                     {u"message"_s, text("What is wrong there, in English", "must not be empty")}}},
        {u"required"_s, QJsonArray{u"pointer"_s, u"message"_s}},
    };
    const QJsonObject properties{
        {u"type"_s, text("urn:companion:problem: and the code", "urn:companion:problem:not_found")},
        {u"title"_s, text("The code in English", "Not found")},
        {u"status"_s,
         QJsonObject{
             {u"type"_s, u"integer"_s}, {u"minimum"_s, 400}, {u"maximum"_s, 599}, {u"examples"_s, QJsonArray{404}}}},
        {u"detail"_s, text("What it is about this time", "There is no such session.")},
        {u"code"_s,
         QJsonObject{{u"type"_s, u"string"_s},
                     {u"description"_s, u"Stable; what a client should branch on"_s},
                     {u"enum"_s, allCodes()},
                     {u"examples"_s, QJsonArray{u"not_found"_s}}}},
        {u"request_id"_s, text("The same as the header X-Request-Id", "0f3a7c1e9b")},
        {u"required"_s, described({{u"type"_s, u"string"_s}}, "insufficient_credits: what the request would hold")},
        {u"available"_s, described({{u"type"_s, u"string"_s}}, "insufficient_credits: what there is")},
        {u"retry_after"_s,
         described({{u"type"_s, u"integer"_s}, {u"minimum"_s, 0}}, "Seconds; the same as the header Retry-After")},
        {u"errors"_s,
         described({{u"type"_s, u"array"_s}, {u"items"_s, entry}}, "invalid: one entry for each wrong place")},
    };
    return {{u"type"_s, u"object"_s},
            {u"description"_s, u"RFC 9457"_s},
            {u"properties"_s, properties},
            {u"required"_s, QJsonArray{u"type"_s, u"title"_s, u"status"_s, u"detail"_s, u"code"_s, u"request_id"_s}}};
}

QJsonObject openAiErrorBodySchema()
{
    const QJsonObject orNull{{u"type"_s, QJsonArray{u"string"_s, u"null"_s}}};
    return {{u"type"_s, u"object"_s},
            {u"properties"_s,
             QJsonObject{{u"message"_s, text("In English", "There is no such model.")},
                         {u"type"_s, text("OpenAI's kind of error", "invalid_request_error")},
                         {u"param"_s, described(orNull, "The field that is wrong")},
                         {u"code"_s,
                          QJsonObject{{u"type"_s, u"string"_s},
                                      {u"enum"_s, allCodes()},
                                      {u"examples"_s, QJsonArray{u"model_not_found"_s}}}}}},
            {u"required"_s, QJsonArray{u"message"_s, u"type"_s, u"param"_s, u"code"_s}}};
}

QJsonObject openAiErrorSchema()
{
    const QJsonObject body{{u"$ref"_s, u"#/components/schemas/OpenAiErrorBody"_s}};
    return {{u"type"_s, u"object"_s},
            {u"description"_s, u"OpenAI's shape, with our codes"_s},
            {u"properties"_s, QJsonObject{{u"error"_s, body}}},
            {u"required"_s, QJsonArray{u"error"_s}}};
}

} // namespace companion::api
