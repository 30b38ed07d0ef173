#include "http/ClientSocket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace companion::http {

namespace {

constexpr qsizetype atATime = 64 * 1024;
constexpr qsizetype worthACall =
    4 * 1024; // a provider that hurries fills a client's buffer within one turn of the loop

bool isForNow(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

quint16 portOf(const sockaddr_storage &address)
{
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6 &>(address).sin6_port
                                               : reinterpret_cast<const sockaddr_in &>(address).sin_port);
}

} // namespace

ClientSocket::ClientSocket(qintptr descriptor, qsizetype readAhead, QObject *parent)
    : QObject(parent)
    , m_descriptor(int(descriptor))
    , m_readAhead(readAhead)
    , m_readable(descriptor, QSocketNotifier::Read)
{
    ::fcntl(m_descriptor, F_SETFL, ::fcntl(m_descriptor, F_GETFL) | O_NONBLOCK);
    const int on = 1;
    ::setsockopt(m_descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    if (::getpeername(m_descriptor, reinterpret_cast<sockaddr *>(&address), &size) == 0) {
        m_peer.setAddress(reinterpret_cast<const sockaddr *>(&address));
        m_peerPort = portOf(address);
    }
    connect(&m_readable, &QSocketNotifier::activated, this, &ClientSocket::read);
}

ClientSocket::~ClientSocket()
{
    m_readable.setEnabled(false);
    m_writable.reset();
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

void ClientSocket::read()
{
    static thread_local std::array<char, atATime> buffer;
    if (m_state != State::Open)
        return;
    const auto room = std::min<qsizetype>(atATime, m_readAhead - m_in.size());
    if (room <= 0)
        return m_readable.setEnabled(false);
    const auto size = ::recv(m_descriptor, buffer.data(), size_t(room), 0);
    if (size < 0 && isForNow(errno))
        return;
    if (size < 0 || (size == 0 && bytesToWrite() == 0))
        return lose();
    if (size == 0) {
        m_state = State::Ending;
        return m_readable.setEnabled(false);
    }
    m_in.append(buffer.data(), size);
    Q_EMIT readyRead();
}

QByteArray ClientSocket::readAll()
{
    if (m_state == State::Open && !m_readable.isEnabled())
        m_readable.setEnabled(true);
    return std::exchange(m_in, {});
}

void ClientSocket::write(const QByteArray &bytes)
{
    if (m_state != State::Open)
        return;
    m_out += bytes;
    flush();
}

void ClientSocket::writeLater(const QByteArray &bytes)
{
    if (m_state != State::Open)
        return;
    m_out += bytes;
    if (bytesToWrite() >= worthACall && !m_writable)
        push(); // a failure comes again, and is told, when it is flushed
    if (!std::exchange(m_flushPosted, true))
        QMetaObject::invokeMethod(this, &ClientSocket::flush, Qt::QueuedConnection);
}

// What the kernel takes of it. False when the connection is lost.
bool ClientSocket::push()
{
    while (bytesToWrite() > 0) {
        const auto size =
            ::send(m_descriptor, m_out.constData() + m_outAt, size_t(bytesToWrite()), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0 && errno != EINTR)
            return isForNow(errno);
        m_outAt += std::max<qsizetype>(size, 0);
        m_moved |= size > 0;
    }
    m_out = {};
    m_outAt = 0;
    return true;
}

void ClientSocket::flush()
{
    m_flushPosted = false;
    if (m_state == State::Closed)
        return;
    if (!push())
        return lose();
    if (m_outAt > atATime)
        m_out.remove(0, std::exchange(m_outAt, 0));
    watchWriting();
    if (std::exchange(m_moved, false))
        Q_EMIT bytesWritten();
    if (m_state == State::Ending && bytesToWrite() == 0)
        lose();
}

void ClientSocket::watchWriting()
{
    if (bytesToWrite() == 0 && m_writable) {
        m_writable->setEnabled(false);
        m_writable.release()->deleteLater(); // this may be its own signal
    } else if (bytesToWrite() > 0 && !m_writable) {
        m_writable = std::make_unique<QSocketNotifier>(m_descriptor, QSocketNotifier::Write);
        connect(m_writable.get(), &QSocketNotifier::activated, this, &ClientSocket::flush);
    }
}

// What was not taken will never be whole. The kernel would go on offering its part of it to a client who does not read,
// for minutes and outside every count of ours; and without a length the client could take it for all. So: a reset.
void ClientSocket::abort()
{
    const linger now = {1, 0};
    if (m_state != State::Closed && bytesToWrite() > 0)
        ::setsockopt(m_descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    lose();
}

void ClientSocket::lose()
{
    if (std::exchange(m_state, State::Closed) == State::Closed)
        return;
    m_readable.setEnabled(false);
    if (m_writable) {
        m_writable->setEnabled(false);
        m_writable.release()->deleteLater();
    }
    m_out = {};
    m_outAt = 0;
    ::close(std::exchange(m_descriptor, -1));
    Q_EMIT disconnected();
}

} // namespace companion::http
