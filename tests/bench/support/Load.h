#pragma once

#include <QByteArray>
#include <QList>

namespace companion::bench {

struct LoadFigures
{
    double perSecond = 0; // answers 200
    qint64 failed = 0; // any other
    QByteArray firstFailure;
    QList<double> latencies_ms;
};

// Sends the requests of as many connections, each its own over and over. perSecond 0: each connection sends as soon as
// it has its answer. Else requests are due at that rate, whoever is free takes the next, and the latency counts from
// the moment it was due.
LoadFigures load(quint16 port, const QList<QByteArray> &requests, int seconds, double perSecond = 0);

} // namespace companion::bench
