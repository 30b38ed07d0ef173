#include "chat/DeliveryRoutes.h"

#include "chat/CompletionJson.h"

#include <QJsonDocument>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

Outcome named(Outcome outcome, const QString &model)
{
    if (!model.isEmpty())
        outcome.model = model;
    return outcome;
}

void refuse(const http::Exchange &exchange, const Door &door, const Refusal &refusal, bool replayed)
{
    http::Headers headers = door.headers;
    if (replayed)
        headers.set("Idempotency-Replayed", "true");
    door.api.refuse(exchange, *door.endpoint, refusal, headers);
}

} // namespace

JsonDelivery::JsonDelivery(http::Exchange exchange, Door door)
    : m_exchange(std::move(exchange))
    , m_door(std::move(door))
{
}

void JsonDelivery::finished(const Outcome &outcome)
{
    auto reply = http::Reply::json(completionObject(named(outcome, m_door.model)));
    reply.with("X-Message-Id", outcome.message.toString().toLatin1());
    if (outcome.replayed)
        reply.with("Idempotency-Replayed", "true");
    m_door.api.answer(m_exchange, *m_door.endpoint, reply, m_door.headers);
}

void JsonDelivery::failed(const Refusal &refusal, bool replayed)
{
    refuse(m_exchange, m_door, refusal, replayed);
}

StreamDelivery::StreamDelivery(http::Exchange exchange, Door door, qint64 fromByte)
    : m_exchange(std::move(exchange))
    , m_door(std::move(door))
    , m_sent(fromByte)
{
}

void StreamDelivery::open(const MessageId &message, const std::optional<SessionId> &session, const QString &model,
                          const QDateTime &created, bool replayed)
{
    m_opened = true;
    http::Headers headers = m_door.headers;
    headers.set("X-Message-Id", message.toString().toLatin1());
    if (replayed)
        headers.set("Idempotency-Replayed", "true");
    m_stream = m_exchange.openStream(headers);
    send(openingChunk(message, session, nameOf(model), created), message);
}

void StreamDelivery::send(const QJsonObject &chunk, const MessageId &message)
{
    if (m_stream)
        m_stream->send(QJsonDocument(chunk).toJson(QJsonDocument::Compact),
                       message.toString().toLatin1() + ':' + QByteArray::number(m_sent));
}

void StreamDelivery::started(const Turn &turn)
{
    open(turn.message, turn.session, turn.model, turn.createdAt, false);
}

void StreamDelivery::text(const Turn &turn, const QString &delta, qint64 end)
{
    m_sent = end;
    send(textChunk(turn.message, nameOf(turn.model), turn.createdAt, delta), turn.message);
}

void StreamDelivery::finished(const Outcome &settled)
{
    const Outcome outcome = named(settled, m_door.model);
    if (!m_opened) // an earlier answer, or one that no model wrote
        open(outcome.message, outcome.companion.sessionId, outcome.model, outcome.createdAt, outcome.replayed);
    const QByteArray content = outcome.content.toUtf8();
    if (m_sent < content.size()) {
        const QString rest = QString::fromUtf8(content.sliced(characterAt(content, m_sent)));
        m_sent = content.size();
        send(textChunk(outcome.message, outcome.model, outcome.createdAt, rest), outcome.message);
    }
    send(closingChunk(outcome), outcome.message);
    if (m_door.includeUsage)
        send(usageChunk(outcome), outcome.message);
    if (m_stream) {
        m_stream->send("[DONE]");
        m_stream->finish();
    }
}

void StreamDelivery::failed(const Refusal &refusal, bool replayed)
{
    if (!m_opened)
        return refuse(m_exchange, m_door, refusal, replayed);
    if (!m_stream)
        return;
    const auto problem = m_door.endpoint->problem(refusal, m_exchange.request().id);
    m_stream->send(problem.body, {}, m_door.openAi ? QByteArray() : QByteArray("error"));
    m_stream->finish();
}

} // namespace companion::chat
