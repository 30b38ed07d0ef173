#pragma once

#include "db/Target.h"

namespace companion::bench {

// Transactions a second of pgbench running the script file, prepared, without its own vacuum.
double pgbenchPerSecond(const db::Target &target, const QString &script, int connections, int seconds);

} // namespace companion::bench
