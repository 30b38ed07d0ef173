#include "bench/support/Pgbench.h"

#include "common/Ensure.h"

#include <QProcess>
#include <QRegularExpression>

namespace companion::bench {

double pgbenchPerSecond(const db::Target &target, const QString &script, int connections, int seconds)
{
    QProcess pgbench;
    pgbench.start(QStringLiteral("pgbench"),
                  {"-n", "-M", "prepared", "-h", target.host, "-p", QString::number(target.port), "-U", target.user,
                   "-c", QString::number(connections), "-j", "2", "-T", QString::number(seconds), "-f", script,
                   target.database});
    pgbench.waitForFinished(-1);
    static const QRegularExpression tps(QStringLiteral(R"(tps = ([0-9.]+))"));
    const auto match = tps.match(QString::fromUtf8(pgbench.readAllStandardOutput()));
    ensure(match.hasMatch(), "pgbench ran to its end");
    return match.captured(1).toDouble();
}

} // namespace companion::bench
