#pragma once

#include "support/TestDatabase.h"

namespace companion::test {

// LEDGER_MUTATION names one of the mutations.sql beside the test, which breaks a function of the database on purpose: a
// test that still passes tests nothing. One that does not fit any more ends the program with exit code 3.
void applyMutation(TestDatabase &db, const QString &sourceFolder);

} // namespace companion::test
