#pragma once

#include <QList>
#include <QtGlobal>

namespace companion::bench {

// GET /health/live at a fixed pace on one kept connection, whatever the answers take: a late one makes the next late
// too, and counts. Each answer's time from the moment when it was due, in milliseconds.
QList<double> probe(quint16 port, int seconds, int perSecond);

void printTimes(const char *what, const QList<double> &times_ms);

} // namespace companion::bench
