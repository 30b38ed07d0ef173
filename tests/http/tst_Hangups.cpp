#include "RawClient.h"

#include <QDir>
#include <QPointer>
#include <QTimer>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace companion::http;
using companion::http::test::RawClient;

// Clients who leave at every stage and in every way. COMPANION_HANGUPS sets how many; the default is quick.
namespace {

enum class Leave { Reset, Close, HalfClose };

class RudeClient
{
public:
    explicit RudeClient(quint16 port)
        : m_fd(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        m_connected = ::connect(m_fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
    }
    ~RudeClient() { leave(Leave::Close); }
    RudeClient(const RudeClient &) = delete;
    RudeClient &operator=(const RudeClient &) = delete;

    bool isConnected() const { return m_connected; }
    void say(const QByteArray &bytes) { (void)::send(m_fd, bytes.constData(), size_t(bytes.size()), MSG_NOSIGNAL); }
    void leave(Leave how)
    {
        if (m_fd < 0)
            return;
        if (how == Leave::HalfClose) {
            ::shutdown(m_fd, SHUT_WR);
            return;
        }
        const linger now{1, 0};
        if (how == Leave::Reset)
            ::setsockopt(m_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(m_fd);
        m_fd = -1;
    }

private:
    int m_fd;
    bool m_connected = false;
};

// Handlers of every kind, all of them busy while the clients leave.
struct Rig
{
    Router router;
    Server server;
    QList<Exchange> kept;
    QList<QPointer<EventStream>> streams;
    QTimer pulse;
    quint16 port = 0;
    int ended = 0;

    Rig()
        : server(router)
    {
        router.add(Method::Get, QStringLiteral("/hello"), [](Exchange e) { e.send(Reply::text("hi", "text/plain")); });
        router.add(Method::Post, QStringLiteral("/echo"),
                   [](Exchange e) { e.send(Reply::text(e.request().body, "text/plain")); });
        router.add(Method::Get, QStringLiteral("/keep"), [this](Exchange e) { kept.append(e); });
        router.add(Method::Get, QStringLiteral("/big"),
                   [](Exchange e) { e.send(Reply::text(QByteArray(4'000'000, 'b'), "text/plain")); });
        router.add(Method::Get, QStringLiteral("/stream"), [this](Exchange e) {
            if (auto *stream = e.openStream())
                streams.append(stream);
        });
        server.onAnswered = [this](const Request &, int, qint64, qint64) { ++ended; };
        QObject::connect(&pulse, &QTimer::timeout, &pulse, [this] { beat(); });
        pulse.start(1);
        port = *server.listen(QHostAddress::LocalHost, 0);
    }

    void beat()
    {
        for (const auto &stream : std::as_const(streams))
            if (stream)
                stream->send("tick");
        streams.removeIf([](const auto &stream) { return stream.isNull(); });
        if (streams.size() > 5)
            streams.takeFirst()->finish();
        if (kept.size() > 5)
            kept.takeFirst().send(Reply::text("late", "text/plain"));
        if (kept.size() > 5)
            kept.removeFirst(); // forgotten unanswered
    }
};

QList<QByteArray> stages()
{
    const QByteArray host = " HTTP/1.1\r\nHost: x\r\n";
    const QByteArray hello = "GET /hello" + host + "\r\n";
    return {"",
            "GET /he",
            "POST /echo" + host + "Content-Length: 100\r\n\r\nhalf",
            "POST /echo" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "POST /echo" + host + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            hello,
            hello + hello + hello,
            "GET /keep" + host + "\r\n",
            "GET /keep" + host + "\r\n" + hello + "GET /ke",
            "GET /stream" + host + "\r\n",
            "GET /stream" + host + "\r\n" + hello,
            "GET /big" + host + "\r\n",
            "GET /big" + host + "\r\n" + hello,
            "GET /hello" + host + "Connection: close\r\n\r\n",
            "nonsense\r\n\r\n" + QByteArray(10'000, 'n')};
}

void turnTheLoop(int times)
{
    for (int i = 0; i < times; ++i) {
        QCoreApplication::processEvents();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
}

int openFiles()
{
    return int(QDir(QStringLiteral("/proc/self/fd")).entryList(QDir::AllEntries | QDir::NoDotAndDotDot).size());
}

} // namespace

class tst_Hangups : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void clients_may_leave_at_any_moment_in_any_way()
    {
        const int asked = qEnvironmentVariableIntValue("COMPANION_HANGUPS");
        const int rounds = asked > 0 ? asked : 600;
        Rig rig;
        const auto said = stages();
        std::vector<std::unique_ptr<RudeClient>> clients;
        for (int i = 0; i < rounds; ++i) {
            auto client = std::make_unique<RudeClient>(rig.port);
            QVERIFY(client->isConnected());
            client->say(said.at(i % said.size()));
            turnTheLoop(i / 7 % 4); // some leave before the server has looked, some later
            client->leave(Leave(i % 3));
            clients.push_back(std::move(client));
            if (clients.size() > 50)
                clients.erase(clients.begin());
        }
        clients.clear();
        rig.kept.clear();
        QTRY_COMPARE_WITH_TIMEOUT(rig.server.openConnections(), 0, 30'000);
        QVERIFY(rig.ended > rounds / 10);

        RawClient polite(rig.port);
        polite.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        QCOMPARE(polite.next().body, "hi");
    }

    void the_server_may_end_while_clients_are_in_every_stage()
    {
        for (int round = 0; round < 5; ++round) {
            auto rig = std::make_unique<Rig>();
            std::vector<std::unique_ptr<RudeClient>> clients;
            for (const auto &said : stages()) {
                clients.push_back(std::make_unique<RudeClient>(rig->port));
                clients.back()->say(said);
            }
            turnTheLoop(round * 3);
            auto kept = rig->kept;
            rig.reset();
            kept.clear(); // unanswered, after the server
            turnTheLoop(3);
        }
    }

    void running_out_of_file_descriptors_is_survived()
    {
        Rig rig;
        rlimit before = {};
        getrlimit(RLIMIT_NOFILE, &before);
        std::vector<std::unique_ptr<RudeClient>> clients;
        for (int i = 0; i < 20; ++i)
            clients.push_back(std::make_unique<RudeClient>(rig.port));
        rlimit tight = before;
        tight.rlim_cur = rlim_t(openFiles() + 4); // the server gets a few of the twenty
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &tight), 0);
        turnTheLoop(20);
        const int few = rig.server.openConnections();
        clients.back()->say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        QTest::qWait(300);
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &before), 0);
        QVERIFY2(few < 20, QByteArray::number(few).constData());
        QTRY_COMPARE(rig.server.openConnections(), 20); // who waited in the kernel's queue is served after all
        QTRY_COMPARE(rig.ended, 1);
    }

    void connections_leave_no_file_descriptor_behind()
    {
        Rig rig;
        turnTheLoop(3);
        const int before = openFiles();
        for (int i = 0; i < 50; ++i) {
            RudeClient client(rig.port);
            client.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            turnTheLoop(3);
        }
        QTRY_COMPARE(rig.server.openConnections(), 0);
        turnTheLoop(3);
        QCOMPARE(openFiles(), before);
    }
};

QTEST_GUILESS_MAIN(tst_Hangups)
#include "tst_Hangups.moc"
