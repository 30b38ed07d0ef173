#pragma once

#include "common/Result.h"
#include "db/Session.h"

namespace companion::ledger {

// The refusal that an operation's row answers with, or nothing where its code is "ok".
std::optional<Refusal> refusalIn(const db::Row &row);

} // namespace companion::ledger
