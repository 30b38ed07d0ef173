// Work by the clock: due jobs are done once, by whichever instance comes first, and failures are kept.

#include "jobs/Schedule.h"
#include "support/TestDatabase.h"

#include <QTest>

using namespace companion;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class ScheduleTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { m_db = std::make_unique<test::TestDatabase>(); }

    void a_due_job_runs_until_it_touches_nothing()
    {
        std::atomic<int> calls = 0;
        jobs::Schedule schedule(m_db->operatorWorkers());
        schedule.add(u"sweep"_s, 60, [&](db::Session &) { return ++calls < 3 ? 5 : 0; });
        schedule.start();
        QTRY_COMPARE(runs(u"sweep"_s), 1);
        QCOMPARE(calls.load(), 3);
    }

    void two_instances_do_it_once()
    {
        std::atomic<int> calls = 0;
        jobs::Schedule one(m_db->operatorWorkers());
        jobs::Schedule other(m_db->operatorWorkers());
        for (jobs::Schedule *schedule : {&one, &other}) {
            schedule->add(u"sweep"_s, 60, [&](db::Session &) {
                ++calls;
                return 0;
            });
            schedule->start();
        }
        QTRY_COMPARE(runs(u"sweep"_s), 1);
        QTest::qWait(300);
        QCOMPARE(calls.load(), 1);
    }

    void a_job_is_due_again_after_its_time_and_not_before()
    {
        std::atomic<int> calls = 0;
        const auto work = [&](db::Session &) {
            ++calls;
            return 0;
        };
        const auto startOne = [&] {
            auto schedule = std::make_unique<jobs::Schedule>(m_db->operatorWorkers());
            schedule->add(u"sweep"_s, 60, work);
            schedule->start();
            return schedule;
        };
        const auto first = startOne();
        QTRY_COMPARE(runs(u"sweep"_s), 1);
        m_db->clock().advance(59s);
        const auto tooEarly = startOne();
        QTest::qWait(200);
        QCOMPARE(calls.load(), 1);
        m_db->clock().advance(2s);
        const auto inTime = startOne();
        QTRY_COMPARE(calls.load(), 2);
    }

    void what_an_instance_died_over_is_taken_again_when_its_lease_ends()
    {
        m_db->owner().script(u"INSERT INTO jobs (name, every_s, next_run_at, lease_until, lease_id) VALUES "
                             "('sweep', 60, '2026-01-15 11:00:00Z', '2026-01-15 12:05:00Z', gen_random_uuid())"_s);
        std::atomic<int> calls = 0;
        const auto startOne = [&] {
            auto schedule = std::make_unique<jobs::Schedule>(m_db->operatorWorkers());
            schedule->add(u"sweep"_s, 60, [&](db::Session &) {
                ++calls;
                return 0;
            });
            schedule->start();
            return schedule;
        };
        const auto held = startOne();
        QTest::qWait(200);
        QCOMPARE(calls.load(), 0);
        m_db->clock().advance(5min + 1s);
        const auto free = startOne();
        QTRY_COMPARE(calls.load(), 1);
    }

    void a_failure_is_kept_and_the_others_go_on()
    {
        std::atomic<int> calls = 0;
        jobs::Schedule schedule(m_db->operatorWorkers());
        schedule.add(u"broken"_s, 60, [](db::Session &) -> int { throw std::runtime_error("it broke"); });
        schedule.add(u"sound"_s, 60, [&](db::Session &) {
            ++calls;
            return 0;
        });
        schedule.start();
        QTRY_COMPARE(calls.load(), 1);
        QTRY_COMPARE(runs(u"broken"_s), 1);
        const auto row = m_db->owner().script(u"SELECT last_error, failures FROM jobs WHERE name = 'broken'"_s).first();
        QCOMPARE(row.text("last_error"), u"it broke"_s);
        QCOMPARE(row.integer("failures"), 1);
    }

private:
    int runs(const QString &name)
    {
        const auto rows = m_db->owner().script(u"SELECT runs FROM jobs WHERE name = '%1'"_s.arg(name));
        return rows.isEmpty() ? 0 : static_cast<int>(rows.first().integer("runs"));
    }

    std::unique_ptr<test::TestDatabase> m_db;
};

QTEST_GUILESS_MAIN(ScheduleTest)
#include "tst_Schedule.moc"
