#include "support/TestCluster.h"

#include "common/Clock.h"
#include "common/Ensure.h"
#include "db/DatabaseError.h"
#include "db/Session.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QThread>
#include <csignal>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace companion::test {

namespace {

QString newestBinaries()
{
    for (int version = 18; version >= 15; --version)
        if (const auto folder = u"/usr/lib/postgresql/%1/bin"_s.arg(version); QFile::exists(folder + u"/initdb"_s))
            return folder;
    return {};
}

// $1 binaries, $2 directory, $3 "root" or "". Ends when its standard input does: nobody has to be alive to tell it to.
const char keeper[] = R"(
trap '' INT TERM HUP PIPE
as=
[ "$3" = root ] && as='setpriv --reuid=postgres --regid=postgres --clear-groups'
server=
cd "$2" || exit 1
tidy() { [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null && wait "$server"; cd /; rm -rf "$2"; }
$as "$1/initdb" -D "$2/data" -U owner --locale=C.UTF-8 -E UTF8 -N -A trust >"$2/initdb.log" 2>&1 </dev/null \
    || { cat "$2/initdb.log" >&2; tidy "$@"; exit 1; }
$as "$1/postgres" -D "$2/data" -c listen_addresses= -c "unix_socket_directories=$2" -c fsync=off \
    -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c shared_buffers=32MB \
    -c max_connections=200 -c jit=off -c autovacuum=off >"$2/server.log" 2>&1 </dev/null &
server=$!
read -r forever
tidy "$@"
)";

} // namespace

TestCluster &TestCluster::instance()
{
    static TestCluster cluster;
    return cluster;
}

TestCluster::TestCluster()
    : m_keeper(std::make_unique<QProcess>())
{
    const QString binaries = newestBinaries();
    ensure(!binaries.isEmpty(), "PostgreSQL 15 or newer is installed");
    QTemporaryDir directory(QDir::tempPath() + u"/companion-test-XXXXXX"_s);
    ensure(directory.isValid(), "a temporary directory can be made");
    directory.setAutoRemove(false);
    m_directory = directory.path();
    const bool root = geteuid() == 0;
    ensure(!root || QProcess::execute(u"chown"_s, {u"postgres:postgres"_s, m_directory}) == 0, "chown to postgres");
    m_keeper->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_keeper->start(u"setsid"_s,
                    {u"sh"_s, u"-c"_s, QString::fromLatin1(keeper), u"keeper"_s, binaries, m_directory,
                     root ? u"root"_s : QString()});
    ensure(m_keeper->waitForStarted(), "the keeper of the test server starts");
    waitUntilReady();
}

TestCluster::~TestCluster()
{
    m_keeper->closeWriteChannel();
    m_keeper->waitForFinished(10'000);
}

db::Target TestCluster::superuser(const QString &database) const
{
    return {.host = m_directory, .database = database, .user = u"owner"_s};
}

void TestCluster::waitUntilReady()
{
    const SystemClock clock;
    QElapsedTimer waited;
    waited.start();
    for (;;) {
        try {
            if (QFile::exists(m_directory + u"/.s.PGSQL.5432"_s)) {
                db::Session(superuser(), clock).script(u"SELECT 1"_s);
                return;
            }
        } catch (const db::DatabaseError &) {
            // not yet
        }
        ensure(m_keeper->state() == QProcess::Running && waited.elapsed() < 30'000, "the test server starts");
        QThread::msleep(10);
    }
}

void TestCluster::restart()
{
    QFile pidFile(m_directory + u"/data/postmaster.pid"_s);
    ensure(pidFile.open(QIODevice::ReadOnly), "the test server runs");
    const int pid = pidFile.readLine().trimmed().toInt();
    // Killing one server process with SIGKILL makes the postmaster end all sessions and start afresh by itself.
    const SystemClock clock;
    db::Session session(superuser(), clock);
    const auto victim = session.script(u"SELECT pg_backend_pid() AS pid"_s).first().integer("pid");
    ensure(pid > 1 && ::kill(pid_t(victim), SIGKILL) == 0, "the server's processes can be killed");
    QThread::msleep(50);
    waitUntilReady();
}

} // namespace companion::test
