#include "http/RequestPipe.h"

#include <algorithm>
#include <cstring>

namespace companion::http {

RequestPipe::RequestPipe(const ClientSocket &client, QObject *parent)
    : QTcpSocket(parent)
{
    setPeerAddress(client.peerAddress());
    setPeerPort(client.peerPort());
    setSocketState(ConnectedState);
    setOpenMode(ReadWrite);
}

// QTcpSocket's own destructor would try to disconnect a socket that is not there.
RequestPipe::~RequestPipe()
{
    setSocketState(UnconnectedState);
}

void RequestPipe::put(const QByteArray &request)
{
    m_bytes = request;
    m_at = 0;
    Q_EMIT readyRead();
    if (state() == ConnectedState && bytesAvailable() == 0) { // frees QIODevice's buffer, which is 32 KiB from now on
        setOpenMode(NotOpen);
        setOpenMode(ReadWrite);
    }
}

void RequestPipe::hangUp()
{
    if (state() == UnconnectedState)
        return;
    setSocketState(UnconnectedState);
    Q_EMIT disconnected(); // QtHttpServer deletes its end now, or after the handler it is in
}

qint64 RequestPipe::bytesAvailable() const
{
    return QIODevice::bytesAvailable() + m_bytes.size() - m_at;
}

qint64 RequestPipe::readData(char *data, qint64 maxSize)
{
    const auto length = std::min<qint64>(maxSize, m_bytes.size() - m_at);
    std::memcpy(data, m_bytes.constData() + m_at, size_t(length));
    m_at += length;
    if (m_at == m_bytes.size()) {
        m_bytes = {};
        m_at = 0;
    }
    return length;
}

qint64 RequestPipe::writeData(const char *, qint64 size)
{
    return size;
}

} // namespace companion::http
