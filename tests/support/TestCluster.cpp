#include "support/TestCluster.h"

#include "common/Clock.h"
#include "common/Ensure.h"
#include "db/DatabaseError.h"
#include "db/Session.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QStorageInfo>
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

// In memory where there is room: copying a database is then five times as fast. What is to be durable is on a disk.
QString roomiestFolder()
{
    if (qEnvironmentVariableIsSet("COMPANION_TEST_DURABLE"))
        return QDir::tempPath();
    const QStorageInfo memory(u"/dev/shm"_s);
    const bool fits = memory.isValid() && memory.fileSystemType() == "tmpfs" && memory.isReady() && !memory.isReadOnly()
        && memory.bytesAvailable() > qint64(2) * 1024 * 1024 * 1024;
    return fits ? u"/dev/shm"_s : QDir::tempPath();
}

// $1 binaries, $2 directory, $3 "root" or "". Ends when its standard input does: nobody has to be alive to tell it to.
const char keeper[] = R"(
trap '' INT TERM HUP PIPE
as=
[ "$3" = root ] && as='setpriv --reuid=postgres --regid=postgres --clear-groups'
cd "$2" || exit 1
tidy() {
    server=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)
    if [ -n "$server" ]; then
        kill -QUIT "$server"
        while kill -0 "$server" 2>/dev/null && [ -e "$2/data/postmaster.pid" ]; do sleep 0.02; done
    fi
    cd / && rm -rf "$2"
}
$as "$1/initdb" -D "$2/data" -U owner --locale=C.UTF-8 -E UTF8 -N -A trust >"$2/initdb.log" 2>&1 </dev/null \
    || { cat "$2/initdb.log" >&2; tidy "$@"; exit 1; }
pace='-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_wal_size=256MB'
[ -z "$COMPANION_TEST_DURABLE" ] || pace='-c shared_buffers=256MB'
$as "$1/postgres" -D "$2/data" -c listen_addresses= -c "unix_socket_directories=$2" $pace -c wal_level=minimal \
    -c max_wal_senders=0 -c max_connections=200 -c jit=off -c autovacuum=off >"$2/server.log" 2>&1 </dev/null &
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
    QTemporaryDir directory(roomiestFolder() + u"/companion-test-XXXXXX"_s);
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
        ensure(m_keeper->state() == QProcess::Running && waited.elapsed() < 90'000, "the test server starts");
        QThread::msleep(10);
    }
}

void TestCluster::kill() const
{
    QFile pidFile(m_directory + u"/data/postmaster.pid"_s);
    ensure(pidFile.open(QFile::ReadOnly), "the test server runs");
    ::kill(static_cast<pid_t>(pidFile.readLine().trimmed().toInt()), SIGKILL);
    // Our keeper's dead child still has its number: pg_ctl would wait for it, and the next server take the socket for
    // its.
    pidFile.remove();
    QFile::remove(m_directory + u"/.s.PGSQL.5432.lock"_s);
}

// pg_ctl takes the options of the server before, also when that one is gone.
bool TestCluster::startedAnew(Manner manner) const
{
    QStringList command{newestBinaries() + u"/pg_ctl"_s,
                        u"-D"_s,
                        m_directory + u"/data"_s,
                        u"restart"_s,
                        u"-w"_s,
                        u"-s"_s,
                        u"-m"_s,
                        manner == Manner::Immediate ? u"immediate"_s : u"fast"_s,
                        u"-l"_s,
                        m_directory + u"/data/restart.log"_s};
    if (geteuid() == 0)
        command =
            QStringList{u"setpriv"_s, u"--reuid=postgres"_s, u"--regid=postgres"_s, u"--clear-groups"_s} + command;
    QProcess restart;
    restart.start(command.first(), command.mid(1));
    const bool done =
        restart.waitForFinished(60'000) && restart.exitStatus() == QProcess::NormalExit && restart.exitCode() == 0;
    if (!done)
        qInfo().noquote() << "pg_ctl:" << restart.readAllStandardError();
    return done;
}

void TestCluster::restart(Manner manner)
{
    QElapsedTimer waited;
    waited.start();
    if (manner == Manner::Killed)
        kill();
    // A killed server's children end when they notice; until then the next one is refused their shared memory.
    while (!startedAnew(manner)) {
        ensure(manner == Manner::Killed && waited.elapsed() < 60'000, "the test server restarts");
        QThread::msleep(20);
    }
    waitUntilReady();
}

} // namespace companion::test
