#pragma once

#include <QDateTime>
#include <QStringView>
#include <vector>

namespace companion::memory {

// Days, both included: a day, a week, a month ("in June"), a year.
struct DateSpan
{
    QDate first;
    QDate last;
    bool operator==(const DateSpan &) const = default;
    bool overlaps(const DateSpan &other) const { return first <= other.last && other.first <= last; }
    qint64 days() const { return first.daysTo(last) + 1; }
};

// A place in a text that names a time: "last Friday", "two weeks ago", "in June", "3 May 2023".
struct DatedPhrase
{
    qsizetype start = 0;
    qsizetype length = 0;
    DateSpan span;
    bool operator==(const DatedPhrase &) const = default;
};

// The times a text names, seen from the day it was said, in the order of the text and without overlaps. English, and
// the plainest forms of German and Spanish. Nothing is guessed: "the other day", "soon" give none.
std::vector<DatedPhrase> datesIn(QStringView text, const QDate &said);

// "8 May 2023", "May 2023", "2023", "1–7 May 2023", as exact as the span is.
QString nameOf(const DateSpan &span);

} // namespace companion::memory
