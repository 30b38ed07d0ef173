#include "console/client/SseParser.h"

#include <utility>

namespace companion::console {

QList<SseEvent> SseParser::feed(const QByteArray &bytes)
{
    QList<SseEvent> events;
    m_rest += bytes;
    qsizetype start = 0;
    for (qsizetype end; (end = m_rest.indexOf('\n', start)) >= 0; start = end + 1) {
        QByteArray line = m_rest.mid(start, end - start);
        if (line.endsWith('\r'))
            line.chop(1);
        takeLine(line, events);
    }
    m_rest.remove(0, start);
    return events;
}

void SseParser::takeLine(const QByteArray &line, QList<SseEvent> &out)
{
    if (line.isEmpty()) {
        SseEvent event = std::exchange(m_event, {});
        if (std::exchange(m_hasData, false))
            out.append(event);
        return;
    }
    const qsizetype colon = line.indexOf(':');
    const QByteArray name = colon < 0 ? line : line.left(colon);
    QByteArray value = colon < 0 ? QByteArray() : line.mid(colon + 1);
    if (value.startsWith(' '))
        value.remove(0, 1);
    if (name == "event") {
        m_event.name = value;
    } else if (name == "id") {
        m_event.id = value;
    } else if (name == "data") {
        m_event.data += (m_hasData ? QByteArray("\n") : QByteArray()) + value;
        m_hasData = true;
    }
}

} // namespace companion::console
