#pragma once

#include "http/Router.h"

#include <QHostAddress>
#include <QObject>
#include <memory>

namespace companion::http {

struct Limits
{
    int connections = 10'000;
    int connectionsPerAddress = 4'096; // 0: no limit
    qsizetype headBytes = 16 * 1024;
    qsizetype bodyBytes = 1024 * 1024;
    int headDeadline_ms = 5'000;
    int bodyDeadline_ms = 10'000;
    int idleDeadline_ms = 15'000;
    qsizetype pendingBytes = 512 * 1024;
    int pipelined = 4;
};

// QtHttpServer behind its gate (docs/architecture.md; design: the gate checks every head and all framing before
// QtHttpServer's parser sees it). Loop thread only.
class Server : public QObject
{
    Q_OBJECT
public:
    Server(const Router &router, Limits limits = {}, QObject *parent = nullptr);
    ~Server() override;

    // Port 0 takes a free one. An error text, in English, says what to do.
    std::expected<quint16, QString> listen(const QHostAddress &address, quint16 port);
    // Stops accepting; open exchanges go on; drained() when the last has ended or the deadline has passed.
    void drain(int deadline_ms);

    int openConnections() const;

    // Called once for each answered request: for access logs and metrics.
    std::function<void(const Request &, int status, qint64 duration_ns, qint64 bytesOut)> onAnswered;

Q_SIGNALS:
    void drained();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace companion::http
