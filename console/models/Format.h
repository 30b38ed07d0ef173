#pragma once

#include "common/money/Credits.h"
#include "common/money/Money.h"

#include <QDateTime>
#include <QLocale>

namespace companion::console {

// How numbers and times read on the screen. Amounts stay decimal text or fixed point all the way; nothing here goes
// through a double. A minus is U+2212, groups and decimal point are the locale's.
namespace format {

// Any decimal text with exactly `places` digits after the point, rounded half up: "1234.5" → "1,234.50".
// Text that is no decimal number comes back as it is.
QString decimal(const QString &text, int places, const QLocale &locale = QLocale());
QString credits(Credits amount, int places = 4, const QLocale &locale = QLocale());
// With its sign always: "+12.0000", "−0.3280".
QString signedCredits(Credits amount, const QLocale &locale = QLocale());
QString usd(const QString &decimalText, int places = 2, const QLocale &locale = QLocale());
// An amount in its currency's own digits: "$8.99", "−¥980", "CHF 12.00". Decimal text with as many places as it came.
QString money(const QString &amount, const QString &currency, const QLocale &locale = QLocale());
QString factor(Factor value); // "1.5×", as short as it is exact
QString count(qint64 value, const QLocale &locale = QLocale());

// Change from previous to current in percent with one place: "+12.5 %", "−3.0 %"; empty when only previous is 0.
QString change(const QString &current, const QString &previous, const QLocale &locale = QLocale());
// -1, 0, 1; 0 also when one of them is no number.
int compare(const QString &current, const QString &previous);

// "now", "5 min ago", "3 h ago", "yesterday", "12 Mar", "12 Mar 2025"; the same forward: "in 5 h".
QString relativeTime(const QDateTime &time, const QDateTime &now, const QLocale &locale = QLocale());
QString exactTime(const QDateTime &time, const QLocale &locale = QLocale()); // local time with its zone
QString day(const QDateTime &utcDay, const QLocale &locale = QLocale()); // "Thu 12 Mar", the UTC day
QString milliseconds(int value_ms, const QLocale &locale = QLocale()); // "820 ms", "1.4 s"
// "daily_free" → "Daily free": how an enumeration's name reads when nobody gave it a better one.
QString words(const QString &snakeCase);

} // namespace format

} // namespace companion::console
