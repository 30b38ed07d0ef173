// Many replies streaming at once through a whole backend process: do all of them end, how late are they, and what does
// each cost the backend in memory. The provider is a process of its own that says 20 pieces a second to each.
//   bench_streams [streams = 2000] [pieces = 600] [pieces a second = 20] [words a sentence = 10]
// A sentence is what a reply is released by: one word each is the most events a reply can have, and the most work.
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/People.h"
#include "bench/support/Processes.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QThread>

using namespace companion;
using namespace companion::bench;
using namespace Qt::StringLiterals;

namespace {

constexpr int streamsOfAPerson = 80; // vip: 100 requests a minute

struct Shape
{
    int streams = 2'000;
    int pieces = 600;
    int perSecond = 20;
    int sentence = 10;
    QString message = u"Tell me a long story, please."_s;
};

struct Stream
{
    QByteArray session;
    int person = 0;
    QByteArray tail; // of what came, enough to find a word that two reads share
    int events = 0;
    double openedAt_s = -1; // the first event
    double endedAt_s = -1;
    bool whole = false; // [DONE] came
};

struct Seen
{
    int opened = 0;
    int whole = 0;
    int broken = 0;
    qint64 events = 0;
    double allOpenAfter_s = 0;
    double last_s = 0;
    QList<double> lasted_s;
    Memory most;
    double kernel_KiB = 0;
    double cpu = 0; // cores, while all were open
};

QString scriptOf(const Shape &shape)
{
    QString text = u"pace=%1 say="_s.arg(1'000 / shape.perSecond);
    for (int i = 1; i <= shape.pieces; ++i)
        text += (i > 1 ? u" word"_s : u"word"_s) + (i % shape.sentence == 0 ? u"."_s : QString());
    return text;
}

// Counts the events of what came, a word at the seam of two reads included.
void take(Stream &stream, const char *data, qsizetype size, double now_s)
{
    const QByteArray bytes = stream.tail + QByteArray(data, size);
    const auto counted = [&](const char *word) { return int(bytes.count(word) - stream.tail.count(word)); };
    const int events = counted("data: {");
    if (events > 0 && stream.openedAt_s < 0)
        stream.openedAt_s = now_s;
    stream.events += events;
    if (bytes.contains("data: [DONE]")) {
        stream.whole = true;
        stream.endedAt_s = now_s;
    }
    stream.tail = bytes.last(std::min<qsizetype>(bytes.size(), 11));
    if (stream.tail.contains("data: {"))
        stream.tail = stream.tail.sliced(stream.tail.indexOf("data: {") + 7);
}

class Measurement
{
public:
    Measurement(BackendProcess &backend, QList<Person> &people, const Shape &shape)
        : m_backend(backend)
        , m_people(people)
        , m_shape(shape)
        , m_clients(backend.port())
    {
        for (int i = 0; i < shape.streams; ++i)
            m_streams.push_back({.session = openSession(backend.port(), people[i % people.size()]),
                                 .person = int(i % people.size()),
                                 .tail = {}});
    }

    // Opens them at a pace that the database can follow, so that opening is not what is measured.
    Seen run()
    {
        m_clock.start();
        double sampledAt_s = 0;
        double cpuAt_s = 0, cpuFrom_s = 0;
        while (m_ended < m_shape.streams && now_s() < 600) {
            while (m_asked < m_shape.streams && m_asked < now_s() * 400 && m_asked - m_seen.opened < 100)
                ask();
            m_clients.poll(20, [&](int client, const char *data, qsizetype size) { arrived(client, data, size); });
            if (m_seen.opened < m_shape.streams || m_ended > 0 || now_s() < sampledAt_s + 0.5)
                continue;
            sampledAt_s = now_s();
            sample();
            if (cpuFrom_s == 0) {
                cpuFrom_s = sampledAt_s;
                cpuAt_s = cpuSecondsOf(m_backend.pid());
            } else {
                m_seen.cpu = (cpuSecondsOf(m_backend.pid()) - cpuAt_s) / (sampledAt_s - cpuFrom_s);
            }
        }
        return finish();
    }

private:
    double now_s() const { return double(m_clock.nsecsElapsed()) / 1e9; }

    void ask()
    {
        const Stream &stream = m_streams[size_t(m_asked)];
        m_clients.connect();
        m_clients.send(m_asked++,
                       requestBytes("POST", "/api/v1/chat/stream", m_people[stream.person].token,
                                    {{u"session_id"_s, QString::fromLatin1(stream.session)},
                                     {u"message"_s, m_shape.message},
                                     {u"max_tokens"_s, 4096}}));
    }

    void arrived(int client, const char *data, qsizetype size)
    {
        Stream &stream = m_streams[size_t(client)];
        if (stream.endedAt_s >= 0)
            return;
        const bool wasOpen = stream.openedAt_s >= 0;
        if (size > 0)
            take(stream, data, size, now_s());
        if (stream.tail.contains("HTTP/1.1 4") || stream.tail.contains("HTTP/1.1 5"))
            std::fprintf(stderr, "refused: %s\n", stream.tail.constData());
        if (!wasOpen && stream.openedAt_s >= 0 && ++m_seen.opened == m_shape.streams)
            m_seen.allOpenAfter_s = now_s();
        if (size < 0)
            stream.endedAt_s = now_s();
        m_ended += stream.endedAt_s >= 0 ? 1 : 0;
    }

    void sample()
    {
        const Memory now = memoryOf(m_backend.pid());
        if (now.rss > m_seen.most.rss)
            m_seen.most = now;
        m_seen.kernel_KiB = std::max(m_seen.kernel_KiB, tcpBuffers());
    }

    Seen finish()
    {
        for (const Stream &stream : m_streams) {
            m_seen.whole += stream.whole ? 1 : 0;
            m_seen.broken += stream.whole ? 0 : 1;
            m_seen.events += stream.events;
            if (stream.whole)
                m_seen.lasted_s << stream.endedAt_s - stream.openedAt_s;
            m_seen.last_s = std::max(m_seen.last_s, stream.endedAt_s);
        }
        return m_seen;
    }

    BackendProcess &m_backend;
    QList<Person> &m_people;
    const Shape m_shape;
    Clients m_clients;
    std::vector<Stream> m_streams;
    QElapsedTimer m_clock;
    Seen m_seen;
    int m_asked = 0;
    int m_ended = 0;
};

// What a connection costs that has asked for something trivial and is kept open.
double keptConnections(BackendProcess &backend, int count)
{
    const Memory before = memoryOf(backend.pid());
    Clients clients(backend.port());
    int answered = 0;
    for (int i = 0; i < count; ++i) {
        clients.send(clients.connect(), requestBytes("GET", "/health/live"));
        while (answered <= i)
            clients.poll(1'000, [&](int, const char *, qsizetype) { ++answered; });
    }
    const double each = (memoryOf(backend.pid()).rss - before.rss) / count;
    return each;
}

// Memory that is taken once, by whatever comes first, is no stream's.
void warmUp(BackendProcess &backend, QList<Person> &people)
{
    Measurement(backend, people, {.streams = 20, .message = u"Hello"_s}).run();
}

double measure(const char *what, BackendProcess &backend, QList<Person> &people, const Shape &shape)
{
    Measurement measurement(backend, people, shape);
    const Memory before = memoryOf(backend.pid());
    const double kernelBefore_KiB = tcpBuffers();
    const Seen seen = measurement.run();
    const double each = (seen.most.rss - before.rss) / shape.streams;
    std::printf("%s\n", what);
    std::printf("  whole %d of %d, broken %d; %.1f events each to the client\n", seen.whole, shape.streams, seen.broken,
                double(seen.events) / shape.streams);
    std::printf("  all open after %.1f s; a reply of %.1f s took p50 %.1f s, p99 %.1f s\n", seen.allOpenAfter_s,
                double(shape.pieces) / shape.perSecond, median(seen.lasted_s), percentile(seen.lasted_s, 0.99));
    std::printf("  the backend used %.2f cores; %d threads\n", seen.cpu, seen.most.threads);
    std::printf("  RSS %.1f MB before, %.1f MB with all open (PSS %.1f, own pages %.1f): %.1f KiB a stream\n",
                before.rss / 1024, seen.most.rss / 1024, seen.most.pss / 1024, seen.most.anonymous / 1024, each);
    std::printf("  kernel's TCP buffers, of all processes of the machine: %.1f KiB a stream\n",
                (seen.kernel_KiB - kernelBefore_KiB) / shape.streams);
    std::fflush(stdout);
    return each;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    Shape shape{.streams = int(argument(1, 2'000)),
                .pieces = int(argument(2, 600)),
                .perSecond = int(argument(3, 20)),
                .sentence = int(argument(4, 10))};
    raiseFileLimit();
    printMachine();
    test::TestDatabase database;
    auto people = makePeople(database, shape.streams / streamsOfAPerson + 1);
    auto settings = settingsFor(database.ownerTarget());
    double connection = 0, turn = 0, whole = 0;
    {
        settings[u"COMPANION_REHEARSAL_PACE"_s] = u"0"_s;
        Shape rehearsed = shape;
        rehearsed.message =
            u"[[rehearse: slow %1s]] [[rehearse: tokens %2]]"_s.arg(shape.pieces / shape.perSecond).arg(shape.pieces);
        QTemporaryDir data;
        BackendProcess backend(data.path(), settings);
        signIn(backend.port(), people);
        warmUp(backend, people);
        connection = keptConnections(backend, shape.streams);
        turn = measure("streams from the rehearsal model (no provider)", backend, people, rehearsed);
    }
    {
        FakeProvider provider;
        settings[u"LLM_BASE_URL"_s] = provider.baseUrl();
        QTemporaryDir data;
        BackendProcess backend(data.path(), settings);
        signIn(backend.port(), people);
        warmUp(backend, people);
        provider.always(scriptOf(shape));
        whole = measure("streams from a provider", backend, people, shape);
    }
    std::printf("a stream's memory: %.1f KiB = the client's connection %.1f + the turn %.1f + the provider's "
                "connection %.1f; ratio to 64 KiB: %.2f\n",
                whole, connection, turn - connection, whole - turn, whole / 64);
    printMachine();
    return 0;
}
