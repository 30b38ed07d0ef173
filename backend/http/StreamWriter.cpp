#include "http/StreamWriter.h"

#include "common/Bug.h"
#include "http/ConnectionGuard.h"
#include "ops/Log.h"

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

// Streams are written from slots and timers, where nobody would catch: a text that could forge another event ends the
// stream instead of the process.
void StreamWriter::writeSafely(const std::function<QByteArray()> &text)
{
    try {
        write(text());
    } catch (const Bug &bug) {
        ops::log(ops::Level::Error, "unsafe_event", {{"what", QString::fromUtf8(bug.what())}});
        QMetaObject::invokeMethod(&m_guard, &ConnectionGuard::cut, Qt::QueuedConnection);
    }
}

void StreamWriter::send(const QByteArray &data, const QByteArray &id, const QByteArray &event)
{
    writeSafely([&] { return eventText(data, id, event); });
}

void StreamWriter::comment(const QByteArray &text)
{
    writeSafely([&] { return commentText(text); });
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
