#include "llm/wire/WirePool.h"

#include <algorithm>

namespace companion::llm {

namespace {

constexpr int longestKept_ms = 60'000;
constexpr int sweep_ms = 10'000;
constexpr int longestGoodbye_ms = 1'000;
constexpr int onlyIpv4For_ms = 600'000;

} // namespace

WireLease::WireLease(WirePool *pool, WireConnection *connection)
    : m_pool(pool)
    , m_connection(connection)
{
}

WireLease::WireLease(WireLease &&other) noexcept
    : m_pool(std::exchange(other.m_pool, nullptr))
    , m_connection(std::exchange(other.m_connection, nullptr))
{
}

WireLease &WireLease::operator=(WireLease &&other) noexcept
{
    drop();
    m_pool = other.m_pool;
    m_connection = std::exchange(other.m_connection, nullptr);
    return *this;
}

void WireLease::giveBack()
{
    WireConnection *connection = std::exchange(m_connection, nullptr);
    if (connection && m_pool) // a pool that is gone has taken its connections with it
        m_pool->takeBack(connection);
}

void WireLease::drop()
{
    WireConnection *connection = std::exchange(m_connection, nullptr);
    if (connection && m_pool) {
        m_pool->remove(connection);
        m_pool->freed();
    }
}

WirePool::WirePool(const QUrl &url, int connections, QObject *parent)
    : QObject(parent)
    , m_url(url)
    , m_most(std::max(1, connections))
{
    m_clock.start();
    m_sweep.setInterval(sweep_ms);
    connect(&m_sweep, &QTimer::timeout, this, &WirePool::dropOld);
}

WirePool::~WirePool() = default;

void WirePool::ask(QObject *who, int priority, std::function<void(WireLease)> go)
{
    std::erase_if(m_waiting, [](const Waiter &waiter) { return !waiter.who; });
    if (WireLease lease = m_waiting.empty() ? tryLease() : WireLease())
        return go(std::move(lease));
    const auto place = std::ranges::find_if(m_waiting, [&](const Waiter &other) { return other.priority < priority; });
    m_waiting.insert(place, {who, priority, std::move(go)});
}

void WirePool::forget(QObject *who)
{
    std::erase_if(m_waiting, [&](const Waiter &waiter) { return waiter.who == who; });
}

// The one used last is the warmest, and the others get old and go.
WireLease WirePool::tryLease()
{
    if (m_running >= m_most)
        return {};
    ++m_running;
    while (!m_kept.empty()) {
        WireConnection *connection = m_kept.back().connection;
        m_kept.pop_back();
        connection->disconnect(this);
        if (connection->isFree())
            return WireLease(this, connection);
        remove(connection);
    }
    return WireLease(this, makeConnection());
}

WireConnection *WirePool::makeConnection()
{
    const bool onlyIpv4 = m_connectingFailed.isValid() && !m_connectingFailed.hasExpired(onlyIpv4For_ms);
    return new WireConnection(m_url, onlyIpv4, this);
}

void WirePool::takeBack(WireConnection *connection)
{
    connection->disconnect();
    if (connection->isAsked())
        return letRunOut(connection);
    connection->isFree() ? keep(connection) : remove(connection);
    freed();
}

// After the end mark nothing more is wanted, but a connection whose answer has ended can serve the next request.
void WirePool::letRunOut(WireConnection *connection)
{
    auto *goodbye = new QTimer(connection);
    const auto through = [this, connection, goodbye] {
        goodbye->stop(); // it may be due in this very turn of the loop, and would end a connection that is kept
        goodbye->deleteLater();
        takeBack(connection);
    };
    connect(connection, &WireConnection::ended, this, through);
    connect(goodbye, &QTimer::timeout, connection, [this, connection] {
        remove(connection);
        freed();
    });
    goodbye->setSingleShot(true);
    goodbye->start(longestGoodbye_ms);
}

void WirePool::keep(WireConnection *connection)
{
    m_kept.push_back({connection, m_clock.elapsed()});
    connect(connection, &WireConnection::lost, this, [this, connection] {
        std::erase_if(m_kept, [=](const Kept &kept) { return kept.connection == connection; });
        remove(connection);
    });
    if (!m_sweep.isActive())
        m_sweep.start();
}

// Later, for this may be inside one of its signals.
void WirePool::remove(WireConnection *connection)
{
    connection->disconnect();
    connection->cut();
    connection->deleteLater();
}

// The next one is served from the loop: whoever gives back is in the middle of something.
void WirePool::freed()
{
    --m_running;
    if (!m_waiting.empty())
        QMetaObject::invokeMethod(this, &WirePool::serveNext, Qt::QueuedConnection);
}

void WirePool::serveNext()
{
    std::erase_if(m_waiting, [](const Waiter &waiter) { return !waiter.who; });
    while (!m_waiting.empty()) {
        WireLease lease = tryLease();
        if (!lease)
            return;
        const Waiter next = std::move(m_waiting.front());
        m_waiting.erase(m_waiting.begin());
        next.go(std::move(lease));
    }
}

void WirePool::dropOld()
{
    while (!m_kept.empty() && m_clock.elapsed() - m_kept.front().since_ms >= longestKept_ms) {
        WireConnection *connection = m_kept.front().connection;
        m_kept.erase(m_kept.begin());
        remove(connection);
    }
    if (m_kept.empty())
        m_sweep.stop();
}

} // namespace companion::llm
