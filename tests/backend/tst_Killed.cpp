// The backend killed (SIGKILL) at random moments under load, its private database with it, and started again: no
// acknowledged charge is lost or doubled, nothing stays held past its deadline, no reply both failed and is charged.
//
//   TURN_ROUNDS=30 rounds (1 by default), TURN_SEED=n the same random choices again

#include "backend/ChatLoad.h"
#include "backend/ServedBackend.h"
#include "backend/TurnBooks.h"
#include "common/Clock.h"
#include "fakes/FakeLlm.h"

#include <QElapsedTimer>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

class KilledTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_llm.listen());
        m_backend = std::make_unique<ServedBackend>(
            QMap<QString, QString>{{u"LLM_BASE_URL"_s, m_llm.baseUrl().toString()}, {u"LLM_MODEL"_s, u"fake"_s}});
        QVERIFY(m_backend->start());
        m_load = std::make_unique<ChatLoad>(m_backend->owner(), 24);
        m_load->signIn({m_backend->port()});
    }

    void killed_at_random_moments_under_load()
    {
        const int rounds = qMax(1, qEnvironmentVariableIntValue("TURN_ROUNDS"));
        const quint32 seed = qEnvironmentVariableIsSet("TURN_SEED") ? qEnvironmentVariable("TURN_SEED").toUInt()
                                                                    : QRandomGenerator::global()->generate();
        for (int round = 0; round < rounds; ++round) {
            const quint32 thisSeed = seed + static_cast<quint32>(round);
            const QStringList breaches = oneRound(thisSeed);
            qInfo().noquote() << u"round %1, seed %2, killed after %3 ms, back in %4 ms: %5"_s.arg(round)
                                     .arg(thisSeed)
                                     .arg(m_killedAfter_ms)
                                     .arg(m_backIn_ms)
                                     .arg(m_load->summary());
            for (const QString &breach : breaches)
                qWarning().noquote() << u"round %1, TURN_SEED=%2: "_s.arg(round).arg(thisSeed) + breach;
            QVERIFY2(breaches.isEmpty(), qPrintable(u"TURN_SEED=%1: %2"_s.arg(thisSeed).arg(breaches.value(0))));
        }
        QVERIFY2(m_load->settled() > 20 * rounds, qPrintable(m_load->summary())); // it was a load
        QVERIFY(m_backend->stop());
        QByteArray said;
        QVERIFY2(m_backend->run({u"audit"_s}, &said) == 0, said);
        QCOMPARE(m_backend->bugs(), QStringList());
    }

private:
    QStringList oneRound(quint32 seed)
    {
        QRandomGenerator random(seed);
        m_load->start(seed);
        m_killedAfter_ms = 100 + static_cast<int>(random.bounded(2'400));
        QTest::qWait(m_killedAfter_ms);
        m_backend->kill();
        QElapsedTimer sinceKill;
        sinceKill.start();
        m_load->finish();
        if (!m_backend->start())
            return {u"it did not start again"_s};
        m_backIn_ms = sinceKill.elapsed();
        const SystemClock clock;
        db::Session books(m_backend->owner(), clock);
        QStringList breaches = turnBreaches(books, Calm::No); // right after the crash
        m_load->signIn({m_backend->port()});
        // What is past its deadline (2 s + 1 s) is given up by the schedule; its turn is now.
        QTest::qWait(static_cast<int>(qMax<qint64>(0, 3'100 - sinceKill.elapsed())));
        books.script(
            u"UPDATE jobs SET next_run_at = now(), lease_id = NULL, lease_until = NULL WHERE name IN ('give_up_turns', 'sweep_holds')"_s);
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
    std::unique_ptr<ServedBackend> m_backend;
    std::unique_ptr<ChatLoad> m_load;
    int m_killedAfter_ms = 0;
    qint64 m_backIn_ms = 0;
};

QTEST_GUILESS_MAIN(KilledTest)
#include "tst_Killed.moc"
