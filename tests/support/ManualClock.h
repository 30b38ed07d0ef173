#pragma once

#include "common/Clock.h"

#include <atomic>
#include <chrono>

namespace companion::test {

// A clock that stands still until the test moves it; begins at 2026-01-15 12:00:00 UTC. Any thread.
class ManualClock final : public Clock
{
public:
    ManualClock() { set(QDateTime(QDate(2026, 1, 15), QTime(12, 0), Qt::UTC)); }
    QDateTime now() const override { return QDateTime::fromMSecsSinceEpoch(m_ms, Qt::UTC); }
    void set(const QDateTime &time) { m_ms = time.toMSecsSinceEpoch(); }
    void advance(std::chrono::milliseconds by) { m_ms += by.count(); }

private:
    std::atomic<qint64> m_ms = 0;
};

} // namespace companion::test
