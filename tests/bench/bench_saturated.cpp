// A route without SQL while the database is saturated: every app worker runs a slow statement, the queue behind them is
// full, and clients go on asking. Beside it the same route of the same backend when nothing else happens.
//   bench_saturated [seconds = 10] [clients asking = 1300] [probes a second = 200]
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/People.h"
#include "bench/support/Probe.h"
#include "bench/support/Processes.h"

#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <atomic>
#include <map>
#include <thread>

using namespace companion;
using namespace companion::bench;
using namespace Qt::StringLiterals;

namespace {

constexpr int retryAfterRefusal_ms = 200; // in the mean, ± half: five times as eager as Retry-After asks for

struct Crowd
{
    std::atomic<bool> stop = false;
    std::map<int, int> answers; // by status
    int refusedWithoutRetryAfter = 0;
    QList<double> refusals_ms; // how long a 503 took
};

// Clients that ask for their balance again and again, each on a connection of its own.
void askForBalances(quint16 port, const QByteArray &token, int count, Crowd &crowd)
{
    Clients clients(port);
    const QByteArray request = requestBytes("GET", "/api/v1/wallet/balance", token);
    std::vector<AnswerReader> readers(static_cast<size_t>(count));
    std::vector<qint64> askedAt(static_cast<size_t>(count)), askAt(static_cast<size_t>(count), -1);
    QElapsedTimer clock;
    clock.start();
    const auto send = [&](int client) {
        askedAt[size_t(client)] = clock.nsecsElapsed();
        askAt[size_t(client)] = -1;
        clients.send(client, request);
    };
    for (int i = 0; i < count; ++i)
        send(clients.connect());
    while (!crowd.stop) {
        clients.poll(5, [&](int client, const char *data, qsizetype size) {
            AnswerReader &reader = readers[size_t(client)];
            if (size < 0 || !reader.feed(data, size))
                return;
            ++crowd.answers[reader.status()];
            askAt[size_t(client)] = clock.elapsed();
            if (reader.status() != 503)
                return;
            askAt[size_t(client)] +=
                QRandomGenerator::global()->bounded(retryAfterRefusal_ms) + retryAfterRefusal_ms / 2;
            crowd.refusals_ms << double(clock.nsecsElapsed() - askedAt[size_t(client)]) / 1e6;
            crowd.refusedWithoutRetryAfter += reader.head().contains("Retry-After: ") ? 0 : 1;
        });
        for (int i = 0; i < count; ++i)
            if (askAt[size_t(i)] >= 0 && askAt[size_t(i)] <= clock.elapsed())
                send(i);
    }
}

double metric(quint16 port, const QByteArray &name)
{
    for (const QByteArray &line : ask(port, requestBytes("GET", "/metrics")).body.split('\n'))
        if (line.startsWith(name) && line.at(name.size()) == ' ')
            return line.sliced(name.size()).trimmed().toDouble();
    return -1;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int seconds = int(argument(1, 10));
    const int asking = int(argument(2, 1'300));
    const int perSecond = int(argument(3, 200));
    raiseFileLimit();
    printMachine();

    test::TestDatabase database;
    auto people = makePeople(database, 1);
    QTemporaryDir data;
    BackendProcess backend(data.path(), settingsFor(database.ownerTarget()));
    signIn(backend.port(), people);
    printTimes("idle: GET /health/live", probe(backend.port(), seconds, perSecond));

    // Whoever looks at a wallet waits for a fifth of a second: 8 workers answer 40 requests a second at most.
    database.owner().script(u"CREATE FUNCTION slowly() RETURNS boolean LANGUAGE sql VOLATILE AS"
                            " 'SELECT pg_sleep(0.2) IS NOT NULL';"
                            "CREATE POLICY slow ON user_wallet AS RESTRICTIVE USING (slowly());"_s);
    Crowd crowd;
    std::thread clients([&] { askForBalances(backend.port(), people[0].token, asking, crowd); });
    while (metric(backend.port(), "companion_db_app_queue") < 990)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const double cpuBefore_s = cpuSecondsOf(backend.pid());
    const auto times_ms = probe(backend.port(), seconds, perSecond);
    const double cpu = (cpuSecondsOf(backend.pid()) - cpuBefore_s) / seconds;
    const double busy = metric(backend.port(), "companion_db_app_busy");
    const double queued = metric(backend.port(), "companion_db_app_queue");
    crowd.stop = true;
    clients.join();

    printTimes("saturated: GET /health/live", times_ms);
    printTimes("a refusal (503)", crowd.refusals_ms);
    std::printf("meanwhile %d clients asked; %.0f workers busy, %.0f acts queued, the backend used %.0f %% of a core\n",
                asking, busy, queued, cpu * 100);
    for (const auto &[status, count] : crowd.answers)
        std::printf("  answered %d: %d\n", status, count);
    std::printf("  503 without Retry-After: %d\n", crowd.refusedWithoutRetryAfter);
    printMachine();
    return 0;
}
