#include "chat/CompletionRoutes.h"

#include "common/models/Chat.h"

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

QJsonObject text(const char *example)
{
    return {{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{QString::fromLatin1(example)}}};
}

QJsonObject only(const QJsonValue &value)
{
    return {{u"const"_s, value}};
}

QJsonObject object(const QJsonObject &properties, const QStringList &required)
{
    QJsonObject schema{{u"type"_s, u"object"_s}, {u"properties"_s, properties}};
    if (!required.isEmpty())
        schema.insert(u"required"_s, QJsonArray::fromStringList(required));
    return schema;
}

QJsonObject listOf(const QJsonObject &items)
{
    return {{u"type"_s, u"array"_s}, {u"items"_s, items}};
}

QJsonObject head(const char *name, const QJsonObject &choice)
{
    return {
        {u"id"_s, text("chatcmpl-7f0c1b1e-0d5c-4c8e-9a57-3f6f0c2b7a11")},
        {u"object"_s, only(QString::fromLatin1(name))},
        {u"created"_s,
         QJsonObject{{u"type"_s, u"integer"_s}, {u"format"_s, u"int64"_s}, {u"examples"_s, QJsonArray{1772366400}}}},
        {u"model"_s, text("aria")},
        {u"choices"_s, listOf(choice)},
        {u"usage"_s, schemaOf<Usage>()}};
}

QJsonObject titled(const char *title, QJsonObject schema)
{
    schema.insert(u"title"_s, QString::fromLatin1(title));
    return schema;
}

} // namespace

api::Answer wholeCompletion()
{
    const QJsonObject message =
        object({{u"role"_s, only(u"assistant"_s)}, {u"content"_s, text("Hello! I was just thinking of you.")}},
               {u"role"_s, u"content"_s});
    const QJsonObject choice =
        object({{u"index"_s, only(0)}, {u"message"_s, message}, {u"finish_reason"_s, text("stop")}},
               {u"index"_s, u"message"_s, u"finish_reason"_s});
    QJsonObject properties = head("chat.completion", choice);
    properties.insert(u"companion"_s, schemaOf<CompanionPart>());
    return {.status = 200,
            .schema = titled("Completion",
                             object(properties,
                                    {u"id"_s, u"object"_s, u"created"_s, u"model"_s, u"choices"_s, u"usage"_s,
                                     u"companion"_s})),
            .headers = {"X-Message-Id"}};
}

api::Answer completionStream(const char *problemSchema)
{
    const QJsonObject delta = object({{u"role"_s, only(u"assistant"_s)}, {u"content"_s, text("Hello")}}, {});
    const QJsonObject finish{{u"type"_s, QJsonArray{u"string"_s, u"null"_s}}};
    const QJsonObject choice = object({{u"index"_s, only(0)}, {u"delta"_s, delta}, {u"finish_reason"_s, finish}},
                                      {u"index"_s, u"delta"_s, u"finish_reason"_s});
    const QJsonObject id{{u"type"_s, u"string"_s}, {u"format"_s, u"uuid"_s}};
    const QJsonObject opening =
        titled("CompanionOpening", object({{u"session_id"_s, id}, {u"message_id"_s, id}}, {u"message_id"_s}));
    QJsonObject properties = head("chat.completion.chunk", choice);
    // The first chunk says where the reply will be, the last what it cost.
    properties.insert(u"companion"_s, QJsonObject{{u"anyOf"_s, QJsonArray{schemaOf<CompanionPart>(), opening}}});
    const QJsonObject chunk =
        titled("CompletionChunk", object(properties, {u"id"_s, u"object"_s, u"created"_s, u"model"_s, u"choices"_s}));
    const QJsonObject problem{{u"$ref"_s, QString(u"#/components/schemas/"_s + QString::fromLatin1(problemSchema))}};
    return {.status = 200,
            .schema = {{u"type"_s, u"string"_s},
                       {u"description"_s, u"Server-sent events; contentSchema describes the data of each"_s}},
            .contentType = "text/event-stream",
            .event = {{u"anyOf"_s, QJsonArray{chunk, problem, only(u"[DONE]"_s)}}},
            .headers = {"X-Message-Id"}};
}

} // namespace companion::chat
