#pragma once

#include "console/models/DaySeries.h"

namespace companion::console {

// The highest point of a chart; stacked: of the sums a day.
double highest(const DayChart &chart, bool stacked);
// The axis' top: `steps` equal steps of a round number (1, 1.5, 2, 2.5, 3, 4, 5, 7.5 times a power of ten) that hold
// `value`; whole steps for counts.
double niceTop(double value, int steps, bool whole);
QString shortNumber(double value); // "0", "250", "1.5k", "2M"
// Label every how many days so that at most `labels` fit: 1, 2, 7, 14, 30 …
int dayStep(int days, int labels);

} // namespace companion::console
