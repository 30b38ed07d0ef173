#include "http/ReplyWriter.h"

#include "common/Ensure.h"
#include "http/HeadParser.h"

#include <QDateTime>
#include <QLocale>
#include <algorithm>
#include <ctime>

namespace companion::http {

namespace {

// IMF-fixdate, made once a second.
const QByteArray &dateText()
{
    thread_local std::time_t madeAt = 0;
    thread_local QByteArray text;
    const auto now = std::time(nullptr);
    if (now != madeAt) {
        madeAt = now;
        text = QLocale::c()
                   .toString(QDateTime::fromSecsSinceEpoch(now, Qt::UTC), u"ddd, dd MMM yyyy HH:mm:ss 'GMT'")
                   .toLatin1();
    }
    return text;
}

bool isSafeValue(const QByteArray &value)
{
    return std::ranges::none_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool isWritersOwn(const QByteArray &name)
{
    static const QList<QByteArray> names{"content-length", "connection", "transfer-encoding", "date", "x-request-id"};
    return names.contains(name.toLower());
}

void appendField(QByteArray &out, const QByteArray &name, const QByteArray &value)
{
    ensure(isToken(name) && isSafeValue(value), "a header line is one line");
    out += name + ": " + value + "\r\n";
}

QByteArray statusLine(int status)
{
    return "HTTP/1.1 " + QByteArray::number(status) + " " + reasonPhrase(status) + "\r\n";
}

void appendCommon(QByteArray &out, const Headers &headers, const AnswerFrame &frame)
{
    for (const auto &[name, value] : headers.all()) {
        ensure(!isWritersOwn(name), "framing headers are the writer's");
        appendField(out, name, value);
    }
    appendField(out, "Date", dateText());
    appendField(out, "X-Request-Id", frame.requestId);
    if (!headers.contains("X-Content-Type-Options"))
        out += "X-Content-Type-Options: nosniff\r\n";
    if (!frame.keepAlive)
        out += "Connection: close\r\n";
    else if (frame.minorVersion == 0)
        out += "Connection: keep-alive\r\n";
}

} // namespace

QByteArray writeReplyHead(const Reply &reply, qint64 size, const AnswerFrame &frame)
{
    ensure(reply.status >= 200 && reply.status <= 599, "an answer's status is final");
    const bool bodiless = reply.status == 204 || reply.status == 304;
    QByteArray out;
    out.reserve(256 + (bodiless || frame.method == Method::Head ? 0 : reply.body.size()));
    out += statusLine(reply.status);
    if (!reply.contentType.isEmpty() && !bodiless)
        appendField(out, "Content-Type", reply.contentType);
    appendCommon(out, reply.headers, frame);
    if (!bodiless)
        out += "Content-Length: " + QByteArray::number(size) + "\r\n";
    return out += "\r\n";
}

QByteArray writeReply(const Reply &reply, const AnswerFrame &frame)
{
    QByteArray out = writeReplyHead(reply, reply.body.size(), frame);
    if (reply.status != 204 && reply.status != 304 && frame.method != Method::Head)
        out += reply.body;
    return out;
}

QByteArray writeStreamHead(const Headers &headers, const AnswerFrame &frame)
{
    QByteArray out = statusLine(200);
    out += "Content-Type: text/event-stream\r\n";
    if (!headers.contains("Cache-Control"))
        out += "Cache-Control: no-store\r\n";
    out += "X-Accel-Buffering: no\r\n"; // nginx would collect the events otherwise
    appendCommon(out, headers, frame);
    if (frame.minorVersion == 1)
        out += "Transfer-Encoding: chunked\r\n";
    return out + "\r\n";
}

QByteArray eventText(const QByteArray &data, const QByteArray &id, const QByteArray &event)
{
    ensure(isSafeValue(id) && isSafeValue(event), "an event's id and name are one line");
    QByteArray out;
    if (!event.isEmpty())
        out += "event: " + event + "\n";
    if (!id.isEmpty())
        out += "id: " + id + "\n";
    auto lines = data;
    lines.replace("\r\n", "\n").replace('\r', '\n');
    for (const auto &line : lines.split('\n'))
        out += "data: " + line + "\n";
    return out + "\n";
}

QByteArray commentText(const QByteArray &text)
{
    ensure(isSafeValue(text), "a comment is one line");
    return ": " + text + "\n\n";
}

QByteArray chunk(const QByteArray &data)
{
    ensure(!data.isEmpty(), "an empty chunk would end the body");
    return QByteArray::number(data.size(), 16) + "\r\n" + data + "\r\n";
}

const char *reasonPhrase(int status)
{
    static const QHash<int, const char *> phrases{
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    return phrases.value(status, "Unknown");
}

} // namespace companion::http
