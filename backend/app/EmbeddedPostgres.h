#pragma once

#include "app/EmbeddedPostgresFiles.h"
#include "db/Target.h"

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <expected>
#include <functional>
#include <memory>

namespace companion::app {

// The private PostgreSQL cluster of an installation without DATABASE_URL: made in DATA/postgres at the first start,
// reachable only by a Unix socket in a directory of mode 0700, and there only for this user and the server's own (peer
// authentication). Started by root it runs as the user postgres.
//
// It is a child that gets SIGINT (a fast, clean shutdown) when this process ends in whatever way, so the object is used
// on the main thread only. A server that is still stopping is waited for; one that runs already (its backend was
// killed, or it was started by hand) is adopted. One backend at a time: a lock on DATA, freed by the kernel.
class EmbeddedPostgres : public QObject
{
    Q_OBJECT
public:
    enum class Use {
        Serve, // refused while another backend serves from this DATA
        Command, // a short command: joins the cluster of a running backend, or starts and stops it itself
    };
    using Progress = std::function<void(const QString &line)>;

    explicit EmbeddedPostgres(const QString &dataDir, QObject *parent = nullptr);
    ~EmbeddedPostgres() override; // stops

    // Blocks until the cluster accepts connections (2 s the first time, 0.2 s later); the superuser's target. The error
    // says what to do.
    std::expected<db::Target, QString> start(Use use, const Progress &progress = {});
    // Ends the cluster, cleanly, unless another backend's was joined. Blocks for 30 s at most.
    void stop();

    bool isAdopted() const { return m_adoptedPid != 0; }
    qint64 serverPid() const;
    db::Target target() const;

Q_SIGNALS:
    void serverLost(); // it ended without being told to
    void serverStarted(); // again, after that

private:
    std::expected<void, QString> prepare();
    std::expected<void, QString> bringUp();
    std::expected<void, QString> waitForRunningBackend();
    void launch();
    bool accepts() const;
    void lost();
    void relaunch();
    void watchAdopted();
    void adopt(qint64 pid);
    bool isServerAlive(qint64 pid);
    QString whyNot();

    embedded::Layout m_layout;
    embedded::DataLock m_lock;
    embedded::ServerUser m_user;
    std::unique_ptr<QProcess> m_process;
    qint64 m_adoptedPid = 0;
    bool m_running = false; // it should be: its end is a surprise
    int m_relaunchDelay_ms = 0;
    QElapsedTimer m_sinceLaunch;
};

} // namespace companion::app
