#include "http/StreamWriter.h"

#include "http/ConnectionGuard.h"

namespace companion::http {

StreamWriter::StreamWriter(ConnectionGuard &guard, bool chunked, bool silent)
    : m_guard(guard)
    , m_chunked(chunked)
    , m_silent(silent)
{
    setParent(&guard);
}

void StreamWriter::write(const QByteArray &text)
{
    if (!m_ended && !m_silent)
        m_guard.writeStream(m_chunked ? chunk(text) : text);
}

void StreamWriter::send(const QByteArray &data, const QByteArray &id, const QByteArray &event)
{
    write(eventText(data, id, event));
}

void StreamWriter::comment(const QByteArray &text)
{
    write(commentText(text));
}

void StreamWriter::finish()
{
    if (m_ended)
        return;
    if (m_chunked && !m_silent)
        m_guard.writeStream(lastChunk());
    m_ended = true;
    setParent(nullptr); // the connection may serve its next request before this object is deleted
    m_guard.finishStream();
    deleteLater();
}

void StreamWriter::connectionGone()
{
    if (m_ended)
        return;
    m_ended = true;
    Q_EMIT gone();
    deleteLater();
}

} // namespace companion::http
