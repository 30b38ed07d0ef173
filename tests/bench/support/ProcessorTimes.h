#pragma once

#include "bench/support/Processes.h"
#include "support/TestDatabase.h"

namespace companion::bench {

// What each answer costs the backend and PostgreSQL's processes that serve it, from here on.
class ProcessorTimes
{
public:
    ProcessorTimes(const BackendProcess &backend, test::TestDatabase &database);
    void report(qsizetype answers) const;

private:
    const BackendProcess &m_backend;
    test::TestDatabase &m_database;
    double m_ours_s;
    double m_databases_s;
};

} // namespace companion::bench
