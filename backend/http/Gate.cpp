#include "http/Gate.h"

#include "http/ConnectionGuard.h"
#include "ops/Log.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace companion::http {

namespace {

constexpr int resumeAccepting_ms = 100;
constexpr int turnedAwayAtOnce = 64; // connections beyond the cap that are told so; more are just closed

// One customer has one IPv4 address, but a whole IPv6 /64.
QByteArray addressKey(const QHostAddress &address)
{
    bool isIpv4 = false;
    const auto ipv4 = address.toIPv4Address(&isIpv4);
    if (isIpv4)
        return QByteArray::number(ipv4);
    const auto ipv6 = address.toIPv6Address();
    return QByteArray(reinterpret_cast<const char *>(ipv6.c), 8);
}

int tickLength_ms(const Limits &limits)
{
    const int shortest = std::min({limits.headDeadline_ms, limits.bodyDeadline_ms, limits.idleDeadline_ms,
                                   limits.lingerDeadline_ms, limits.pingInterval_ms});
    return std::clamp(shortest / 8, 10, 250);
}

} // namespace

Gate::Gate(GateContext &context)
    : m_context(context)
{
    setListenBacklogSize(1'024);
    setMaxPendingConnections(1'024);
    connect(&m_tick, &QTimer::timeout, this, &Gate::tick);
    m_tick.start(tickLength_ms(context.limits));
    // Out of file descriptors, QTcpServer stops accepting for good; what waits in the kernel's queue is served as soon
    // as there are some again.
    connect(this, &QTcpServer::acceptError, this, [this] {
        ops::log(ops::Level::Warning, "http_accept_paused", {{"error", errorString()}});
        QTimer::singleShot(resumeAccepting_ms, this, &QTcpServer::resumeAccepting);
    });
}

Gate::~Gate()
{
    cutAll();
}

qint64 Gate::now_ns()
{
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

bool Gate::hasRoom(const QHostAddress &peer) const
{
    const auto &limits = m_context.limits;
    return m_guards.size() < limits.connections
        && (limits.connectionsPerAddress == 0 || m_perAddress.value(addressKey(peer)) < limits.connectionsPerAddress);
}

void Gate::incomingConnection(qintptr descriptor)
{
    auto *socket = new QTcpSocket(this);
    if (!socket->setSocketDescriptor(descriptor)) {
        ::close(int(descriptor));
        delete socket;
        return;
    }
    const bool room = hasRoom(socket->peerAddress());
    if (!room && m_guards.size() >= m_context.limits.connections + turnedAwayAtOnce) {
        socket->abort();
        delete socket;
        return;
    }
    socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    auto *guard = new ConnectionGuard(socket, *this, m_context);
    m_guards.insert(guard);
    ++m_perAddress[addressKey(socket->peerAddress())];
    if (!room)
        return guard->turnAway();
    addPendingConnection(guard->makePipe());
}

void Gate::connectionEnded(ConnectionGuard *guard, const QHostAddress &peer)
{
    m_guards.remove(guard);
    const auto count = m_perAddress.find(addressKey(peer));
    if (count != m_perAddress.end() && --*count == 0)
        m_perAddress.erase(count);
    if (m_guards.isEmpty())
        Q_EMIT emptied();
}

void Gate::drain()
{
    const auto guards = m_guards; // ending a connection takes it out of the set
    for (auto *guard : guards)
        guard->drain();
    if (m_guards.isEmpty())
        Q_EMIT emptied();
}

void Gate::cutAll()
{
    const auto guards = m_guards;
    for (auto *guard : guards)
        guard->cut();
}

void Gate::tick()
{
    const auto now = now_ns();
    const auto guards = m_guards;
    for (auto *guard : guards)
        if (m_guards.contains(guard))
            guard->tick(now);
}

} // namespace companion::http
