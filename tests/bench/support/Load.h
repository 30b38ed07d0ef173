#pragma once

#include <QByteArray>
#include <QList>
#include <functional>

namespace companion::bench {

struct LoadFigures
{
    double perSecond = 0; // good answers
    qint64 failed = 0; // any other
    QByteArray firstFailure;
    QList<double> latencies_ms;
};

struct LoadPlan
{
    int connections = 1;
    std::function<QByteArray(int connection)> request; // its next one
    QByteArray wanted; // in the body of a good answer, which is 200
    int seconds = 1;
    // 0: each connection sends as soon as it has its answer. Else requests are due at that rate, whoever is free takes
    // the next, and the latency counts from the moment it was due.
    double perSecond = 0;
};
LoadFigures load(quint16 port, const LoadPlan &plan);

// Each connection its own request over and over.
LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond = 0);

// "what: 250/s, p50 …"
void report(const char *what, const LoadFigures &figures);

} // namespace companion::bench
