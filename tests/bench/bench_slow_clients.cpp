// A trivial route while many clients are as slow as they can be, beside the same route of the same backend before they
// come. Whoever is let go is followed by another, so that as many are always there.
//   bench_slow_clients [seconds = 40] [slow clients = 1000] [probes a second = 200]
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/People.h"
#include "bench/support/Probe.h"
#include "bench/support/Processes.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace companion;
using namespace companion::bench;
using namespace Qt::StringLiterals;

namespace {

// What a client can be slow at.
struct Slowness
{
    const char *what;
    QByteArray beginning;
    bool goesOn; // with a byte a second
};

const std::array<Slowness, 5> &slownesses()
{
    static const QByteArray post = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    static const QByteArray document = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    static const std::array<Slowness, 5> all{{
        {"says nothing", {}, false},
        {"its head", "GET /health/live HTTP/1.1\r\nHost: x\r\nX-", true},
        {"its body", post + "Content-Length: 1000\r\n\r\n{", true},
        {"its chunks", post + "Transfer-Encoding: chunked\r\n\r\nfff\r\n{", true},
        {"never reads its answers", document.repeated(100), false}, // tens of megabytes of them
    }};
    return all;
}

class SlowClients
{
public:
    SlowClients(quint16 port, int count)
        : m_port(port)
        , m_clients(size_t(count))
        , m_polled(size_t(count))
    {
        m_clock.start();
        for (size_t i = 0; i < m_clients.size(); ++i)
            begin(i);
    }
    ~SlowClients()
    {
        for (const Client &client : m_clients)
            ::close(client.fd);
    }

    void run(const std::atomic<bool> &stop)
    {
        for (qint64 saidAt_ms = m_clock.elapsed(); !stop;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            replaceThoseLetGo();
            if (m_clock.elapsed() - saidAt_ms < 1'000)
                continue;
            saidAt_ms = m_clock.elapsed();
            for (size_t i = 0; i < m_clients.size(); ++i)
                if (slownesses()[i % slownesses().size()].goesOn)
                    say(i, "1");
        }
    }
    void print() const
    {
        for (size_t kind = 0; kind < slownesses().size(); ++kind)
            std::printf("  slow: %-24s %4d let go, after %.1f s at most\n", slownesses()[kind].what, m_letGo[kind],
                        double(m_longest_ms[kind]) / 1e3);
    }

private:
    struct Client
    {
        int fd = -1;
        qint64 since_ms = 0;
    };

    void say(size_t at, const QByteArray &bytes)
    {
        (void)::send(m_clients[at].fd, bytes.constData(), size_t(bytes.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    void begin(size_t at)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(m_port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ensure(::connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0, "the server accepts");
        m_clients[at] = {fd, m_clock.elapsed()};
        m_polled[at] = {fd, POLLRDHUP, 0};
        say(at, slownesses()[at % slownesses().size()].beginning);
    }

    void replaceThoseLetGo()
    {
        ::poll(m_polled.data(), m_polled.size(), 0);
        for (size_t i = 0; i < m_clients.size(); ++i) {
            if (!m_polled[i].revents)
                continue;
            const size_t kind = i % slownesses().size();
            ++m_letGo[kind];
            m_longest_ms[kind] = std::max(m_longest_ms[kind], m_clock.elapsed() - m_clients[i].since_ms);
            ::close(m_clients[i].fd);
            begin(i);
        }
    }

    const quint16 m_port;
    std::vector<Client> m_clients;
    std::vector<pollfd> m_polled;
    QElapsedTimer m_clock;
    std::array<int, 5> m_letGo = {};
    std::array<qint64, 5> m_longest_ms = {};
};

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int seconds = int(argument(1, 40));
    const int count = int(argument(2, 1'000));
    const int perSecond = int(argument(3, 200));
    raiseFileLimit();
    printMachine();

    test::TestDatabase database;
    QTemporaryDir data;
    BackendProcess backend(data.path(), settingsFor(database.ownerTarget()));
    printTimes("idle: GET /health/live", probe(backend.port(), seconds, perSecond));
    const double before_KiB = memoryOf(backend.pid()).rss;

    std::atomic<bool> stop = false;
    SlowClients slow(backend.port(), count);
    std::thread crowd([&] { slow.run(stop); });
    const double cpuBefore_s = cpuSecondsOf(backend.pid());
    const auto times_ms = probe(backend.port(), seconds, perSecond);
    const double cpu = (cpuSecondsOf(backend.pid()) - cpuBefore_s) / seconds;
    const double after_KiB = memoryOf(backend.pid()).rss;
    stop = true;
    crowd.join();

    printTimes(qPrintable(u"beside %1 slow clients"_s.arg(count)), times_ms);
    slow.print();
    std::printf("the backend used %.0f %% of a core; RSS %.1f MB before, %.1f MB with the slow clients\n", cpu * 100,
                before_KiB / 1024, after_KiB / 1024);
    printMachine();
    return 0;
}
