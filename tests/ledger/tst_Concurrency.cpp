#include "LedgerFixture.h"

#include <QSemaphore>
#include <QTest>
#include <QThreadPool>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// Many at once on one wallet, each with a connection of its own.
class ConcurrencyTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void a_wallet_is_never_overspent_whoever_comes_at_once()
    {
        LedgerFixture f;
        f.grant(Bucket::Purchased, "10");
        const auto answers = atOnce(f, 64, [&](db::Session &db, int i) {
            return f.ledger.hold(db, {f.user, QString::number(i), credits("1"), f.in(6min), Credits()});
        });
        QCOMPARE(std::ranges::count_if(answers, [](const auto &answer) { return answer.has_value(); }), 10);
        for (const auto &answer : answers)
            QVERIFY(answer || answer.error().code == ErrorCode::InsufficientCredits);
        QCOMPARE(f.wallet("0"), "0 10 0 10");
        QCOMPARE(f.audit(), QStringList());
    }

    void one_key_is_one_hold_whoever_comes_at_once()
    {
        LedgerFixture f;
        f.grant(Bucket::Purchased, "10");
        const auto deadline = f.in(6min);
        const auto answers = atOnce(f, 16, [&](db::Session &db, int) {
            return f.ledger.hold(db, {f.user, "the turn", credits("1"), deadline, Credits()});
        });
        for (const auto &answer : answers)
            QCOMPARE(answer->id, answers.first()->id);
        QCOMPARE(std::ranges::count_if(answers, [](const auto &answer) { return answer->replayed; }), 15);
        QCOMPARE(f.wallet("0"), "0 10 0 1");
    }

    void the_day_is_refreshed_once_whoever_comes_at_once()
    {
        LedgerFixture f;
        const auto answers = atOnce(f, 16, [&](db::Session &db, int i) -> Result<BalanceSummary> {
            if (i % 4 == 0)
                f.ledger.sweepRefresh(db, 9, [](db::Session &, const UserId &) { return credits("10"); });
            return f.ledger.refresh(db, f.user, credits("10"));
        });
        for (const auto &answer : answers)
            QCOMPARE(answer->total, credits("10"));
        QCOMPARE(f.history(), "daily_refresh 10");
    }

    void captures_and_voids_of_one_hold_at_once_do_one_thing()
    {
        LedgerFixture f;
        for (int round = 0; round < 10; ++round) {
            const auto hold = f.hold("1", "1000");
            const auto answers = atOnce(f, 8, [&](db::Session &db, int i) -> Result<Credits> {
                if (i % 2 == 0) {
                    const auto voided = f.ledger.voidHold(db, f.user, hold->id);
                    return voided ? Result<Credits>(Credits()) : std::unexpected(voided.error());
                }
                const auto taken = f.ledger.capture(db, f.user, hold->id, credits("1"), "Aria", {});
                return taken ? Result<Credits>(taken->charge.amount) : std::unexpected(taken.error());
            });
            const auto won = std::ranges::find_if(answers, [](const auto &answer) { return answer.has_value(); });
            for (const auto &answer : answers)
                QVERIFY(answer ? *answer == **won : answer.error().code == ErrorCode::Conflict);
        }
        QCOMPARE(f.audit(), QStringList());
    }

private:
    // The calls on as many threads with a connection each, let loose together.
    template <class Call>
    QList<std::invoke_result_t<Call, db::Session &, int>> atOnce(LedgerFixture &f, int count, Call call)
    {
        using Answer = std::invoke_result_t<Call, db::Session &, int>;
        std::vector<std::optional<Answer>> answers(count);
        QThreadPool pool;
        pool.setMaxThreadCount(count);
        QSemaphore ready;
        QSemaphore go;
        for (int i = 0; i < count; ++i)
            pool.start([&, i] {
                db::Session session(f.db.appTarget(), f.db.clock());
                session.makeReady();
                ready.release();
                go.acquire();
                answers[i] = call(session, i);
            });
        ready.acquire(count);
        go.release(count);
        pool.waitForDone();
        QList<Answer> all;
        for (const auto &answer : answers)
            all.append(answer.value());
        return all;
    }
};

QTEST_GUILESS_MAIN(ConcurrencyTest)
#include "tst_Concurrency.moc"
