#pragma once

#include "http/Cors.h"
#include "http/Server.h"

#include <QHash>
#include <QSet>
#include <QTcpServer>
#include <QTimer>

namespace companion::http {

class ConnectionGuard;
class QtServer;

// What all connections of one server share.
struct GateContext
{
    const Router &router;
    Limits limits;
    Cors cors = {};
    TrustedProxies proxies = {};
    QtServer *parser = nullptr;
    bool draining = false;
    qint64 heldBytes = 0; // of requests, and of answers not yet taken, on all connections
    std::function<void(const Request &, int status, qint64 duration_ns, qint64 bytesOut)> answered = {};
};

// The listening side: makes the sockets itself, so that each has its guard before anything can be read from it; caps
// connections in all and per address; survives running out of file descriptors; and once a tick asks every guard for
// its deadlines (one timer for all of them, since ten thousand would be slow to restart for every request).
class Gate : public QTcpServer
{
    Q_OBJECT
public:
    explicit Gate(GateContext &context);
    ~Gate() override;

    void boundKernelBuffers(); // once it listens
    int connections() const { return int(m_guards.size()); }
    void drain(); // close() it first
    void cutAll();
    void connectionEnded(ConnectionGuard *guard, const QHostAddress &peer);
    // A request that a trusted proxy brings counts for its client as a connection would. False: it has too many.
    bool admitForwarded(const QHostAddress &client);
    void forwardedEnded(const QHostAddress &client);
    void shedSoon(); // too much is held: from the loop, cut who leaves the most of their answers lying

    static qint64 now_ns(); // monotonic

Q_SIGNALS:
    void emptied(); // the last connection has ended

protected:
    void incomingConnection(qintptr descriptor) override;

private:
    bool hasRoom(const QHostAddress &peer) const;
    bool isCounted(const QHostAddress &peer) const;
    bool mayHaveMore(const QHostAddress &address) const;
    void leave(const QHostAddress &address);
    void shed();
    void waitForFiles();
    void tryAccepting();
    void tick();

    GateContext &m_context;
    QSet<ConnectionGuard *> m_guards;
    QHash<QString, int> m_perAddress; // by networkOf()
    QTimer m_tick;
    bool m_shedding = false;
    bool m_accepting = true;
    qint64 m_pauseLoggedAt_ns = 0;
};

} // namespace companion::http
