#include "bench/ChatLoad.h"

#include "common/Ensure.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <deque>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace companion::bench {

namespace {

qint64 now_us()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

sockaddr_in loopback(quint16 port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

void answerSoon(int socket)
{
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void watch(int epoll, int file)
{
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = file;
    ensure(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event) == 0, "epoll takes the file");
}

// The length of the first whole message in `bytes`, 0 while there is none. Content-Length or no body.
qsizetype wholeMessage(const QByteArray &bytes)
{
    const qsizetype head = bytes.indexOf("\r\n\r\n");
    if (head < 0)
        return 0;
    const QByteArray lower = bytes.first(head).toLower();
    const qsizetype at = lower.indexOf("\r\ncontent-length:");
    const qsizetype length =
        at < 0 ? 0 : lower.mid(at + 17, lower.indexOf("\r\n", at + 2) - at - 17).trimmed().toLongLong();
    return bytes.size() >= head + 4 + length ? head + 4 + length : 0;
}

QByteArray instantAnswer()
{
    const QByteArray start =
        R"({"id":"c1","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,)";
    const QByteArray body = "data: " + start
        + R"("delta":{"role":"assistant","content":"It is good to hear from you. I was just thinking of the long walk by)"
        + R"( the sea that you told me about, and of the little boat."},"finish_reason":null}]})" + "\n\n"
        + "data: " + start + R"("delta":{},"finish_reason":"stop"}]})" + "\n\n"
        + R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"bench","choices":[],)"
        + R"("usage":{"prompt_tokens":120,"completion_tokens":28,"total_tokens":148}})" + "\n\ndata: [DONE]\n\n";
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + QByteArray::number(body.size())
        + "\r\n\r\n" + body;
}

} // namespace

InstantLlm::InstantLlm()
{
    m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    ensure(::bind(m_listener, reinterpret_cast<sockaddr *>(&address), size) == 0 && ::listen(m_listener, 1024) == 0
               && ::getsockname(m_listener, reinterpret_cast<sockaddr *>(&address), &size) == 0,
           "the provider listens");
    m_port = ntohs(address.sin_port);
    m_wake = ::eventfd(0, EFD_CLOEXEC);
    m_thread = std::thread([this] { run(); });
}

InstantLlm::~InstantLlm()
{
    ::eventfd_write(m_wake, 1);
    m_thread.join();
    ::close(m_listener);
    ::close(m_wake);
}

void InstantLlm::run()
{
    const QByteArray answer = instantAnswer();
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, m_listener);
    watch(epoll, m_wake);
    std::unordered_map<int, QByteArray> received;
    std::vector<epoll_event> events(256);
    std::vector<char> buffer(256 * 1024);
    for (bool running = true; running;) {
        const int count = ::epoll_wait(epoll, events.data(), int(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int file = events[size_t(i)].data.fd;
            if (file == m_wake) {
                running = false;
            } else if (file == m_listener) {
                const int client = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
                answerSoon(client);
                watch(epoll, client);
                received[client].clear();
            } else {
                const ssize_t got = ::recv(file, buffer.data(), buffer.size(), 0);
                if (got <= 0) {
                    received.erase(file);
                    ::close(file);
                    continue;
                }
                QByteArray &bytes = received[file];
                bytes.append(buffer.data(), got);
                while (const qsizetype length = wholeMessage(bytes)) {
                    bytes.remove(0, length);
                    (void)!::send(file, answer.constData(), size_t(answer.size()), MSG_NOSIGNAL);
                }
            }
        }
    }
    for (const auto &[file, bytes] : received)
        ::close(file);
    ::close(epoll);
}

double LoadFigures::percentile_ms(double share) const
{
    if (latencies_us.isEmpty())
        return 0;
    return double(latencies_us[std::min(qsizetype(share * double(latencies_us.size())), latencies_us.size() - 1)])
        / 1000;
}

LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond)
{
    struct Connection
    {
        int socket = -1;
        qsizetype request = 0;
        qint64 since_us = 0;
        QByteArray received;
    };
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::unordered_map<int, Connection> connections;
    std::deque<int> idle;
    for (qsizetype i = 0; i < requests.size(); ++i) {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const sockaddr_in address = loopback(port);
        ensure(::connect(socket, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0,
               "the server is there");
        answerSoon(socket);
        watch(epoll, socket);
        connections[socket] = {.socket = socket, .request = i, .since_us = 0, .received = {}};
        idle.push_back(socket);
    }
    LoadFigures figures;
    const qint64 start = now_us();
    const qint64 end = start + qint64(seconds) * 1'000'000;
    qint64 sent = 0;
    int open = 0;
    const auto sendDue = [&] {
        for (qint64 now = now_us(); !idle.empty() && now < end; now = now_us()) {
            const qint64 due = perSecond > 0 ? start + qint64(double(sent) * 1e6 / perSecond) : now;
            if (due > now)
                return;
            Connection &connection = connections[idle.front()];
            idle.pop_front();
            connection.since_us = due;
            const QByteArray &request = requests[connection.request];
            (void)!::send(connection.socket, request.constData(), size_t(request.size()), MSG_NOSIGNAL);
            ++sent;
            ++open;
        }
    };
    std::vector<epoll_event> events(256);
    std::vector<char> buffer(64 * 1024);
    while (now_us() < end || open > 0) {
        sendDue();
        const int count = ::epoll_wait(epoll, events.data(), int(events.size()), 1);
        for (int i = 0; i < count; ++i) {
            Connection &connection = connections[events[size_t(i)].data.fd];
            const ssize_t got = ::recv(connection.socket, buffer.data(), buffer.size(), 0);
            ensure(got > 0, "the server keeps its connections");
            connection.received.append(buffer.data(), got);
            const qsizetype length = wholeMessage(connection.received);
            if (length == 0)
                continue;
            if (connection.received.startsWith("HTTP/1.1 200"))
                figures.latencies_us.append(now_us() - connection.since_us);
            else if (++figures.failed == 1)
                figures.firstFailure = connection.received.first(length);
            connection.received.clear();
            idle.push_back(connection.socket);
            --open;
        }
    }
    const double took_s = double(now_us() - start) / 1e6;
    for (const auto &[socket, connection] : connections)
        ::close(socket);
    ::close(epoll);
    figures.done = figures.latencies_us.size();
    figures.perSecond = double(figures.done) / took_s;
    std::ranges::sort(figures.latencies_us);
    return figures;
}

} // namespace companion::bench
