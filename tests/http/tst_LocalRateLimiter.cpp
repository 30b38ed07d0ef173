#include "http/LocalRateLimiter.h"

#include <QTest>

using namespace companion::http;

namespace {

constexpr qint64 second = 1'000'000'000;

struct Rig
{
    qint64 now = 1'000 * second;
    LocalRateLimiter limiter;
    explicit Rig(qsizetype maxBuckets = 100'000)
        : limiter([this] { return now; }, maxBuckets)
    {
    }
    RateVerdict take(int perMinute, const QString &bucket = QStringLiteral("b"))
    {
        return limiter.takeNow(bucket, {perMinute});
    }
};

} // namespace

class tst_LocalRateLimiter : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void a_full_bucket_gives_its_size_at_once_and_then_refuses()
    {
        for (const int rate : {1, 5, 7, 30, 100, 601}) {
            Rig rig;
            for (int left = rate - 1; left >= 0; --left) {
                const auto verdict = rig.take(rate);
                QVERIFY(verdict.allowed);
                QCOMPARE(verdict.limit, rate);
                QCOMPARE(verdict.remaining, left);
                QCOMPARE(verdict.retryAfter_s, 0);
            }
            const auto refused = rig.take(rate);
            QVERIFY(!refused.allowed);
            QCOMPARE(refused.remaining, 0);
            QVERIFY(refused.reset_s >= 59 && refused.reset_s <= 60);
            QVERIFY(refused.retryAfter_s >= 1);
        }
    }

    void tokens_come_back_one_by_one()
    {
        Rig rig;
        for (int i = 0; i < 5; ++i)
            rig.take(5);
        QCOMPARE(rig.take(5).retryAfter_s, 12);
        rig.now += 12 * second - 1;
        QVERIFY(!rig.take(5).allowed);
        rig.now += 1;
        QVERIFY(rig.take(5).allowed);
        QVERIFY(!rig.take(5).allowed);
    }

    void waiting_as_told_is_enough()
    {
        Rig rig;
        for (int i = 0; i < 31; ++i)
            rig.take(30);
        rig.now += rig.take(30).retryAfter_s * second;
        QVERIFY(rig.take(30).allowed);
    }

    void never_more_than_the_rate_and_one_bucket_in_any_time()
    {
        Rig rig;
        int allowed = 0;
        for (int i = 0; i < 10'000; ++i) { // ten minutes, hammering
            allowed += rig.take(30).allowed;
            rig.now += second * 60 / 1'000;
        }
        QVERIFY2(allowed <= 30 + 300 && allowed >= 300, QByteArray::number(allowed).constData());
    }

    void callers_do_not_share()
    {
        Rig rig;
        QVERIFY(rig.take(1, QStringLiteral("a")).allowed);
        QVERIFY(rig.take(1, QStringLiteral("b")).allowed);
        QVERIFY(!rig.take(1, QStringLiteral("a")).allowed);
    }

    void full_buckets_are_forgotten()
    {
        Rig rig;
        for (int i = 0; i < 5'000; ++i) {
            rig.take(60, QString::number(i));
            rig.now += second;
        }
        QVERIFY2(rig.limiter.buckets() <= 1'100, QByteArray::number(rig.limiter.buckets()).constData());
    }

    void memory_is_bounded_even_when_all_are_busy()
    {
        Rig rig(2'000);
        for (int i = 0; i < 20'000; ++i)
            rig.take(60, QString::number(i));
        QVERIFY(rig.limiter.buckets() <= 2'001);
    }

    void the_verdict_comes_through_the_interface()
    {
        Rig rig;
        int calls = 0;
        RateLimiter &limiter = rig.limiter;
        limiter.take(QStringLiteral("x"), {5}, this, [&](const RateVerdict &verdict) { calls += verdict.allowed; });
        QCOMPARE(calls, 1);
    }
};

QTEST_GUILESS_MAIN(tst_LocalRateLimiter)
#include "tst_LocalRateLimiter.moc"
