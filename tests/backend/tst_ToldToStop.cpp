// A backend process that is told to stop while replies are being written; what SIGKILL does is in tst_Killed.cpp.

#include <QCoreApplication>
#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>

using namespace Qt::StringLiterals;

class ToldToStopTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QFile::setPermissions(m_data.path(),
                              QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner | QFile::ReadOther
                                  | QFile::ExeOther | QFile::ReadGroup | QFile::ExeGroup);
        const auto key = command(
            {u"access-key"_s, u"create"_s, u"--user"_s, u"ada@example.com"_s, u"--tier"_s, u"vip"_s, u"--json"_s});
        m_key = QJsonDocument::fromJson(key).object()[u"access_key"_s].toString();
        QVERIFY(!m_key.isEmpty());
    }

    void told_to_stop_it_ends_what_it_can_and_gives_up_the_rest()
    {
        start({{u"COMPANION_SHUTDOWN_GRACE_S"_s, u"1"_s}});
        signIn();
        const QString session = post(u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}})[u"id"_s].toString();
        QNetworkReply *reply = send(u"/api/v1/chat/stream"_s,
                                    {{u"session_id"_s, session}, {u"message"_s, u"[[rehearse: slow 30s]] Hello"_s}});
        QTRY_VERIFY(!reply->peek(10).isEmpty());
        stop();
        QVERIFY(reply->readAll().contains("shutting_down"));
        reply->deleteLater();
        start();
        signIn();
        QCOMPARE(get(u"/api/v1/wallet/balance"_s)[u"held"_s].toString(), u"0.0000"_s);
        stop();
        QVERIFY(clean());
    }

private:
    QProcessEnvironment environment(const QMap<QString, QString> &more = {}) const
    {
        auto all = QProcessEnvironment::systemEnvironment();
        all.remove(u"DATABASE_URL"_s);
        const QMap<QString, QString> settings{{u"COMPANION_LISTEN"_s, u"127.0.0.1:0"_s},
                                              {u"COMPANION_REHEARSAL_PACE"_s, u"5"_s},
                                              {u"COMPANION_LOG_LEVEL"_s, u"error"_s},
                                              {u"BILLING_GENERATION_LIMIT_S"_s, u"10"_s},
                                              {u"BILLING_HOLD_GRACE_S"_s, u"5"_s}};
        for (auto it = settings.begin(); it != settings.end(); ++it)
            all.insert(it.key(), it.value());
        for (auto it = more.begin(); it != more.end(); ++it)
            all.insert(it.key(), it.value());
        return all;
    }

    QByteArray command(QStringList args)
    {
        QProcess process;
        process.setProcessEnvironment(environment());
        process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process.start(QStringLiteral(COMPANION_BACKEND), args << u"--data"_s << m_data.path());
        process.waitForFinished(60'000);
        m_exitCode = process.exitCode();
        return process.readAllStandardOutput();
    }

    bool clean()
    {
        const QByteArray said = command({u"audit"_s});
        if (m_exitCode != 0)
            qWarning().noquote() << said;
        return m_exitCode == 0;
    }

    void start(const QMap<QString, QString> &more = {})
    {
        m_backend = std::make_unique<QProcess>();
        m_backend->setProcessEnvironment(environment(more));
        m_backend->setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_backend->start(QStringLiteral(COMPANION_BACKEND),
                         {u"serve"_s, u"--ready-json"_s, u"--data"_s, m_data.path()});
        QVERIFY(m_backend->waitForReadyRead(60'000));
        m_url = QJsonDocument::fromJson(m_backend->readLine()).object()[u"url"_s].toString();
        QVERIFY(!m_url.isEmpty());
    }

    void stop()
    {
        QSignalSpy finished(m_backend.get(), &QProcess::finished);
        m_backend->terminate();
        QVERIFY(m_backend->state() == QProcess::NotRunning || finished.wait(60'000));
        QCOMPARE(m_backend->exitCode(), 0);
    }

    void signIn()
    {
        m_token.clear();
        m_token =
            post(u"/api/v1/auth/login"_s, {{u"provider"_s, u"access_key"_s}, {u"token"_s, m_key}})[u"access_token"_s]
                .toString()
                .toLatin1();
        QVERIFY(!m_token.isEmpty());
    }

    QNetworkRequest request(const QString &path) const
    {
        QNetworkRequest wanted(QUrl(m_url + path));
        wanted.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
        if (!m_token.isEmpty())
            wanted.setRawHeader("Authorization", "Bearer " + m_token);
        return wanted;
    }

    // A manager each: one alone keeps to six connections.
    QNetworkReply *send(const QString &path, const QJsonObject &body)
    {
        auto *manager = new QNetworkAccessManager(this);
        return manager->post(request(path), QJsonDocument(body).toJson(QJsonDocument::Compact));
    }

    QJsonObject read(QNetworkReply *reply)
    {
        QSignalSpy finished(reply, &QNetworkReply::finished);
        if (!reply->isFinished())
            finished.wait(30'000);
        reply->deleteLater();
        return QJsonDocument::fromJson(reply->readAll()).object();
    }
    QJsonObject post(const QString &path, const QJsonObject &body) { return read(send(path, body)); }
    QJsonObject get(const QString &path)
    {
        auto *manager = new QNetworkAccessManager(this);
        return read(manager->get(request(path)));
    }

    QTemporaryDir m_data{QDir::tempPath() + u"/companion-stop-XXXXXX"_s};
    std::unique_ptr<QProcess> m_backend;
    QString m_url;
    QString m_key;
    QByteArray m_token;
    int m_exitCode = 0;
};

QTEST_GUILESS_MAIN(ToldToStopTest)
#include "tst_ToldToStop.moc"
