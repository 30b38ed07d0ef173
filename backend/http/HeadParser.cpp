#include "http/HeadParser.h"

#include <QHostAddress>
#include <algorithm>
#include <cstring>

namespace companion::http {

namespace {

constexpr int maxLeadingEmptyLines = 4;

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isLetter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool isTokenLetter(char c)
{
    return isDigit(c) || isLetter(c) || (c != 0 && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

// Text a target may hold. Wider than RFC 3986 (clients send [ ] { } | raw in queries), but nothing that ends a line,
// a target or a quoted string elsewhere.
bool isTargetLetter(char c)
{
    return c > ' ' && c < 0x7f && std::strchr("#\"<>\\", c) == nullptr;
}

// Field content: visible characters, blanks, tabs, and what is above ASCII (obs-text).
bool isValueLetter(char c)
{
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

QByteArrayView trimBlanks(QByteArrayView text)
{
    const auto isBlank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.isEmpty() && isBlank(text.front()))
        text = text.sliced(1);
    while (!text.isEmpty() && isBlank(text.back()))
        text.chop(1);
    return text;
}

std::optional<Method> methodOf(QByteArrayView name)
{
    using enum Method;
    for (const auto method : {Get, Head, Post, Put, Patch, Delete, Options})
        if (name == methodName(method))
            return method;
    return std::nullopt;
}

bool isPort(QByteArrayView text)
{
    bool ok = false;
    return text.isEmpty()
        || (text.size() <= 5 && std::ranges::all_of(text, isDigit) && text.toByteArray().toUInt(&ok) <= 65'535 && ok);
}

bool isHostName(QByteArrayView text)
{
    return !text.isEmpty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
        return isDigit(c) || isLetter(c) || c == '-' || c == '.' || c == '_';
    });
}

// host [":" port] with a name, an IPv4 address, or an IPv6 address in brackets.
bool isAuthority(QByteArrayView text)
{
    if (text.startsWith('[')) {
        const auto close = text.indexOf(']');
        if (close < 0)
            return false;
        const auto rest = text.sliced(close + 1);
        QHostAddress address;
        return address.setAddress(QString::fromLatin1(text.sliced(1, close - 1)))
            && address.protocol() == QAbstractSocket::IPv6Protocol && !text.contains('%')
            && (rest.isEmpty() || (rest.startsWith(':') && isPort(rest.sliced(1))));
    }
    const auto colon = text.indexOf(':');
    return colon < 0 ? isHostName(text) : isHostName(text.first(colon)) && isPort(text.sliced(colon + 1));
}

// Programs behind CGI-like interfaces read Content_Length as Content-Length.
bool imitatesFraming(const QByteArray &name)
{
    if (!name.contains('_'))
        return false;
    const auto dashed = QByteArray(name).replace('_', '-').toLower();
    return dashed == "content-length" || dashed == "transfer-encoding";
}

QList<QByteArray> listItems(const QList<QByteArray> &values)
{
    QList<QByteArray> items;
    for (const auto &value : values)
        for (const auto &item : value.split(','))
            items.append(trimBlanks(item).toByteArray().toLower());
    return items;
}

} // namespace

bool isToken(QByteArrayView text)
{
    return !text.isEmpty() && std::ranges::all_of(text, isTokenLetter);
}

std::optional<std::pair<QByteArray, QByteArray>> parseFieldLine(QByteArrayView line)
{
    const auto colon = line.indexOf(':');
    if (colon <= 0 || !isToken(line.first(colon)))
        return std::nullopt;
    const auto value = trimBlanks(line.sliced(colon + 1));
    if (!std::ranges::all_of(value, isValueLetter))
        return std::nullopt;
    return std::pair(line.first(colon).toByteArray(), value.toByteArray());
}

bool HeadParser::refuse(ErrorCode code, const char *detail)
{
    m_state = State::Refused;
    m_refusal = {code, QString::fromLatin1(detail)};
    return false;
}

HeadParser::State HeadParser::feed(const QByteArray &buffer)
{
    while (m_state == State::Reading) {
        const auto end = buffer.indexOf('\n', m_searched);
        if ((end < 0 ? buffer.size() : end + 1) > m_maxBytes) {
            refuse(ErrorCode::HeaderTooLarge, "The request head is larger than this server takes.");
            break;
        }
        m_begun = m_begun || (buffer.size() > m_lineStart && buffer.at(m_lineStart) != '\r');
        if (end < 0) {
            m_searched = buffer.size();
            break;
        }
        if (end == m_lineStart || buffer.at(end - 1) != '\r') {
            malformed("A line of the request head does not end in CR LF.");
            break;
        }
        const auto line = QByteArrayView(buffer).sliced(m_lineStart, end - 1 - m_lineStart);
        m_lineStart = m_searched = end + 1;
        readLine(line);
    }
    return m_state;
}

HeadParser::State HeadParser::readLine(QByteArrayView line)
{
    if (!m_requestLineRead && line.isEmpty()) {
        if (++m_emptyLines > maxLeadingEmptyLines)
            malformed("Empty lines where a request should begin.");
    } else if (!m_requestLineRead) {
        m_requestLineRead = readRequestLine(line);
    } else if (!line.isEmpty()) {
        readField(line);
    } else if (finish()) {
        m_state = State::Complete;
    }
    return m_state;
}

bool HeadParser::readRequestLine(QByteArrayView line)
{
    const auto first = line.indexOf(' ');
    const auto last = line.lastIndexOf(' ');
    if (first <= 0 || last == first)
        return malformed("The request line is not: method, target, version.");
    const auto method = line.first(first);
    const auto target = line.sliced(first + 1, last - first - 1);
    if (!isToken(method) || target.isEmpty() || !std::ranges::all_of(target, isTargetLetter))
        return malformed("The request line has characters that do not belong there.");
    if (!readVersion(line.sliced(last + 1)))
        return false;
    const auto known = methodOf(method);
    if (!known)
        return refuse(ErrorCode::NotImplemented, "This server does not implement the method.");
    m_head.method = *known;
    return readTarget(target);
}

bool HeadParser::readVersion(QByteArrayView version)
{
    const bool formed = version.size() == 8 && version.startsWith("HTTP/") && isDigit(version[5]) && version[6] == '.'
        && isDigit(version[7]);
    if (!formed)
        return malformed("The request line does not end in a version like HTTP/1.1.");
    if (version[5] != '1' || version[7] > '1')
        return refuse(ErrorCode::HttpVersionNotSupported, "This server speaks HTTP/1.1 and HTTP/1.0.");
    m_head.minorVersion = version[7] - '0';
    return true;
}

bool HeadParser::readTarget(QByteArrayView target)
{
    if (target == "*" && m_head.method == Method::Options) {
        m_head.target = "*";
        return true;
    }
    if (target.front() != '/') {
        const auto lower = target.first(std::min<qsizetype>(8, target.size())).toByteArray().toLower();
        const qsizetype scheme = lower.startsWith("http://") ? 7 : lower.startsWith("https://") ? 8 : 0;
        if (scheme == 0)
            return malformed("The target is neither a path nor an http URL.");
        const auto rest = target.sliced(scheme);
        const auto end = std::ranges::find_if(rest, [](char c) { return c == '/' || c == '?'; }) - rest.begin();
        m_authority = rest.first(end).toByteArray();
        if (!isAuthority(m_authority))
            return malformed("The target's host is not one.");
        target = rest.sliced(end);
        m_head.target = target.startsWith('/') ? target.toByteArray() : "/" + target.toByteArray();
        return true;
    }
    m_head.target = target.toByteArray();
    return true;
}

bool HeadParser::readField(QByteArrayView line)
{
    if (m_head.headers.all().size() >= maxFields)
        return refuse(ErrorCode::HeaderTooLarge, "The request has more header fields than this server takes.");
    auto field = parseFieldLine(line);
    if (!field)
        return malformed("A header line is not: name, colon, value.");
    if (imitatesFraming(field->first))
        return malformed("A header name imitates another with an underscore.");
    m_head.headers.add(field->first, field->second);
    return true;
}

bool HeadParser::finish()
{
    readConnection();
    return checkHost() && checkFraming() && checkExpect();
}

bool HeadParser::checkHost()
{
    const auto hosts = m_head.headers.values("Host");
    if (hosts.size() > 1)
        return malformed("There is more than one Host.");
    if (hosts.isEmpty())
        return m_head.minorVersion == 0 || malformed("There is no Host.");
    if (!isAuthority(hosts.first()))
        return malformed("The Host is not one.");
    return true;
}

bool HeadParser::checkFraming()
{
    const bool coded = m_head.headers.contains("Transfer-Encoding");
    if (coded && m_head.headers.contains("Content-Length"))
        return malformed("Transfer-Encoding and Content-Length exclude each other.");
    return coded ? checkTransferEncoding() : checkContentLength();
}

bool HeadParser::checkTransferEncoding()
{
    if (m_head.minorVersion == 0)
        return malformed("HTTP/1.0 has no Transfer-Encoding.");
    const auto codings = listItems(m_head.headers.values("Transfer-Encoding"));
    if (!std::ranges::all_of(codings, [](const QByteArray &coding) { return isToken(coding); })
        || codings.count("chunked") > 1 || (codings.contains("chunked") && codings.last() != "chunked")
        || codings.contains("identity"))
        return malformed("The Transfer-Encoding is not sound.");
    if (codings != QList<QByteArray>{"chunked"})
        return refuse(ErrorCode::NotImplemented, "The only Transfer-Encoding this server takes is chunked.");
    m_head.chunked = true;
    return true;
}

bool HeadParser::checkContentLength()
{
    const auto lengths = m_head.headers.values("Content-Length");
    if (lengths.isEmpty())
        return true;
    const auto &length = lengths.first();
    if (lengths.size() > 1 || length.isEmpty() || !std::ranges::all_of(length, isDigit)
        || (length.size() > 1 && length.startsWith('0')))
        return malformed("The Content-Length is not one decimal number.");
    bool fits = false;
    const qint64 value = length.toLongLong(&fits);
    if (!fits)
        return malformed("The Content-Length is not a number of this world.");
    m_head.contentLength = value;
    return true;
}

bool HeadParser::checkExpect()
{
    const auto expectations = listItems(m_head.headers.values("Expect"));
    if (expectations.isEmpty())
        return true;
    if (expectations != QList<QByteArray>{"100-continue"})
        return refuse(ErrorCode::ExpectationFailed, "The only expectation this server meets is 100-continue.");
    m_head.expectsContinue = m_head.minorVersion == 1 && m_head.hasBody();
    return true;
}

void HeadParser::readConnection()
{
    const auto options = listItems(m_head.headers.values("Connection"));
    m_head.keepAlive = !options.contains("close") && (m_head.minorVersion == 1 || options.contains("keep-alive"));
}

} // namespace companion::http
