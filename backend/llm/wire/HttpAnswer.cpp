#include "llm/wire/HttpAnswer.h"

#include <algorithm>

namespace companion::llm {

namespace {

constexpr qsizetype mostHeadBytes = 64 * 1024;
constexpr qsizetype longestChunkLine = 4 * 1024;
constexpr qint64 largestLength = qint64(1) << 40;

// nullopt where it is no plain number, or one beyond all sense.
std::optional<qint64> numberIn(const QByteArray &text, int base)
{
    const auto isDigit = [base](char c) {
        return (c >= '0' && c <= '9') || (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
    };
    if (text.isEmpty() || text.size() > 16 || !std::ranges::all_of(text, isDigit))
        return std::nullopt;
    const qint64 number = text.toLongLong(nullptr, base);
    return number <= largestLength ? std::optional(number) : std::nullopt;
}

} // namespace

QByteArray HttpAnswer::header(const QByteArray &name) const
{
    const QByteArray wanted = name.toLower();
    const auto found = std::ranges::find_if(m_headers, [&](const auto &header) { return header.first == wanted; });
    return found == m_headers.end() ? QByteArray() : found->second;
}

void HttpAnswer::broken(const char *why)
{
    m_state = State::Broken;
    m_why = why;
}

QByteArray HttpAnswer::feed(QByteArrayView bytes)
{
    m_untouched = m_untouched && bytes.isEmpty();
    QByteArray body;
    while (!bytes.isEmpty()) {
        if (m_state == State::Complete || m_state == State::Broken) {
            m_excess = true;
            break;
        }
        const bool inData = m_state == State::Body && (m_framing != Framing::Chunked || m_chunk == Chunk::Data);
        if (inData)
            body += takeCounted(bytes);
        else if (!takeLine(bytes))
            break;
        else if (m_state == State::Head)
            takeHeadLine();
        else
            takeChunkLine();
    }
    return body;
}

bool HttpAnswer::takeLine(QByteArrayView &bytes)
{
    const qsizetype end = bytes.indexOf('\n');
    const auto piece = end < 0 ? bytes : bytes.first(end);
    const qsizetype limit = m_state == State::Head ? mostHeadBytes - m_headBytes : longestChunkLine;
    if (m_line.size() + piece.size() > limit)
        return broken("a line of the framing without end"), false;
    m_line += piece;
    bytes = end < 0 ? QByteArrayView() : bytes.sliced(end + 1);
    if (end < 0)
        return false;
    if (m_line.endsWith('\r'))
        m_line.chop(1);
    return true;
}

void HttpAnswer::takeHeadLine()
{
    m_headBytes += m_line.size() + 2;
    if (!m_statusRead)
        takeStatusLine();
    else if (m_line.isEmpty())
        headComplete();
    else
        takeHeaderLine();
    m_line.clear();
}

void HttpAnswer::takeStatusLine()
{
    const bool isHttp1 = m_line.size() >= 12 && (m_line.startsWith("HTTP/1.0 ") || m_line.startsWith("HTTP/1.1 "));
    const auto status = isHttp1 ? numberIn(m_line.sliced(9, 3), 10) : std::nullopt;
    if (!status || *status < 100 || (m_line.size() > 12 && m_line[12] != ' '))
        return broken("no HTTP answer");
    m_status = int(*status);
    m_minorVersion = m_line[7] - '0';
    m_statusRead = true;
}

void HttpAnswer::takeHeaderLine()
{
    const qsizetype colon = m_line.indexOf(':');
    if (colon > 0)
        m_headers.append({m_line.first(colon).trimmed().toLower(), m_line.sliced(colon + 1).trimmed()});
}

void HttpAnswer::headComplete()
{
    if (m_status >= 100 && m_status < 200 && m_status != 101) { // the answer itself is still to come
        m_statusRead = false;
        m_headers.clear();
        return;
    }
    m_headDone = true;
    const QByteArray connection = header("connection").toLower();
    m_keepAlive = m_minorVersion == 1 ? !connection.contains("close") : connection.contains("keep-alive");
    m_state = State::Body;
    takeFraming();
    if (m_state == State::Body && (m_framing == Framing::None || (m_framing == Framing::Counted && m_left == 0)))
        m_state = State::Complete;
}

void HttpAnswer::takeFraming()
{
    const QByteArray coding = header("transfer-encoding").toLower();
    if (m_status == 204 || m_status == 304)
        return;
    if (!coding.isEmpty()) {
        m_framing = Framing::Chunked;
        return coding == "chunked" ? void() : broken("a transfer coding that was not asked for");
    }
    m_framing = Framing::ToTheEnd;
    for (const auto &[name, value] : m_headers) {
        if (name != "content-length")
            continue;
        const auto length = numberIn(value, 10);
        if (!length || (m_framing == Framing::Counted && *length != m_left))
            return broken("a content length that is none");
        m_framing = Framing::Counted;
        m_left = *length;
    }
}

QByteArrayView HttpAnswer::takeCounted(QByteArrayView &bytes)
{
    if (m_framing == Framing::ToTheEnd)
        return std::exchange(bytes, {});
    const auto taken = bytes.first(std::min<qsizetype>(bytes.size(), m_left));
    bytes = bytes.sliced(taken.size());
    m_left -= taken.size();
    if (m_left == 0 && m_framing == Framing::Counted)
        m_state = State::Complete;
    else if (m_left == 0)
        m_chunk = Chunk::DataEnd;
    return taken;
}

void HttpAnswer::takeChunkLine()
{
    if (m_chunk == Chunk::DataEnd) {
        m_chunk = Chunk::Size;
        if (!m_line.isEmpty())
            return broken("a chunk longer than it said");
    } else if (m_chunk == Chunk::Trailer) {
        m_state = m_line.isEmpty() ? State::Complete : State::Body;
    } else {
        const auto size = numberIn(
            m_line.first(std::max<qsizetype>(0, m_line.contains(';') ? m_line.indexOf(';') : m_line.size())).trimmed(),
            16);
        if (!size)
            return broken("a chunk without a size");
        m_left = *size;
        m_chunk = m_left == 0 ? Chunk::Trailer : Chunk::Data;
    }
    m_line.clear();
}

void HttpAnswer::connectionEnded()
{
    if (m_state == State::Body && m_framing == Framing::ToTheEnd)
        m_state = State::Complete;
    else if (m_state != State::Complete && m_state != State::Broken)
        broken("the connection ended before the answer did");
    m_keepAlive = false;
}

} // namespace companion::llm
