#include "http/QtServer.h"

#include "http/ConnectionGuard.h"
#include "http/RequestPipe.h"

#include <QTcpServer>
#include <QtHttpServer/QHttpServerRequest>
#include <QtHttpServer/QHttpServerResponder>
#include <utility>

namespace companion::http {

bool QtServer::put(ConnectionGuard &guard, RequestPipe &pipe, const QByteArray &request)
{
    m_putting = &guard;
    pipe.put(request);
    return std::exchange(m_putting, nullptr) == nullptr;
}

bool QtServer::handOn(const QHttpServerRequest &request, std::shared_ptr<void> token)
{
    if (auto *guard = std::exchange(m_putting, nullptr))
        guard->parsed(request.body(), std::move(token));
    return true;
}

#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)

bool QtServer::attach(QTcpServer *gate)
{
#if QT_VERSION >= QT_VERSION_CHECK(6, 8, 0)
    return bind(gate);
#else
    bind(gate);
    return true;
#endif
}

bool QtServer::handleRequest(const QHttpServerRequest &request, QHttpServerResponder &responder)
{
    return handOn(request, std::make_shared<QHttpServerResponder>(std::move(responder)));
}

void QtServer::missingHandler(const QHttpServerRequest &, QHttpServerResponder &) { }

#else

bool QtServer::attach(QTcpServer *gate)
{
    bind(gate);
    return true;
}

bool QtServer::handleRequest(const QHttpServerRequest &request, QTcpSocket *)
{
    return handOn(request, nullptr);
}

void QtServer::missingHandler(const QHttpServerRequest &, QTcpSocket *) { }

#endif

} // namespace companion::http
