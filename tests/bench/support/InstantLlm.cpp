#include "bench/support/InstantLlm.h"

#include "common/Ensure.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace companion::bench {

namespace {

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

} // namespace companion::bench
