#pragma once

#include "db/Session.h"

#include <QStringList>

namespace companion::test {

enum class Calm {
    No,
    Yes // nothing runs, and every deadline has passed: nothing may be held or running any more
};

// What must hold between turns, holds, history, messages and sessions, whatever happened; one sentence for each breach.
// Read as the database's owner, without any code of the product but the ledger's own audit.
QStringList turnBreaches(db::Session &owner, Calm calm);

} // namespace companion::test
