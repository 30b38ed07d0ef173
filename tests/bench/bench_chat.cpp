// Chat completions a second through the whole backend, the provider answering at once, everything on this machine's
// cores, beside pgbench running a plain settlement (lock the wallet, take from it, write history and two messages) over
// as many connections to the same cluster; then the latency at half of that rate. Durable commits, rounds in turn.
//   bench_chat [connections = 32] [seconds a round = 8] [rounds = 3] [requests a second, instead of half]
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/InstantLlm.h"
#include "bench/support/Load.h"
#include "bench/support/People.h"
#include "bench/support/Pgbench.h"
#include "bench/support/Processes.h"
#include "bench/support/ProcessorTimes.h"
#include "ledger/Ledger.h"

#include <QFile>
#include <QTemporaryDir>

using namespace companion;
using namespace companion::bench;
using namespace Qt::StringLiterals;

namespace {

// One user, one session, one request, for each connection.
QList<QByteArray> requestsOf(test::TestDatabase &database, quint16 port, int count)
{
    QList<Person> people = makePeople(database, count);
    signIn(port, people);
    QList<QByteArray> requests;
    for (const Person &person : people) {
        const auto granted = ledger::Ledger().grant(database.operators(),
                                                    {.user = person.id,
                                                     .key = u"start"_s,
                                                     .amount = Credits::fromUnits(1'000'000'000'000),
                                                     .description = u"Start"_s});
        ensure(granted.has_value(), "the wallet is filled");
        requests.append(requestBytes("POST", "/api/v1/chat/completions", person.token,
                                     {{u"session_id"_s, QString::fromLatin1(openSession(port, person))},
                                      {u"message"_s, u"Hello! Do you remember the walk by the sea?"_s}}));
    }
    return requests;
}

void makePlainTables(test::TestDatabase &database, int wallets)
{
    database.owner().script(
        u"CREATE SCHEMA plain; GRANT USAGE ON SCHEMA plain TO companion_app;"
        "CREATE TABLE plain.wallets (user_id bigint PRIMARY KEY, balance numeric(18,4) NOT NULL);"
        "CREATE TABLE plain.history (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES plain.wallets, "
        "amount numeric(18,4) NOT NULL,"
        " balance_after numeric(18,4) NOT NULL, description text NOT NULL, created_at timestamptz NOT NULL DEFAULT "
        "now());"
        "CREATE TABLE plain.messages (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES plain.wallets, role "
        "text NOT NULL,"
        " content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());"
        "CREATE INDEX ON plain.history (user_id, created_at); CREATE INDEX ON plain.messages (user_id, created_at);"
        "INSERT INTO plain.wallets SELECT n, 1000000 FROM generate_series(1, %1) n;"
        "GRANT ALL ON ALL TABLES IN SCHEMA plain TO companion_app; GRANT ALL ON ALL SEQUENCES IN SCHEMA plain TO companion_app"_s
            .arg(wallets));
}

QByteArray plainSettlement(int wallets)
{
    return u"\\set n random(1, %1)\n"
           "BEGIN;\n"
           "SELECT balance FROM plain.wallets WHERE user_id = :n FOR UPDATE;\n"
           "UPDATE plain.wallets SET balance = balance - 0.0148 WHERE user_id = :n;\n"
           "INSERT INTO plain.history (user_id, amount, balance_after, description) SELECT :n, -0.0148, balance, "
           "'Reply from Aria' FROM plain.wallets WHERE user_id = :n;\n"
           "INSERT INTO plain.messages (user_id, role, content) VALUES (:n, 'user', 'Hello! Do you remember the walk "
           "by the sea?'),"
           " (:n, 'assistant', 'It is good to hear from you. I was just thinking of the long walk by the sea that you "
           "told me about.');\n"
           "COMMIT;\n"_s.arg(wallets)
               .toUtf8();
}

LoadFigures measured(const BackendProcess &backend, test::TestDatabase &database, const QList<QByteArray> &requests,
                     const char *what, int seconds, double perSecond = 0)
{
    const ProcessorTimes times(backend, database);
    auto figures = load(backend.port(), requests, seconds, perSecond);
    report(what, figures);
    times.report(figures.latencies_ms.size());
    return figures;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    qputenv("COMPANION_TEST_DURABLE", "1");
    const int connections = int(argument(1, 32));
    const int seconds = int(argument(2, 8));
    const int rounds = int(argument(3, 3));
    printMachine();

    test::TestDatabase database;
    qunsetenv("COMPANION_TEST_DURABLE"); // ours, no setting of the product's
    makePlainTables(database, connections);
    QTemporaryDir folder;
    QFile script(folder.filePath(u"settlement.sql"_s));
    ensure(script.open(QIODevice::WriteOnly) && script.write(plainSettlement(connections)) > 0 && script.flush(),
           "pgbench's script can be written");

    const InstantLlm llm;
    auto settings = settingsFor(database.ownerTarget());
    settings.insert(u"LLM_BASE_URL"_s, u"http://127.0.0.1:%1/v1"_s.arg(llm.port()));
    const BackendProcess backend(folder.filePath(u"data"_s), settings);
    database.owner().script(u"UPDATE tiers SET requests_per_minute = 1000000"_s);
    const auto requests = requestsOf(database, backend.port(), connections);
    report("warm-up", load(backend.port(), requests, 2));

    QList<double> ours, theirs;
    for (int round = 0; round < rounds; ++round) {
        theirs << pgbenchPerSecond(database.appTarget(), script.fileName(), connections, seconds);
        std::printf("round %d: pgbench %.0f settlements/s\n", round + 1, theirs.last());
        ours << measured(backend, database, requests, "  completions", seconds).perSecond;
    }
    const double asked = argument(4, 0) > 0 ? argument(4, 0) : median(ours) / 2;
    measured(backend, database, requests,
             QByteArray("asked for " + QByteArray::number(asked, 'f', 0) + "/s").constData(), seconds, asked);
    const auto findings = ledger::Ledger().audit(database.operators());
    std::printf("median: pgbench %.0f/s, completions %.0f/s, ratio %.2f; %lld audit findings\n", median(theirs),
                median(ours), median(ours) / median(theirs), static_cast<long long>(findings.size()));
    printMachine();
    return findings.isEmpty() ? 0 : 1;
}
