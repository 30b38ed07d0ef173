#include "llm/wire/SseDecoder.h"

#include <algorithm>

namespace companion::llm {

QList<SseEvent> SseDecoder::feed(QByteArrayView bytes)
{
    QList<SseEvent> events;
    while (!bytes.isEmpty() && !m_overflowed) {
        if (m_afterCr && bytes.front() == '\n')
            bytes = bytes.sliced(1); // the second half of a CRLF
        m_afterCr = false;
        const auto end = std::ranges::find_if(bytes, [](char c) { return c == '\n' || c == '\r'; });
        const qsizetype length = end - bytes.begin();
        if (m_line.size() + length > m_limit) {
            m_overflowed = true;
            break;
        }
        m_line.append(bytes.first(length));
        if (end == bytes.end())
            break;
        m_afterCr = *end == '\r';
        bytes = bytes.sliced(length + 1);
        takeLine(events);
    }
    return events;
}

QList<SseEvent> SseDecoder::end()
{
    QList<SseEvent> events;
    m_line.clear();
    if (!m_overflowed)
        dispatch(events);
    return events;
}

void SseDecoder::takeLine(QList<SseEvent> &events)
{
    if (m_firstLine && m_line.startsWith("\xEF\xBB\xBF"))
        m_line.remove(0, 3);
    m_firstLine = false;
    if (m_line.isEmpty())
        dispatch(events);
    else
        takeField(m_line);
    m_line.clear();
}

void SseDecoder::takeField(QByteArrayView line)
{
    const qsizetype colon = line.indexOf(':');
    const QByteArrayView name = colon < 0 ? line : line.first(colon);
    QByteArrayView value = colon < 0 ? QByteArrayView() : line.sliced(colon + 1);
    if (value.startsWith(' '))
        value = value.sliced(1);
    if (name == "event") {
        m_type = value.toByteArray();
    } else if (name == "data") {
        if (m_hasData)
            m_data.append('\n');
        m_data.append(value);
        m_hasData = true;
        m_overflowed = m_data.size() > m_limit;
    }
}

void SseDecoder::dispatch(QList<SseEvent> &events)
{
    if (m_hasData && !m_overflowed)
        events.append({m_type.isEmpty() ? QByteArrayLiteral("message") : m_type, m_data});
    m_type.clear();
    m_data.clear();
    m_hasData = false;
}

} // namespace companion::llm
