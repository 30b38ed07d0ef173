#pragma once

#include <QCoreApplication>
#include <QList>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace companion::bench {

// What the benchmarks print is a median or a percentile of what they saw, and how busy the machine was meanwhile:
// others use it too.
inline double percentile(QList<double> values, double share)
{
    if (values.isEmpty())
        return 0;
    std::ranges::sort(values);
    return values[std::min(values.size() - 1, qsizetype(share * double(values.size())))];
}

inline double median(const QList<double> &values)
{
    return percentile(values, 0.5);
}

inline double argument(int at, double otherwise)
{
    const QStringList words = QCoreApplication::arguments();
    return at < words.size() ? words[at].toDouble() : otherwise;
}

inline double loadAverage()
{
    double loads[1] = {};
    return ::getloadavg(loads, 1) == 1 ? loads[0] : -1;
}

inline void printMachine()
{
    std::printf("machine: %ld processors, load average %.1f\n", ::sysconf(_SC_NPROCESSORS_ONLN), loadAverage());
    std::fflush(stdout);
}

} // namespace companion::bench
