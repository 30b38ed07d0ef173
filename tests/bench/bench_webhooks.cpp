// Webhooks a second through the whole backend: signed sandbox events of purchases, each a payment of its own that
// grants a purchased and a bonus lot in a durable transaction; then the latency at a given rate. At last the books are
// audited.
//   bench_webhooks [senders = 8] [seconds a round = 8] [rounds = 3] [rate = 300]
#include "bench/support/Figures.h"
#include "bench/support/Load.h"
#include "bench/support/Processes.h"
#include "bench/support/ProcessorTimes.h"
#include "ledger/Ledger.h"
#include "payments/sandbox/SandboxProvider.h"
#include "support/TestDatabase.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QTemporaryDir>

using namespace companion;
using namespace Qt::StringLiterals;

namespace {

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

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int senders = int(bench::argument(1, 8));
    const int seconds = int(bench::argument(2, 8));
    const int rounds = int(bench::argument(3, 3));
    const double rate = bench::argument(4, 300);
    bench::printMachine();

    qputenv("COMPANION_TEST_DURABLE", "1");
    test::TestDatabase database;
    qunsetenv("COMPANION_TEST_DURABLE"); // ours, no setting of the product's
    Sales sales(database, 200);
    QTemporaryDir data;
    const bench::BackendProcess backend(data.path(), bench::settingsFor(database.ownerTarget()));
    const auto send = [&](int forSeconds, double perSecond) {
        return bench::load(backend.port(),
                           {.connections = senders,
                            .request = [&](int) { return sales.next(); },
                            .wanted = "applied",
                            .seconds = forSeconds,
                            .perSecond = perSecond});
    };
    bench::report("warm-up", send(2, 0));
    QList<double> rates;
    for (int round = 0; round < rounds; ++round) {
        const bench::ProcessorTimes times(backend, database);
        const auto figures = send(seconds, 0);
        rates << figures.perSecond;
        bench::report("as fast as answered", figures);
        times.report(figures.latencies_ms.size());
    }
    for (int round = 0; round < rounds; ++round)
        bench::report("at the given rate", send(seconds, rate));
    const auto applied =
        database.owner().script(u"SELECT count(*) AS n FROM payment_events WHERE status = 'processed'"_s).first();
    const auto findings = ledger::Ledger().audit(database.operators());
    std::printf("median %.0f webhooks/s; %lld of %d applied; %lld audit findings\n", bench::median(rates),
                static_cast<long long>(applied.integer("n")), sales.told(), static_cast<long long>(findings.size()));
    return findings.isEmpty() && applied.integer("n") == sales.told() ? 0 : 1;
}
