#pragma once

#include <QNetworkAccessManager>
#include <QPointer>
#include <functional>
#include <memory>
#include <vector>

namespace companion::llm {

class WirePool;

// The right to one running request; given back when it goes.
class WireLease
{
public:
    WireLease() = default;
    WireLease(WirePool *pool, qsizetype index);
    WireLease(WireLease &&other) noexcept;
    WireLease &operator=(WireLease &&other) noexcept;
    ~WireLease() { release(); }

    QNetworkAccessManager *manager() const;
    explicit operator bool() const { return m_pool; }
    void release();

private:
    QPointer<WirePool> m_pool;
    qsizetype m_index = 0;
};

// QNetworkAccessManager opens 6 connections to a host and queues the rest in silence, so there are several, made when
// they are needed, and the queue is ours: ordered by priority, then by arrival. Loop thread.
class WirePool : public QObject
{
    Q_OBJECT
public:
    static constexpr int perManager = 6;

    explicit WirePool(int managers, QObject *parent = nullptr);
    ~WirePool() override;

    // Calls `go` with a lease, at once or when one is free; never after `who` is gone or forgotten.
    void ask(QObject *who, int priority, std::function<void(WireLease)> go);
    void forget(QObject *who);
    int running() const;
    int waiting() const { return int(m_waiting.size()); }

private:
    friend class WireLease;
    struct Waiter
    {
        QPointer<QObject> who;
        int priority = 0;
        std::function<void(WireLease)> go;
    };
    struct Slot
    {
        std::unique_ptr<QNetworkAccessManager> manager;
        int running = 0;
    };

    WireLease tryLease();
    void giveBack(qsizetype index);
    void serveNext();

    bool m_closing = false;
    size_t m_most;
    std::vector<Slot> m_managers;
    std::vector<Waiter> m_waiting;
};

} // namespace companion::llm
