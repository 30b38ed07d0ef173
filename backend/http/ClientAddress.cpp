#include "http/ClientAddress.h"

#include "http/HeadParser.h"

#include <algorithm>
#include <optional>

namespace companion::http {

namespace {

bool isDecimal(QByteArrayView text)
{
    return !text.isEmpty() && text.size() <= 5
        && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool isDottedQuad(QByteArrayView text)
{
    const auto octets = text.toByteArray().split('.');
    return octets.size() == 4 && std::ranges::all_of(octets, [](const QByteArray &octet) {
               return isDecimal(octet) && octet.size() <= 3 && octet.toInt() <= 255
                   && (octet.size() == 1 || octet[0] != '0');
           });
}

// A node of either header: an address, perhaps with a port; IPv6 with a port stands in brackets.
QHostAddress parseNode(QByteArrayView node)
{
    if (node.startsWith('[')) {
        const auto close = node.indexOf(']');
        const auto port = close < 0 ? QByteArrayView() : node.sliced(close + 1);
        const bool sound = close > 0 && (port.isEmpty() || (port.startsWith(':') && isDecimal(port.sliced(1))));
        return sound && node.contains(':') ? parseAddress(node.sliced(1, close - 1)) : QHostAddress();
    }
    if (node.count(':') == 1) {
        const auto colon = node.indexOf(':');
        return isDecimal(node.sliced(colon + 1)) ? parseAddress(node.first(colon)) : QHostAddress();
    }
    return parseAddress(node);
}

// Forwarded (RFC 7239): for=192.0.2.43;proto=https, for="[2001:db8::17]:4711". nullopt when it is not sound, and then
// nothing of it is believed: a quote that a client left open would swallow what a proxy wrote behind it.
class ForwardedWalk
{
public:
    explicit ForwardedWalk(QByteArrayView text)
        : m_rest(text)
    {
    }
    std::optional<QByteArrayList> nodes()
    {
        QByteArrayList all;
        do {
            auto node = element();
            if (!node)
                return std::nullopt;
            all.append(*node);
        } while (skip(','));
        return m_rest.isEmpty() ? std::optional(all) : std::nullopt;
    }

private:
    std::optional<QByteArray> element()
    {
        QByteArray node;
        do {
            skipBlanks();
            const auto name = token().toLower();
            if (name.isEmpty() || !skip('='))
                return std::nullopt;
            const auto value = m_rest.startsWith('"') ? quoted() : std::optional(token());
            if (!value || value->isEmpty() || (name == "for" && !node.isEmpty()))
                return std::nullopt;
            if (name == "for")
                node = *value;
            skipBlanks();
        } while (skip(';'));
        return node.isEmpty() ? std::optional(QByteArray("unknown")) : std::optional(node);
    }
    bool skip(char c)
    {
        if (!m_rest.startsWith(c))
            return false;
        m_rest = m_rest.sliced(1);
        return true;
    }
    void skipBlanks() { m_rest = m_rest.trimmed(); }
    QByteArray token()
    {
        qsizetype length = 0;
        while (length < m_rest.size() && isToken(m_rest.sliced(length, 1)))
            ++length;
        const auto text = m_rest.first(length).toByteArray();
        m_rest = m_rest.sliced(length);
        return text;
    }
    std::optional<QByteArray> quoted()
    {
        QByteArray text;
        for (qsizetype i = 1; i < m_rest.size(); ++i) {
            if (m_rest[i] == '"') {
                m_rest = m_rest.sliced(i + 1);
                return text;
            }
            if (m_rest[i] == '\\' && ++i == m_rest.size())
                break;
            text += m_rest[i];
        }
        return std::nullopt;
    }

    QByteArrayView m_rest;
};

// Oldest first: the last was written by the peer.
QByteArrayList nodesOf(const Headers &headers, TrustedProxies::Header header)
{
    if (header == TrustedProxies::Header::Forwarded) {
        const auto lines = headers.values("Forwarded");
        return lines.isEmpty() ? QByteArrayList() : ForwardedWalk(lines.join(", ")).nodes().value_or(QByteArrayList());
    }
    QByteArrayList nodes;
    for (const auto &line : headers.values("X-Forwarded-For"))
        for (const auto &node : line.split(','))
            nodes.append(node.trimmed());
    return nodes;
}

} // namespace

QHostAddress parseAddress(QByteArrayView text)
{
    QHostAddress address;
    const bool isIpv6 = text.contains(':');
    if (text.size() > 45 || text.contains('%') || (!isIpv6 && !isDottedQuad(text)))
        return {};
    if (!address.setAddress(QString::fromLatin1(text)))
        return {};
    return plainAddress(address);
}

QHostAddress plainAddress(const QHostAddress &address)
{
    bool isIpv4 = false;
    const auto ipv4 = address.toIPv4Address(&isIpv4);
    return isIpv4 ? QHostAddress(ipv4) : address;
}

QString networkOf(const QHostAddress &address)
{
    const auto plain = plainAddress(address);
    if (plain.protocol() != QAbstractSocket::IPv6Protocol)
        return plain.toString();
    auto bytes = plain.toIPv6Address();
    std::fill(bytes.c + 8, bytes.c + 16, quint8(0));
    return QString(QHostAddress(bytes).toString() + QStringLiteral("/64"));
}

bool saysForwarded(const Headers &headers)
{
    static const QByteArrayList names{"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"};
    return std::ranges::any_of(names, [&](const QByteArray &name) { return headers.contains(name); });
}

std::expected<TrustedProxies, QString> TrustedProxies::parse(const QStringList &networks, Header header)
{
    TrustedProxies proxies;
    proxies.m_header = header;
    for (const auto &text : networks) {
        const auto address = parseAddress(text.section(u'/', 0, 0).toLatin1());
        const int longest = address.protocol() == QAbstractSocket::IPv6Protocol ? 128 : 32;
        bool isNumber = true;
        const int length = text.contains(u'/') ? text.section(u'/', 1).toInt(&isNumber) : longest;
        if (address.isNull() || !isNumber || length < 0 || length > longest)
            return std::unexpected(
                QStringLiteral("\"%1\" is neither an IP address nor a network such as 10.0.0.0/8").arg(text));
        if (length == 0)
            return std::unexpected(QStringLiteral("\"%1\" is everybody; name the proxies").arg(text));
        proxies.m_networks.append({address, length});
    }
    return proxies;
}

bool TrustedProxies::contains(const QHostAddress &address) const
{
    return std::ranges::any_of(m_networks, [plain = plainAddress(address)](const auto &network) {
        return plain.protocol() == network.first.protocol() && plain.isInSubnet(network.first, network.second);
    });
}

QHostAddress TrustedProxies::clientOf(const QHostAddress &peer, const Headers &headers) const
{
    auto client = plainAddress(peer);
    if (m_networks.isEmpty() || !contains(client))
        return client;
    auto nodes = nodesOf(headers, m_header);
    while (!nodes.isEmpty() && contains(client)) {
        const auto node = parseNode(nodes.takeLast());
        if (node.isNull())
            break;
        client = node;
    }
    return client;
}

} // namespace companion::http
