#include "http/ChunkedFraming.h"

#include "http/HeadParser.h"

#include <algorithm>

namespace companion::http {

namespace {

int hexDigit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Walks over the extensions of one chunk: *( BWS ";" BWS name [ BWS "=" BWS ( token | quoted string ) ] ).
class ExtensionWalk
{
public:
    explicit ExtensionWalk(QByteArrayView text)
        : m_rest(text)
    {
    }
    bool isSound()
    {
        while (!m_rest.isEmpty())
            if (!oneExtension())
                return false;
        return true;
    }

private:
    bool oneExtension()
    {
        skipBlanks();
        if (!skip(';'))
            return false;
        skipBlanks();
        if (!skipToken())
            return false;
        const auto mark = m_rest;
        skipBlanks();
        if (!skip('=')) {
            m_rest = mark;
            return true;
        }
        skipBlanks();
        return m_rest.startsWith('"') ? skipQuoted() : skipToken();
    }
    void skipBlanks()
    {
        while (m_rest.startsWith(' ') || m_rest.startsWith('\t'))
            m_rest = m_rest.sliced(1);
    }
    bool skip(char c)
    {
        if (!m_rest.startsWith(c))
            return false;
        m_rest = m_rest.sliced(1);
        return true;
    }
    bool skipToken()
    {
        qsizetype length = 0;
        while (length < m_rest.size() && isToken(m_rest.sliced(length, 1)))
            ++length;
        m_rest = m_rest.sliced(length);
        return length > 0;
    }
    bool skipQuoted()
    {
        for (qsizetype i = 1; i < m_rest.size(); ++i) {
            const auto c = static_cast<unsigned char>(m_rest[i]);
            if (c == '"') {
                m_rest = m_rest.sliced(i + 1);
                return true;
            }
            if ((c < ' ' && c != '\t') || c == 0x7f)
                return false;
            if (c == '\\')
                ++i;
        }
        return false;
    }

    QByteArrayView m_rest;
};

bool isForbiddenTrailer(const QByteArray &name)
{
    static const QList<QByteArray> names{"content-length", "transfer-encoding", "host",
                                         "connection",     "trailer",           "te",
                                         "upgrade",        "authorization",     "cookie",
                                         "content-type",   "content-encoding",  "content-range",
                                         "expect",         "cache-control",     "idempotency-key",
                                         "if-match",       "if-none-match",     "x-request-id",
                                         "origin"};
    return names.contains(name.toLower());
}

} // namespace

void ChunkedFraming::refuse(ErrorCode code, const char *detail)
{
    m_state = State::Refused;
    m_refusal = {code, QString::fromLatin1(detail)};
}

qsizetype ChunkedFraming::feed(QByteArrayView data, QByteArray &body)
{
    qsizetype taken = 0;
    while (taken < data.size() && m_state == State::Reading) {
        const auto rest = data.sliced(taken);
        if (m_part == Part::Data)
            taken += feedData(rest, body);
        else if (m_part == Part::DataEnd)
            taken += feedDataEnd(rest);
        else
            taken += feedLine(rest);
    }
    return taken;
}

qsizetype ChunkedFraming::feedLine(QByteArrayView data)
{
    const auto end = data.indexOf('\n');
    const auto length = end < 0 ? data.size() : end + 1;
    m_line.append(data.first(length));
    if (m_line.size() > maxLineBytes)
        refuse(ErrorCode::MalformedRequest, "A line of the chunked body is too long.");
    else if (m_part == Part::SizeLine && !m_line.isEmpty() && hexDigit(m_line.front()) < 0)
        refuse(ErrorCode::MalformedRequest, "A chunk does not begin with its size.");
    else if (end >= 0 && !m_line.endsWith("\r\n"))
        refuse(ErrorCode::MalformedRequest, "A line of the chunked body does not end in CR LF.");
    else if (end >= 0)
        lineRead();
    return length;
}

void ChunkedFraming::lineRead()
{
    m_line.chop(2);
    if (m_part == Part::SizeLine)
        sizeLineRead();
    else
        trailerRead();
    m_line.clear();
}

void ChunkedFraming::sizeLineRead()
{
    qint64 size = 0;
    qsizetype digits = 0;
    for (; digits < m_line.size() && hexDigit(m_line.at(digits)) >= 0; ++digits) {
        if (digits == 15)
            return refuse(ErrorCode::PayloadTooLarge, "The body is larger than this server takes.");
        size = size * 16 + hexDigit(m_line.at(digits));
    }
    const auto extensions = QByteArrayView(m_line).sliced(digits);
    m_extensionBytes += extensions.size();
    if (digits == 0 || m_extensionBytes > maxExtensionBytes || !ExtensionWalk(extensions).isSound())
        return refuse(ErrorCode::MalformedRequest, "A chunk's size line is not sound.");
    if (size > m_maxBytes - m_total)
        return refuse(ErrorCode::PayloadTooLarge, "The body is larger than this server takes.");
    m_total += size;
    m_left = size;
    m_part = size == 0 ? Part::Trailer : Part::Data;
}

void ChunkedFraming::trailerRead()
{
    if (m_line.isEmpty()) {
        m_state = State::Complete;
        return;
    }
    m_trailerBytes += m_line.size();
    const auto field = parseFieldLine(m_line);
    if (m_trailerBytes > maxTrailerBytes)
        refuse(ErrorCode::HeaderTooLarge, "The trailers are larger than this server takes.");
    else if (!field || isForbiddenTrailer(field->first))
        refuse(ErrorCode::MalformedRequest, "A trailer is not allowed or not sound.");
}

qsizetype ChunkedFraming::feedData(QByteArrayView data, QByteArray &body)
{
    const auto length = std::min<qint64>(m_left, data.size());
    body.append(data.first(length));
    m_left -= length;
    if (m_left == 0)
        m_part = Part::DataEnd;
    return length;
}

qsizetype ChunkedFraming::feedDataEnd(QByteArrayView data)
{
    m_line.append(data.front());
    if (m_line == "\r\n") {
        m_line.clear();
        m_part = Part::SizeLine;
    } else if (m_line != "\r") {
        refuse(ErrorCode::MalformedRequest, "A chunk's data is longer or shorter than its size.");
    }
    return 1;
}

} // namespace companion::http
