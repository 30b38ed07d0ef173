#include "app/DatabaseBoot.h"

#include "common/Clock.h"
#include "db/DatabaseError.h"
#include "db/Migrator.h"
#include "db/Roles.h"
#include "db/Session.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QThread>

using namespace Qt::StringLiterals;

namespace companion::app {

namespace {

constexpr int oldestServer = 150000;         // PostgreSQL 15
constexpr int comeUpDeadline_ms = 30'000; // how long an external server may take to come up beside us
const SystemClock systemClock;
constexpr QFile::Permissions privateDirectory = QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner;

// Nobody answers yet, or "the database system is starting up"; a wrong password does not get better by waiting.
bool mayComeUp(const QString &text)
{
    for (const char *sign :
         {"refused", "starting up", "No such file", "timeout", "shutting down", "could not translate"})
        if (text.contains(QLatin1StringView(sign)))
            return true;
    return false;
}

std::expected<void, QString> waitForServer(db::Session &owner, const DatabaseBoot::Progress &progress)
{
    QElapsedTimer waited;
    waited.start();
    for (bool said = false;;) {
        try {
            owner.makeReady();
            return {};
        } catch (const db::DatabaseError &error) {
            const QString text = QString::fromUtf8(error.what());
            if (!mayComeUp(text) || waited.hasExpired(comeUpDeadline_ms))
                return std::unexpected(u"DATABASE_URL: the database cannot be reached: "_s + text);
            if (!said && progress)
                progress(u"Waiting for the database: "_s + text);
            said = true;
            QThread::msleep(250);
        }
    }
}

std::expected<void, QString> checkVersion(db::Session &owner)
{
    const auto row = owner
                         .script(u"SELECT current_setting('server_version_num')::integer AS number,"
                                 " current_setting('server_version') AS version"_s)
                         .first();
    if (row.integer("number") >= oldestServer)
        return {};
    return std::unexpected(u"PostgreSQL %1 is too old: 15 or newer is needed."_s.arg(row.text("version")));
}

// "" or why this target does not let us in.
QString loginProblem(const db::Target &target)
{
    try {
        db::Session(target, systemClock).makeReady();
        return {};
    } catch (const db::DatabaseError &error) {
        return QString::fromUtf8(error.what());
    }
}

// A role that row-level security does not bind would show everybody everything.
QString privilegeProblem(const db::Target &target)
{
    db::Session session(target, systemClock);
    const auto row = session
                         .script(u"SELECT rolsuper OR rolbypassrls AS unbound, current_user::text AS name"
                                 " FROM pg_roles WHERE rolname = current_user"_s)
                         .first();
    if (!row.boolean("unbound"))
        return {};
    return u"The role %1 is a superuser or bypasses row-level security; it must not."_s.arg(row.text("name"));
}

std::expected<void, QString> ensureLogins(db::Session &owner, const Databases &databases, bool ownUrls)
{
    const auto problem = [&] {
        const QString app = loginProblem(databases.app);
        return app.isEmpty() ? loginProblem(databases.operators) : app;
    };
    if (problem().isEmpty())
        return {};
    const QString statements = ownUrls ? db::ensureRoles(owner, {}, {})
                                       : db::ensureRoles(owner, databases.app.password, databases.operators.password);
    if (!statements.isEmpty())
        return std::unexpected(u"The user of DATABASE_URL may not create roles. An administrator of the server must "
                               "run, with passwords of their own:\n\n%1\n\nThen set DATABASE_APP_URL and "
                               "DATABASE_OPERATOR_URL to log in as these roles."_s.arg(statements));
    const QString left = problem();
    if (left.isEmpty())
        return {};
    return std::unexpected(ownUrls ? u"DATABASE_APP_URL or DATABASE_OPERATOR_URL: "_s + left
                                   : u"The roles companion_app and companion_operator cannot log in: %1\nSet "
                                     "DATABASE_APP_URL and DATABASE_OPERATOR_URL."_s.arg(left));
}

std::expected<void, QString> checkPrivileges(const Databases &databases)
{
    for (const auto &target : {databases.app, databases.operators})
        if (const QString problem = privilegeProblem(target); !problem.isEmpty())
            return std::unexpected(problem);
    return {};
}

std::expected<QStringList, QString> bringForward(const Databases &databases, bool ownUrls,
                                                 const DatabaseBoot::Progress &progress)
{
    db::Session owner(databases.owner, systemClock, 0);
    auto ready = waitForServer(owner, progress);
    if (ready)
        ready = checkVersion(owner);
    if (ready)
        ready = ensureLogins(owner, databases, ownUrls);
    if (ready)
        ready = checkPrivileges(databases);
    if (!ready)
        return std::unexpected(ready.error());
    return db::Migrator().migrate(owner);
}

// A role's target: its own URL where there is one, else the owner's with a password that follows from the owner's.
std::expected<db::Target, QString> roleTarget(const db::Target &owner, const char *roleName, const QString &url)
{
    const QString role = QString::fromLatin1(roleName);
    if (!url.isEmpty())
        return db::Target::parse(url);
    return owner.as(role, owner.password.isEmpty() ? QString() : db::derivedPassword(owner.password, role));
}

} // namespace

DatabaseBoot::DatabaseBoot(const Configuration &configuration)
    : m_configuration(configuration)
{
}

DatabaseBoot::~DatabaseBoot()
{
    stop();
}

void DatabaseBoot::stop()
{
    m_embedded.reset();
}

std::expected<Databases, QString> DatabaseBoot::start(EmbeddedPostgres::Use use, const Progress &progress)
try {
    auto databases = targets(use, progress);
    if (!databases)
        return databases;
    const bool ownUrls = !m_configuration.databaseAppUrl.isEmpty() || !m_configuration.databaseOperatorUrl.isEmpty();
    const auto applied = bringForward(*databases, ownUrls, progress);
    if (!applied)
        return std::unexpected(applied.error());
    databases->applied = *applied;
    return databases;
} catch (const db::DatabaseError &error) {
    return std::unexpected(u"The database cannot be made ready: "_s + QString::fromUtf8(error.what()));
}

std::expected<Databases, QString> DatabaseBoot::targets(EmbeddedPostgres::Use use, const Progress &progress)
{
    if (!m_configuration.usesEmbeddedDatabase())
        return externalTargets();
    m_embedded = std::make_unique<EmbeddedPostgres>(m_configuration.dataDir);
    const auto owner = m_embedded->start(use, progress);
    if (!owner)
        return std::unexpected(owner.error());
    // Peer authentication: the socket knows who asks, nobody has a password.
    return Databases{.owner = *owner,
                     .app = owner->as(QString::fromLatin1(db::appRole), {}),
                     .operators = owner->as(QString::fromLatin1(db::operatorRole), {}),
                     .replica = {},
                     .applied = {}};
}

std::expected<Databases, QString> DatabaseBoot::externalTargets() const
{
    // DATA keeps the first admin's key here too; who makes the private cluster makes it otherwise.
    const QFileInfo data(m_configuration.dataDir);
    if (!m_configuration.dataDir.isEmpty() && !data.isDir()
        && !(QDir().mkpath(data.path()) && QDir().mkdir(data.filePath(), privateDirectory)))
        return std::unexpected(u"%1 cannot be made."_s.arg(m_configuration.dataDir));
    const auto owner = db::Target::parse(m_configuration.databaseUrl);
    if (!owner)
        return std::unexpected(u"DATABASE_URL: "_s + owner.error());
    const auto app = roleTarget(*owner, db::appRole, m_configuration.databaseAppUrl);
    const auto operators = roleTarget(*owner, db::operatorRole, m_configuration.databaseOperatorUrl);
    if (!app || !operators)
        return std::unexpected(!app ? u"DATABASE_APP_URL: "_s + app.error()
                                    : u"DATABASE_OPERATOR_URL: "_s + operators.error());
    Databases databases{.owner = *owner, .app = *app, .operators = *operators, .replica = {}, .applied = {}};
    if (const auto replica = db::Target::parse(m_configuration.databaseReplicaUrl))
        databases.replica = *replica;
    return databases;
}

} // namespace companion::app
