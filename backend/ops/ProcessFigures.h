#pragma once

#include <QByteArray>

namespace companion::ops {

// This process as /proc tells it, in Prometheus text: processor time, memory, file descriptors, start time.
QByteArray processFigures();

} // namespace companion::ops
