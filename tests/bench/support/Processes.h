#pragma once

#include "db/Target.h"

#include <QMap>
#include <QProcess>
#include <QString>
#include <memory>

namespace companion::bench {

// Of a process, in KiB (/proc/PID/smaps_rollup).
struct Memory
{
    double rss = 0; // resident, pages shared with other programs counted whole
    double pss = 0; // a page shared by n processes counts 1/n
    double anonymous = 0; // its own: heap and stacks
    int threads = 0;
};
Memory memoryOf(qint64 pid);
double cpuSecondsOf(qint64 pid);
// The kernel's buffers of all TCP sockets of this machine, in KiB.
double tcpBuffers();

// A child program that says on its first line of output that it is ready; it ends with this object.
class ChildProgram
{
public:
    ChildProgram(const QString &program, const QStringList &arguments, const QMap<QString, QString> &environment = {});
    ~ChildProgram();

    const QByteArray &firstLine() const { return m_firstLine; }
    double readyAfter_ms() const { return m_readyAfter_ms; }
    qint64 pid() const { return m_process.processId(); }
    void stop(); // SIGTERM, and waits for its end

private:
    QProcess m_process;
    QByteArray m_firstLine;
    double m_readyAfter_ms = 0;
};

// companion-backend serve on a free port; --data and the environment choose the database.
class BackendProcess
{
public:
    BackendProcess(const QString &dataDir, const QMap<QString, QString> &environment);
    quint16 port() const { return m_port; }
    qint64 pid() const { return m_program.pid(); }
    double readyAfter_ms() const { return m_program.readyAfter_ms(); }
    void stop() { m_program.stop(); }

private:
    ChildProgram m_program;
    quint16 m_port = 0;
};

QString backendProgram(); // BENCH_BACKEND names another one, to compare builds
// Where the private cluster is in a data directory.
QString clusterIn(const QString &dataDir);

// The environment of a backend on this database, with nothing in its way: no rate limits, quiet log.
QMap<QString, QString> settingsFor(const db::Target &owner);

// tests/fakes: an OpenAI-compatible provider.
class FakeProvider
{
public:
    FakeProvider();
    QString baseUrl() const;
    void always(const QString &script); // tests/fakes/FakeLlmScript.h
    qint64 pid() const { return m_program.pid(); }

private:
    ChildProgram m_program;
};

// As many as this process may: its children inherit it.
void raiseFileLimit();

} // namespace companion::bench
