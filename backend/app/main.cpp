#include "app/AccessKeyCommand.h"
#include "app/BooksCommands.h"
#include "app/DatabaseBoot.h"
#include "app/DemoCommand.h"
#include "app/Environment.h"
#include "app/ServeCommand.h"
#include "app/SigningKeysCommand.h"
#include "app/UserCommand.h"
#include "db/DatabaseError.h"

#include <QCoreApplication>

using namespace companion;
using namespace companion::app;
using namespace Qt::StringLiterals;

namespace {

constexpr char usage[] = R"(Usage: companion-backend COMMAND [options]

Commands:
  serve                        run the backend
  migrate                      bring the database to this program's version
  demo                         fill the database with demo data, through the real services
  access-key create|list|revoke
  signing-keys list|rotate|replace
  user set EMAIL …             tier, age, region, status, credits
  audit                        recompute the books; exit 1 where anything is wrong
  config check                 name every mistake of the configuration

Each command has --help, --data DIR and --json. Also: --version, --help.
Exit codes: 0 done, 1 failed or a breach found, 2 wrong usage.
)";

// A command that needs the database and nothing else.
Outcome withDatabase(const ParsedCommand &command)
{
    if (!command)
        return command.error();
    QMap<QString, QString> settings;
    if (!command->dataDir.isEmpty())
        settings.insert(u"COMPANION_DATA"_s, command->dataDir);
    const auto configuration = configurationFor(settings);
    if (!configuration)
        return configuration.error();
    DatabaseBoot boot(*configuration);
    const auto databases = boot.start(EmbeddedPostgres::Use::Command);
    if (!databases)
        return {.exitCode = 1, .err = databases.error() + u'\n'};
    const SystemClock clock;
    db::Session operators(databases->operators, clock, 0);
    return command->run({.operators = operators});
}

Outcome runCommand(const QString &name, const QStringList &args)
{
    if (name == u"serve")
        return serve(args);
    if (name == u"migrate")
        return migrate(args);
    if (name == u"demo")
        return demo(args);
    if (name == u"config")
        return config(args);
    if (name == u"audit")
        return withDatabase(auditCommand(args));
    if (name == u"access-key")
        return withDatabase(accessKeyCommand(args));
    if (name == u"signing-keys")
        return withDatabase(signingKeysCommand(args));
    if (name == u"user")
        return withDatabase(userCommand(args));
    if (name == u"--version")
        return {.out = u"companion-backend %1\n"_s.arg(QCoreApplication::applicationVersion())};
    if (name == u"--help" || name == u"-h" || name == u"help")
        return {.out = QString::fromUtf8(usage)};
    return {.exitCode = 2,
            .err = name.isEmpty() ? QString::fromUtf8(usage)
                                  : u"There is no command “%1”.\nSee: companion-backend --help\n"_s.arg(name)};
}

} // namespace

int main(int argc, char **argv)
{
    // Qt's own event loop instead of GLib's: the latter searches a list of all sockets whenever one is watched or not.
    qputenv("QT_NO_GLIB", "1");
    if (!qEnvironmentVariableIsSet("TZ")) // all our times are UTC, and without it each conversion looks at a file
        qputenv("TZ", "UTC");
    QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName(u"companion-backend"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(COMPANION_VERSION));
    QStringList args = QCoreApplication::arguments().sliced(1);
    const QString name = args.isEmpty() ? QString() : args.takeFirst();
    Outcome outcome;
    try {
        outcome = runCommand(name, args);
    } catch (const std::exception &failure) {
        outcome = {.exitCode = 1, .err = QString::fromUtf8(failure.what()) + u'\n'};
    }
    QTextStream(stdout) << outcome.out << Qt::flush;
    QTextStream(stderr) << outcome.err << Qt::flush;
    return outcome.exitCode;
}
