#include "app/DemoCommand.h"

#include "app/DemoRun.h"
#include "app/Environment.h"

#include <QCoreApplication>
#include <QElapsedTimer>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

constexpr int demoDays = 60;
constexpr quint32 demoSeed = 20260301;

const CommandForm form{.name = u"demo"_s,
                       .summary =
                           u"Fills an empty database with sixty days of demo life, through the real services."_s};

Outcome failed(const QString &why)
{
    return {.exitCode = 1, .err = why + u'\n'};
}

Outcome fill(const Configuration &configuration, bool json)
{
    SimulatedClock clock;
    const QDateTime now = QDateTime::currentDateTimeUtc();
    clock.set(now.addDays(-demoDays - 1));
    DatabaseBoot boot(configuration);
    const auto databases = boot.start(EmbeddedPostgres::Use::Command, [](const QString &line) { tell(line); });
    if (!databases)
        return failed(databases.error());
    const auto features = Features::make(configuration, clock);
    if (!features)
        return failed(features.error());

    DemoRun run(*databases, **features, clock);
    if (run.hasUsers())
        return failed(u"This database has users already; demo data goes into an empty one."_s);
    {
        db::Session operators(databases->operators, clock);
        db::Transaction transaction(operators);
        characters::installSampleCharacters(operators);
        transaction.commit();
    }
    const auto plan = makeDemoPlan(demoSeed, now.addSecs(-60), demoDays, static_cast<int>(run.characters().size()));
    QObject::connect(&run, &DemoRun::progress, [](int percent) { tell(u"Demo data: %1 %"_s.arg(percent)); });
    QObject::connect(&run, &DemoRun::ended, qApp, &QCoreApplication::quit, Qt::QueuedConnection);
    run.start(plan);
    QCoreApplication::exec();
    if (!run.error().isEmpty())
        return failed(u"The demo data could not be made: "_s + run.error());
    if (json)
        return printed({{u"users"_s, plan.users.size()}, {u"turns"_s, run.turns()}});
    return {
        .out =
            u"Made %1 users with %2 replies over %3 days.\n"_s.arg(plan.users.size()).arg(run.turns()).arg(demoDays)};
}

} // namespace

Outcome demo(const QStringList &args)
{
    const auto arguments = CommandArguments::read(form, args);
    if (!arguments)
        return arguments.error();
    QMap<QString, QString> settings;
    if (arguments->has(u"data"_s))
        settings.insert(u"COMPANION_DATA"_s, arguments->dataDir());
    const auto configuration = configurationFor(settings);
    return configuration ? fill(*configuration, arguments->json()) : configuration.error();
}

} // namespace companion::app
