#include "bench/support/Processes.h"

#include "bench/support/Clients.h"
#include "common/Ensure.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QUrl>
#include <sys/resource.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace companion::bench {

namespace {

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    ensure(file.open(QIODevice::ReadOnly), "a running process has its files under /proc");
    return file.readAll();
}

double figureIn(const QByteArray &lines, const QByteArray &name)
{
    for (const QByteArray &line : lines.split('\n'))
        if (line.startsWith(name))
            return line.sliced(name.size()).trimmed().split(' ').first().toDouble();
    return 0;
}

QProcessEnvironment environmentWith(const QMap<QString, QString> &more)
{
    auto all = QProcessEnvironment::systemEnvironment();
    all.remove(u"DATABASE_URL"_s);
    for (auto it = more.begin(); it != more.end(); ++it)
        all.insert(it.key(), it.value());
    return all;
}

} // namespace

Memory memoryOf(qint64 pid)
{
    const QByteArray rollup = contentOf(u"/proc/%1/smaps_rollup"_s.arg(pid));
    return {.rss = figureIn(rollup, "Rss:"),
            .pss = figureIn(rollup, "Pss:"),
            .anonymous = figureIn(rollup, "Anonymous:"),
            .threads = int(figureIn(contentOf(u"/proc/%1/status"_s.arg(pid)), "Threads:"))};
}

double cpuSecondsOf(qint64 pid)
{
    const QByteArray stat = contentOf(u"/proc/%1/stat"_s.arg(pid));
    const QList<QByteArray> fields = stat.sliced(stat.lastIndexOf(')') + 2).split(' ');
    return (fields.at(11).toDouble() + fields.at(12).toDouble()) / double(::sysconf(_SC_CLK_TCK));
}

double tcpBuffers()
{
    static const QRegularExpression pages(u"TCP: .* mem (\\d+)"_s);
    const auto found = pages.match(QString::fromLatin1(contentOf(u"/proc/net/sockstat"_s)));
    return found.captured(1).toDouble() * double(::sysconf(_SC_PAGESIZE)) / 1024;
}

ChildProgram::ChildProgram(const QString &program, const QStringList &arguments,
                           const QMap<QString, QString> &environment)
{
    m_process.setProcessEnvironment(environmentWith(environment));
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    QElapsedTimer clock;
    clock.start();
    m_process.start(program, arguments);
    while (!m_process.canReadLine())
        ensure(m_process.waitForReadyRead(120'000), qPrintable(program));
    m_readyAfter_ms = double(clock.nsecsElapsed()) / 1e6;
    m_firstLine = m_process.readLine().trimmed();
}

ChildProgram::~ChildProgram()
{
    stop();
}

void ChildProgram::stop()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.terminate();
    if (!m_process.waitForFinished(40'000))
        m_process.kill();
    m_process.waitForFinished();
}

BackendProcess::BackendProcess(const QString &dataDir, const QMap<QString, QString> &environment)
    : m_program(backendProgram(),
                {u"serve"_s, u"--ready-json"_s, u"--data"_s, dataDir, u"--listen"_s, u"127.0.0.1:0"_s}, environment)
{
    const QJsonObject ready = QJsonDocument::fromJson(m_program.firstLine()).object();
    m_port = quint16(QUrl(ready.value(u"url"_s).toString()).port());
    ensure(m_port != 0, "the backend says where it listens");
}

QString backendProgram()
{
    return qEnvironmentVariable("BENCH_BACKEND", QStringLiteral(COMPANION_BACKEND));
}

QString clusterIn(const QString &dataDir)
{
    return dataDir + u"/postgres"_s;
}

QMap<QString, QString> settingsFor(const db::Target &owner)
{
    return {{u"DATABASE_URL"_s,
             u"postgres://%1@/%2?host=%3&port=%4"_s.arg(owner.user, owner.database, owner.host).arg(owner.port)},
            {u"RATE_LIMIT_COMMON"_s, u"1000000"_s},
            {u"RATE_LIMIT_SIGN_IN"_s, u"1000000"_s},
            {u"COMPANION_LOG_LEVEL"_s, u"error"_s},
            {u"COMPANION_SHUTDOWN_GRACE_S"_s, u"5"_s}};
}

FakeProvider::FakeProvider()
    : m_program(QStringLiteral(COMPANION_FAKE_LLM), {})
{
}

void FakeProvider::always(const QString &script)
{
    const QByteArray body = script.toUtf8();
    const auto port = quint16(QUrl(baseUrl()).port());
    ensure(ask(port,
               "POST /control/always HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + QByteArray::number(body.size())
                   + "\r\n\r\n" + body)
                   .status
               == 200,
           "the fake provider listens to its control");
}

QString FakeProvider::baseUrl() const
{
    return QString::fromLatin1(m_program.firstLine());
}

void raiseFileLimit()
{
    rlimit limit = {};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace companion::bench
