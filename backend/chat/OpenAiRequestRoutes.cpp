#include "chat/OpenAiRequestRoutes.h"

#include "api/Call.h"
#include "api/Idempotency.h"

#include <QJsonArray>

#include <algorithm>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

constexpr int mostTokens = 4096;
constexpr qsizetype mostMessageBytes = 16 * 1024;

std::unexpected<Refusal> malformed(const QString &parameter, const QString &message)
{
    return std::unexpected(Refusal{.code = ErrorCode::MalformedRequest,
                                   .detail = message,
                                   .errors = {{QString(u'/' + parameter), message}}});
}

// A content is a text, or a list of parts of which each is a text.
Result<QString> readContent(const QJsonValue &content, const QString &where)
{
    if (content.isString())
        return content.toString();
    if (!content.isArray())
        return malformed(where, u"must be a string or a list of text parts"_s);
    QStringList texts;
    for (const QJsonValue &part : content.toArray()) {
        if (part[u"type"].toString() != u"text")
            return malformed(where, u"may hold text parts only"_s);
        texts.append(part[u"text"].toString());
    }
    return texts.join(u'\n');
}

Result<llm::ChatMessage> readMessage(const QJsonValue &message, const QString &where)
{
    const QString role = message[u"role"].toString();
    llm::ChatMessage read;
    if (role == u"system" || role == u"developer")
        read.role = llm::ChatMessage::Role::System;
    else if (role == u"assistant")
        read.role = llm::ChatMessage::Role::Assistant;
    else if (role != u"user")
        return malformed(where + u"/role"_s, u"must be system, user or assistant"_s);
    const auto content = readContent(message[u"content"], where + u"/content"_s);
    if (!content)
        return std::unexpected(content.error());
    if (content->contains(QChar(u'\0')) || !content->isValidUtf16())
        return malformed(where + u"/content"_s, u"must be valid text"_s);
    if (content->toUtf8().size() > mostMessageBytes)
        return malformed(where + u"/content"_s, u"must have at most 16384 bytes"_s);
    read.content = *content;
    return read;
}

Result<QList<llm::ChatMessage>> readMessages(const QJsonValue &value)
{
    const QJsonArray array = value.toArray();
    if (array.isEmpty() || array.size() > 500)
        return malformed(u"messages"_s, u"must be a list of 1 to 500 messages"_s);
    QList<llm::ChatMessage> messages;
    for (qsizetype i = 0; i < array.size(); ++i) {
        const auto message = readMessage(array[i], u"messages/%1"_s.arg(i));
        if (!message)
            return std::unexpected(message.error());
        messages.append(*message);
    }
    if (messages.last().role != llm::ChatMessage::Role::User || messages.last().content.isEmpty())
        return malformed(u"messages"_s, u"must end with what the user says"_s);
    return messages;
}

Result<int> readMaxTokens(const QJsonObject &body)
{
    const QString name = body.contains(u"max_completion_tokens"_s) ? u"max_completion_tokens"_s : u"max_tokens"_s;
    const QJsonValue value = body.value(name);
    if (value.isUndefined() || value.isNull())
        return 512;
    if (!value.isDouble() || value.toInteger(0) < 1)
        return malformed(name, u"must be a whole number from 1"_s);
    return static_cast<int>(std::min<qint64>(value.toInteger(), mostTokens));
}

std::optional<Refusal> notOffered(const QJsonObject &body)
{
    if (const QJsonValue n = body.value(u"n"_s); !n.isUndefined() && !n.isNull() && n.toInteger(0) != 1)
        return malformed(u"n"_s, u"may only be 1"_s).error();
    for (const QString &name : {u"tools"_s, u"functions"_s})
        if (const QJsonValue tools = body.value(name); tools.isArray() && !tools.toArray().isEmpty())
            return malformed(name, u"are not offered"_s).error();
    return std::nullopt;
}

Result<std::optional<double>> readTemperature(const QJsonValue &value)
{
    if (value.isUndefined() || value.isNull())
        return std::nullopt;
    if (!value.isDouble() || value.toDouble() < 0 || value.toDouble() > 2)
        return malformed(u"temperature"_s, u"must be a number from 0 to 2"_s);
    return std::optional(value.toDouble());
}

// "aria" or "aria:spicy"
Result<std::pair<QString, std::optional<Mode>>> readModel(const QJsonValue &value)
{
    const QString model = value.toString();
    if (model.isEmpty())
        return malformed(u"model"_s, u"must name a character"_s);
    const qsizetype colon = model.indexOf(u':');
    if (colon < 0)
        return std::pair(model, std::optional<Mode>());
    const auto mode = fromText<Mode>(QStringView(model).sliced(colon + 1));
    if (!mode)
        return refuse(ErrorCode::ModelNotFound, u"There is no such model."_s);
    return std::pair(model.first(colon), mode);
}

} // namespace

namespace {

QJsonObject bounded(const char *type, double low, double high)
{
    return {{u"type"_s, QJsonArray{QString::fromLatin1(type), u"null"_s}}, {u"minimum"_s, low}, {u"maximum"_s, high}};
}

QJsonObject messageSchema()
{
    const QJsonObject part{{u"type"_s, u"object"_s},
                           {u"properties"_s,
                            QJsonObject{{u"type"_s, QJsonObject{{u"const"_s, u"text"_s}}},
                                        {u"text"_s,
                                         QJsonObject{{u"type"_s, u"string"_s}, {u"maxLength"_s, mostMessageBytes}}}}},
                           {u"required"_s, QJsonArray{u"type"_s, u"text"_s}}};
    const QJsonObject text{{u"type"_s, u"string"_s},
                           {u"maxLength"_s, mostMessageBytes},
                           {u"examples"_s, QJsonArray{u"Hello Aria"_s}}};
    const QJsonObject parts{{u"type"_s, u"array"_s}, {u"items"_s, part}};
    return {{u"type"_s, u"object"_s},
            {u"properties"_s,
             QJsonObject{{u"role"_s,
                          QJsonObject{{u"type"_s, u"string"_s},
                                      {u"enum"_s, QJsonArray{u"user"_s, u"system"_s, u"assistant"_s, u"developer"_s}}}},
                         {u"content"_s, QJsonObject{{u"oneOf"_s, QJsonArray{text, parts}}}}}},
            {u"required"_s, QJsonArray{u"role"_s, u"content"_s}}};
}

} // namespace

// Loose, as OpenAI's own is: fields that are not named here are ignored.
QJsonObject openAiRequestSchema()
{
    const QJsonObject flag{{u"type"_s, QJsonArray{u"boolean"_s, u"null"_s}}};
    const QJsonObject session{{u"type"_s, QJsonArray{u"string"_s, u"null"_s}},
                              {u"format"_s, u"uuid"_s},
                              {u"description"_s, u"Makes it our stateful chat: the last user message counts"_s}};
    const QJsonObject options{{u"type"_s, QJsonArray{u"object"_s, u"null"_s}},
                              {u"properties"_s, QJsonObject{{u"include_usage"_s, flag}}}};
    const QJsonObject model{{u"type"_s, u"string"_s},
                            {u"minLength"_s, 1},
                            {u"description"_s, u"A character's slug, or slug:spicy"_s},
                            {u"examples"_s, QJsonArray{u"aria"_s}}};
    const QJsonObject tokens{{u"type"_s, QJsonArray{u"integer"_s, u"null"_s}},
                             {u"minimum"_s, 1},
                             {u"description"_s, u"Above %1 it counts as %1"_s.arg(mostTokens)}};
    return {{u"title"_s, u"OpenAiRequest"_s},
            {u"type"_s, u"object"_s},
            {u"properties"_s,
             QJsonObject{{u"model"_s, model},
                         {u"messages"_s,
                          QJsonObject{{u"type"_s, u"array"_s},
                                      {u"items"_s, messageSchema()},
                                      {u"minItems"_s, 1},
                                      {u"maxItems"_s, 500},
                                      {u"description"_s, u"The last one is the user's"_s}}},
                         {u"max_tokens"_s, tokens},
                         {u"max_completion_tokens"_s, tokens},
                         {u"temperature"_s, bounded("number", 0, 2)},
                         {u"n"_s, bounded("integer", 1, 1)},
                         {u"stream"_s, flag},
                         {u"stream_options"_s, options},
                         {u"session_id"_s, session}}},
            {u"required"_s, QJsonArray{u"model"_s, u"messages"_s}},
            {u"additionalProperties"_s, true}};
}

Result<OpenAiRequest> readOpenAiRequest(const http::Request &request, const identity::TokenClaims &claims)
{
    const auto body = api::readJsonObject(request);
    if (!body)
        return std::unexpected(body.error());
    if (const auto problem = notOffered(*body))
        return std::unexpected(*problem);
    const auto model = readModel(body->value(u"model"_s));
    const auto messages = model ? readMessages(body->value(u"messages"_s)) : std::unexpected(model.error());
    const auto maxTokens = messages ? readMaxTokens(*body) : std::unexpected(messages.error());
    const auto temperature =
        maxTokens ? readTemperature(body->value(u"temperature"_s)) : std::unexpected(maxTokens.error());
    if (!temperature)
        return std::unexpected(temperature.error());

    OpenAiRequest read;
    read.model = body->value(u"model"_s).toString();
    read.stream = body->value(u"stream"_s).toBool();
    read.includeUsage = (*body)[u"stream_options"_s][u"include_usage"].toBool();
    read.order = {.claims = claims,
                  .character = model->first,
                  .text = messages->last().content,
                  .mode = model->second,
                  .maxTokens = *maxTokens,
                  .temperature = *temperature,
                  .route = request.route,
                  .idempotencyKey = QString::fromLatin1(request.headers.value("Idempotency-Key")),
                  .fingerprint = api::fingerprintOf(request.body)};
    if (const QJsonValue session = body->value(u"session_id"_s); !session.isUndefined() && !session.isNull()) {
        const auto id = SessionId::parse(session.toString());
        if (!id)
            return refuse(ErrorCode::NotFound, u"There is no such session."_s);
        read.order.session = id; // our stateful chat: the last user message counts
    } else {
        read.order.context = messages->first(messages->size() - 1);
    }
    return read;
}

} // namespace companion::chat
