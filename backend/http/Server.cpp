#include "http/Server.h"

#include "http/Gate.h"
#include "http/QtServer.h"

#include <QTimer>
#include <utility>

namespace companion::http {

struct Server::Private
{
    Private(const Router &router, const Limits &limits)
        : context{router, limits}
        , gate(new Gate(context))
    {
        context.parser = &parser;
    }
    // The gate goes first: its connections' last words still need the context and QtHttpServer.
    ~Private() { delete gate; }

    GateContext context;
    QtServer parser;
    Gate *gate;
    QTimer drainDeadline;
    bool drainedSaid = false;
};

namespace {

QString listenError(const QTcpServer &gate, const QHostAddress &address, quint16 port)
{
    const QString where = address.toString() + u':' + QString::number(port);
    switch (gate.serverError()) {
    case QAbstractSocket::AddressInUseError:
        return QStringLiteral("%1 is in use by another program: stop that one or choose another port.").arg(where);
    case QAbstractSocket::SocketAccessError:
        return QStringLiteral("This user may not listen on %1: choose a port above 1023.").arg(where);
    case QAbstractSocket::SocketAddressNotAvailableError:
        return QStringLiteral("This machine has no address %1: choose one of its own, or 0.0.0.0 for all.")
            .arg(address.toString());
    default:
        return QStringLiteral("Cannot listen on %1: %2.").arg(where, gate.errorString());
    }
}

} // namespace

Server::Server(const Router &router, Limits limits, QObject *parent)
    : QObject(parent)
    , d(std::make_unique<Private>(router, limits))
{
    d->context.answered = [this](const Request &request, int status, qint64 duration_ns, qint64 bytesOut) {
        if (onAnswered)
            onAnswered(request, status, duration_ns, bytesOut);
    };
    d->drainDeadline.setSingleShot(true);
    connect(&d->drainDeadline, &QTimer::timeout, this, [this] { d->gate->cutAll(); });
    connect(
        d->gate, &Gate::emptied, this,
        [this] {
            if (!d->context.draining || std::exchange(d->drainedSaid, true))
                return;
            d->drainDeadline.stop();
            Q_EMIT drained();
        },
        Qt::QueuedConnection);
}

Server::~Server()
{
    onAnswered = nullptr;
}

void Server::allowOrigins(const QStringList &origins)
{
    d->context.cors.allow(origins);
}

void Server::trustProxies(TrustedProxies proxies)
{
    d->context.proxies = std::move(proxies);
}

std::expected<quint16, QString> Server::listen(const QHostAddress &address, quint16 port)
{
    if (!d->gate->listen(address, port))
        return std::unexpected(listenError(*d->gate, address, port));
    d->gate->boundKernelBuffers();
    if (!d->parser.attach(d->gate))
        return std::unexpected(QStringLiteral("QtHttpServer does not take the listening socket."));
    return d->gate->serverPort();
}

void Server::drain(int deadline_ms)
{
    if (d->context.draining)
        return;
    d->context.draining = true;
    d->gate->close();
    d->drainDeadline.start(deadline_ms);
    d->gate->drain();
}

int Server::openConnections() const
{
    return d->gate->connections();
}

} // namespace companion::http
