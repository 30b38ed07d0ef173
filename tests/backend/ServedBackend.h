#pragma once

#include "db/Session.h"

#include <QMap>
#include <QProcess>
#include <QTemporaryDir>
#include <memory>

namespace companion::test {

// The product as a process of its own, on its embedded database or (with DATABASE_URL among the settings) another one,
// to be killed and started again on the same data. What it logs is kept in DATA/../backend.log.
class ServedBackend
{
public:
    explicit ServedBackend(const QMap<QString, QString> &settings = {});
    ~ServedBackend(); // kills what still runs

    bool start(); // until it is ready; says on stderr why not
    void kill(); // SIGKILL
    bool stop(); // SIGTERM; false when it does not end with 0
    bool isRunning() const { return m_process && m_process->state() != QProcess::NotRunning; }
    int run(const QStringList &args, QByteArray *output = nullptr) const; // a command of the product; its exit code

    quint16 port() const { return m_port; }
    qint64 pid() const { return m_process ? m_process->processId() : 0; }
    qint64 peakMemory_kB() const; // of the process, in RAM, since its start
    QString dataDir() const;
    // Sees and may change everything: the owner of the database (embedded or external).
    db::Target owner() const;
    QStringList bugs() const; // what it logged that never may be: bugs, unanswered requests, undeclared answers

private:
    QProcessEnvironment environment() const;

    QMap<QString, QString> m_settings;
    QTemporaryDir m_directory;
    std::unique_ptr<QProcess> m_process;
    quint16 m_port = 0;
};

} // namespace companion::test
