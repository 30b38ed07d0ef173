#pragma once

#include "db/Session.h"

namespace companion::rights {

// Retention times are data (table retention_policies); this enforces those of them that are enforced by deleting or
// emptying rows of a known age. Operator lane. At most `batch` rows of each kind a call; how many it touched.
int enforceRetention(db::Session &db, int batch);

} // namespace companion::rights
