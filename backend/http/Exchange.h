#pragma once

#include "http/Message.h"

#include <QObject>
#include <memory>

namespace companion::http {

// An answer written bit by bit as text/event-stream. Lives on the loop thread; deleted with its connection or after
// finish(), so keep it in a QPointer. A client that reads too slowly (512 KiB pending) is dropped: gone() tells.
class EventStream : public QObject
{
    Q_OBJECT
public:
    // `id` and `event` may be empty. The data's line breaks become several data: lines.
    virtual void send(const QByteArray &data, const QByteArray &id = {}, const QByteArray &event = {}) = 0;
    virtual void comment(const QByteArray &text) = 0; // ": ping" is sent every 15 s without being asked
    virtual void finish() = 0;

Q_SIGNALS:
    void gone(); // the client left or was dropped; nothing more is written. Never from inside send()
};

// A handle to the one answer of one request. Copyable; may outlive the connection (then sending does nothing).
// Used on the loop thread only. The first of send() and openStream() wins; a second is a bug of ours that does nothing
// but log `answered_twice` (it may come from a slot, where nobody would catch an exception). When the last copy goes
// away unanswered (on any thread), the client gets 500 `internal` and it is logged.
class Exchange
{
public:
    const Request &request() const;
    void send(Reply reply);
    // The body out of a file, read in pace with the client, from its beginning; reply.body stays empty. `descriptor` is
    // open for as long as `owner` lives.
    void sendFile(Reply reply, int descriptor, qint64 size, std::shared_ptr<void> owner);
    EventStream *openStream(Headers headers = {}); // nullptr when the client is gone
    bool isGone() const;
    bool isAnswered() const; // send() or openStream() was called
    // A child of the connection, alive while it is: a context for signals. Null when gone.
    QObject *connection() const;

    struct State;
    explicit Exchange(std::shared_ptr<State> state);

private:
    bool begin(const char *what); // false: it has been answered already

    friend class Router;
    std::shared_ptr<State> m_state;
};

} // namespace companion::http
