// Bytes over a real socket into the whole server: gate, QtHttpServer's parser behind it, router, answers. The two
// parsers never disagree (that would be a 500), every answer is whole, and the server lives on.
#include "Fuzz.h"
#include "http/Server.h"

#include <QCoreApplication>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace companion::http;
using companion::fuzz::must;

namespace {

struct Rig
{
    int argc = 1;
    char name[5] = "fuzz";
    char *argv[2] = {name, nullptr};
    QCoreApplication application{argc, argv};
    Router router;
    std::unique_ptr<Server> server;
    quint16 port = 0;
    int internalErrors = 0;

    Rig()
    {
        const auto echo = [](Exchange e) {
            QByteArray said = e.request().body;
            for (const auto &[field, value] : e.request().headers.all())
                said += field + value;
            e.send(Reply::text(said, "text/plain"));
        };
        for (const auto method : {Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete})
            router.add(method, QStringLiteral("/a/{b}"), echo);
        router.add(Method::Get, QStringLiteral("/s"), [](Exchange e) {
            if (auto *stream = e.openStream()) {
                stream->send(e.request().query.toString().toUtf8());
                stream->finish();
            }
        });
        server = std::make_unique<Server>(router);
        server->trustProxies(
            *TrustedProxies::parse({QStringLiteral("127.0.0.1")}, TrustedProxies::Header::XForwardedFor));
        server->onAnswered = [this](const Request &, int status, qint64, qint64) {
            internalErrors += status >= 500 && status < 501;
        };
        port = *server->listen(QHostAddress::LocalHost, 0);
    }
    void turn()
    {
        QCoreApplication::processEvents();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
};

int connectTo(quint16 port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        must(errno == EINTR, std::strerror(errno)); // by libFuzzer's alarm: then it goes on by itself
        pollfd connecting = {fd, POLLOUT, 0};
        while (::poll(&connecting, 1, 10'000) < 0 && errno == EINTR) { }
        must(connecting.revents == POLLOUT, "the server listens");
    }
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    const linger now{1, 0}; // no TIME_WAIT: ports run out otherwise
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return fd;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static Rig *rig = new Rig; // for ever: destroyed after main, it would outlive Qt's own statics
    const int fd = connectTo(rig->port);
    const auto half = size / 2;
    (void)!::send(fd, data, half, MSG_NOSIGNAL);
    rig->turn();
    (void)!::send(fd, data + half, size - half, MSG_NOSIGNAL);
    QByteArray heard;
    char buffer[16 * 1024];
    for (int quiet = 0; quiet < 4; ++quiet) {
        rig->turn();
        const auto length = ::recv(fd, buffer, sizeof buffer, 0);
        if (length == 0)
            break;
        if (length > 0) {
            heard.append(buffer, length);
            quiet = 0;
        }
    }
    ::close(fd);
    rig->turn();
    must(rig->internalErrors == 0, "the two parsers agree, and no handler sends what is unsafe");
    must(heard.isEmpty() || heard.startsWith("HTTP/1.1 "), "an answer is an answer");
    must(rig->server->openConnections() < 100, "connections end");
    return 0;
}
