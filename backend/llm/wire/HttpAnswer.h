#pragma once

#include <QByteArray>
#include <QList>
#include <optional>

namespace companion::llm {

// Reads one HTTP/1.x answer from bytes that come in any pieces: the head, then a body that is counted, chunked or ends
// with the connection. Interim answers (1xx) are passed over. Lenient where servers differ (bare line feeds, chunk
// extensions, trailers), strict where leniency would mistake one answer for another.
class HttpAnswer
{
public:
    enum class State { Head, Body, Complete, Broken };

    QByteArray feed(QByteArrayView bytes); // the body's bytes among them
    void connectionEnded(); // completes a body that is as long as the connection, breaks any other answer

    State state() const { return m_state; }
    bool hasHead() const { return m_state == State::Body || m_state == State::Complete || (m_status && m_headDone); }
    bool isUntouched() const { return m_untouched; } // not a byte has come
    const char *whyBroken() const { return m_why; }
    int status() const { return m_headDone ? m_status : 0; }
    QByteArray header(const QByteArray &name) const; // the first of its name; names in any case
    // Another request may follow on the same connection.
    bool keepsConnection() const { return m_state == State::Complete && m_keepAlive && !m_excess; }

private:
    enum class Framing { None, Counted, Chunked, ToTheEnd };
    enum class Chunk { Size, Data, DataEnd, Trailer };

    bool takeLine(QByteArrayView &bytes); // into m_line, without its end; false: the rest has yet to come
    void takeHeadLine();
    void takeStatusLine();
    void takeHeaderLine();
    void headComplete();
    void takeFraming();
    void takeChunkLine();
    QByteArrayView takeCounted(QByteArrayView &bytes);
    void broken(const char *why);

    State m_state = State::Head;
    Framing m_framing = Framing::None;
    Chunk m_chunk = Chunk::Size;
    QByteArray m_line;
    qsizetype m_headBytes = 0;
    QList<std::pair<QByteArray, QByteArray>> m_headers; // names in lower case
    qint64 m_left = 0; // of a counted body, or of a chunk
    int m_status = 0;
    int m_minorVersion = 1;
    bool m_untouched = true;
    bool m_statusRead = false;
    bool m_headDone = false;
    bool m_keepAlive = true;
    bool m_excess = false; // bytes beyond the answer's end
    const char *m_why = "";
};

} // namespace companion::llm
