#pragma once

#include "common/Result.h"

#include <QByteArray>

namespace companion::http {

// Strict reading of a chunked body (RFC 9112 §7.1), byte by byte as it arrives: pure, no socket. Gives the body without
// its framing; the sizes are summed and refused (payload_too_large) before their bytes are there. Extensions and
// trailers are checked and dropped; a trailer that would matter in a head (framing, routing, authorization) is refused.
class ChunkedFraming
{
public:
    enum class State { Reading, Complete, Refused };
    static constexpr qsizetype maxLineBytes = 1'024; // one chunk size with its extensions
    static constexpr qsizetype maxExtensionBytes = 8 * 1'024; // of the whole body
    static constexpr qsizetype maxTrailerBytes = 8 * 1'024;

    explicit ChunkedFraming(qint64 maxBytes)
        : m_maxBytes(maxBytes)
    {
    }
    // Takes bytes from the front of `data` and appends the body's to `body`; returns how many were taken. Bytes behind
    // the end belong to the next request and stay.
    qsizetype feed(QByteArrayView data, QByteArray &body);

    State state() const { return m_state; }
    const Refusal &refusal() const { return m_refusal; }
    qint64 total() const { return m_total; } // declared so far

private:
    enum class Part { SizeLine, Data, DataEnd, Trailer };
    qsizetype feedLine(QByteArrayView data);
    qsizetype feedData(QByteArrayView data, QByteArray &body);
    qsizetype feedDataEnd(QByteArrayView data);
    void lineRead();
    void sizeLineRead();
    void trailerRead();
    void refuse(ErrorCode code, const char *detail);

    qint64 m_maxBytes;
    qint64 m_total = 0;
    qint64 m_left = 0; // of the chunk at hand
    qsizetype m_extensionBytes = 0;
    qsizetype m_trailerBytes = 0;
    QByteArray m_line;
    Part m_part = Part::SizeLine;
    State m_state = State::Reading;
    Refusal m_refusal;
};

} // namespace companion::http
