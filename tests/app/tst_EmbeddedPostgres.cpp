#include "app/EmbeddedPostgresFiles.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QStorageInfo>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace companion::app;

namespace {

const QString probePath = QStringLiteral(PROBE);

// A process that holds the embedded cluster, as `companion-backend serve` does.
class Probe
{
public:
    explicit Probe(const QStringList &arguments, const QStringList &prefix = {})
    {
        const QStringList command = prefix + QStringList{probePath} + arguments;
        m_process.start(command.first(), command.mid(1));
    }
    ~Probe()
    {
        if (m_process.state() != QProcess::NotRunning)
            end();
    }
    QString line(int patience_ms = 40'000)
    {
        QElapsedTimer waited;
        waited.start();
        while (!m_process.canReadLine() && m_process.state() != QProcess::NotRunning && !waited.hasExpired(patience_ms))
            m_process.waitForReadyRead(50);
        return QString::fromUtf8(m_process.readLine()).trimmed();
    }
    bool hasLine()
    {
        m_process.waitForReadyRead(1);
        return m_process.canReadLine();
    }
    void end()
    {
        m_process.closeWriteChannel();
        m_process.waitForFinished(40'000);
    }
    void kill()
    {
        ::kill(pid_t(m_process.processId()), SIGKILL);
        m_process.waitForFinished();
    }
    qint64 pid() const { return m_process.processId(); }

private:
    QProcess m_process;
};

qint64 serverOf(const QString &ready)
{
    return ready.section(u' ', 1, 1).toLongLong();
}

bool isRoot()
{
    return geteuid() == 0;
}

// In memory where there is room: making a cluster is mostly writing files.
QString folder()
{
    const QStorageInfo memory(u"/dev/shm"_s);
    const bool fits = memory.isReady() && !memory.isReadOnly() && memory.bytesAvailable() > qint64(1024) * 1024 * 1024;
    return fits ? u"/dev/shm"_s : QDir::tempPath();
}

int modeOf(const QString &path)
{
    struct stat info{};
    return ::lstat(path.toLocal8Bit().constData(), &info) == 0 ? int(info.st_mode & 07777) : -1;
}

} // namespace

// The embedded cluster through the life and death of its backend. Each test has a cluster of its own.
class TestEmbeddedPostgres : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<QTemporaryDir> m_parent;
    QString m_data;

    // As an administrator would by hand, so without a backend: the server that is to be adopted.
    void runByHand(const QStringList &action)
    {
        const embedded::Layout layout(m_data);
        const QString binaries = embedded::binariesFor(layout).value();
        const auto user = embedded::serverUserFor(layout).value();
        const QString options = u"-c listen_addresses= -c unix_socket_directories=%1 -c hba_file=%2 -c ident_file=%3"_s
                                    .arg(layout.socketDir, layout.hba, layout.ident);
        QStringList command = user.wrapped(QStringList{binaries + u"/pg_ctl"_s, u"-s"_s, u"-w"_s, u"-D"_s,
                                                       layout.cluster, u"-l"_s, u"/dev/null"_s, u"-o"_s, options}
                                               + action,
                                           false);
        QCOMPARE(QProcess::execute(command.first(), command.mid(1)), 0);
    }
    embedded::RunningServer running() const { return embedded::runningServer(embedded::Layout(m_data)); }
    // A session that keeps a server from a smart shutdown.
    QStringList psql() const
    {
        return {embedded::binariesFor(embedded::Layout(m_data)).value() + u"/psql"_s,
                u"-h"_s,
                embedded::Layout(m_data).socketDir,
                u"-U"_s,
                u"companion"_s,
                u"postgres"_s};
    }

private Q_SLOTS:
    void init()
    {
        m_parent = std::make_unique<QTemporaryDir>(folder() + u"/companion-embedded-XXXXXX"_s);
        QFile::setPermissions(m_parent->path(), QFile::Permissions(0x7755)); // not closed above DATA
        m_data = m_parent->filePath(u"data"_s);
    }
    void cleanup()
    {
        QTRY_COMPARE_WITH_TIMEOUT(running().pid, 0, 10'000);
        m_parent.reset();
    }

    void a_fresh_one_is_made_private_and_ends_with_its_backend()
    {
        Probe probe({m_data, u"serve"_s});
        const QString ready = probe.line();
        QVERIFY2(ready.startsWith(u"ready"_s) && ready.endsWith(u"child"_s), qPrintable(ready));
        QVERIFY(embedded::isAlive(serverOf(ready)));
        const embedded::Layout layout(m_data);
        QCOMPARE(modeOf(layout.cluster), 0700);
        QCOMPARE(modeOf(layout.socketDir), 0700);
        QCOMPARE(modeOf(layout.lock), 0600);
        QProcess control;
        control.start(embedded::binariesFor(layout).value() + u"/pg_controldata"_s, {layout.cluster});
        QVERIFY(control.waitForFinished());
        const QByteArray told = control.readAllStandardOutput();
        QVERIFY2(told.contains("Data page checksum version:           1"), told.constData());
        QFile hba(layout.hba);
        QVERIFY(hba.open(QIODevice::ReadOnly));
        QVERIFY(!hba.readAll().contains("trust"));
        if (isRoot()) {
            struct stat info{};
            QCOMPARE(::stat(u"/proc/%1"_s.arg(serverOf(ready)).toLatin1().constData(), &info), 0);
            QCOMPARE(info.st_uid, ::getpwnam("postgres")->pw_uid);
        }
        probe.end();
        QVERIFY(!embedded::isAlive(serverOf(ready)));
        QVERIFY(!QFile::exists(layout.cluster + u"/postmaster.pid"_s)); // a clean end
    }

    void a_second_start_is_quick_and_keeps_the_data()
    {
        Probe(QStringList{m_data, u"serve"_s}).line();
        QTRY_COMPARE(running().pid, 0);
        QElapsedTimer watch;
        watch.start();
        Probe probe({m_data, u"serve"_s});
        QVERIFY(probe.line().startsWith(u"ready"_s));
        QVERIFY2(watch.elapsed() < 3000, qPrintable(QString::number(watch.elapsed())));
    }

    void when_its_backend_is_killed_it_ends_and_the_next_backend_gets_it_again()
    {
        Probe first({m_data, u"serve"_s});
        const QString ready = first.line();
        first.kill();
        Probe second({m_data, u"serve"_s}); // at once: the server is perhaps still stopping
        const QString again = second.line();
        QVERIFY2(again.startsWith(u"ready"_s), qPrintable(again));
        QTRY_VERIFY_WITH_TIMEOUT(!embedded::isAlive(serverOf(ready)), 10'000);
        if (again.endsWith(u"adopted"_s)) { // it was met on its way out, and started again when it had gone
            QCOMPARE(second.line(), u"lost"_s);
            QCOMPARE(second.line(), u"started"_s);
        }
        QTRY_VERIFY(running().pid != 0 && running().pid != serverOf(ready));
    }

    void one_that_runs_without_a_backend_is_adopted_supervised_and_stopped()
    {
        Probe(QStringList{m_data, u"serve"_s}).line();
        QTRY_COMPARE(running().pid, 0);
        runByHand({u"start"_s});
        const qint64 byHand = running().pid;
        QVERIFY(byHand > 0);
        Probe probe({m_data, u"serve"_s});
        QCOMPARE(probe.line(), u"ready %1 adopted"_s.arg(byHand));
        ::kill(pid_t(byHand), SIGQUIT);
        QCOMPARE(probe.line(), u"lost"_s);
        QCOMPARE(probe.line(), u"started"_s);
        QTRY_VERIFY(running().pid != 0 && running().pid != byHand);
        probe.end();
        QCOMPARE(running().pid, 0);
    }

    void a_server_that_dies_is_started_again()
    {
        Probe probe({m_data, u"serve"_s});
        const qint64 server = serverOf(probe.line());
        ::kill(pid_t(server), SIGKILL);
        QCOMPARE(probe.line(), u"lost"_s);
        QCOMPARE(probe.line(), u"started"_s);
        QTRY_VERIFY_WITH_TIMEOUT(Probe({m_data, u"command"_s}).line() == "companion"_L1, 30'000);
    }

    void a_stopping_one_is_waited_for()
    {
        Probe(QStringList{m_data, u"serve"_s}).line();
        QTRY_COMPARE(running().pid, 0);
        runByHand({u"start"_s});
        const qint64 byHand = running().pid;
        QProcess session; // keeps the smart shutdown waiting
        session.start(psql().first(), psql().mid(1) + QStringList{u"-c"_s, u"SELECT pg_sleep(1.5)"_s});
        QVERIFY(session.waitForStarted());
        QTest::qWait(300);
        ::kill(pid_t(byHand), SIGTERM);
        QTRY_VERIFY(running().stopping);
        Probe probe({m_data, u"serve"_s});
        QTest::qWait(400);
        QVERIFY(!probe.hasLine());
        QVERIFY(embedded::isAlive(byHand));
        const QString ready = probe.line();
        QVERIFY2(ready.endsWith(u"child"_s), qPrintable(ready));
        QTRY_VERIFY(!embedded::isAlive(byHand));
        session.waitForFinished();
        QCOMPARE(session.exitCode(), 0);
    }

    void a_second_backend_is_locked_out_and_a_command_joins()
    {
        Probe first({m_data, u"serve"_s});
        const QString ready = first.line();
        const QString refused = Probe({m_data, u"serve"_s}).line();
        QVERIFY2(refused.startsWith(u"error Another backend (process %1)"_s.arg(first.pid())), qPrintable(refused));
        QCOMPARE(Probe({m_data, u"command"_s}).line(), u"companion"_s);
        QVERIFY(embedded::isAlive(serverOf(ready))); // neither took it away
    }

    void a_command_alone_starts_and_stops_it()
    {
        Probe command({m_data, u"command"_s});
        QCOMPARE(command.line(), u"companion"_s);
        command.end();
        QCOMPARE(running().pid, 0);
    }

    void an_interrupted_making_is_begun_again()
    {
        QVERIFY(QDir().mkpath(m_data + u"/postgres.new/base"_s));
        QVERIFY(Probe({m_data, u"command"_s}).line() == "companion"_L1);
    }

    void a_pid_file_of_a_stranger_is_no_obstacle()
    {
        Probe({m_data, u"command"_s}).line();
        QTRY_COMPARE(running().pid, 0);
        // As in a container made anew: the number belongs to another process of the server's user by now.
        const auto user = embedded::serverUserFor(embedded::Layout(m_data)).value();
        const QStringList command = user.wrapped({u"sleep"_s, u"60"_s}, false);
        QProcess stranger;
        stranger.start(command.first(), command.mid(1));
        QVERIFY(stranger.waitForStarted());
        QFile pidFile(m_data + u"/postgres/postmaster.pid"_s);
        QVERIFY(pidFile.open(QIODevice::WriteOnly));
        pidFile.write(QByteArray::number(stranger.processId()) + "\n" + m_data.toUtf8()
                      + "/postgres\n1\n5432\n\n\n\nready   \n");
        pidFile.close();
        QCOMPARE(Probe({m_data, u"command"_s}).line(), u"companion"_s);
        stranger.kill();
        stranger.waitForFinished();
    }

    void a_path_too_long_for_a_socket_gets_one_elsewhere()
    {
        m_data = m_parent->filePath(QString(90, u'x') + u"/data"_s);
        const embedded::Layout layout(m_data);
        QVERIFY(!layout.socketDir.startsWith(m_data));
        QVERIFY(layout.socketDir.size() < 90);
        QCOMPARE(Probe({m_data, u"command"_s}).line(), u"companion"_s);
        QCOMPARE(modeOf(layout.socketDir), 0700);
        QDir(layout.socketDir).removeRecursively();
    }

    void one_of_a_version_that_is_not_installed_is_named()
    {
        QVERIFY(QDir().mkpath(m_data + u"/postgres"_s));
        QFile version(m_data + u"/postgres/PG_VERSION"_s);
        QVERIFY(version.open(QIODevice::WriteOnly));
        version.write("14\n");
        version.close();
        if (isRoot())
            QCOMPARE(QProcess::execute(u"chown"_s, {u"-R"_s, u"postgres"_s, m_data + u"/postgres"_s}), 0);
        const QString told = Probe({m_data, u"command"_s}).line();
        QVERIFY2(told.contains(u"PostgreSQL 14"_s), qPrintable(told));
    }

    void root_is_told_when_the_servers_user_cannot_get_there()
    {
        if (!isRoot())
            QSKIP("needs root");
        QFile::setPermissions(m_parent->path(), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        const QString told = Probe({m_data, u"command"_s}).line();
        QVERIFY2(told.contains(u"cannot reach"_s) && told.contains(u"chmod o+x"_s), qPrintable(told));
    }

    void a_plain_user_needs_nobodys_help()
    {
        if (!isRoot())
            QSKIP("all of these tests ran as a plain user already");
        const QStringList asNobody{u"setpriv"_s, u"--reuid=nobody"_s, u"--regid=nogroup"_s, u"--clear-groups"_s,
                                   u"--"_s};
        if (QProcess::execute(u"setpriv"_s, asNobody.mid(1) + QStringList{u"test"_s, u"-x"_s, probePath}) != 0)
            QSKIP("the build directory is closed to others");
        QVERIFY(QDir().mkpath(m_data));
        QCOMPARE(QProcess::execute(u"chown"_s, {u"nobody:nogroup"_s, m_data}), 0);
        Probe probe({m_data, u"serve"_s}, asNobody);
        const QString ready = probe.line();
        QVERIFY2(ready.endsWith(u"child"_s), qPrintable(ready));
        struct stat info{};
        QCOMPARE(::stat(u"/proc/%1"_s.arg(serverOf(ready)).toLatin1().constData(), &info), 0);
        QCOMPARE(info.st_uid, ::getpwnam("nobody")->pw_uid);
        // Another user of the machine does not get in.
        QProcess stranger;
        stranger.start(u"setpriv"_s,
                       QStringList{u"--reuid=postgres"_s, u"--regid=postgres"_s, u"--clear-groups"_s, u"--"_s}
                           + psql());
        QVERIFY(stranger.waitForFinished());
        QVERIFY(stranger.exitCode() != 0);
        probe.kill();
        QTRY_VERIFY_WITH_TIMEOUT(!embedded::isAlive(serverOf(ready)), 10'000);
    }
};

QTEST_GUILESS_MAIN(TestEmbeddedPostgres)
#include "tst_EmbeddedPostgres.moc"
