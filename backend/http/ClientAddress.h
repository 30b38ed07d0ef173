#pragma once

#include "http/Message.h"

#include <QHostAddress>
#include <expected>

namespace companion::http {

// An address as text in one spelling only: four decimal octets, or IPv6 without a zone. Null for anything else; Qt
// alone would also read "1", "0x7f.1" and "0177.0.0.1". ::ffff:192.0.2.1 becomes 192.0.2.1.
QHostAddress parseAddress(QByteArrayView text);
QHostAddress plainAddress(const QHostAddress &address); // ::ffff:192.0.2.1 becomes 192.0.2.1
// What limits count: one customer has one IPv4 address, but a whole IPv6 /64. "192.0.2.1", "2001:db8::/64".
QString networkOf(const QHostAddress &address);
// A header by which proxies name the client is there, whoever wrote it: the request may have come from further away
// than its connection.
bool saysForwarded(const Headers &headers);

// The reverse proxies in front of us, and the one header in which they name their client. Only that header is read and
// only from these peers: a proxy passes the other one on as the client wrote it.
class TrustedProxies
{
public:
    enum class Header { XForwardedFor, Forwarded };

    // Addresses and networks ("127.0.0.1", "10.0.0.0/8", "fd00::/8"). A network of everybody (/0) is an error.
    static std::expected<TrustedProxies, QString> parse(const QStringList &networks, Header header);

    bool contains(const QHostAddress &address) const;
    // Walks from the peer back through the header's entries for as long as who wrote them is trusted. The first who is
    // not is the client; an entry that is no address ends the walk at the one who wrote it.
    QHostAddress clientOf(const QHostAddress &peer, const Headers &headers) const;

private:
    QList<std::pair<QHostAddress, int>> m_networks;
    Header m_header = Header::XForwardedFor;
};

} // namespace companion::http
