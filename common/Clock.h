#pragma once

#include <QDateTime>

namespace companion {

// Time is passed in, never asked from the air, so that tests own it. now() is UTC, safe from any thread.
class Clock
{
public:
    virtual ~Clock() = default;
    virtual QDateTime now() const = 0;
};

class SystemClock final : public Clock
{
public:
    QDateTime now() const override { return QDateTime::currentDateTimeUtc(); }
};

} // namespace companion
