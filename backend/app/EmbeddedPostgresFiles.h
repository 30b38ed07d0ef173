#pragma once

#include <QString>
#include <QStringList>
#include <expected>
#include <optional>
#include <sys/types.h>

namespace companion::app::embedded {

inline constexpr char superuser[] = "companion";
inline constexpr int port = 5432; // only part of the socket's name

// Where things are in DATA. The socket is elsewhere when DATA's path is too long for one.
struct Layout
{
    explicit Layout(const QString &dataDir);
    QString data;
    QString cluster;   // DATA/postgres
    QString socketDir; // DATA/socket, or /run/companion-… or /tmp/companion-… (mode 0700, checked)
    QString hba;       // DATA/postgres-hba.conf
    QString ident;     // DATA/postgres-ident.conf
    QString startLog;  // what the server says before its own log (DATA/postgres/log) begins
    QString lock;      // DATA/backend.lock
};

// Who runs the server: ourselves, or, as PostgreSQL refuses root, the owner of the cluster or the user postgres.
struct ServerUser
{
    uid_t uid = 0;
    gid_t gid = 0;
    QString name;
    bool isSwitch = false; // we are root
    // The command as that user.
    QStringList wrapped(const QStringList &command, bool dieWithUs) const;
};
std::expected<ServerUser, QString> serverUserFor(const Layout &layout);

// flock on DATA/backend.lock: gone with the process, however it ends.
class DataLock
{
public:
    DataLock() = default;
    ~DataLock();
    DataLock(const DataLock &) = delete;
    DataLock &operator=(const DataLock &) = delete;

    struct Holder
    {
        qint64 pid = 0;
        bool serves = false;
    };
    // nullopt: it is ours now.
    std::expected<std::optional<Holder>, QString> take(const QString &path, bool serves);
    void release();
    bool isHeld() const { return m_fd >= 0; }

private:
    int m_fd = -1;
};

// DATA, the socket's directory and the access files, with owners and modes as they must be.
std::expected<void, QString> makeDirectories(const Layout &layout, const ServerUser &user);
std::expected<void, QString> writeAccessFiles(const Layout &layout, const ServerUser &user);
// Where initdb, postgres and the like of the cluster's version are; of the newest one when there is no cluster yet.
std::expected<QString, QString> binariesFor(const Layout &layout);
std::expected<void, QString> makeCluster(const Layout &layout, const ServerUser &user, const QString &binaries);

// What postmaster.pid says, held against the processes that there are.
struct RunningServer
{
    qint64 pid = 0; // 0: none
    bool stopping = false;
};
RunningServer runningServer(const Layout &layout);
// A postmaster.pid whose number belongs to a stranger by now (a container started anew) would keep PostgreSQL from
// starting: removed when no process works in the cluster's directory.
void removeStalePidFile(const Layout &layout);
bool isAlive(qint64 pid);

QString lastLinesOf(const QString &path, int count);

} // namespace companion::app::embedded
