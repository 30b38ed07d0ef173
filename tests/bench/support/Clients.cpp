#include "bench/support/Clients.h"

#include "common/Ensure.h"

#include <QJsonDocument>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace companion::bench {

namespace {

int connectTo(quint16 port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ensure(fd >= 0, "a socket can be had: raise the limit of open files");
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ensure(::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0, "the server accepts");
    return fd;
}

void sendAll(int fd, const QByteArray &bytes)
{
    ensure(::send(fd, bytes.constData(), size_t(bytes.size()), MSG_NOSIGNAL) == bytes.size(), "the server reads");
}

qsizetype lengthIn(const QByteArray &head)
{
    const QByteArray name = "\r\ncontent-length: ";
    const QByteArray lower = head.toLower();
    const qsizetype at = lower.indexOf(name);
    return at < 0 ? 0 : lower.sliced(at + name.size(), lower.indexOf('\r', at + 2) - at - name.size()).toLongLong();
}

} // namespace

QByteArray requestBytes(const QByteArray &method, const QByteArray &path, const QByteArray &token,
                        const QJsonObject &body)
{
    QByteArray bytes = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n";
    if (!token.isEmpty())
        bytes += "Authorization: Bearer " + token + "\r\n";
    if (body.isEmpty())
        return bytes + "\r\n";
    const QByteArray json = QJsonDocument(body).toJson(QJsonDocument::Compact);
    return bytes + "Content-Type: application/json\r\nContent-Length: " + QByteArray::number(json.size()) + "\r\n\r\n"
        + json;
}

WholeAnswer ask(quint16 port, const QByteArray &request)
{
    const int fd = connectTo(port);
    sendAll(fd, request);
    AnswerReader reader;
    std::array<char, 16'384> buffer = {};
    for (;;) {
        const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
        ensure(size > 0, "the server answers");
        if (reader.feed(buffer.data(), size))
            break;
    }
    ::close(fd);
    return {reader.status(), reader.head(), reader.body()};
}

Clients::Clients(quint16 port)
    : m_port(port)
    , m_poll(::epoll_create1(EPOLL_CLOEXEC))
{
}

Clients::~Clients()
{
    for (const int fd : m_sockets)
        if (fd >= 0)
            ::close(fd);
    ::close(m_poll);
}

int Clients::connect()
{
    const int client = int(m_sockets.size());
    m_sockets.push_back(connectTo(m_port));
    epoll_event event = {.events = EPOLLIN, .data = {.fd = client}};
    ::epoll_ctl(m_poll, EPOLL_CTL_ADD, m_sockets.back(), &event);
    return client;
}

void Clients::send(int client, const QByteArray &bytes)
{
    sendAll(m_sockets[size_t(client)], bytes);
}

void Clients::poll(int timeout_ms, const OnBytes &onBytes)
{
    static thread_local std::array<epoll_event, 512> events;
    static thread_local std::array<char, 65'536> buffer;
    const int ready = ::epoll_wait(m_poll, events.data(), int(events.size()), timeout_ms);
    for (int i = 0; i < ready; ++i) {
        const int client = events[size_t(i)].data.fd;
        int &fd = m_sockets[size_t(client)];
        const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
            ::close(fd);
            fd = -1;
        }
        onBytes(client, buffer.data(), size <= 0 ? -1 : size);
    }
}

bool AnswerReader::feed(const char *data, qsizetype size)
{
    m_in.append(data, size);
    const qsizetype end = m_in.indexOf("\r\n\r\n");
    if (end < 0)
        return false;
    const QByteArray head = m_in.first(end + 2);
    const qsizetype whole = end + 4 + lengthIn(head);
    if (m_in.size() < whole)
        return false;
    m_head = head;
    m_status = head.sliced(9, 3).toInt();
    m_body = m_in.sliced(end + 4, whole - end - 4);
    m_in.remove(0, whole);
    return true;
}

} // namespace companion::bench
