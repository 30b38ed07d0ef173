#include "bench/support/ProcessorTimes.h"

#include "bench/support/Figures.h"

namespace companion::bench {

using namespace Qt::StringLiterals;

namespace {

// The backend's connections live as long as it does.
double databaseSeconds(test::TestDatabase &database)
{
    double seconds = 0;
    for (const auto &row : database.owner().script(
             u"SELECT pid FROM pg_stat_activity WHERE usename IN ('companion_operator', 'companion_app')"_s))
        seconds += cpuSecondsOf(row.integer("pid"));
    return seconds;
}

} // namespace

ProcessorTimes::ProcessorTimes(const BackendProcess &backend, test::TestDatabase &database)
    : m_backend(backend)
    , m_database(database)
    , m_ours_s(cpuSecondsOf(backend.pid()))
    , m_databases_s(databaseSeconds(database))
{
}

void ProcessorTimes::report(qsizetype answers) const
{
    const double each_ms = 1000 / double(std::max<qsizetype>(1, answers));
    std::printf("  processor time of each: backend %.2f ms, PostgreSQL %.2f ms; load average %.1f\n",
                (cpuSecondsOf(m_backend.pid()) - m_ours_s) * each_ms,
                (databaseSeconds(m_database) - m_databases_s) * each_ms, loadAverage());
    std::fflush(stdout);
}

} // namespace companion::bench
