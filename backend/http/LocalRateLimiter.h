#pragma once

#include "http/RateLimiter.h"

#include <QHash>

namespace companion::http {

// Token buckets of this process. A bucket that is full again is the same as none, so such buckets are dropped and the
// memory is bounded by the callers of the last minute; beyond `maxBuckets` the fullest are dropped first, which errs
// towards letting a caller through. Answers at once. One thread.
class LocalRateLimiter final : public RateLimiter
{
    Q_OBJECT
public:
    using Now = std::function<qint64()>; // monotonic, nanoseconds
    explicit LocalRateLimiter(Now now = {}, qsizetype maxBuckets = 100'000, QObject *parent = nullptr);

    void take(const QString &bucket, RateQuota quota, QObject *context, std::function<void(RateVerdict)> then) override;
    RateVerdict takeNow(const QString &bucket, RateQuota quota);
    qsizetype buckets() const { return m_buckets.size(); }

private:
    struct Bucket
    {
        qint64 fullAt_ns = 0; // the one number that tells all: tokens missing = time until full × rate
    };
    void evict(qint64 now);

    Now m_now;
    qsizetype m_maxBuckets;
    qsizetype m_sweepAt = 1'024;
    QHash<QString, Bucket> m_buckets;
};

} // namespace companion::http
