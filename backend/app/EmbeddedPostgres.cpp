#include "app/EmbeddedPostgres.h"

#include "common/Clock.h"
#include "db/DatabaseError.h"
#include "db/Session.h"

#include <QDir>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QThread>
#include <QTimer>
#include <csignal>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace companion::app {

Q_LOGGING_CATEGORY(embeddedLog, "companion.postgres", QtInfoMsg)

namespace {

constexpr int startDeadline_ms = 60'000; // recovery after a crash may take a while
constexpr int stopDeadline_ms = 30'000;
constexpr int commandDeadline_ms = 30'000; // how long a short command may hold the lock
constexpr int longestRelaunchDelay_ms = 5'000;
constexpr int adoptedPoll_ms = 250;

QStringList serverCommand(const embedded::Layout &layout, const QString &binaries)
{
    const QStringList settings{
        u"listen_addresses="_s,
        u"port=%1"_s.arg(embedded::port),
        u"unix_socket_directories=%1"_s.arg(layout.socketDir),
        u"unix_socket_permissions=0700"_s,
        u"hba_file=%1"_s.arg(layout.hba),
        u"ident_file=%1"_s.arg(layout.ident),
        u"timezone=UTC"_s,
        u"log_timezone=UTC"_s,
        u"lc_messages=C"_s,
        u"jit=off"_s, // our statements are short; compiling them costs more than it saves
        u"logging_collector=on"_s,
        u"log_directory=log"_s,
        u"log_filename=postgresql-%a.log"_s, // a week of them
        u"log_truncate_on_rotation=on"_s,
        u"log_rotation_age=1d"_s,
    };
    QStringList command{binaries + u"/postgres"_s, u"-D"_s, layout.cluster};
    for (const auto &setting : settings)
        command << u"-c"_s << setting;
    return command;
}

QProcessEnvironment cleanEnvironment()
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto &name : environment.keys())
        if (name.startsWith("PG"_L1) || name.startsWith("LC_"_L1))
            environment.remove(name);
    environment.insert(u"LC_ALL"_s, u"C.UTF-8"_s);
    return environment;
}

} // namespace

EmbeddedPostgres::EmbeddedPostgres(const QString &dataDir, QObject *parent)
    : QObject(parent)
    , m_layout(dataDir)
{
}

EmbeddedPostgres::~EmbeddedPostgres()
{
    stop();
}

db::Target EmbeddedPostgres::target() const
{
    return {.host = m_layout.socketDir,
            .port = embedded::port,
            .database = u"companion"_s,
            .user = QString::fromLatin1(embedded::superuser)};
}

qint64 EmbeddedPostgres::serverPid() const
{
    return m_process ? m_process->processId() : m_adoptedPid;
}

std::expected<db::Target, QString> EmbeddedPostgres::start(Use use, const Progress &progress)
{
    auto up = prepare();
    if (!up)
        return std::unexpected(up.error());
    QElapsedTimer waited;
    waited.start();
    for (;;) {
        const auto holder = m_lock.take(m_layout.lock, use == Use::Serve);
        if (!holder)
            return std::unexpected(holder.error());
        if (!*holder)
            break;
        if (use == Use::Command && (*holder)->serves) {
            up = waitForRunningBackend();
            return up ? std::expected<db::Target, QString>(target()) : std::unexpected(up.error());
        }
        if ((*holder)->serves || waited.hasExpired(commandDeadline_ms))
            return std::unexpected(u"Another backend (process %1) uses %2. Stop it, or choose another directory with "
                                   "--data."_s.arg((*holder)->pid)
                                       .arg(m_layout.data));
        QThread::msleep(20);
    }
    if (!QFileInfo::exists(m_layout.cluster) && progress)
        progress(u"Making the database in %1 (once)"_s.arg(m_layout.cluster));
    up = bringUp();
    if (up)
        return target();
    stop();
    return std::unexpected(up.error());
}

std::expected<void, QString> EmbeddedPostgres::prepare()
{
    const auto user = embedded::serverUserFor(m_layout);
    if (!user)
        return std::unexpected(user.error());
    m_user = *user;
    return embedded::makeDirectories(m_layout, m_user);
}

// With the lock in hand: makes the cluster where there is none, then gets a server that accepts connections.
std::expected<void, QString> EmbeddedPostgres::bringUp()
{
    if (auto written = embedded::writeAccessFiles(m_layout, m_user); !written)
        return written;
    const auto binaries = embedded::binariesFor(m_layout);
    if (!binaries)
        return std::unexpected(binaries.error());
    if (!QFileInfo::exists(m_layout.cluster))
        if (auto made = embedded::makeCluster(m_layout, m_user, *binaries); !made)
            return made;

    QElapsedTimer waited;
    waited.start();
    while (!waited.hasExpired(startDeadline_ms)) {
        const auto server = embedded::runningServer(m_layout);
        if (server.stopping && waited.hasExpired(stopDeadline_ms))
            return std::unexpected(u"The database server %1 has been stopping for 30 seconds. Wait for it, or end it "
                                   "(kill -QUIT %1), then start again."_s.arg(server.pid));
        if (m_process && m_process->state() == QProcess::NotRunning)
            return std::unexpected(whyNot());
        if (server.pid == 0 && !m_process)
            launch();
        else if (server.pid != 0 && !m_process && !server.stopping)
            adopt(server.pid);
        if (!server.stopping && accepts()) {
            m_running = true;
            watchAdopted();
            return {};
        }
        if (m_adoptedPid != 0 && !embedded::isAlive(m_adoptedPid))
            m_adoptedPid = 0; // it was on its way out after all
        if (m_process)
            m_process->waitForFinished(10);
        else
            QThread::msleep(10);
    }
    return std::unexpected(u"The database server does not accept connections after 60 seconds.\n"_s + whyNot());
}

std::expected<void, QString> EmbeddedPostgres::waitForRunningBackend()
{
    QElapsedTimer waited;
    waited.start();
    while (!accepts()) {
        if (waited.hasExpired(startDeadline_ms))
            return std::unexpected(u"The running backend's database does not accept connections."_s);
        QThread::msleep(50);
    }
    return {};
}

bool EmbeddedPostgres::accepts() const
{
    if (!QFileInfo::exists(m_layout.socketDir + u"/.s.PGSQL.%1"_s.arg(embedded::port)))
        return false;
    try {
        const SystemClock clock;
        db::Session session(target().inDatabase(u"postgres"_s), clock);
        const bool there = !session.script(u"SELECT 1 FROM pg_database WHERE datname = 'companion'"_s).isEmpty();
        if (!there && m_lock.isHeld())
            session.script(u"CREATE DATABASE companion"_s);
        return there || m_lock.isHeld();
    } catch (const db::DatabaseError &error) {
        qCDebug(embeddedLog) << error.what();
        return false;
    }
}

void EmbeddedPostgres::launch()
{
    const auto binaries = embedded::binariesFor(m_layout);
    if (!binaries)
        return;
    embedded::removeStalePidFile(m_layout);
    const QStringList command = m_user.wrapped(serverCommand(m_layout, *binaries), true);
    m_process = std::make_unique<QProcess>();
    m_process->setProcessEnvironment(cleanEnvironment());
    m_process->setWorkingDirectory(u"/"_s);
    m_process->setStandardInputFile(QProcess::nullDevice());
    m_process->setStandardOutputFile(QProcess::nullDevice());
    m_process->setStandardErrorFile(m_layout.startLog);
    m_process->setChildProcessModifier([] { ::setsid(); }); // a Ctrl-C in the terminal is for us: we stop it in order
    connect(m_process.get(), &QProcess::finished, this, &EmbeddedPostgres::lost, Qt::QueuedConnection);
    m_process->start(command.first(), command.mid(1));
    m_process->waitForStarted();
    m_sinceLaunch.start();
}

void EmbeddedPostgres::adopt(qint64 pid)
{
    if (m_adoptedPid == pid)
        return;
    m_adoptedPid = pid;
    ::kill(pid_t(pid), SIGHUP); // it reads the access files anew
    qCInfo(embeddedLog) << "adopting the server" << pid << "of" << m_layout.cluster;
}

void EmbeddedPostgres::watchAdopted()
{
    if (m_adoptedPid == 0)
        return;
    auto *timer = new QTimer(this);
    connect(timer, &QTimer::timeout, this, [this, timer] {
        if (m_running && embedded::isAlive(m_adoptedPid))
            return;
        timer->deleteLater();
        if (m_running) {
            m_adoptedPid = 0;
            lost();
        }
    });
    timer->start(adoptedPoll_ms);
}

void EmbeddedPostgres::lost()
{
    if (!m_running || m_adoptedPid != 0 || (m_process && m_process->state() != QProcess::NotRunning))
        return;
    qCCritical(embeddedLog).noquote() << "the database server has ended:" << whyNot();
    Q_EMIT serverLost();
    m_relaunchDelay_ms = m_sinceLaunch.isValid() && m_sinceLaunch.elapsed() > 10'000
        ? 0
        : std::min(std::max(m_relaunchDelay_ms * 2, 100), longestRelaunchDelay_ms);
    m_process.reset();
    QTimer::singleShot(m_relaunchDelay_ms, this, &EmbeddedPostgres::relaunch);
}

// The pools connect again by themselves when it accepts; should it end again at once (the old server's processes are
// still letting go), lost() comes back here after a longer pause.
void EmbeddedPostgres::relaunch()
{
    if (!m_running)
        return;
    launch();
    qCInfo(embeddedLog) << "the database server was started again";
    Q_EMIT serverStarted();
}

bool EmbeddedPostgres::isServerAlive(qint64 pid)
{
    if (m_process)
        m_process->waitForFinished(5); // a child that ended stays a zombie until it is waited for
    return m_process ? m_process->state() != QProcess::NotRunning : embedded::isAlive(pid);
}

void EmbeddedPostgres::stop()
{
    m_running = false;
    const qint64 pid = serverPid();
    if (m_lock.isHeld() && pid > 0) {
        ::kill(pid_t(pid), SIGINT);
        QElapsedTimer waited;
        waited.start();
        while (isServerAlive(pid) && !waited.hasExpired(stopDeadline_ms))
            QThread::msleep(5);
        if (m_process && m_process->state() != QProcess::NotRunning) {
            ::kill(pid_t(pid), SIGQUIT);
            m_process->waitForFinished(5'000);
        }
    }
    m_process.reset();
    m_adoptedPid = 0;
    m_lock.release();
}

QString EmbeddedPostgres::whyNot()
{
    QStringList parts{embedded::lastLinesOf(m_layout.startLog, 8)};
    const QDir logs(m_layout.cluster + u"/log"_s);
    const auto files = logs.entryInfoList({u"*.log"_s}, QDir::Files, QDir::Time);
    if (!files.isEmpty())
        parts << embedded::lastLinesOf(files.first().filePath(), 8);
    if (m_process && m_process->error() != QProcess::UnknownError)
        parts << m_process->errorString();
    parts.removeAll(QString());
    return u"PostgreSQL says:\n"_s + parts.join(u'\n');
}

} // namespace companion::app
