#include "http/LocalRateLimiter.h"

#include "common/Ensure.h"

#include <algorithm>
#include <chrono>

namespace companion::http {

namespace {

constexpr qint64 minute_ns = 60'000'000'000;

qint64 steadyNow()
{
    return std::chrono::steady_clock::now().time_since_epoch().count();
}

int secondsRoundedUp(qint64 nanoseconds)
{
    return int((std::max<qint64>(0, nanoseconds) + 999'999'999) / 1'000'000'000);
}

} // namespace

LocalRateLimiter::LocalRateLimiter(Now now, qsizetype maxBuckets, QObject *parent)
    : m_now(now ? std::move(now) : Now(steadyNow))
    , m_maxBuckets(maxBuckets)
{
    setParent(parent);
}

void LocalRateLimiter::take(const QString &bucket, RateQuota quota, QObject *, std::function<void(RateVerdict)> then)
{
    then(takeNow(bucket, quota));
}

// A bucket of n tokens, refilled n a minute: one token is worth minute/n of time. Full at `fullAt`; each token taken
// moves that one token's time further; it is empty when fullAt is a whole minute away.
RateVerdict LocalRateLimiter::takeNow(const QString &bucket, RateQuota quota)
{
    ensure(quota.perMinute > 0, "a rate is positive");
    const auto now = m_now();
    const auto token_ns = minute_ns / quota.perMinute;
    const auto capacity_ns = token_ns * quota.perMinute;
    const auto found = m_buckets.constFind(bucket);
    // A quota that shrank (another tier) counts from now on: no more can be missing than the bucket holds.
    const auto fullAt = found == m_buckets.cend() ? now : std::clamp(found->fullAt_ns, now, now + capacity_ns);
    RateVerdict verdict{fullAt + token_ns <= now + capacity_ns, quota.perMinute};
    const auto after = verdict.allowed ? fullAt + token_ns : fullAt;
    verdict.remaining = int((now + capacity_ns - after) / token_ns);
    verdict.reset_s = secondsRoundedUp(after - now);
    verdict.retryAfter_s = verdict.allowed ? 0 : std::max(1, secondsRoundedUp(fullAt + token_ns - now - capacity_ns));
    m_buckets[bucket].fullAt_ns = after;
    if (m_buckets.size() > std::min(m_sweepAt, m_maxBuckets))
        evict(now);
    return verdict;
}

void LocalRateLimiter::evict(qint64 now)
{
    m_buckets.removeIf([now](const auto &entry) { return entry.value().fullAt_ns <= now; });
    if (m_buckets.size() > m_maxBuckets) {
        QList<qint64> times;
        times.reserve(m_buckets.size());
        for (const auto &bucket : std::as_const(m_buckets))
            times.append(bucket.fullAt_ns);
        // A tenth at once, so that the sorting is paid once in many calls.
        const auto cut = times.begin() + times.size() / 10;
        std::nth_element(times.begin(), cut, times.end());
        const auto limit = *cut;
        m_buckets.removeIf([limit](const auto &entry) { return entry.value().fullAt_ns <= limit; });
    }
    m_sweepAt = std::max<qsizetype>(1'024, m_buckets.size() * 2);
}

} // namespace companion::http
