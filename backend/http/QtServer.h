#pragma once

#include <QtHttpServer/QAbstractHttpServer>
#include <memory>

namespace companion::http {

class ConnectionGuard;
class RequestPipe;

// QtHttpServer itself, and all that differs between its versions: 6.4 hands a handler the socket, 6.5 and later a
// responder that must live until the answer is complete. Either way a request goes back to the guard that put it in.
class QtServer : public QAbstractHttpServer
{
    Q_OBJECT
public:
    bool attach(QTcpServer *gate); // takes the gate as a child
    // False when QtHttpServer did not hand the request on, which the gate's checks should make impossible.
    bool put(ConnectionGuard &guard, RequestPipe &pipe, const QByteArray &request);

protected:
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    bool handleRequest(const QHttpServerRequest &request, QHttpServerResponder &responder) override;
    void missingHandler(const QHttpServerRequest &request, QHttpServerResponder &responder) override;
#else
    bool handleRequest(const QHttpServerRequest &request, QTcpSocket *socket) override;
    void missingHandler(const QHttpServerRequest &request, QTcpSocket *socket) override;
#endif

private:
    bool handOn(const QHttpServerRequest &request, std::shared_ptr<void> token);
    ConnectionGuard *m_putting = nullptr;
};

} // namespace companion::http
