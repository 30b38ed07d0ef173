#pragma once

#include "http/ClientSocket.h"

#include <QTcpSocket>

namespace companion::http {

// What QtHttpServer is given in place of a client's socket: an in-memory device that looks connected. Into it the gate
// puts whole, checked, canonical requests, one at a time. QtHttpServer can neither write to the client (its words are
// swallowed), nor close or delete the client's socket, nor read ahead into the next request, all of which it otherwise
// does at the wrong moment. Owned by whoever took it from the pending connections; dies after hangUp().
class RequestPipe : public QTcpSocket
{
    Q_OBJECT
public:
    RequestPipe(const ClientSocket &client, QObject *parent);
    ~RequestPipe() override;

    void put(const QByteArray &request); // QtHttpServer reads it before this returns
    void hangUp();

    qint64 bytesAvailable() const override;
    void disconnectFromHost() override { hangUp(); } // what QtHttpServer does when it cannot parse
    void close() override { hangUp(); }

protected:
    qint64 readData(char *data, qint64 maxSize) override;
    qint64 writeData(const char *data, qint64 size) override;

private:
    QByteArray m_bytes;
    qsizetype m_at = 0;
};

} // namespace companion::http
