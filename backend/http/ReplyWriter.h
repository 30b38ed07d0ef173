#pragma once

#include "http/Message.h"

namespace companion::http {

// What the writer must know of the request it answers.
struct AnswerFrame
{
    Method method = Method::Get;
    int minorVersion = 1;
    bool keepAlive = true;
    QByteArray requestId;
};

// The bytes of answers: pure. Adds Date, X-Request-Id, X-Content-Type-Options, Connection and the framing; leaves out
// the body for HEAD, 204 and 304. A header name that is no token, a value with CR, LF or NUL, or a framing header set
// by a handler is a Bug.
QByteArray writeReply(const Reply &reply, const AnswerFrame &frame);
// Its head alone, of a body of so many bytes that follows.
QByteArray writeReplyHead(const Reply &reply, qint64 size, const AnswerFrame &frame);
// The head of an event stream: chunked for HTTP/1.1, ended by closing for HTTP/1.0.
QByteArray writeStreamHead(const Headers &headers, const AnswerFrame &frame);
// One event, or a comment where `data` is null, in the text/event-stream form. Line breaks in data become data: lines.
QByteArray eventText(const QByteArray &data, const QByteArray &id, const QByteArray &event);
QByteArray commentText(const QByteArray &text);
QByteArray chunk(const QByteArray &data); // never empty: an empty chunk would end the body
inline QByteArray lastChunk()
{
    return QByteArrayLiteral("0\r\n\r\n");
}
const char *reasonPhrase(int status);

} // namespace companion::http
