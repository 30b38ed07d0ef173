#pragma once

#include <QObject>
#include <QString>
#include <functional>

namespace companion::http {

struct RateQuota
{
    int perMinute = 60; // also the bucket's size
};

struct RateVerdict
{
    bool allowed = true;
    int limit = 0;
    int remaining = 0;
    int reset_s = 0;      // until the bucket is full again
    int retryAfter_s = 0; // when refused: until one token is there
    bool degraded = false;
};

// Token buckets by name ("chat:<user>"). The verdict may come at once or later (another process, Redis), always on the
// caller's thread.
class RateLimiter : public QObject
{
    Q_OBJECT
public:
    virtual void take(const QString &bucket, RateQuota quota, QObject *context,
                      std::function<void(RateVerdict)> then) = 0;
};

} // namespace companion::http
