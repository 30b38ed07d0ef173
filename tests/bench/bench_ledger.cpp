// Pairs of hold and capture a second through db::Workers, beside pgbench calling the same two functions over as many
// connections, durable commits, rounds in turn on one cluster.
//   bench_ledger [connections = 8] [seconds a round = 3] [rounds = 7] [wallets = 64]
#include "bench/support/Figures.h"
#include "bench/support/Pgbench.h"
#include "db/Workers.h"
#include "ledger/Ledger.h"
#include "support/TestDatabase.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFile>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <cstdio>

using namespace companion;
using bench::median;
using bench::pgbenchPerSecond;
using namespace std::chrono_literals;

namespace {

const Credits heldAmount = Credits::fromUnits(15'000);
const Credits usedAmount = Credits::fromUnits(12'500);
const Credits dailyLimit = Credits::fromUnits(100'000);
const QJsonObject metadata{{"tokens", 120}, {"model", "rehearsal"}};

UserId walletOwner(int n)
{
    return UserId::parse(QStringLiteral("00000000-0000-4000-8000-%1").arg(n, 12, 10, QChar(u'0'))).value();
}

// As many pairs in flight as there are connections, twice: a queue that is never empty, as under load.
class OurPairs : public QObject
{
public:
    OurPairs(db::Workers &workers, const ledger::Ledger &ledger, int wallets)
        : m_workers(workers)
        , m_ledger(ledger)
        , m_wallets(wallets)
    {
    }
    double perSecond(int inFlight, std::chrono::seconds time)
    {
        m_done = 0;
        m_stopping = false;
        QElapsedTimer clock;
        clock.start();
        for (m_open = 0; m_open < inFlight; ++m_open)
            hold();
        QTimer::singleShot(time, this, [this] { m_stopping = true; });
        m_loop.exec();
        return double(m_done) * 1000 / double(clock.elapsed());
    }

private:
    void hold()
    {
        const UserId user = walletOwner(1 + int(m_next++ % m_wallets));
        m_workers.act(
            this,
            [this, user, key = QStringLiteral("ours-%1").arg(m_next)](db::Session &db) {
                return m_ledger.hold(db, {user, key, heldAmount, db.now().addSecs(360), dailyLimit});
            },
            [this, user](Result<ledger::Hold> held) { capture(user, held.value().id); });
    }
    void capture(const UserId &user, const HoldId &hold)
    {
        m_workers.act(
            this,
            [this, user, hold](db::Session &db) {
                return m_ledger.capture(db, user, hold, usedAmount, QStringLiteral("Reply from Aria"), metadata);
            },
            [this](Result<ledger::Settlement> settled) { finish(settled.value()); });
    }
    void finish(const ledger::Settlement &)
    {
        ++m_done;
        if (!m_stopping)
            return this->hold();
        if (--m_open == 0)
            m_loop.quit();
    }

    db::Workers &m_workers;
    const ledger::Ledger &m_ledger;
    const int m_wallets;
    QEventLoop m_loop;
    qint64 m_next = 0;
    qint64 m_done = 0;
    int m_open = 0;
    bool m_stopping = false;
};

// The same functions, arguments and columns, the client in C.
QByteArray pgbenchScript(int wallets)
{
    return QStringLiteral(
               "\\set n random(1, %1)\n"
               "\\set k random(1, 9000000000000000)\n"
               "SELECT hold_id AS h, code, replayed, required, available, hold_amount, hold_expires_at,"
               " (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held"
               " FROM ledger_hold(('00000000-0000-4000-8000-' || lpad(:n::text, 12, '0'))::uuid,"
               " 'theirs-' || :k::text, 1.5, now() + interval '6 minutes', 10, now()) \\gset\n"
               "SELECT code, replayed, transaction_id, charged_daily_free, charged_purchased, charged_bonus,"
               " (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held"
               " FROM ledger_capture(('00000000-0000-4000-8000-' || lpad(:n::text, 12, '0'))::uuid, :h::uuid,"
               " 1.25, 'Reply from Aria', '{\"tokens\": 120, \"model\": \"rehearsal\"}', now());\n")
        .arg(wallets)
        .toUtf8();
}

int argument(int at, int otherwise)
{
    return int(bench::argument(at, otherwise));
}

void makeWallets(test::TestDatabase &database, const ledger::Ledger &ledger, int wallets)
{
    for (int n = 1; n <= wallets; ++n) {
        database.owner().script(
            QStringLiteral("INSERT INTO users (id, display_name, created_at) VALUES ('%1', '', now())")
                .arg(walletOwner(n).toString()));
        const auto granted = ledger.grant(database.app(),
                                          {.user = walletOwner(n),
                                           .key = QStringLiteral("start"),
                                           .amount = Credits::fromUnits(10'000'000'000'000),
                                           .description = QStringLiteral("Start")});
        ensure(granted.has_value(), "the wallets are filled");
    }
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    qputenv("COMPANION_TEST_DURABLE", "1");
    const int connections = argument(1, 8);
    const int seconds = argument(2, 3);
    const int rounds = argument(3, 7);
    const int wallets = argument(4, 64);

    bench::printMachine();
    test::TestDatabase database;
    const ledger::Ledger ledger;
    makeWallets(database, ledger, wallets);
    QTemporaryDir folder;
    QFile script(folder.filePath(QStringLiteral("pair.sql")));
    ensure(script.open(QIODevice::WriteOnly) && script.write(pgbenchScript(wallets)) > 0 && script.flush(),
           "pgbench's script can be written");

    const SystemClock clock;
    db::Workers workers(database.appTarget(), clock, {.name = QStringLiteral("app"), .threads = connections});
    OurPairs pairs(workers, ledger, wallets);
    pairs.perSecond(2 * connections, 1s); // connections and plans are made
    QList<double> ours, theirs, ratios; // rounds in turn: what else the machine does hits both of a pair
    for (int round = 0; round < rounds; ++round) {
        theirs << pgbenchPerSecond(database.appTarget(), script.fileName(), connections, seconds);
        ours << pairs.perSecond(2 * connections, std::chrono::seconds(seconds));
        ratios << ours.last() / theirs.last();
        std::printf("round %d: pgbench %.0f pairs/s, db::Workers %.0f pairs/s, ratio %.2f\n", round + 1, theirs.last(),
                    ours.last(), ratios.last());
        std::fflush(stdout);
    }
    const auto findings = ledger.audit(database.operators());
    std::printf("medians: pgbench %.0f, db::Workers %.0f; of the rounds' ratios %.2f; %lld audit findings\n",
                median(theirs), median(ours), median(ratios), static_cast<long long>(findings.size()));
    bench::printMachine();
    return findings.isEmpty() ? 0 : 1;
}
