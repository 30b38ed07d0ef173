#include "app/EmbeddedPostgresFiles.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace companion::app::embedded {

namespace {

constexpr int longestSocketPath = 107; // sockaddr_un holds 108 bytes with the closing NUL

QByteArray native(const QString &path)
{
    return QFile::encodeName(path);
}

QString systemError()
{
    return QString::fromLocal8Bit(strerror(errno));
}

QString socketDirFor(const QString &data)
{
    const QString inside = data + u"/socket"_s;
    if (native(inside + u"/.s.PGSQL.%1"_s.arg(port)).size() <= longestSocketPath)
        return inside;
    const QString hash =
        QString::fromLatin1(QCryptographicHash::hash(data.toUtf8(), QCryptographicHash::Sha256).toHex().left(12));
    return geteuid() == 0 ? u"/run/companion-%1"_s.arg(hash) : u"/tmp/companion-%1-%2"_s.arg(geteuid()).arg(hash);
}

ServerUser userOf(const passwd &entry, bool isSwitch)
{
    return {entry.pw_uid, entry.pw_gid, QString::fromLocal8Bit(entry.pw_name), isSwitch};
}

// A directory of ours alone: made where missing; one that is there must be a real one of the right owner (in /tmp
// anybody may have been faster). Its mode is set in any case.
std::expected<void, QString> makePrivateDirectory(const QString &path, uid_t owner, gid_t group)
{
    const bool made = ::mkdir(native(path).constData(), 0700) == 0;
    if (!made && errno != EEXIST)
        return std::unexpected(u"%1 cannot be made: %2"_s.arg(path, systemError()));
    if (made && geteuid() == 0 && ::chown(native(path).constData(), owner, group) != 0)
        return std::unexpected(u"%1 cannot be given to its user: %2"_s.arg(path, systemError()));
    struct stat info{};
    if (::lstat(native(path).constData(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != owner)
        return std::unexpected(u"%1 is not a directory of the right user; remove it."_s.arg(path));
    if ((info.st_mode & 07777) != 0700 && ::chmod(native(path).constData(), 0700) != 0)
        return std::unexpected(u"the mode of %1 cannot be set: %2"_s.arg(path, systemError()));
    return {};
}

// DATA itself. One that is there keeps its mode, except that the server's user is let through (it sees nothing).
std::expected<void, QString> makeDataDirectory(const QString &path, const ServerUser &user)
{
    if (!QDir().mkpath(QFileInfo(path).path()))
        return std::unexpected(u"%1 cannot be made."_s.arg(QFileInfo(path).path()));
    const bool made = ::mkdir(native(path).constData(), 0700) == 0;
    struct stat info{};
    if ((!made && errno != EEXIST) || ::stat(native(path).constData(), &info) != 0)
        return std::unexpected(u"%1 cannot be made: %2"_s.arg(path, systemError()));
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid())
        return std::unexpected(u"%1 is not a directory of this user. Start as its owner, or choose another with "
                               "--data."_s.arg(path));
    const mode_t mode = (info.st_mode & 07777) | (user.isSwitch ? 0011 : 0);
    if (mode != (info.st_mode & 07777) && ::chmod(native(path).constData(), mode) != 0)
        return std::unexpected(u"the mode of %1 cannot be set: %2"_s.arg(path, systemError()));
    return {};
}

// By way of a new file and a rename, so that a crash leaves the old one whole.
std::expected<void, QString> writeFile(const QString &path, const QString &text)
{
    const QString fresh = path + u".new"_s;
    QFile::remove(fresh);
    QFile file(fresh);
    if (!file.open(QIODevice::WriteOnly) || file.write(text.toUtf8()) < 0 || !file.flush())
        return std::unexpected(u"%1 cannot be written: %2"_s.arg(fresh, file.errorString()));
    file.close();
    ::chmod(native(fresh).constData(), 0644); // the server's user reads it; there is nothing secret in it
    if (::rename(native(fresh).constData(), native(path).constData()) != 0)
        return std::unexpected(u"%1 cannot be written: %2"_s.arg(path, systemError()));
    return {};
}

int majorVersionOf(const QString &cluster)
{
    QFile file(cluster + u"/PG_VERSION"_s);
    return file.open(QIODevice::ReadOnly) ? file.readLine().trimmed().toInt() : 0;
}

QString binariesOf(int major)
{
    return u"/usr/lib/postgresql/%1/bin"_s.arg(major);
}

bool worksIn(const QString &process, const QString &directory)
{
    return QFile::symLinkTarget(u"/proc/%1/cwd"_s.arg(process)) == directory;
}

// Whether the pid is a server process of this cluster. Without a readable /proc its being alive must do.
bool isServerOf(qint64 pid, const QString &cluster)
{
    if (!isAlive(pid))
        return false;
    QFile name(u"/proc/%1/comm"_s.arg(pid));
    if (!name.open(QIODevice::ReadOnly))
        return true;
    const QString cwd = QFile::symLinkTarget(u"/proc/%1/cwd"_s.arg(pid));
    return name.readLine().trimmed() == "postgres" && (cwd.isEmpty() || cwd == QFileInfo(cluster).canonicalFilePath());
}

} // namespace

Layout::Layout(const QString &dataDir)
    : data(QDir::cleanPath(QDir(dataDir).absolutePath()))
    , cluster(data + u"/postgres"_s)
    , socketDir(socketDirFor(data))
    , hba(data + u"/postgres-hba.conf"_s)
    , ident(data + u"/postgres-ident.conf"_s)
    , startLog(data + u"/postgres-start.log"_s)
    , lock(data + u"/backend.lock"_s)
{
}

QStringList ServerUser::wrapped(const QStringList &command, bool dieWithUs) const
{
    QStringList all{u"setpriv"_s};
    if (isSwitch)
        all << u"--reuid=%1"_s.arg(uid) << u"--regid=%1"_s.arg(gid) << u"--clear-groups"_s;
    if (dieWithUs)
        all << u"--pdeathsig=INT"_s;
    return all.size() == 1 ? command : all + QStringList{u"--"_s} + command;
}

std::expected<ServerUser, QString> serverUserFor(const Layout &layout)
{
    struct stat cluster{};
    const bool exists = ::stat(native(layout.cluster).constData(), &cluster) == 0;
    const passwd *self = ::getpwuid(geteuid());
    if (geteuid() != 0) {
        if (exists && cluster.st_uid != geteuid())
            return std::unexpected(u"The database in %1 belongs to another user. Start as root or as that user, or "
                                   "choose another directory with --data."_s.arg(layout.cluster));
        return self
            ? std::expected<ServerUser, QString>(userOf(*self, false))
            : std::unexpected(u"The user %1 is not in /etc/passwd; PostgreSQL needs it there."_s.arg(geteuid()));
    }
    const passwd *found = exists && cluster.st_uid != 0 ? ::getpwuid(cluster.st_uid) : ::getpwnam("postgres");
    if (!found)
        return std::unexpected(exists ? u"The owner of %1 is no user of this machine."_s.arg(layout.cluster)
                                      : u"There is no user postgres to run the database as (PostgreSQL refuses root). "
                                        "Install the package postgresql, or set DATABASE_URL."_s);
    return userOf(*found, true);
}

DataLock::~DataLock()
{
    release();
}

std::expected<std::optional<DataLock::Holder>, QString> DataLock::take(const QString &path, bool serves)
{
    const int fd = ::open(native(path).constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return std::unexpected(u"%1 cannot be opened: %2"_s.arg(path, systemError()));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char text[64] = {};
        const ssize_t length = ::pread(fd, text, sizeof text - 1, 0);
        ::close(fd);
        const auto words = QByteArray(text, std::max<ssize_t>(length, 0)).split(' ');
        return Holder{words.value(0).toLongLong(), words.value(1).trimmed() == "serve"};
    }
    const QByteArray text = QByteArray::number(qint64(getpid())) + (serves ? " serve\n" : " command\n");
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.constData(), size_t(text.size()), 0) < 0) {
        const QString problem = systemError();
        ::close(fd);
        return std::unexpected(u"%1 cannot be written: %2"_s.arg(path, problem));
    }
    m_fd = fd;
    return std::nullopt;
}

void DataLock::release()
{
    if (m_fd >= 0)
        ::close(m_fd);
    m_fd = -1;
}

std::expected<void, QString> makeDirectories(const Layout &layout, const ServerUser &user)
{
    if (auto made = makeDataDirectory(layout.data, user); !made)
        return made;
    if (user.isSwitch) {
        const QStringList command = user.wrapped({u"test"_s, u"-x"_s, layout.data}, false);
        if (QProcess::execute(command.first(), command.mid(1)) != 0)
            return std::unexpected(
                u"The user %1, who runs the database, cannot reach %2: a directory above it is "
                "closed to others. Choose another place with --data (by default it is "
                "/var/lib/companion), or open the way: chmod o+x on each directory above."_s.arg(user.name,
                                                                                                 layout.data));
    }
    return makePrivateDirectory(layout.socketDir, user.uid, user.gid);
}

std::expected<void, QString> writeAccessFiles(const Layout &layout, const ServerUser &user)
{
    QString map = u"# Written at every start: who of this machine may log in as which role.\n"_s;
    QStringList names{user.name};
    if (const passwd *self = ::getpwuid(geteuid()); self && user.isSwitch)
        names << QString::fromLocal8Bit(self->pw_name);
    for (const auto &name : names)
        for (const char *role : {superuser, "companion_app", "companion_operator"})
            map += u"companion \"%1\" %2\n"_s.arg(name, QLatin1StringView(role));
    if (auto written = writeFile(layout.ident, map); !written)
        return written;
    return writeFile(layout.hba,
                     u"# Written at every start.\n"
                     "local all companion,companion_app,companion_operator peer map=companion\n"_s);
}

std::expected<QString, QString> binariesFor(const Layout &layout)
{
    if (const int major = majorVersionOf(layout.cluster); major != 0) {
        if (QFile::exists(binariesOf(major) + u"/postgres"_s))
            return binariesOf(major);
        return std::unexpected(u"The database in %1 was made with PostgreSQL %2, which is not installed. Install "
                               "postgresql-%2, or bring the data forward with pg_upgrade."_s.arg(layout.cluster)
                                   .arg(major));
    }
    for (int major = 18; major >= 15; --major)
        if (QFile::exists(binariesOf(major) + u"/initdb"_s))
            return binariesOf(major);
    return std::unexpected(u"PostgreSQL 15 or newer is not installed (looked in /usr/lib/postgresql). Install the "
                           "package postgresql, or set DATABASE_URL."_s);
}

std::expected<void, QString> makeCluster(const Layout &layout, const ServerUser &user, const QString &binaries)
{
    // Made under another name, so that a cluster that is there is a whole one.
    const QString fresh = layout.cluster + u".new"_s;
    QDir(fresh).removeRecursively();
    if (auto made = makePrivateDirectory(fresh, user.uid, user.gid); !made)
        return made;
    const QStringList command =
        user.wrapped({binaries + u"/initdb"_s, u"-D"_s, fresh, u"-U"_s, QString::fromLatin1(superuser),
                      u"--data-checksums"_s, u"--locale=C.UTF-8"_s, u"--encoding=UTF8"_s, u"--auth-local=peer"_s,
                      u"--auth-host=reject"_s, u"--no-instructions"_s},
                     false);
    QProcess initdb;
    initdb.setProcessChannelMode(QProcess::MergedChannels);
    initdb.setWorkingDirectory(u"/"_s);
    initdb.start(command.first(), command.mid(1));
    if (!initdb.waitForFinished(120'000) || initdb.exitStatus() != QProcess::NormalExit || initdb.exitCode() != 0)
        return std::unexpected(u"initdb failed: %1"_s.arg(
            QString::fromLocal8Bit(initdb.readAll() + initdb.errorString().toLocal8Bit()).trimmed()));
    if (::rename(native(fresh).constData(), native(layout.cluster).constData()) != 0)
        return std::unexpected(u"%1 cannot be renamed: %2"_s.arg(fresh, systemError()));
    return {};
}

bool isAlive(qint64 pid)
{
    return pid > 0 && (::kill(pid_t(pid), 0) == 0 || errno == EPERM);
}

RunningServer runningServer(const Layout &layout)
{
    QFile file(layout.cluster + u"/postmaster.pid"_s);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QList<QByteArray> lines = file.readAll().split('\n');
    const qint64 pid = qAbs(lines.value(0).trimmed().toLongLong());
    if (!isServerOf(pid, layout.cluster))
        return {};
    return {.pid = pid, .stopping = lines.value(7).trimmed() == "stopping"};
}

void removeStalePidFile(const Layout &layout)
{
    const QString cluster = QFileInfo(layout.cluster).canonicalFilePath();
    for (const auto &process : QDir(u"/proc"_s).entryList(QDir::Dirs))
        if (process.at(0).isDigit() && worksIn(process, cluster))
            return;
    if (QFile::exists(u"/proc/self/cwd"_s))
        QFile::remove(layout.cluster + u"/postmaster.pid"_s);
}

QString lastLinesOf(const QString &path, int count)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    file.seek(std::max<qint64>(0, file.size() - 8192));
    const QStringList lines = QString::fromLocal8Bit(file.readAll()).trimmed().split(u'\n');
    return lines.mid(std::max<qsizetype>(0, lines.size() - count)).join(u'\n');
}

} // namespace companion::app::embedded
