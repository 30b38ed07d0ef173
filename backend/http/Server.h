#pragma once

#include "http/ClientAddress.h"
#include "http/Router.h"

#include <QHostAddress>
#include <QObject>
#include <memory>

namespace companion::http {

struct Limits
{
    int connections = 10'000;
    // Of one IPv4 address or one IPv6 /64; behind a trusted proxy, open requests of one. 0: no limit.
    int connectionsPerAddress = 4'096;
    qsizetype headBytes = 16 * 1024;
    qsizetype bodyBytes = 1024 * 1024;
    int headDeadline_ms = 5'000;       // from a request's first byte to the end of its head
    int bodyDeadline_ms = 10'000;      // from there to the end of its body
    int idleDeadline_ms = 15'000;      // between requests, and for a reader that takes nothing of its answer
    int lingerDeadline_ms = 2'000;     // after a last answer, for the client to read it and close
    int pingInterval_ms = 15'000;      // of event streams
    qsizetype pendingBytes = 512 * 1024; // of an event stream, unread by its client
    // Of all requests that are arriving or being answered, and all answers not yet taken. Beyond it the clients who
    // leave the most of their answers lying are cut, and requests are refused with 503.
    qint64 heldBytes = 256 * 1024 * 1024;
    qint64 slowestRead_Bps = 4 * 1024; // an answer has the idle deadline, and its size at this rate, to be taken
    int kernelBytes = 128 * 1024; // of each direction of a connection, in the kernel (which may double it)
    qsizetype parkedBytes = 64 * 1024; // read ahead of the request being answered; more waits in the kernel
};

// QtHttpServer behind its gate (docs/http.md): every head and all framing is checked before QtHttpServer's parser sees
// a byte. Loop thread only. `router` must outlive the server.
class Server : public QObject
{
    Q_OBJECT
public:
    Server(const Router &router, Limits limits = {}, QObject *parent = nullptr);
    ~Server() override;

    // Browsers on these origins ("https://app.example.com") may call and read the answers; "*" lets every origin.
    void allowOrigins(const QStringList &origins);

    // The reverse proxies whose word about their client counts; call it before listen().
    void trustProxies(TrustedProxies proxies);

    // Port 0 takes a free one. An error text, in English, says what to do.
    std::expected<quint16, QString> listen(const QHostAddress &address, quint16 port);
    // Stops accepting and closes idle connections; open exchanges go on, each the last of its connection; drained()
    // when the last has ended or the deadline has passed (what is still open is then cut).
    void drain(int deadline_ms);

    int openConnections() const;

    // Called once for each answer, the gate's own refusals included (their request may hold no more than an id, and
    // has no route): for access logs and metrics. Status 499: the client left before the answer.
    std::function<void(const Request &, int status, qint64 duration_ns, qint64 bytesOut)> onAnswered;

Q_SIGNALS:
    void drained();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace companion::http
