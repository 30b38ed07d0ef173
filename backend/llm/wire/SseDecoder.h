#pragma once

#include <QByteArray>
#include <QList>

namespace companion::llm {

struct SseEvent
{
    QByteArray type; // "message" where the stream names none
    QByteArray data; // several data lines joined by LF
    bool operator==(const SseEvent &) const = default;
};

// Server-sent events as the HTML standard reads them, from bytes that arrive in any pieces: lines end in LF, CRLF or
// CR, a byte order mark at the start is dropped, comments and unknown fields are skipped. Bytes are not decoded here,
// so a piece may end within a character. A line, or an event's data, above the limit ends the reading: overflowed().
class SseDecoder
{
public:
    static constexpr qsizetype defaultLimit = 1024 * 1024;

    explicit SseDecoder(qsizetype limit = defaultLimit)
        : m_limit(limit)
    {
    }

    QList<SseEvent> feed(QByteArrayView bytes);
    // The stream is over. An event whose lines are whole counts, though the blank line after it never came (some
    // servers omit it); half a line never does.
    QList<SseEvent> end();
    bool overflowed() const { return m_overflowed; }

private:
    void takeLine(QList<SseEvent> &events);
    void takeField(QByteArrayView line);
    void dispatch(QList<SseEvent> &events);

    qsizetype m_limit;
    QByteArray m_line;
    QByteArray m_type;
    QByteArray m_data;
    bool m_hasData = false;
    bool m_afterCr = false;
    bool m_firstLine = true;
    bool m_overflowed = false;
};

} // namespace companion::llm
