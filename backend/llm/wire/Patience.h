#pragma once

#include <QDeadlineTimer>
#include <QTimer>
#include <chrono>
#include <functional>

namespace companion::llm {

// A timer that is put off with every piece of every reply. Starting a QTimer costs a walk through all timers of the
// thread, so here only the moment moves, and the timer is started anew when it comes too early.
class Patience
{
public:
    explicit Patience(std::function<void()> ended)
        : m_ended(std::move(ended))
    {
        m_timer.setSingleShot(true);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [this] { timeout(); });
    }

    void wait(std::chrono::milliseconds time)
    {
        m_until = QDeadlineTimer(time);
        if (!m_timer.isActive() || m_until < m_armedFor)
            arm(time);
    }
    void stop() { m_timer.stop(); }

private:
    void arm(std::chrono::milliseconds time)
    {
        m_armedFor = QDeadlineTimer(time);
        m_timer.start(time);
    }
    void timeout()
    {
        if (!m_until.hasExpired())
            return arm(std::chrono::milliseconds(m_until.remainingTime() + 1));
        const auto ended = m_ended; // which may delete this
        ended();
    }

    std::function<void()> m_ended;
    QDeadlineTimer m_until;
    QDeadlineTimer m_armedFor;
    QTimer m_timer;
};

} // namespace companion::llm
