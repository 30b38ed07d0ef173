#pragma once

#include "llm/wire/WireConnection.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QTimer>
#include <QUrl>
#include <functional>
#include <memory>
#include <vector>

namespace companion::llm {

class WirePool;

// The right to one running request on one connection; without giveBack() the connection ends with it.
class WireLease
{
public:
    WireLease() = default;
    WireLease(WirePool *pool, WireConnection *connection);
    WireLease(WireLease &&other) noexcept;
    WireLease &operator=(WireLease &&other) noexcept;
    ~WireLease() { drop(); }

    WireConnection *connection() const { return m_connection; }
    explicit operator bool() const { return m_connection; }
    void giveBack(); // the answer is complete, or its last bytes are on the way: the connection may serve again
    void drop();     // ends the connection

private:
    QPointer<WirePool> m_pool;
    WireConnection *m_connection = nullptr;
};

// Connections to one provider, made when they are needed and kept for a while after use. The queue for them is ours:
// ordered by priority, then by arrival. Loop thread.
class WirePool : public QObject
{
    Q_OBJECT
public:
    WirePool(const QUrl &url, int connections, QObject *parent = nullptr);
    ~WirePool() override;

    // Calls `go` with a lease, at once or when one is free; never after `who` is gone or forgotten.
    void ask(QObject *who, int priority, std::function<void(WireLease)> go);
    void forget(QObject *who);
    // An attempt to connect came to nothing in time: for a while only the host's IPv4 addresses are tried.
    void connectingFailed() { m_connectingFailed.start(); }
    int running() const { return m_running; }
    int waiting() const { return int(m_waiting.size()); }

private:
    friend class WireLease;
    struct Waiter
    {
        QPointer<QObject> who;
        int priority = 0;
        std::function<void(WireLease)> go;
    };
    struct Kept
    {
        WireConnection *connection = nullptr;
        qint64 since_ms = 0;
    };

    WireLease tryLease();
    WireConnection *makeConnection();
    void takeBack(WireConnection *connection);
    void letRunOut(WireConnection *connection);
    void keep(WireConnection *connection);
    void remove(WireConnection *connection);
    void freed();
    void serveNext();
    void dropOld();

    const QUrl m_url;
    const int m_most;
    int m_running = 0;
    std::vector<Kept> m_kept; // the longest kept first
    std::vector<Waiter> m_waiting;
    QTimer m_sweep;
    QElapsedTimer m_clock;
    QElapsedTimer m_connectingFailed;
};

} // namespace companion::llm
