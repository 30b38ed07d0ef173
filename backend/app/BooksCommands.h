#pragma once

#include "app/Command.h"

namespace companion::app {

// `migrate`: brings the database forward.
Outcome migrate(const QStringList &args);
// `audit`: recomputes the books and the audit log's chain; exit 1 where anything is wrong.
ParsedCommand auditCommand(const QStringList &args);
// `config check`: every mistake of the configuration at once.
Outcome config(const QStringList &args);

} // namespace companion::app
