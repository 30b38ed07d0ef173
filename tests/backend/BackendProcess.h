#pragma once

#include "db/Target.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QUrlQuery>

namespace companion::test {

// The companion-backend program itself, on a database that a test (and further instances) share. Its log is kept.
class BackendProcess
{
public:
    struct Answer
    {
        int status = 0;
        QByteArray body;
        QJsonObject json() const { return QJsonDocument::fromJson(body).object(); }
        QString text(const char *name) const { return json().value(QLatin1StringView(name)).toString(); }
    };

    BackendProcess(const QString &program, const db::Target &owner, QMap<QString, QString> settings = {})
        : m_program(program)
    {
        QUrl url;
        url.setScheme(QStringLiteral("postgres"));
        url.setUserName(owner.user);
        url.setPath(u'/' + owner.database);
        QUrlQuery query{{QStringLiteral("host"), owner.host}, {QStringLiteral("port"), QString::number(owner.port)}};
        url.setQuery(query);
        const QMap<QString, QString> base{{QStringLiteral("DATABASE_URL"), url.toString(QUrl::FullyEncoded)},
                                          {QStringLiteral("COMPANION_DATA"), m_data.path()},
                                          {QStringLiteral("COMPANION_LISTEN"), QStringLiteral("127.0.0.1:0")},
                                          {QStringLiteral("COMPANION_LOG_LEVEL"), QStringLiteral("debug")},
                                          {QStringLiteral("COMPANION_LOG_FORM"), QStringLiteral("json")},
                                          {QStringLiteral("COMPANION_REHEARSAL_PACE"), QStringLiteral("0")},
                                          {QStringLiteral("COMPANION_DB_WORKERS"), QStringLiteral("4")},
                                          {QStringLiteral("COMPANION_DB_OPERATOR_WORKERS"), QStringLiteral("2")},
                                          {QStringLiteral("RATE_LIMIT_COMMON"), QStringLiteral("100000")},
                                          {QStringLiteral("RATE_LIMIT_SIGN_IN"), QStringLiteral("10000")}};
        m_environment = QProcessEnvironment::systemEnvironment();
        for (auto it = base.begin(); it != base.end(); ++it)
            m_environment.insert(it.key(), it.value());
        for (auto it = settings.begin(); it != settings.end(); ++it)
            m_environment.insert(it.key(), it.value());
    }
    ~BackendProcess() { stop(); }

    bool start()
    {
        m_process.setProcessEnvironment(m_environment);
        m_process.setStandardErrorFile(logPath());
        m_process.start(m_program, {QStringLiteral("serve"), QStringLiteral("--ready-json")});
        if (!m_process.waitForReadyRead(60'000))
            return false;
        m_url = QJsonDocument::fromJson(m_process.readLine()).object().value(QStringLiteral("url")).toString();
        return !m_url.isEmpty();
    }
    void stop()
    {
        if (m_process.state() == QProcess::NotRunning)
            return;
        m_process.terminate();
        if (!m_process.waitForFinished(20'000))
            m_process.kill();
    }

    // Another of the program's commands, on the same database. Its standard output.
    QByteArray command(const QStringList &args, int *exitCode = nullptr)
    {
        QProcess process;
        process.setProcessEnvironment(m_environment);
        process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process.start(m_program, args);
        process.waitForFinished(60'000);
        if (exitCode)
            *exitCode = process.exitCode();
        return process.readAllStandardOutput();
    }

    QNetworkReply *send(const QByteArray &method, const QString &path, const QJsonObject &body = {},
                        const QByteArray &bearer = {})
    {
        QNetworkRequest request(QUrl(m_url + path));
        if (!bearer.isEmpty())
            request.setRawHeader("Authorization", "Bearer " + bearer);
        QByteArray sent;
        if (!body.isEmpty()) {
            request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
            sent = QJsonDocument(body).toJson(QJsonDocument::Compact);
        }
        return m_network.sendCustomRequest(request, method, sent);
    }
    static Answer answerOf(QNetworkReply *reply)
    {
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(30'000);
        reply->deleteLater();
        return {reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(), reply->readAll()};
    }
    Answer ask(const QByteArray &method, const QString &path, const QJsonObject &body = {},
               const QByteArray &bearer = {})
    {
        return answerOf(send(method, path, body, bearer));
    }

    QByteArray log() const
    {
        QFile file(logPath());
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

private:
    QString logPath() const { return m_data.filePath(QStringLiteral("log")); }

    QString m_program;
    QTemporaryDir m_data;
    QProcessEnvironment m_environment;
    QProcess m_process;
    QString m_url;
    QNetworkAccessManager m_network;
};

} // namespace companion::test
