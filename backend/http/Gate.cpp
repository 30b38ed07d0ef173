#include "http/Gate.h"

#include "http/ConnectionGuard.h"
#include "ops/FileLimit.h"
#include "ops/Log.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <functional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace companion::http {

namespace {

constexpr int resumeAccepting_ms = 100;
constexpr int mostPending = 1'024; // not yet taken by QtHttpServer
constexpr int sparedFiles = 8; // for everybody else in this process, when clients have taken the others
constexpr qint64 pauseLogInterval_ns = 10'000'000'000;
constexpr int turnedAwayInPeace = 64; // connections beyond the cap that get time to read why; more are just told

// Where the next file descriptor would be one of the spared.
bool filesAreShort(int anyDescriptor)
{
    const int next = ::fcntl(anyDescriptor, F_DUPFD_CLOEXEC, 0);
    if (next >= 0)
        ::close(next);
    return next < 0 || next + sparedFiles >= ops::fileLimit();
}

// Says 503 without a guard and hangs up: for floods, where even waiting for the client to read would cost too much.
// What it has said so far is read first, or the kernel would send a reset that can overtake the answer.
void turnAwayAtOnce(int descriptor)
{
    static const QByteArray answer =
        writeReply(Reply::problem({ErrorCode::Overloaded, QStringLiteral("There are too many connections.")}, "flood"),
                   {.keepAlive = false, .requestId = "flood"});
    char waste[16 * 1024];
    (void)::recv(descriptor, waste, sizeof waste, MSG_DONTWAIT);
    (void)::send(descriptor, answer.constData(), size_t(answer.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(descriptor, SHUT_WR);
    ::close(descriptor);
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
    setMaxPendingConnections(mostPending);
    connect(&m_tick, &QTimer::timeout, this, &Gate::tick);
    m_tick.start(tickLength_ms(context.limits));
    connect(this, &QTcpServer::acceptError, this, &Gate::waitForFiles);
}

Gate::~Gate()
{
    cutAll();
}

// Left to itself the kernel lets each connection have up to ten megabytes, which no count of ours would see. Accepted
// sockets inherit these.
void Gate::boundKernelBuffers()
{
    const int bytes = m_context.limits.kernelBytes;
    for (const int which : {SO_SNDBUF, SO_RCVBUF})
        ::setsockopt(int(socketDescriptor()), SOL_SOCKET, which, &bytes, sizeof bytes);
}

// Out of file descriptors, QTcpServer tries to accept again and again without a pause: it remembers the first error of
// its socket, the harmless one of an empty queue. So we stop before the last ones are gone. No pending connection being
// allowed is what ends QTcpServer's loop at once. Who waits in the kernel's queue is served when there are some again.
void Gate::waitForFiles()
{
    if (!isListening() || !std::exchange(m_accepting, false))
        return;
    if (now_ns() - m_pauseLoggedAt_ns > pauseLogInterval_ns || m_pauseLoggedAt_ns == 0) {
        m_pauseLoggedAt_ns = now_ns();
        ops::log(ops::Level::Warning, "http_accept_paused",
                 {{"connections", connections()}, {"file_limit", ops::fileLimit()}});
    }
    setMaxPendingConnections(0);
    pauseAccepting();
    QTimer::singleShot(resumeAccepting_ms, this, &Gate::tryAccepting);
}

void Gate::tryAccepting()
{
    m_accepting = true;
    if (!isListening())
        return;
    if (filesAreShort(int(socketDescriptor())))
        return waitForFiles();
    setMaxPendingConnections(mostPending);
    resumeAccepting();
}

qint64 Gate::now_ns()
{
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

// A trusted proxy has as many connections as it likes; its clients are counted one by one, by their requests.
bool Gate::isCounted(const QHostAddress &peer) const
{
    return !m_context.proxies.contains(peer);
}

bool Gate::mayHaveMore(const QHostAddress &address) const
{
    const auto most = m_context.limits.connectionsPerAddress;
    return most == 0 || m_perAddress.value(networkOf(address)) < most;
}

bool Gate::hasRoom(const QHostAddress &peer) const
{
    return m_guards.size() < m_context.limits.connections && (!isCounted(peer) || mayHaveMore(peer));
}

void Gate::leave(const QHostAddress &address)
{
    const auto count = m_perAddress.find(networkOf(address));
    if (count != m_perAddress.end() && --*count == 0)
        m_perAddress.erase(count);
}

bool Gate::admitForwarded(const QHostAddress &client)
{
    if (!mayHaveMore(client))
        return false;
    ++m_perAddress[networkOf(client)];
    return true;
}

void Gate::forwardedEnded(const QHostAddress &client)
{
    leave(client);
}

void Gate::incomingConnection(qintptr descriptor)
{
    if (m_guards.size() >= m_context.limits.connections + turnedAwayInPeace)
        return turnAwayAtOnce(int(descriptor));
    auto *socket = new ClientSocket(descriptor, m_context.limits.parkedBytes, this);
    const auto peer = socket->peerAddress();
    const bool room = hasRoom(peer);
    auto *guard = new ConnectionGuard(socket, *this, m_context);
    m_guards.insert(guard);
    if (isCounted(peer))
        ++m_perAddress[networkOf(peer)];
    if (!room)
        return guard->turnAway();
    addPendingConnection(guard->makePipe());
    if (int(descriptor) + sparedFiles >= ops::fileLimit())
        waitForFiles();
}

void Gate::connectionEnded(ConnectionGuard *guard, const QHostAddress &peer)
{
    m_guards.remove(guard);
    if (isCounted(peer))
        leave(peer);
    if (m_guards.isEmpty())
        Q_EMIT emptied();
}

void Gate::shedSoon()
{
    if (!std::exchange(m_shedding, true))
        QMetaObject::invokeMethod(this, &Gate::shed, Qt::QueuedConnection);
}

void Gate::shed()
{
    m_shedding = false;
    QList<std::pair<qint64, ConnectionGuard *>> pending;
    for (auto *guard : std::as_const(m_guards))
        if (const auto bytes = guard->pendingBytes(); bytes > 0)
            pending.append({bytes, guard});
    std::ranges::sort(pending, std::greater());
    int cut = 0;
    for (const auto &[bytes, guard] : std::as_const(pending)) {
        if (m_context.heldBytes <= m_context.limits.heldBytes * 3 / 4)
            break;
        if (m_guards.contains(guard)) {
            guard->cut();
            ++cut;
        }
    }
    ops::log(ops::Level::Warning, "http_readers_shed", {{"connections", cut}});
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
    if (isListening() && m_accepting && filesAreShort(int(socketDescriptor()))) // others opened files, too
        waitForFiles();
    const auto now = now_ns();
    const auto guards = m_guards;
    for (auto *guard : guards)
        if (m_guards.contains(guard))
            guard->tick(now);
}

} // namespace companion::http
