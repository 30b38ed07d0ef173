#pragma once

#include "api/Api.h"
#include "chat/Delivery.h"
#include "http/Exchange.h"

#include <QPointer>

namespace companion::chat {

// Which door a client came through, and what its answers look like there.
struct Door
{
    const api::Api &api;
    std::shared_ptr<const api::Endpoint> endpoint;
    http::Headers headers = {}; // the rate limit's
    bool openAi = false;        // errors in OpenAI's shape, the usage chunk by request only
    bool includeUsage = false;
    QString model = {}; // echoed; empty: the character's own name
};

// The whole answer at once, when it is settled.
class JsonDelivery final : public Delivery
{
public:
    JsonDelivery(http::Exchange exchange, Door door);
    void started(const Turn &) override { }
    void text(const Turn &, const QString &, qint64) override { }
    void finished(const Outcome &outcome) override;
    void failed(const Refusal &refusal, bool replayed) override;

private:
    http::Exchange m_exchange;
    Door m_door;
};

// Event by event: `id: <message>:<bytes of content so far>`, one chat.completion.chunk each, the last after the
// settlement has committed, then [DONE]. `fromByte` is where a returning client had got to.
class StreamDelivery final : public Delivery
{
public:
    StreamDelivery(http::Exchange exchange, Door door, qint64 fromByte = 0);
    void started(const Turn &turn) override;
    void text(const Turn &turn, const QString &delta, qint64 end) override;
    void finished(const Outcome &outcome) override;
    void failed(const Refusal &refusal, bool replayed) override;

private:
    void open(const MessageId &message, const std::optional<SessionId> &session, const QString &model,
              const QDateTime &created, bool replayed);
    void send(const QJsonObject &chunk, const MessageId &message);
    QString nameOf(const QString &model) const { return m_door.model.isEmpty() ? model : m_door.model; }

    http::Exchange m_exchange;
    Door m_door;
    QPointer<http::EventStream> m_stream;
    bool m_opened = false;
    qint64 m_sent; // bytes of content
};

} // namespace companion::chat
