#include "llm/wire/WireConnection.h"

#include <QSslConfiguration>
#include <QSslSocket>
#include <utility>

namespace companion::llm {

namespace {

constexpr qint64 readAhead = 64 * 1024; // more waits in the kernel, and then at the provider

} // namespace

// QTcpSocket keeps a buffer of 32 KiB for each direction once it was used; a reply comes in pieces of 200 bytes.
class PlainSocket final : public QTcpSocket
{
public:
    using QTcpSocket::QTcpSocket;
    void freeBuffers()
    {
        if (!isOpen() || bytesAvailable() > 0 || bytesToWrite() > 0)
            return;
        const auto mode = openMode();
        setOpenMode(NotOpen); // lets them go
        setOpenMode(mode);
    }
};

WireConnection::WireConnection(const QUrl &url, bool onlyIpv4, QObject *parent)
    : QObject(parent)
    , m_url(url)
    , m_onlyIpv4(onlyIpv4)
{
}

WireConnection::~WireConnection()
{
    cut();
}

void WireConnection::open()
{
    delete m_socket;
    m_plain = nullptr;
    const bool encrypted = m_url.scheme() == QLatin1StringView("https");
    auto *secure = encrypted ? new QSslSocket(this) : nullptr;
    if (secure)
        m_socket = secure;
    else
        m_socket = m_plain = new PlainSocket(this);
    m_socket->setReadBufferSize(readAhead);
    connect(m_socket, &QIODevice::bytesWritten, this, &WireConnection::onWritten);
    connect(m_socket, &QIODevice::readyRead, this, &WireConnection::onReadable);
    connect(m_socket, &QAbstractSocket::errorOccurred, this, &WireConnection::onError);
    connect(m_socket, &QAbstractSocket::disconnected, this, &WireConnection::onClosed, Qt::QueuedConnection);
    const auto protocol = m_onlyIpv4 ? QAbstractSocket::IPv4Protocol : QAbstractSocket::AnyIPProtocol;
    const auto port = quint16(m_url.port(encrypted ? 443 : 80));
    if (secure) {
        connect(secure, &QSslSocket::encrypted, this, &WireConnection::onConnected);
        secure->connectToHostEncrypted(m_url.host(), port, QIODevice::ReadWrite, protocol);
    } else {
        connect(m_socket, &QAbstractSocket::connected, this, &WireConnection::onConnected);
        m_socket->connectToHost(m_url.host(), port, QIODevice::ReadWrite, protocol);
    }
}

void WireConnection::send(const QByteArray &request)
{
    m_request = request;
    m_answer = HttpAnswer();
    m_asked = true;
    m_sentSaid = false;
    m_mayResend = isConnected();
    if (m_mayResend)
        m_socket->write(m_request);
    else
        QMetaObject::invokeMethod(this, [this] { m_cut ? void() : open(); }, Qt::QueuedConnection);
}

bool WireConnection::isConnected() const
{
    return m_socket && m_socket->state() == QAbstractSocket::ConnectedState;
}

bool WireConnection::isFree() const
{
    return isConnected() && !m_asked && m_answer.keepsConnection() && m_socket->bytesAvailable() == 0;
}

void WireConnection::cut()
{
    m_cut = true;
    if (!m_socket)
        return;
    m_socket->disconnect(this);
    m_socket->abort();
}

void WireConnection::onConnected()
{
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    m_socket->write(m_request);
}

void WireConnection::onWritten()
{
    if (m_asked && !m_sentSaid && m_socket->bytesToWrite() == 0) {
        m_sentSaid = true;
        if (m_plain)
            m_plain->freeBuffers();
        Q_EMIT sent();
    }
}

void WireConnection::onReadable()
{
    if (!m_asked)
        return; // unasked words: isFree() sees them
    const bool hadHead = m_answer.hasHead();
    const QByteArray body = m_answer.feed(m_socket->read(m_socket->bytesAvailable()));
    if (m_plain)
        m_plain->freeBuffers();
    m_request.clear();
    if (!hadHead && m_answer.hasHead())
        Q_EMIT headCame();
    if (!m_cut && !body.isEmpty())
        Q_EMIT bodyCame(body);
    const auto state = m_answer.state();
    if (!m_cut && (state == HttpAnswer::State::Complete || state == HttpAnswer::State::Broken))
        end();
}

void WireConnection::onError(QAbstractSocket::SocketError error)
{
    m_error = error;
    if (error != QAbstractSocket::RemoteHostClosedError) // of which disconnected() tells, when all is read
        QMetaObject::invokeMethod(this, &WireConnection::onClosed, Qt::QueuedConnection);
}

void WireConnection::onClosed()
{
    if (m_cut || isConnected())
        return;
    if (!m_asked)
        return void(Q_EMIT lost());
    if (m_socket->bytesAvailable() > 0) {
        onReadable();
        if (m_cut || !m_asked)
            return;
    }
    if (std::exchange(m_mayResend, false) && m_answer.isUntouched()) {
        m_sentSaid = false;
        return open();
    }
    m_answer.connectionEnded();
    end();
}

void WireConnection::end()
{
    m_asked = false;
    m_request.clear();
    Q_EMIT ended();
}

} // namespace companion::llm
