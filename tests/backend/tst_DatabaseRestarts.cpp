// PostgreSQL restarted under load, politely, at once and by SIGKILL, beneath a backend that keeps running: it serves
// again by itself, and the books are what every client was told.
//
//   TURN_ROUNDS=10 rounds (1 by default), TURN_SEED=n the same random choices again

#include "backend/ChatLoad.h"
#include "backend/ServedBackend.h"
#include "backend/TurnBooks.h"
#include "fakes/FakeLlm.h"
#include "support/TestDatabase.h"

#include <QElapsedTimer>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

class DatabaseRestartsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_llm.listen());
        m_database = std::make_unique<TestDatabase>();
        // What was acknowledged must outlive the server's process (the machine keeps running: no fsync is needed).
        m_database->owner().script(
            u"ALTER DATABASE \"%1\" SET synchronous_commit = on"_s.arg(m_database->ownerTarget().database));
        const auto target = m_database->ownerTarget();
        m_backend = std::make_unique<ServedBackend>(
            QMap<QString, QString>{{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()},
                                   {u"LLM_MODEL"_s, u"fake"_s},
                                   {u"BILLING_GENERATION_LIMIT_S"_s, u"2"_s},
                                   {u"BILLING_HOLD_GRACE_S"_s, u"2"_s},
                                   {u"DATABASE_URL"_s,
                                    u"postgres://%1@/%2?host=%3"_s.arg(target.user, target.database, target.host)}});
        QVERIFY(m_backend->start());
        m_load = std::make_unique<ChatLoad>(m_backend->owner(), 24);
        m_load->signIn({m_backend->port()});
    }

    void restarted_under_load()
    {
        const int rounds = qMax(1, qEnvironmentVariableIntValue("TURN_ROUNDS"));
        const quint32 seed = qEnvironmentVariableIsSet("TURN_SEED") ? qEnvironmentVariable("TURN_SEED").toUInt()
                                                                    : QRandomGenerator::global()->generate();
        for (int round = 0; round < rounds; ++round) {
            const quint32 thisSeed = seed + static_cast<quint32>(round);
            const QStringList breaches = oneRound(thisSeed);
            qInfo().noquote() << u"round %1, seed %2, %3 after %4 ms, serving again after %5 ms: %6"_s.arg(round)
                                     .arg(thisSeed)
                                     .arg(m_manner)
                                     .arg(m_after_ms)
                                     .arg(m_backIn_ms)
                                     .arg(m_load->summary());
            for (const QString &breach : breaches)
                qWarning().noquote() << u"round %1, TURN_SEED=%2: "_s.arg(round).arg(thisSeed) + breach;
            QVERIFY2(breaches.isEmpty(), qPrintable(u"TURN_SEED=%1: %2"_s.arg(thisSeed).arg(breaches.value(0))));
        }
        QVERIFY2(m_load->settled() > 20 * rounds, qPrintable(m_load->summary()));
        QVERIFY(m_backend->isRunning());
        QVERIFY(m_backend->stop());
        QByteArray said;
        QVERIFY2(m_backend->run({u"audit"_s}, &said) == 0, said);
    }

private:
    QStringList oneRound(quint32 seed)
    {
        using Manner = TestCluster::Manner;
        static const QList<std::pair<Manner, QString>> manners{{Manner::Killed, u"killed"_s},
                                                               {Manner::Fast, u"restarted"_s},
                                                               {Manner::Immediate, u"ended at once"_s}};
        QRandomGenerator random(seed);
        const auto [manner, name] = manners[random.bounded(3)];
        m_manner = name;
        m_load->start(seed);
        m_after_ms = 200 + static_cast<int>(random.bounded(1'500));
        QTest::qWait(m_after_ms);
        TestCluster::instance().restart(manner); // the clients wait meanwhile: this thread is theirs
        QElapsedTimer sinceRestart;
        sinceRestart.start();
        const int before = m_load->orders();
        while (m_load->settled(before) == 0 && sinceRestart.elapsed() < 15'000)
            QTest::qWait(5);
        m_backIn_ms = sinceRestart.elapsed();
        QTest::qWait(300);
        m_load->finish();
        if (m_load->settled(before) == 0)
            return {u"it does not serve again"_s};

        db::Session books(m_backend->owner(), m_clock);
        QStringList breaches = turnBreaches(books, Calm::No);
        QTest::qWait(static_cast<int>(qMax<qint64>(0, 4'200 - sinceRestart.elapsed()))); // 2 s + 2 s
        books.script(u"UPDATE jobs SET next_run_at = now(), lease_id = NULL, lease_until = NULL "
                     "WHERE name IN ('give_up_turns', 'sweep_holds')"_s);
        m_load->recover();
        QElapsedTimer waited;
        waited.start();
        QStringList late;
        do {
            QTest::qWait(100);
            late = turnBreaches(books, Calm::Yes);
        } while (!late.isEmpty() && waited.elapsed() < 12'000); // the schedule looks every 5 s
        return breaches + late + m_load->breaches(books) + m_backend->bugs();
    }

    FakeLlm m_llm;
    SystemClock m_clock;
    std::unique_ptr<TestDatabase> m_database;
    std::unique_ptr<ServedBackend> m_backend;
    std::unique_ptr<ChatLoad> m_load;
    QString m_manner;
    int m_after_ms = 0;
    qint64 m_backIn_ms = 0;
};

QTEST_GUILESS_MAIN(DatabaseRestartsTest)
#include "tst_DatabaseRestarts.moc"
