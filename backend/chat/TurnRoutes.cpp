#include "api/Api.h"
#include "api/Idempotency.h"
#include "chat/ChatRoutes.h"
#include "chat/CompletionRoutes.h"
#include "chat/DeliveryRoutes.h"
#include "chat/LiveTurns.h"

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

const QList<ErrorCode> turnRefusals{
    ErrorCode::NotFound,
    ErrorCode::InsufficientCredits,
    ErrorCode::TierRequired,
    ErrorCode::AgeUnverified,
    ErrorCode::ModeUnavailable,
    ErrorCode::RegionUnavailable,
    ErrorCode::RailUnavailable,
    ErrorCode::TurnInProgress,
    ErrorCode::ContentBlocked,
    ErrorCode::ModelFailed,
    ErrorCode::ModelTimeout,
    ErrorCode::IdempotencyInProgress,
    ErrorCode::IdempotencyKeyReused,
};

Result<TurnOrder> readOrder(const http::Request &request, const identity::TokenClaims &claims, bool &stream)
{
    const auto object = api::readJsonObject(request);
    if (!object)
        return std::unexpected(object.error());
    const auto wanted = fromJson<CompletionRequest>(*object);
    if (!wanted)
        return std::unexpected(wanted.error());
    stream = stream || wanted->stream;
    return TurnOrder{.claims = claims,
                     .session = wanted->sessionId,
                     .character = {},
                     .text = wanted->message,
                     .mode = wanted->mode,
                     .maxTokens = wanted->maxTokens,
                     .temperature = wanted->temperature,
                     .route = request.route,
                     .idempotencyKey = QString::fromLatin1(request.headers.value("Idempotency-Key")),
                     .fingerprint = api::fingerprintOf(request.body)};
}

std::shared_ptr<Delivery> deliveryFor(const http::Exchange &exchange, Door door, bool stream)
{
    if (stream)
        return std::make_shared<StreamDelivery>(exchange, std::move(door));
    return std::make_shared<JsonDelivery>(exchange, std::move(door));
}

void addCompletions(api::Api &api, const ChatTurn::Surroundings &surroundings, const QString &path, bool alwaysStream)
{
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .method = http::Method::Post,
        .path = path,
        .tag = u"Chat"_s,
        .summary = alwaysStream ? u"Ask for a reply, streamed"_s : u"Ask for a reply"_s,
        .body = schemaOf<CompletionRequest>(),
        .answers = alwaysStream ? QList<api::Answer>{completionStream()}
                                : QList<api::Answer>{wholeCompletion(), completionStream()},
        .refusals = turnRefusals,
        .rate = api::Rate::Chat,
    });
    api.onLoop(*endpoint, [&api, surroundings, endpoint, alwaysStream](http::Exchange exchange, api::Entry entry) {
        bool stream = alwaysStream;
        auto order = readOrder(exchange.request(), entry.claims, stream);
        if (!order)
            return api.refuse(exchange, *endpoint, order.error(), entry.headers);
        const Door door{.api = api, .endpoint = endpoint, .headers = entry.headers};
        (new ChatTurn(surroundings, std::move(*order), deliveryFor(exchange, door, stream)))->begin();
    });
}

void addQuote(api::Api &api, const ChatService &chat)
{
    api::Endpoint endpoint{
        .method = http::Method::Post,
        .path = u"/api/v1/chat/quote"_s,
        .tag = u"Chat"_s,
        .summary = u"What a reply could cost at most; charges nothing"_s,
        .body = schemaOf<CompletionRequest>(),
        .answers = {api::answer<Quote>()},
        .refusals = {ErrorCode::NotFound, ErrorCode::TierRequired, ErrorCode::AgeUnverified, ErrorCode::ModeUnavailable,
                     ErrorCode::RegionUnavailable, ErrorCode::RailUnavailable},
    };
    api.bareAct(endpoint, [&chat](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        bool stream = false;
        const auto order = readOrder(call.request(), call.claims(), stream);
        if (!order)
            return std::unexpected(order.error());
        const auto quote = chat.quote(db, *order);
        return quote ? Result<http::Reply>(api::ok(*quote)) : std::unexpected(quote.error());
    });
}

// "<message>:<bytes>", as our events' ids are; a foreign one is no reason to refuse: the whole is replayed.
qint64 resumePoint(const http::Request &request, const MessageId &message)
{
    const QString lastId = QString::fromLatin1(request.headers.value("Last-Event-ID"));
    const QString prefix = message.toString() + u':';
    return lastId.startsWith(prefix) ? qMax<qint64>(0, lastId.sliced(prefix.size()).toLongLong()) : 0;
}

// Who comes back for a reply is rechecked first: a suspension works at once, also while the reply is being written.
void addReturning(api::Api &api, const ChatTurn::Surroundings &surroundings,
                  const std::shared_ptr<api::Endpoint> &endpoint, const api::LoopHandler &handler)
{
    api.onLoop(*endpoint, [&api, surroundings, endpoint, handler](http::Exchange exchange, api::Entry entry) {
        surroundings.workers.act(
            &api,
            [chat = &surroundings.chat, claims = entry.claims](db::Session &db) { return chat->mayReturn(db, claims); },
            [&api, endpoint, handler, exchange, entry](const Result<bool> &allowed) {
                allowed ? handler(exchange, entry) : api.refuse(exchange, *endpoint, allowed.error(), entry.headers);
            });
    });
}

void addResume(api::Api &api, const ChatTurn::Surroundings &surroundings)
{
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .path = u"/api/v1/chat/stream/{message_id}"_s,
        .tag = u"Chat"_s,
        .summary = u"Come back to a streamed reply, after Last-Event-ID"_s,
        .answers = {completionStream()},
        .refusals = {ErrorCode::Gone, ErrorCode::TurnInProgress, ErrorCode::ContentBlocked, ErrorCode::ModelFailed,
                     ErrorCode::ModelTimeout},
        .headers = {{"Last-Event-ID",
                     "The id of the last event that was read; without it, or with a foreign one, the "
                     "whole reply is replayed"}},
    });
    addReturning(api, surroundings, endpoint,
                 [&api, surroundings, endpoint](http::Exchange exchange, api::Entry entry) {
                     const auto message = MessageId::parse(exchange.request().param(u"message_id"_s));
                     if (!message)
                         return api.refuse(exchange, *endpoint, {ErrorCode::NotFound, u"There is no such reply."_s},
                                           entry.headers);
                     const auto delivery = std::make_shared<StreamDelivery>(
                         exchange, Door{.api = api, .endpoint = endpoint, .headers = entry.headers},
                         resumePoint(exchange.request(), *message));
                     if (ChatTurn *turn = surroundings.live.find(entry.claims.user, *message))
                         return turn->join(delivery, resumePoint(exchange.request(), *message));
                     surroundings.workers.act(
                         &api,
                         [chat = &surroundings.chat, user = entry.claims.user, id = *message](db::Session &db) {
                             return chat->outcomeOf(db, user, id);
                         },
                         [delivery](const Result<Outcome> &outcome) {
                             outcome ? delivery->finished(*outcome) : delivery->failed(outcome.error(), false);
                         });
                 });
}

void addStop(api::Api &api, const ChatTurn::Surroundings &surroundings)
{
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .method = http::Method::Post,
        .path = u"/api/v1/chat/stream/{message_id}/stop"_s,
        .tag = u"Chat"_s,
        .summary = u"End a reply early; what was produced is charged and kept"_s,
        .answers = {{202}},
        .refusals = {ErrorCode::Gone, ErrorCode::TurnInProgress},
    });
    addReturning(api, surroundings, endpoint,
                 [&api, surroundings, endpoint](http::Exchange exchange, api::Entry entry) {
                     const auto accepted = [&api, endpoint, exchange, headers = entry.headers] {
                         http::Reply reply;
                         reply.status = 202;
                         api.answer(exchange, *endpoint, reply, headers);
                     };
                     const auto message = MessageId::parse(exchange.request().param(u"message_id"_s));
                     if (!message)
                         return api.refuse(exchange, *endpoint, {ErrorCode::NotFound, u"There is no such reply."_s},
                                           entry.headers);
                     if (ChatTurn *turn = surroundings.live.find(entry.claims.user, *message)) {
                         turn->stop();
                         return accepted();
                     }
                     surroundings.workers.act( // ended already: there is nothing to stop, and that is what was wanted
                         &api,
                         [chat = &surroundings.chat, user = entry.claims.user, id = *message](db::Session &db) {
                             return chat->outcomeOf(db, user, id);
                         },
                         [&api, endpoint, exchange, accepted, headers = entry.headers](const Result<Outcome> &outcome) {
                             outcome ? accepted() : api.refuse(exchange, *endpoint, outcome.error(), headers);
                         });
                 });
}

} // namespace

void addTurnRoutes(api::Api &api, const ChatTurn::Surroundings &surroundings)
{
    addQuote(api, surroundings.chat);
    addCompletions(api, surroundings, u"/api/v1/chat/completions"_s, false);
    addCompletions(api, surroundings, u"/api/v1/chat/stream"_s, true);
    addResume(api, surroundings);
    addStop(api, surroundings);
}

} // namespace companion::chat
