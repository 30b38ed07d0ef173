#include "llm/wire/WirePool.h"

#include <algorithm>
#include <numeric>

namespace companion::llm {

WireLease::WireLease(WirePool *pool, qsizetype index)
    : m_pool(pool)
    , m_index(index)
{
}

WireLease::WireLease(WireLease &&other) noexcept
    : m_pool(std::exchange(other.m_pool, nullptr))
    , m_index(other.m_index)
{
}

WireLease &WireLease::operator=(WireLease &&other) noexcept
{
    release();
    m_pool = std::exchange(other.m_pool, nullptr);
    m_index = other.m_index;
    return *this;
}

QNetworkAccessManager *WireLease::manager() const
{
    return m_pool->m_managers[m_index].manager.get();
}

void WireLease::release()
{
    if (WirePool *pool = std::exchange(m_pool, nullptr))
        pool->giveBack(m_index);
}

WirePool::WirePool(int managers, QObject *parent)
    : QObject(parent)
    , m_most(size_t(std::max(1, managers)))
{
}

// Requests that still run out end with their managers and give back to a pool that is half gone.
WirePool::~WirePool()
{
    m_closing = true;
}

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

int WirePool::running() const
{
    return std::accumulate(m_managers.begin(), m_managers.end(), 0,
                           [](int sum, const Slot &slot) { return sum + slot.running; });
}

WireLease WirePool::tryLease()
{
    auto free = std::ranges::find_if(m_managers, [](const Slot &slot) { return slot.running < perManager; });
    if (free == m_managers.end()) {
        if (m_managers.size() == m_most)
            return {};
        m_managers.push_back({std::make_unique<QNetworkAccessManager>()});
        free = std::prev(m_managers.end());
    }
    ++free->running;
    return WireLease(this, free - m_managers.begin());
}

// The next one is served from the loop: whoever gives back is in the middle of something.
void WirePool::giveBack(qsizetype index)
{
    if (m_closing)
        return;
    --m_managers[index].running;
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

} // namespace companion::llm
