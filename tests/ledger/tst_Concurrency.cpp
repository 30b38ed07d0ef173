#include "LedgerFixture.h"

#include <QSemaphore>
#include <QTest>
#include <QThreadPool>
#include <numeric>

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

    // Those who hold for many at once and those who hold for one, on the same wallets.
    void together_and_alone_at_once_overspend_no_wallet_data()
    {
        QTest::addColumn<bool>("someAlone");
        QTest::newRow("all together") << false;
        QTest::newRow("every second alone") << true;
    }
    void together_and_alone_at_once_overspend_no_wallet()
    {
        QFETCH(bool, someAlone);
        LedgerFixture f;
        const QList<UserId> users{f.user, f.addUser(), f.addUser(), f.addUser()};
        for (const UserId &user : users) {
            f.user = user;
            f.grant(Bucket::Purchased, "10");
            QVERIFY(f.ledger.refresh(f.db.app(), user, Credits()));
        }
        const auto held = atOnce(f, 24, [&](db::Session &alone, int i) {
            db::Session operators(f.db.operatorTarget(), f.db.clock());
            int got = 0;
            for (int k = 0; k < 10; ++k) {
                QJsonArray orders;
                for (const UserId &user : users) {
                    const QString key = QStringLiteral("%1 %2").arg(i).arg(k);
                    if (someAlone && i % 2 == 0)
                        got += f.ledger.hold(alone, {user, key, credits("0.7"), f.in(6min), Credits()}).has_value();
                    orders.append(QJsonObject{{"n", orders.size()},
                                              {"user_id", user.toString()},
                                              {"key", key},
                                              {"amount", "0.7"},
                                              {"expires_at", f.in(6min).toString(Qt::ISODateWithMs)},
                                              {"daily_limit", "0"}});
                }
                if (!someAlone || i % 2 != 0)
                    got += int(f.together(operators, "hold", orders).size());
            }
            return got;
        });
        QVERIFY(std::accumulate(held.begin(), held.end(), 0) <= 4 * 14);
        if (someAlone) // who waits for the wallet gets what is left of it
            QCOMPARE(std::accumulate(held.begin(), held.end(), 0), 4 * 14);
        QVERIFY(std::accumulate(held.begin(), held.end(), 0) >= 4);
        QCOMPARE(f.audit(), QStringList());
    }

    void one_hold_is_captured_once_whoever_comes_at_once()
    {
        LedgerFixture f;
        QVERIFY(f.grant(Bucket::Purchased, "100"));
        QVERIFY(f.ledger.refresh(f.db.app(), f.user, Credits()));
        for (int round = 0; round < 5; ++round) {
            const auto hold = f.hold("1", "0");
            const auto charged = atOnce(f, 12, [&](db::Session &alone, int i) {
                if (i % 3 == 0)
                    return int(f.ledger.voidHold(alone, f.user, hold->id).has_value()) * 100;
                db::Session operators(f.db.operatorTarget(), f.db.clock());
                return int(f.together(operators, "capture",
                                      {QJsonObject{{"n", 0},
                                                   {"user_id", f.user.toString()},
                                                   {"hold_id", hold->id.toString()},
                                                   {"amount", "0.5"},
                                                   {"description", "Aria"},
                                                   {"metadata", QJsonObject()}}})
                               .size());
            });
            const auto captures = std::ranges::count(charged, 1);
            QVERIFY(captures <= 1);
            QCOMPARE(std::ranges::count(charged, 100) > 0, captures == 0);
        }
        QCOMPARE(f.audit(), QStringList());
    }

    // Two orders of one user in one call: the first is done, the second is left.
    void of_two_orders_of_one_user_the_first_is_done()
    {
        LedgerFixture f;
        QVERIFY(f.grant(Bucket::Purchased, "10"));
        QVERIFY(f.ledger.refresh(f.db.app(), f.user, Credits()));
        QJsonArray orders;
        for (const char *amount : {"2", "3"})
            orders.append(QJsonObject{{"n", orders.size()},
                                      {"user_id", f.user.toString()},
                                      {"key", f.newKey()},
                                      {"amount", amount},
                                      {"expires_at", f.in(6min).toString(Qt::ISODateWithMs)},
                                      {"daily_limit", "0"}});
        const auto done = f.together(f.db.operators(), "hold", orders);
        QCOMPARE(done.size(), 1);
        QCOMPARE(done.first().integer("n"), 0);
        QCOMPARE(f.wallet("0"), "0 10 0 2");
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
