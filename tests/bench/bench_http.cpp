// Requests a second of a trivial route, beside a plain QTcpServer that answers the same bytes without looking at them.
//   bench_http [connections = 32] [seconds a round = 2] [rounds = 3]
#include "http/Server.h"

#include <QCoreApplication>
#include <QTcpServer>
#include <QTcpSocket>
#include <QThread>
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace companion::http;

namespace {

const QByteArray request = "GET /hello HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

// What both servers answer; learned from ours, so that the bytes are the same.
QByteArray learnedAnswer;

// A thread with an event loop in which one server lives.
class ServerThread
{
public:
    explicit ServerThread(std::function<std::pair<std::shared_ptr<void>, quint16>()> make)
    {
        m_thread.start();
        m_context.moveToThread(&m_thread);
        QMetaObject::invokeMethod(
            &m_context, [&] { std::tie(m_server, m_port) = make(); }, Qt::BlockingQueuedConnection);
    }
    ~ServerThread()
    {
        QMetaObject::invokeMethod(&m_context, [&] { m_server.reset(); }, Qt::BlockingQueuedConnection);
        m_thread.quit();
        m_thread.wait();
    }
    quint16 port() const { return m_port; }

private:
    QThread m_thread;
    QObject m_context;
    std::shared_ptr<void> m_server;
    quint16 m_port = 0;
};

std::pair<std::shared_ptr<void>, quint16> makeOurs()
{
    struct Ours
    {
        Router router;
        std::unique_ptr<Server> server;
    };
    auto ours = std::make_shared<Ours>();
    ours->router.add(Method::Get, QStringLiteral("/hello"),
                     [](Exchange e) { e.send(Reply::text("hi", "text/plain")); });
    ours->server = std::make_unique<Server>(ours->router);
    const auto port = *ours->server->listen(QHostAddress::LocalHost, 0);
    return {ours, port};
}

std::pair<std::shared_ptr<void>, quint16> makePlain()
{
    auto plain = std::make_shared<QTcpServer>();
    QObject::connect(plain.get(), &QTcpServer::newConnection, plain.get(), [server = plain.get()] {
        while (auto *socket = server->nextPendingConnection()) {
            socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
            QObject::connect(socket, &QIODevice::readyRead, socket, [socket] {
                if (socket->readAll().endsWith("\r\n\r\n")) {
                    socket->write(learnedAnswer);
                    socket->flush();
                }
            });
            QObject::connect(socket, &QAbstractSocket::disconnected, socket, &QObject::deleteLater);
        }
    });
    plain->listen(QHostAddress::LocalHost, 0);
    return {plain, plain->serverPort()};
}

int connectTo(quint16 port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0)
        qFatal("cannot connect");
    return fd;
}

void ask(int fd)
{
    if (::send(fd, request.constData(), size_t(request.size()), MSG_NOSIGNAL) != request.size())
        qFatal("cannot send");
}

QByteArray learnAnswer(quint16 port)
{
    const int fd = connectTo(port);
    ask(fd);
    QByteArray answer(4'096, 0);
    answer.resize(::recv(fd, answer.data(), size_t(answer.size()), 0));
    ::close(fd);
    return answer;
}

// Every connection has one request on the way; counts whole answers (all of one length).
double requestsPerSecond(quint16 port, int connections, double seconds)
{
    using Clock = std::chrono::steady_clock;
    const int poll = ::epoll_create1(0);
    QHash<int, qsizetype> received;
    for (int i = 0; i < connections; ++i) {
        const int fd = connectTo(port);
        epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
        ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        received[fd] = 0;
        ask(fd);
    }
    qint64 answers = 0;
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    QList<epoll_event> events(connections);
    char buffer[8'192];
    while (Clock::now() < end) {
        const int ready = ::epoll_wait(poll, events.data(), connections, 100);
        for (int i = 0; i < ready; ++i) {
            const int fd = events.at(i).data.fd;
            const auto length = ::recv(fd, buffer, sizeof buffer, 0);
            if (length <= 0)
                qFatal("the server closed a connection");
            received[fd] += length;
            if (received[fd] >= learnedAnswer.size()) {
                received[fd] = 0;
                ++answers;
                ask(fd);
            }
        }
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    for (auto it = received.cbegin(); it != received.cend(); ++it)
        ::close(it.key());
    ::close(poll);
    return double(answers) / elapsed;
}

double median(QList<double> values)
{
    std::ranges::sort(values);
    return values.at(values.size() / 2);
}

double argument(int index, double otherwise)
{
    const auto arguments = QCoreApplication::arguments();
    return index < arguments.size() ? arguments.at(index).toDouble() : otherwise;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    const int connections = int(argument(1, 32));
    const double seconds = argument(2, 2);
    const int rounds = int(argument(3, 3));
    ServerThread ours(makeOurs);
    learnedAnswer = learnAnswer(ours.port());
    ServerThread plain(makePlain);

    QList<double> ourRates, plainRates;
    for (int round = 0; round < rounds; ++round) { // in turns, so that a busy machine hurts both
        plainRates.append(requestsPerSecond(plain.port(), connections, seconds));
        ourRates.append(requestsPerSecond(ours.port(), connections, seconds));
    }
    std::printf("connections %d, rounds %d of %.1f s, answer %lld bytes\n", connections, rounds, seconds,
                static_cast<long long>(learnedAnswer.size()));
    std::printf("plain QTcpServer   %8.0f requests/s\n", median(plainRates));
    std::printf("http::Server       %8.0f requests/s\n", median(ourRates));
    std::printf("ratio              %8.2f\n", median(ourRates) / median(plainRates));
    return 0;
}
