// A process that uses the embedded cluster as the backend does, for tests that kill it.
//   embedded_probe DATA serve     prints "ready PID adopted|child", and then "lost" and "started" as it happens;
//                                 ends cleanly when its standard input does
//   embedded_probe DATA command   prints the server's answer to a question, and ends
#include "app/EmbeddedPostgres.h"
#include "common/Clock.h"
#include "db/Session.h"

#include <QCoreApplication>
#include <QSocketNotifier>
#include <QTextStream>
#include <unistd.h>

using namespace companion;
using app::EmbeddedPostgres;

namespace {

void say(const QString &line)
{
    QTextStream(stdout) << line << Qt::endl;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    const QStringList arguments = application.arguments();
    const bool serves = arguments.value(2) == QLatin1String("serve");
    EmbeddedPostgres postgres(arguments.value(1));
    const auto target = postgres.start(serves ? EmbeddedPostgres::Use::Serve : EmbeddedPostgres::Use::Command);
    if (!target) {
        say(QStringLiteral("error ") + target.error());
        return 1;
    }
    if (!serves) {
        const SystemClock clock;
        const auto rows = db::Session(*target, clock).script(QStringLiteral("SELECT current_user::text AS name"));
        say(rows.first().text("name"));
        return 0;
    }
    say(QStringLiteral("ready %1 %2")
            .arg(postgres.serverPid())
            .arg(postgres.isAdopted() ? QStringLiteral("adopted") : QStringLiteral("child")));
    QObject::connect(&postgres, &EmbeddedPostgres::serverLost, &postgres, [] { say(QStringLiteral("lost")); });
    QObject::connect(&postgres, &EmbeddedPostgres::serverStarted, &postgres, [] { say(QStringLiteral("started")); });
    QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&input, &QSocketNotifier::activated, &application, &QCoreApplication::quit);
    return application.exec();
}
