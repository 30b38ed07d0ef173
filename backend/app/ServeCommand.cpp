#include "app/ServeCommand.h"

#include "app/Backend.h"
#include "app/Environment.h"
#include "app/StopSignals.h"
#include "characters/CharacterService.h"
#include "identity/FirstAdmin.h"
#include "ops/FileLimit.h"
#include "ops/Log.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QJsonDocument>
#include <future>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

const CommandForm form{.name = u"serve"_s,
                       .summary = u"Runs the backend until it is told to stop."_s,
                       .options = {{u"listen"_s, u"Address and port, like 127.0.0.1:8080; port 0 takes a free one."_s,
                                    u"ADDRESS:PORT"_s},
                                   {u"ready-json"_s, u"Print one line of JSON when ready."_s}}};

struct Ready
{
    QString url;
    identity::FirstAdmin admin;
};

QString announcement(const Ready &ready, const Configuration &configuration, bool json)
{
    if (!json)
        return u"Ready: %1\nAdmin access key: %2\nData: %3\n"_s.arg(ready.url, ready.admin.keyFile,
                                                                    configuration.dataDir);
    const QJsonObject line{{u"url"_s, ready.url},
                           {u"admin_access_key_file"_s, ready.admin.keyFile},
                           {u"admin_access_key"_s, ready.admin.accessKey},
                           {u"data_dir"_s, configuration.dataDir},
                           {u"backend"_s, QCoreApplication::applicationFilePath()},
                           {u"pid"_s, QCoreApplication::applicationPid()}};
    return QString::fromUtf8(QJsonDocument(line).toJson(QJsonDocument::Compact)) + u'\n';
}

void setUpLog(const Configuration &configuration)
{
    static const QHash<QString, ops::Level> levels{{u"debug"_s, ops::Level::Debug},
                                                   {u"info"_s, ops::Level::Info},
                                                   {u"warning"_s, ops::Level::Warning},
                                                   {u"error"_s, ops::Level::Error}};
    static const QHash<QString, ops::LogForm> forms{{u"json"_s, ops::LogForm::Json}, {u"human"_s, ops::LogForm::Human}};
    ops::installLog(levels.value(configuration.logLevel, ops::Level::Info),
                    forms.value(configuration.logForm, ops::LogForm::Automatic));
}

// The first admin and, where there is no character yet, the samples.
std::expected<identity::FirstAdmin, QString> firstContents(const Databases &databases,
                                                           const Configuration &configuration, const Clock &clock)
{
    db::Session session(databases.operators, clock);
    {
        db::Transaction transaction(session);
        characters::installSampleCharacters(session);
        transaction.commit();
    }
    return identity::ensureFirstAdmin(session, configuration.dataDir);
}

QString urlOf(const Configuration &configuration, quint16 port)
{
    const QHostAddress address(configuration.listenAddress);
    const QString host = address.isEqual(QHostAddress::AnyIPv4) || address.isEqual(QHostAddress::Any)
        ? u"127.0.0.1"_s
        : configuration.listenAddress;
    return (host.contains(u':') ? u"http://[%1]:%2"_s : u"http://%1:%2"_s).arg(host).arg(port);
}

// Rules and word lists are read while PostgreSQL starts. At the very first start its directory has yet to be made.
auto featuresMeanwhile(const Configuration &configuration, const Clock &clock)
{
    const bool begun = QFileInfo::exists(configuration.dataDir);
    return std::async(begun ? std::launch::async : std::launch::deferred,
                      [&] { return Features::make(configuration, clock); });
}

Outcome failed(const QString &why)
{
    return {.exitCode = 1, .err = why + u'\n'};
}

Outcome serveWith(const Configuration &configuration, bool readyJson)
{
    const SystemClock clock;
    DatabaseBoot boot(configuration);
    auto meanwhile = featuresMeanwhile(configuration, clock);
    const auto databases = boot.start(EmbeddedPostgres::Use::Serve, [](const QString &line) { tell(line); });
    if (!databases)
        return failed(databases.error());
    const auto features = meanwhile.get();
    if (!features)
        return failed(features.error());
    const auto admin = firstContents(*databases, configuration, clock);
    if (!admin)
        return failed(admin.error());

    ops::raiseFileLimit(); // after the database server has started with what it is used to
    Backend backend(configuration, *databases, **features, clock);
    const auto port = backend.listen();
    if (!port)
        return failed(port.error());
    StopSignals signals_;
    QObject::connect(&signals_, &StopSignals::received, &backend, &Backend::shutDown);
    QObject::connect(&backend, &Backend::stopped, qApp, &QCoreApplication::quit);

    QTextStream(stdout) << announcement({urlOf(configuration, *port), *admin}, configuration, readyJson) << Qt::flush;
    ops::log(ops::Level::Info, "ready", {{"url", urlOf(configuration, *port)}});
    QCoreApplication::exec();
    ops::log(ops::Level::Info, "stopped");
    return {};
}

} // namespace

Outcome serve(const QStringList &args)
{
    const auto arguments = CommandArguments::read(form, args);
    if (!arguments)
        return arguments.error();
    QMap<QString, QString> settings;
    if (arguments->has(u"data"_s))
        settings.insert(u"COMPANION_DATA"_s, arguments->dataDir());
    if (arguments->has(u"listen"_s))
        settings.insert(u"COMPANION_LISTEN"_s, arguments->value(u"listen"_s));
    const auto configuration = configurationFor(settings, Notices::Tell);
    if (!configuration)
        return configuration.error();
    setUpLog(*configuration);
    return serveWith(*configuration, arguments->has(u"ready-json"_s) || arguments->json());
}

} // namespace companion::app
