// Webhooks a second through the whole backend: signed sandbox events of purchases, each a payment of its own that
// grants a purchased and a bonus lot in a durable transaction; then the latency at a given rate. At last the books are
// audited.
//   bench_webhooks [senders = 8] [seconds a round = 8] [rounds = 3] [rate = 300]
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/Processes.h"
#include "ledger/Ledger.h"
#include "payments/sandbox/SandboxProvider.h"
#include "support/TestDatabase.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <chrono>

using namespace companion;
using namespace Qt::StringLiterals;

namespace {

using Clock = std::chrono::steady_clock;

double since_ms(Clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Round
{
    double perSecond = 0;
    QList<double> latencies_ms; // at a rate: since the webhook was due, waiting for a free sender included
    qint64 failed = 0;
};

// Customers of the sandbox, each buying again and again.
class Sales
{
public:
    Sales(test::TestDatabase &database, int customers)
        : m_secret(payments::SandboxWorld().secret(database.operators()))
    {
        for (int i = 0; i < customers; ++i) {
            m_customers << UserId::create();
            database.owner().script(u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', '', now())"_s.arg(
                m_customers.last().toString()));
        }
    }
    QByteArray next()
    {
        const int n = ++m_count;
        const payments::PaymentFact fact{.references = {u"pi_%1"_s.arg(n), u"ch_%1"_s.arg(n)},
                                         .payment = {},
                                         .user = m_customers.at(n % m_customers.size()),
                                         .kind = PaidFor::CreditPackage,
                                         .product = u"popular"_s,
                                         .state = payments::PaymentFact::State::Paid,
                                         .amountMinor = 899,
                                         .currency = u"USD"_s,
                                         .version = 1,
                                         .at = QDateTime::currentDateTimeUtc()};
        const QByteArray body =
            QJsonDocument(QJsonObject{{u"id"_s, u"evt_%1"_s.arg(n)},
                                      {u"type"_s, u"payment.paid"_s},
                                      {u"created_at"_s, json::timeText(QDateTime::currentDateTimeUtc())},
                                      {u"environment"_s, u"sandbox"_s},
                                      {u"facts"_s, toJson(payments::FactList{{}, {fact}, {}})}})
                .toJson(QJsonDocument::Compact);
        return "POST /api/v1/webhooks/sandbox HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
               "Sandbox-Signature: "
            + payments::sandboxSignature(m_secret, body, QDateTime::currentSecsSinceEpoch())
            + "\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
    }
    int told() const { return m_count; }

private:
    const QByteArray m_secret;
    QList<UserId> m_customers;
    int m_count = 0;
};

// As fast as the senders are answered, or (with a rate) each webhook at its moment.
Round run(quint16 port, Sales &sales, int senders, double seconds, double rate)
{
    bench::Clients clients(port);
    std::vector<bench::AnswerReader> readers(static_cast<size_t>(senders));
    std::vector<Clock::time_point> dueAt(static_cast<size_t>(senders));
    QList<int> idle;
    for (int i = 0; i < senders; ++i)
        idle << clients.connect();
    Round round;
    const auto begin = Clock::now();
    qint64 sent = 0;
    int under_way = 0;
    while (since_ms(begin) < seconds * 1000 || under_way > 0) {
        while (!idle.isEmpty() && since_ms(begin) < seconds * 1000) {
            const auto due = begin
                + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(rate > 0 ? double(sent) / rate : 0));
            if (rate > 0 && Clock::now() < due)
                break;
            const int client = idle.takeFirst();
            dueAt[static_cast<size_t>(client)] = rate > 0 ? due : Clock::now();
            clients.send(client, sales.next());
            ++sent;
            ++under_way;
        }
        clients.poll(1, [&](int client, const char *data, qsizetype size) {
            ensure(size > 0, "the server keeps the connection");
            auto &reader = readers[static_cast<size_t>(client)];
            if (!reader.feed(data, size))
                return;
            round.latencies_ms << since_ms(dueAt[static_cast<size_t>(client)]);
            round.failed += reader.status() == 200 && reader.body().contains("applied") ? 0 : 1;
            --under_way;
            idle << client;
        });
    }
    round.perSecond = double(round.latencies_ms.size()) * 1000 / since_ms(begin);
    return round;
}

// Of PostgreSQL's processes that serve the backend: its connections live as long as it does.
double databaseSeconds(test::TestDatabase &database)
{
    double seconds = 0;
    for (const auto &row : database.owner().script(
             u"SELECT pid FROM pg_stat_activity WHERE usename IN ('companion_operator', 'companion_app')"_s))
        seconds += bench::cpuSecondsOf(row.integer("pid"));
    return seconds;
}

void report(const char *what, const Round &round)
{
    std::printf("%s: %.0f webhooks/s, p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, %lld failed\n", what, round.perSecond,
                bench::percentile(round.latencies_ms, 0.5), bench::percentile(round.latencies_ms, 0.95),
                bench::percentile(round.latencies_ms, 0.99), static_cast<long long>(round.failed));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int senders = int(bench::argument(1, 8));
    const double seconds = bench::argument(2, 8);
    const int rounds = int(bench::argument(3, 3));
    const double rate = bench::argument(4, 300);
    bench::printMachine();

    qputenv("COMPANION_TEST_DURABLE", "1");
    test::TestDatabase database;
    qunsetenv("COMPANION_TEST_DURABLE"); // ours, no setting of the product's
    Sales sales(database, 200);
    QTemporaryDir data;
    const bench::BackendProcess backend(data.path(), bench::settingsFor(database.ownerTarget()));
    report("warm-up", run(backend.port(), sales, senders, 2, 0));
    QList<double> rates;
    for (int round = 0; round < rounds; ++round) {
        const double cpu = bench::cpuSecondsOf(backend.pid());
        const double databaseCpu = databaseSeconds(database);
        const Round figures = run(backend.port(), sales, senders, seconds, 0);
        rates << figures.perSecond;
        report("as fast as answered", figures);
        const double each_ms = 1000 / double(std::max<qsizetype>(1, figures.latencies_ms.size()));
        std::printf("  processor time of each: backend %.2f ms, PostgreSQL %.2f ms; load average %.1f\n",
                    (bench::cpuSecondsOf(backend.pid()) - cpu) * each_ms,
                    (databaseSeconds(database) - databaseCpu) * each_ms, bench::loadAverage());
    }
    for (int round = 0; round < rounds; ++round)
        report("at the given rate", run(backend.port(), sales, senders, seconds, rate));
    const auto applied =
        database.owner().script(u"SELECT count(*) AS n FROM payment_events WHERE status = 'processed'"_s).first();
    const auto findings = ledger::Ledger().audit(database.operators());
    std::printf("median %.0f webhooks/s; %lld of %d applied; %lld audit findings\n", bench::median(rates),
                static_cast<long long>(applied.integer("n")), sales.told(), static_cast<long long>(findings.size()));
    return findings.isEmpty() && applied.integer("n") == sales.told() ? 0 : 1;
}
