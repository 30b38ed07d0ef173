#include "db/Gatherer.h"

#include "db/DatabaseError.h"
#include "support/TestDatabase.h"

#include <QSemaphore>
#include <QTest>
#include <mutex>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

using Doubling = Gatherer<int, int>;

// Acts done together: who goes with whom, who answers, and what is told when an act cannot run.
class TestGatherer : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<test::TestDatabase> m_db;
    std::unique_ptr<Workers> m_workers;
    QSemaphore m_may; // one for each act that may go on
    std::mutex m_mutex;
    QList<qsizetype> m_sizes; // of the acts, in their order
    QList<Result<int>> m_answers;

    std::unique_ptr<Doubling> make(const Doubling::Options &options)
    {
        return std::make_unique<Doubling>(
            *m_workers,
            [this](Session &, const std::vector<int> &orders) {
                {
                    const std::lock_guard lock(m_mutex);
                    m_sizes.append(qsizetype(orders.size()));
                }
                m_may.acquire();
                std::vector<Result<int>> answers;
                for (const int order : orders)
                    answers.push_back(order < 0 ? Result<int>(refuse(ErrorCode::Invalid, u"negative"_s)) : order * 2);
                return answers;
            },
            options);
    }
    Doubling::Then keep()
    {
        return [this](Result<int> answer) { m_answers.append(std::move(answer)); };
    }
    qsizetype acts()
    {
        const std::lock_guard lock(m_mutex);
        return m_sizes.size();
    }

private Q_SLOTS:
    void initTestCase() { m_db = std::make_unique<test::TestDatabase>(); }
    void cleanupTestCase() { m_db.reset(); }
    void init()
    {
        m_sizes.clear();
        m_answers.clear();
        m_may.acquire(m_may.available());
        m_workers = std::make_unique<Workers>(m_db->ownerTarget(), m_db->clock(),
                                              Workers::Options{.name = u"test"_s, .threads = 2});
    }
    void cleanup() { m_workers.reset(); }

    void the_first_goes_at_once_and_who_comes_meanwhile_goes_together()
    {
        const auto gatherer = make({});
        gatherer->submit(this, 1, keep());
        QTRY_COMPARE(acts(), 1);
        for (int i = 2; i <= 6; ++i)
            gatherer->submit(this, i, keep());
        QCOMPARE(gatherer->waiting(), 5);
        m_may.release(2);
        QTRY_COMPARE(m_answers.size(), 6);
        QCOMPARE(m_sizes, (QList<qsizetype>{1, 5}));
        for (int i = 0; i < 6; ++i)
            QCOMPARE(*m_answers[i], 2 * (i + 1)); // each its own, in their order
    }

    void there_are_never_more_acts_than_lanes_nor_more_orders_than_the_most()
    {
        const auto gatherer = make({.lanes = 2, .most = 3, .enough = 100});
        for (int i = 0; i < 10; ++i)
            gatherer->submit(this, i, keep());
        QTRY_COMPARE(acts(), 2);
        QTest::qWait(30);
        QCOMPARE(acts(), 2);
        m_may.release(10);
        QTRY_COMPARE(m_answers.size(), 10);
        QCOMPARE(m_sizes, (QList<qsizetype>{1, 1, 3, 3, 2}));
    }

    void while_much_is_asked_for_a_few_wait_for_more_but_not_for_long()
    {
        const auto gatherer = make({.enough = 4, .linger_ms = 150});
        gatherer->submit(this, 0, keep());
        gatherer->submit(this, 1, keep());
        gatherer->submit(this, 2, keep());
        m_may.release(100);
        QTRY_COMPARE(m_answers.size(), 3); // 1, then 2: half of enough
        gatherer->submit(this, 3, keep());
        gatherer->submit(this, 4, keep());
        QTest::qWait(20);
        QCOMPARE(acts(), 2);
        QTRY_COMPARE(m_answers.size(), 5);
        QCOMPARE(m_sizes, (QList<qsizetype>{1, 2, 2}));
        gatherer->submit(this, 5, keep());
        for (int i = 0; i < 3; ++i)
            gatherer->submit(this, 6, keep()); // four are enough
        QCOMPARE(gatherer->waiting(), 0);
        QTRY_COMPARE(m_answers.size(), 9);
    }

    void one_refusal_is_one_orders_own()
    {
        const auto gatherer = make({});
        m_may.release(10);
        gatherer->submit(this, 0, keep());
        for (const int order : {3, -1, 4})
            gatherer->submit(this, order, keep());
        QTRY_COMPARE(m_answers.size(), 4);
        QCOMPARE(*m_answers[1], 6);
        QCOMPARE(m_answers[2].error().code, ErrorCode::Invalid);
        QCOMPARE(*m_answers[3], 8);
    }

    void who_finds_too_many_waiting_is_told_so()
    {
        const auto gatherer = make({.limit = 2});
        for (int i = 0; i < 4; ++i)
            gatherer->submit(this, i, keep());
        QTRY_COMPARE(m_answers.size(), 1);
        QCOMPARE(m_answers[0].error().code, ErrorCode::Overloaded);
        QCOMPARE(m_answers[0].error().retryAfter_s, 1);
        m_may.release(10);
        QTRY_COMPARE(m_answers.size(), 4);
    }

    void an_act_that_fails_is_told_to_all_of_it_and_the_next_goes_on()
    {
        Doubling gatherer(*m_workers,
                          [](Session &db, const std::vector<int> &orders) {
                              if (orders.front() == 2)
                                  db.script(u"SELECT 1 / 0"_s);
                              return std::vector<Result<int>>(orders.begin(), orders.end());
                          },
                          {});
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"database error"_s));
        for (int i = 1; i <= 3; ++i)
            gatherer.submit(this, i, keep());
        QTRY_COMPARE(m_answers.size(), 3);
        QVERIFY(m_answers[0]);
        QCOMPARE(m_answers[1].error().code, ErrorCode::Internal);
        QCOMPARE(m_answers[2].error().code, ErrorCode::Internal);
        gatherer.submit(this, 7, keep());
        QTRY_COMPARE(m_answers.size(), 4);
        QCOMPARE(*m_answers[3], 7);
    }

    void an_answer_to_nobody_is_dropped_and_the_others_get_theirs()
    {
        const auto gatherer = make({});
        gatherer->submit(this, 1, keep());
        auto gone = std::make_unique<QObject>();
        gatherer->submit(gone.get(), 2, keep());
        gatherer->submit(this, 3, keep());
        gone.reset();
        m_may.release(10);
        QTRY_COMPARE(m_answers.size(), 2);
        QCOMPARE(*m_answers[1], 6);
    }

    void after_the_workers_have_stopped_all_are_told()
    {
        const auto gatherer = make({});
        m_workers->stop();
        gatherer->submit(this, 1, keep());
        gatherer->submit(this, 2, keep());
        QTRY_COMPARE(m_answers.size(), 2);
        for (const auto &answer : m_answers)
            QCOMPARE(answer.error().code, ErrorCode::ShuttingDown);
    }
};

QTEST_GUILESS_MAIN(TestGatherer)
#include "tst_Gatherer.moc"
