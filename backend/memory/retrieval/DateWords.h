#pragma once

#include <QStringView>

namespace companion::memory {

// What one word can say of a time.
struct DateWord
{
    enum class Kind {
        None,
        Day,     // yesterday: days from today
        Part,    // night, morning: stands after this, last
        Unit,    // week; the value is a DateUnit
        Weekday, // 1 Monday to 7
        Month,   // 1 to 12
        Number,
        Past,      // last, letzte
        PastAfter, // pasado: stands behind
        This,
        Next,
        Ago,
        BackFor, // vor, hace: "vor zwei Wochen"
        In,      // in, im, en, since: stands before months, years and "three days"
        Of,      // the 5th of May, 5 de mayo
        Article,
    };
    Kind kind = Kind::None;
    int value = 0;
};

enum class DateUnit { Day, Week, Weekend, Month, Year };

// `lower` is a lower-case word. English, German, Spanish.
DateWord dateWordOf(QStringView lower);

} // namespace companion::memory
