#pragma once

#include "http/Exchange.h"

#include <functional>

namespace companion::http {

class ConnectionGuard;

// The EventStream of one connection; a child of its guard.
class StreamWriter final : public EventStream
{
    Q_OBJECT
public:
    // Without `chunked` (HTTP/1.0) the end of the connection ends the stream. `silent`: the answer to HEAD.
    StreamWriter(ConnectionGuard &guard, bool chunked, bool silent);

    void send(const QByteArray &data, const QByteArray &id, const QByteArray &event) override;
    void comment(const QByteArray &text) override;
    void finish() override;

    void connectionGone(); // by the guard: tells whoever writes, once

private:
    void write(const QByteArray &text);
    void writeSafely(const std::function<QByteArray()> &text);

    ConnectionGuard &m_guard;
    bool m_chunked;
    bool m_silent;
    bool m_ended = false;
};

} // namespace companion::http
