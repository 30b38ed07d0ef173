// From the start of companion-backend to its word that it is ready, and what it holds in memory when idle: on a private
// cluster that is there already (PostgreSQL's own start included) and on a server that runs, beside what cannot be
// saved: that PostgreSQL alone, and a program that only says its version.
//   bench_start [rounds = 7] [idle seconds = 5]
#include "bench/support/Clients.h"
#include "bench/support/Figures.h"
#include "bench/support/People.h"
#include "bench/support/Processes.h"
#include "common/Ensure.h"
#include "db/DatabaseError.h"

#include <QDir>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QThread>

using namespace companion;
using namespace companion::bench;
using namespace Qt::StringLiterals;

namespace {

double readyAfter(const QString &dataDir, const QMap<QString, QString> &settings)
{
    BackendProcess backend(dataDir, settings);
    const double ready_ms = backend.readyAfter_ms();
    ensure(ask(backend.port(), requestBytes("GET", "/health/ready")).status == 200, "ready means ready");
    backend.stop();
    return ready_ms;
}

// The newest server binaries, as the user that owns the cluster.
QStringList postgresCommand(const QString &cluster, const QString &sockets)
{
    QStringList command;
    if (::geteuid() == 0)
        command << u"setpriv"_s << u"--reuid=postgres"_s << u"--regid=postgres"_s << u"--clear-groups"_s;
    QString binaries;
    for (int version = 15; version <= 18; ++version)
        if (const QString folder = u"/usr/lib/postgresql/%1/bin/postgres"_s.arg(version); QFile::exists(folder))
            binaries = folder;
    return command << binaries << u"-D"_s << cluster << u"-c"_s << u"listen_addresses="_s << u"-c"_s
                   << u"unix_socket_directories="_s + sockets << u"-c"_s << u"hba_file="_s + sockets + u"/hba"_s;
}

double postgresAloneAfter(const QString &cluster)
{
    QTemporaryDir sockets(u"/tmp/bench-start-XXXXXX"_s);
    QFile::setPermissions(sockets.path(), QFile::Permissions(0x7777));
    QFile hba(sockets.filePath(u"hba"_s));
    ensure(hba.open(QIODevice::WriteOnly) && hba.write("local all all trust\n") > 0, "a file can be written");
    hba.close();
    const QStringList command = postgresCommand(cluster, sockets.path());
    QProcess server;
    server.setProcessChannelMode(QProcess::SeparateChannels);
    QElapsedTimer clock;
    clock.start();
    server.start(command.first(), command.mid(1));
    const SystemClock systemClock;
    const db::Target target{.host = sockets.path(), .database = u"postgres"_s, .user = u"nobody_there"_s};
    for (bool accepts = false; !accepts;) {
        ensure(clock.elapsed() < 60'000, "PostgreSQL starts");
        try {
            if (QFile::exists(sockets.filePath(u".s.PGSQL.5432"_s)))
                db::Session(target, systemClock).makeReady();
        } catch (const db::DatabaseError &error) {
            accepts = QString::fromUtf8(error.what()).contains(u"does not exist"_s); // it looked the role up
        }
        QThread::usleep(1'000);
    }
    const double ready_ms = double(clock.nsecsElapsed()) / 1e6;
    server.terminate();
    ensure(server.waitForFinished(30'000), "PostgreSQL ends");
    return ready_ms;
}

double versionAfter()
{
    QElapsedTimer clock;
    clock.start();
    const ChildProgram program(backendProgram(), {u"--version"_s});
    return program.readyAfter_ms();
}

void print(const char *what, const QList<double> &times_ms)
{
    std::printf("%-58s median %6.0f ms, best %6.0f, worst %6.0f\n", what, median(times_ms), percentile(times_ms, 0),
                percentile(times_ms, 1));
}

void printMemory(const char *what, const Memory &memory)
{
    std::printf("%-58s RSS %5.1f MB, PSS %5.1f MB, own pages %5.1f MB, %d threads\n", what, memory.rss / 1024,
                memory.pss / 1024, memory.anonymous / 1024, memory.threads);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const int rounds = int(argument(1, 7));
    const int idle_s = int(argument(2, 5));
    printMachine();

    QTemporaryDir data(QDir::tempPath() + u"/companion-start-XXXXXX"_s);
    QFile::setPermissions(data.path(), QFile::Permissions(0x7755));
    test::TestDatabase database;
    const QMap<QString, QString> embedded{{u"COMPANION_LOG_LEVEL"_s, u"error"_s}};
    const QMap<QString, QString> external = settingsFor(database.ownerTarget());
    QTemporaryDir externalData;
    readyAfter(data.path(), embedded); // makes the cluster
    readyAfter(externalData.path(), external);

    QList<double> ours, alone, beside, version;
    for (int round = 0; round < rounds; ++round) {
        ours << readyAfter(data.path(), embedded);
        alone << postgresAloneAfter(clusterIn(data.path()));
        beside << readyAfter(externalData.path(), external);
        version << versionAfter();
    }
    print("backend and its PostgreSQL, existing cluster", ours);
    print("  PostgreSQL alone, the same cluster", alone);
    print("backend on a running PostgreSQL", beside);
    print("  companion-backend --version", version);
    std::printf("ratio to PostgreSQL alone: %.2f\n", median(ours) / median(alone));

    BackendProcess backend(data.path(), embedded);
    QThread::sleep(idle_s);
    printMemory("idle, nothing asked yet", memoryOf(backend.pid()));
    for (int i = 0; i < 1'000; ++i)
        ask(backend.port(), requestBytes("GET", i % 2 ? "/api/v1/config/characters" : "/health/ready"));
    QThread::sleep(idle_s);
    printMemory("idle after 1,000 requests", memoryOf(backend.pid()));
    printMemory("  this program: Qt, the database client, no server", memoryOf(QCoreApplication::applicationPid()));
    printMachine();
    return 0;
}
