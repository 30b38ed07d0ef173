#include "api/Api.h"
#include "api/Idempotency.h"
#include "chat/ChatRoutes.h"
#include "chat/CompletionRoutes.h"
#include "chat/DeliveryRoutes.h"
#include "chat/OpenAiRequestRoutes.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

const char *errorTypeOf(int status)
{
    switch (status) {
    case 401:
        return "authentication_error";
    case 402:
        return "insufficient_quota";
    case 403:
        return "permission_error";
    case 429:
        return "rate_limit_error";
    default:
        return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

// OpenAI's error object with the same status and headers as our own.
http::Reply openAiProblem(const Refusal &refusal, const QByteArray &requestId)
{
    http::Reply reply = http::Reply::problem(refusal, requestId);
    QString message = refusal.detail.isEmpty() ? QString::fromLatin1(describe(refusal.code).title) : refusal.detail;
    QJsonValue parameter = QJsonValue::Null;
    if (!refusal.errors.isEmpty()) {
        parameter = refusal.errors.first().pointer.sliced(1).replace(u'/', u'.');
        message = parameter.toString() + u' ' + refusal.errors.first().message;
    }
    const QJsonObject error{{u"message"_s, message},
                            {u"type"_s, QString::fromLatin1(errorTypeOf(reply.status))},
                            {u"param"_s, parameter},
                            {u"code"_s, QString::fromLatin1(describe(refusal.code).name)}};
    reply.contentType = "application/json";
    reply.body = QJsonDocument(QJsonObject{{u"error"_s, error}}).toJson(QJsonDocument::Compact);
    return reply;
}

QJsonObject modelObject(const QString &id, const QString &owner)
{
    return {{u"id"_s, id}, {u"object"_s, u"model"_s}, {u"created"_s, 0}, {u"owned_by"_s, owner}};
}

QJsonObject modelListSchema()
{
    const QJsonObject text{{u"type"_s, u"string"_s}};
    const QJsonObject model{
        {u"title"_s, u"Model"_s},
        {u"type"_s, u"object"_s},
        {u"properties"_s,
         QJsonObject{{u"id"_s, QJsonObject{{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{u"aria:spicy"_s}}}},
                     {u"object"_s, QJsonObject{{u"const"_s, u"model"_s}}},
                     {u"created"_s, QJsonObject{{u"type"_s, u"integer"_s}}},
                     {u"owned_by"_s, QJsonObject{{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{u"Aria"_s}}}}}},
        {u"required"_s, QJsonArray{u"id"_s, u"object"_s, u"created"_s, u"owned_by"_s}}};
    return {{u"title"_s, u"ModelList"_s},
            {u"type"_s, u"object"_s},
            {u"properties"_s,
             QJsonObject{{u"object"_s, QJsonObject{{u"const"_s, u"list"_s}}},
                         {u"data"_s, QJsonObject{{u"type"_s, u"array"_s}, {u"items"_s, model}}}}},
            {u"required"_s, QJsonArray{u"object"_s, u"data"_s}}};
}

void addModels(api::Api &api, const characters::CharacterService &characters)
{
    api::Endpoint endpoint{
        .path = u"/v1/models"_s,
        .tag = u"OpenAI"_s,
        .summary = u"The characters as models"_s,
        .answers = {{200, modelListSchema()}},
        .acceptsApiKey = true,
        .problem = &openAiProblem,
        .problemSchema = "OpenAiError",
    };
    api.bareAct(endpoint, [&characters](const api::Call &, db::Session &db) -> Result<http::Reply> {
        QJsonArray models;
        for (const PublicCharacter &character : characters.published(db, {}, {.limit = 100}).items)
            for (Mode mode : character.modes)
                models.append(modelObject(mode == Mode::Spicy ? QString(character.slug + u":spicy"_s) : character.slug,
                                          character.name));
        return http::Reply::json({{u"object"_s, u"list"_s}, {u"data"_s, models}});
    });
}

} // namespace

void addOpenAiRoutes(api::Api &api, const ChatTurn::Surroundings &surroundings,
                     const characters::CharacterService &characters)
{
    addModels(api, characters);
    using enum ErrorCode;
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .method = http::Method::Post,
        .path = u"/v1/chat/completions"_s,
        .tag = u"OpenAI"_s,
        .summary = u"OpenAI chat completions: `model` is a character's slug, or slug:spicy"_s,
        .body = openAiRequestSchema(),
        .answers = {wholeCompletion(), completionStream("OpenAiError")},
        .refusals = {NotFound, ModelNotFound, InsufficientCredits, TierRequired, AgeUnverified, ModeUnavailable,
                     RegionUnavailable, RailUnavailable, TurnInProgress, ContentBlocked, ModelFailed, ModelTimeout,
                     IdempotencyInProgress, IdempotencyKeyReused},
        .rate = api::Rate::Chat,
        .acceptsApiKey = true,
        .problem = &openAiProblem,
        .problemSchema = "OpenAiError",
    });
    api.onLoop(*endpoint, [&api, surroundings, endpoint](http::Exchange exchange, api::Entry entry) {
        const auto wanted = readOpenAiRequest(exchange.request(), entry.claims);
        if (!wanted)
            return api.refuse(exchange, *endpoint, wanted.error(), entry.headers);
        const Door door{.api = api,
                        .endpoint = endpoint,
                        .headers = entry.headers,
                        .openAi = true,
                        .includeUsage = wanted->includeUsage,
                        .model = wanted->model};
        std::shared_ptr<Delivery> delivery;
        if (wanted->stream)
            delivery = std::make_shared<StreamDelivery>(exchange, door);
        else
            delivery = std::make_shared<JsonDelivery>(exchange, door);
        (new ChatTurn(surroundings, wanted->order, delivery))->begin();
    });
}

} // namespace companion::chat
