#include "support/TestDatabase.h"

#include "common/Bug.h"
#include "db/DatabaseError.h"

#include <QRegularExpression>
#include <QSemaphore>
#include <QTest>
#include <QTimer>
#include <atomic>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

namespace {

class Asker : public QObject
{
    Q_OBJECT
public:
    void answered(Result<QString> answer)
    {
        thread = QThread::currentThread();
        answers << (answer ? *answer : toName(answer.error()));
    }
    static QString toName(const Refusal &refusal) { return QString::fromLatin1(describe(refusal.code).name); }
    QStringList answers;
    QThread *thread = nullptr;
};

} // namespace

// The pool: who answers where, and what is told when an act cannot run or fails.
class TestWorkers : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<test::TestDatabase> m_db;
    std::unique_ptr<Workers> make(int threads, int queueLimit = 1000, int timeout_ms = 30'000)
    {
        return std::make_unique<Workers>(m_db->ownerTarget(), m_db->clock(),
                                         Workers::Options{.name = u"test"_s,
                                                          .threads = threads,
                                                          .queueLimit = queueLimit,
                                                          .statementTimeout_ms = timeout_ms});
    }
    static QString hello(Session &) { return u"hello"_s; }

private Q_SLOTS:
    void initTestCase() { m_db = std::make_unique<test::TestDatabase>(); }
    void cleanupTestCase() { m_db.reset(); }

    void an_act_runs_on_a_worker_and_answers_on_the_contexts_thread()
    {
        const auto workers = make(2);
        Asker asker;
        QThread *actedOn = nullptr;
        workers->act(
            &asker,
            [&](Session &) {
                actedOn = QThread::currentThread();
                return u"hello"_s;
            },
            &Asker::answered);
        QCOMPARE(asker.answers, QStringList()); // never at once
        QTRY_COMPARE(asker.answers, QStringList{u"hello"_s});
        QCOMPARE(asker.thread, QThread::currentThread());
        QVERIFY(actedOn != asker.thread);
    }

    void a_refusal_reaches_then_as_it_was_made()
    {
        const auto workers = make(1);
        Asker asker;
        workers->act(
            &asker, [](Session &) -> Result<QString> { return refuse(ErrorCode::Conflict, u"x"_s); }, &Asker::answered);
        QTRY_COMPARE(asker.answers, QStringList{u"conflict"_s});
    }

    void an_act_may_return_nothing()
    {
        const auto workers = make(1);
        bool done = false;
        workers->act(
            this, [](Session &db) { db.script(u"SELECT 1"_s); },
            [&](Result<void> answer) { done = answer.has_value(); });
        QTRY_VERIFY(done);
        std::atomic<bool> ran = false;
        workers->act([&](Session &) { ran = true; });
        QTRY_VERIFY(ran);
    }

    void the_next_act_is_overloaded_when_the_queue_is_full()
    {
        const auto workers = make(1, 2);
        QSemaphore go;
        Asker asker;
        Result<QString> last;
        workers->act(
            &asker,
            [&](Session &) {
                go.acquire();
                return u"slow"_s;
            },
            &Asker::answered);
        QTRY_COMPARE(workers->load().running, 1);
        for (int i = 0; i < 2; ++i)
            workers->act(&asker, hello, &Asker::answered);
        QCOMPARE(workers->load().queued, 2);
        workers->act(this, hello, [&](Result<QString> answer) { last = std::move(answer); });
        QTRY_VERIFY(!last);
        QCOMPARE(last.error().code, ErrorCode::Overloaded);
        QCOMPARE(last.error().retryAfter_s, std::optional(1));
        QCOMPARE(asker.answers, QStringList());
        go.release();
        QTRY_COMPARE(asker.answers, (QStringList{u"slow"_s, u"hello"_s, u"hello"_s}));
        QCOMPARE(workers->load().overloaded, 1U);
    }

    void an_act_runs_to_its_end_though_its_context_is_gone()
    {
        const auto workers = make(1);
        QSemaphore go;
        std::atomic<bool> ended = false;
        bool answered = false;
        auto context = std::make_unique<QObject>();
        workers->act(
            context.get(),
            [&](Session &) {
                go.acquire();
                ended = true;
                return 1;
            },
            [&](Result<int>) { answered = true; });
        context.reset();
        go.release();
        QTRY_VERIFY(ended);
        workers->stop();
        QCoreApplication::processEvents();
        QVERIFY(!answered);
    }

    void contexts_may_die_at_any_moment()
    {
        const auto workers = make(4);
        std::atomic<int> acts = 0;
        for (int i = 0; i < 2000; ++i) {
            auto *context = new QObject;
            workers->act(context, [&](Session &) { return ++acts; }, [context](Result<int>) { delete context; });
            if (i % 2)
                delete context;
            if (i % 7 == 0)
                QCoreApplication::processEvents();
            QTRY_VERIFY(workers->load().queued < 900);
        }
        QTRY_COMPARE(acts, 2000);
        workers->stop();
        QCoreApplication::processEvents();
    }

    void what_fails_is_mapped_and_logged_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("logged");
        QTest::newRow("a wrong statement") << u"SELECT x"_s << u"internal"_s << u"42703"_s;
        QTest::newRow("too slow") << u"SELECT pg_sleep(9)"_s << u"internal"_s << u"57014"_s;
        QTest::newRow("a lost connection")
            << u"SELECT pg_terminate_backend(pg_backend_pid())"_s << u"not_ready"_s << u"57P01"_s;
    }
    void what_fails_is_mapped_and_logged()
    {
        QFETCH(QString, sql);
        QFETCH(QString, logged);
        const auto workers = make(1, 10, 100);
        Asker asker;
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(logged));
        workers->act(&asker, [sql](Session &db) { return db.script(sql).first().text("x"); }, &Asker::answered);
        QTRY_COMPARE(asker.answers.size(), 1);
        QTEST(asker.answers.first(), "code");
        workers->act(
            &asker, [](Session &db) { return db.script(u"SELECT 'well' AS x"_s).first().text("x"); }, &Asker::answered);
        QTRY_COMPARE(asker.answers.value(1), u"well"_s);
        QCOMPARE(workers->load().failed, 1U);
    }

    void a_bug_is_internal_and_leaves_the_worker_alive()
    {
        const auto workers = make(1);
        Asker asker;
        QTest::ignoreMessage(QtCriticalMsg, QRegularExpression(u"no row"_s));
        workers->act(
            &asker,
            [](Session &) -> QString {
                ensure(false, "no row");
                return {};
            },
            &Asker::answered);
        workers->act(&asker, hello, &Asker::answered);
        QTRY_COMPARE(asker.answers, (QStringList{u"internal"_s, u"hello"_s}));
    }

    void an_act_that_throws_leaves_no_transaction_behind()
    {
        const auto workers = make(1);
        Asker asker;
        QTest::ignoreMessage(QtCriticalMsg, QRegularExpression(u"half way"_s));
        workers->act(
            &asker,
            [](Session &db) -> QString {
                Transaction transaction(db);
                db.script(u"CREATE TABLE half_way (id integer)"_s);
                ensure(false, "half way");
                return {};
            },
            &Asker::answered);
        workers->act(
            &asker,
            [](Session &db) {
                Transaction transaction(db);
                return QString::number(db.script(u"SELECT 1 WHERE to_regclass('half_way') IS NOT NULL"_s).size());
            },
            &Asker::answered);
        QTRY_COMPARE(asker.answers, (QStringList{u"internal"_s, u"0"_s}));
    }

    void without_a_server_acts_are_not_ready_and_do_not_run()
    {
        Workers workers({.host = u"/nowhere"_s, .database = u"x"_s, .user = u"x"_s}, m_db->clock(),
                        {.name = u"lost"_s, .threads = 1});
        Asker asker;
        std::atomic<bool> ran = false;
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"cannot connect"_s));
        for (int i = 0; i < 50; ++i) // and only the first of them waits for the attempt
            workers.act(
                &asker,
                [&](Session &) {
                    ran = true;
                    return u"ran"_s;
                },
                &Asker::answered);
        QTRY_COMPARE(asker.answers.size(), 50);
        QCOMPARE(asker.answers.count(u"not_ready"_s), 50);
        QVERIFY(!ran);
    }

    void after_stop_acts_are_turned_away_and_the_queued_ones_were_done()
    {
        const auto workers = make(1);
        Asker asker;
        for (int i = 0; i < 20; ++i)
            workers->act(&asker, hello, &Asker::answered);
        workers->stop();
        workers->act(&asker, hello, &Asker::answered);
        QTRY_COMPARE(asker.answers.size(), 21);
        QCOMPARE(asker.answers.count(u"hello"_s), 20);
        QCOMPARE(asker.answers.last(), u"shutting_down"_s);
    }

    // Acts come all the time while the server restarts: some are not_ready, none is lost or answered twice, and the
    // pool works again by itself.
    void a_restart_under_load_is_survived()
    {
        const auto workers = make(4);
        int asked = 0;
        int done = 0;
        int notReady = 0;
        int other = 0;
        qint64 sum = 0;
        const auto ask = [&] {
            ++asked;
            workers->act(
                this, [](Session &db) { return db.one("test.add", {{"a", 1}, {"b", 1}}).integer("sum"); },
                [&](Result<qint64> answer) {
                    answer ? ++done : answer.error().code == ErrorCode::NotReady ? ++notReady : ++other;
                    sum += answer ? *answer : 0;
                });
        };
        QTimer ticker;
        connect(&ticker, &QTimer::timeout, this, [&] {
            if (workers->load().queued < 500)
                for (int i = 0; i < 20; ++i)
                    ask();
        });
        ticker.start(1);
        QTest::qWait(50);
        std::unique_ptr<QThread> restart(QThread::create([] { test::TestCluster::instance().restart(); }));
        restart->start();
        QTRY_VERIFY_WITH_TIMEOUT(restart->isFinished(), 30'000);
        QTest::qWait(700); // beyond the pause after a failed attempt
        const int notReadyByThen = notReady;
        QTest::qWait(200);
        ticker.stop();
        QTRY_COMPARE(done + notReady + other, asked);
        QCOMPARE(other, 0);
        QCOMPARE(sum, 2 * qint64(done));
        QVERIFY(done > 100);
        QVERIFY2(notReady > 0, "the restart was not noticed: the test shows nothing");
        QCOMPARE(notReady, notReadyByThen);
    }

    void idle_connections_that_the_server_closed_are_replaced_before_the_act()
    {
        const auto workers = make(1);
        Asker asker;
        const auto act = [](Session &db) { return db.one("test.twice", {{"word", "a"}}).text("doubled"); };
        workers->act(&asker, act, &Asker::answered);
        QTRY_COMPARE(asker.answers.size(), 1);
        test::TestCluster::instance().restart();
        QTest::qWait(1100);
        workers->act(&asker, act, &Asker::answered);
        QTRY_COMPARE(asker.answers, (QStringList{u"aa"_s, u"aa"_s}));
    }
};

QTEST_GUILESS_MAIN(TestWorkers)
#include "tst_Workers.moc"
