#pragma once

#include <QDateTime>

namespace companion::console {

// Whole UTC days: from 00:00 of the first to 00:00 after the last. The last is today.
struct DayRange
{
    QDateTime from;
    QDateTime to;

    int days() const { return static_cast<int>(from.daysTo(to)); }
    QDateTime day(int index) const { return from.addDays(index); }
    int indexOf(const QDateTime &day) const { return static_cast<int>(from.daysTo(day.toUTC())); } // may be outside

    static DayRange lastDays(int count, const QDateTime &now)
    {
        const QDateTime end = now.toUTC().date().addDays(1).startOfDay(Qt::UTC);
        return {end.addDays(-count), end};
    }
};

} // namespace companion::console
