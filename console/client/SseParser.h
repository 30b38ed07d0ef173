#pragma once

#include <QByteArray>
#include <QList>

namespace companion::console {

struct SseEvent
{
    QByteArray name = "message";
    QByteArray data;
    QByteArray id;
    bool operator==(const SseEvent &) const = default;
};

// Server-sent events (WHATWG HTML, 9.2.6) out of bytes that arrive in pieces cut anywhere. Comments are dropped.
class SseParser
{
public:
    QList<SseEvent> feed(const QByteArray &bytes);

private:
    void takeLine(const QByteArray &line, QList<SseEvent> &out);

    QByteArray m_rest; // the line that has not ended yet
    SseEvent m_event;
    bool m_hasData = false;
};

} // namespace companion::console
