#include "backend/ServedBackend.h"

#include "app/EmbeddedPostgresFiles.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QUrl>
#include <csignal>

namespace companion::test {

using namespace Qt::StringLiterals;

ServedBackend::ServedBackend(const QMap<QString, QString> &settings)
    : m_settings{{u"COMPANION_LISTEN"_s, u"127.0.0.1:0"_s},
                 {u"COMPANION_LOG_LEVEL"_s, u"warning"_s},
                 {u"COMPANION_LOG_FORM"_s, u"json"_s},
                 {u"RATE_LIMIT_SIGN_IN"_s, u"1000000"_s},
                 {u"RATE_LIMIT_COMMON"_s, u"1000000"_s},
                 {u"BILLING_GENERATION_LIMIT_S"_s, u"2"_s},
                 {u"BILLING_HOLD_GRACE_S"_s, u"1"_s},
                 {u"COMPANION_SHUTDOWN_GRACE_S"_s, u"3"_s},
                 {u"COMPANION_MODERATION_KEY"_s, QString(64, u'a')}}
    , m_directory(QDir::tempPath() + u"/companion-process-XXXXXX"_s)
{
    m_settings.insert(settings);
    // the database's server runs as another user where we are root
    QFile::setPermissions(m_directory.path(),
                          QFile::Permissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner | QFile::ReadOther
                                             | QFile::ExeOther | QFile::ReadGroup | QFile::ExeGroup));
}

ServedBackend::~ServedBackend()
{
    if (isRunning())
        kill();
}

QString ServedBackend::dataDir() const
{
    return m_directory.filePath(u"data"_s);
}

QProcessEnvironment ServedBackend::environment() const
{
    auto all = QProcessEnvironment::systemEnvironment();
    all.remove(u"DATABASE_URL"_s);
    for (auto it = m_settings.begin(); it != m_settings.end(); ++it)
        all.insert(it.key(), it.value());
    return all;
}

bool ServedBackend::start()
{
    m_process = std::make_unique<QProcess>();
    m_process->setProcessEnvironment(environment());
    m_process->setStandardErrorFile(m_directory.filePath(u"backend.log"_s), QIODevice::Append);
    m_process->start(QStringLiteral(COMPANION_BACKEND), {u"serve"_s, u"--ready-json"_s, u"--data"_s, dataDir()});
    QElapsedTimer waited;
    waited.start();
    while (!m_process->canReadLine() && m_process->state() != QProcess::NotRunning && waited.elapsed() < 60'000)
        m_process->waitForReadyRead(100);
    const auto ready = QJsonDocument::fromJson(m_process->readLine()).object();
    m_port = static_cast<quint16>(QUrl(ready[u"url"_s].toString()).port(0));
    if (m_port == 0) {
        QFile log(m_directory.filePath(u"backend.log"_s));
        if (log.open(QFile::ReadOnly))
            qWarning().noquote() << "the backend did not start:" << log.readAll().right(4'000);
    }
    return m_port != 0;
}

void ServedBackend::kill()
{
    m_process->kill();
    m_process->waitForFinished(10'000);
}

bool ServedBackend::stop()
{
    m_process->terminate();
    return m_process->waitForFinished(60'000) && m_process->exitStatus() == QProcess::NormalExit
        && m_process->exitCode() == 0;
}

int ServedBackend::run(const QStringList &args, QByteArray *output) const
{
    QProcess command;
    command.setProcessEnvironment(environment());
    command.start(QStringLiteral(COMPANION_BACKEND), args + QStringList{u"--data"_s, dataDir()});
    if (!command.waitForFinished(60'000))
        return -1;
    if (output)
        *output = command.readAllStandardOutput() + command.readAllStandardError();
    return command.exitCode();
}

qint64 ServedBackend::peakMemory_kB() const
{
    QFile status(u"/proc/%1/status"_s.arg(pid()));
    if (!status.open(QFile::ReadOnly))
        return 0;
    for (const QByteArray &line : status.readAll().split('\n'))
        if (line.startsWith("VmHWM:"))
            return line.sliced(6).trimmed().split(' ').first().toLongLong();
    return 0;
}

db::Target ServedBackend::owner() const
{
    if (const QString url = m_settings.value(u"DATABASE_URL"_s); !url.isEmpty())
        return db::Target::parse(url).value();
    return {.host = app::embedded::Layout(dataDir()).socketDir,
            .port = app::embedded::port,
            .database = u"companion"_s,
            .user = QString::fromLatin1(app::embedded::superuser)};
}

QStringList ServedBackend::bugs() const
{
    static const QRegularExpression never(u"bug:|undeclared_answer|request_unanswered|unsafe_event|terminate called"_s);
    QStringList found;
    QFile log(m_directory.filePath(u"backend.log"_s));
    if (log.open(QFile::ReadOnly))
        for (const QByteArray &line : log.readAll().split('\n'))
            if (never.match(QString::fromUtf8(line)).hasMatch())
                found << QString::fromUtf8(line);
    return found;
}

} // namespace companion::test
