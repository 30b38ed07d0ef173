// A backend process that is killed while replies are being written: nothing is charged that was not delivered, nothing
// stays held past its deadline, the books stay clean, and the next start is as good as new.

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

class CrashTest : public QObject
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

    void killed_in_the_middle_of_replies()
    {
        for (int round = 0; round < 3; ++round) {
            start();
            signIn();
            QList<QNetworkReply *> replies;
            for (int i = 0; i < 6; ++i) {
                const QString session =
                    post(u"/api/v1/chat/sessions"_s, {{u"character"_s, u"aria"_s}})[u"id"_s].toString();
                replies.append(
                    send(u"/api/v1/chat/stream"_s,
                         {{u"session_id"_s, session},
                          {u"message"_s, i % 2 ? u"Hello"_s : u"[[rehearse: slow 30s]] [[rehearse: tokens 300]]"_s}}));
            }
            QTRY_VERIFY(!replies.at(0)->peek(10).isEmpty());
            QTest::qWait(round * 120);
            m_backend->kill();
            QVERIFY(m_backend->waitForFinished(10'000));
            for (QNetworkReply *reply : replies) {
                if (!reply->isFinished())
                    QSignalSpy(reply, &QNetworkReply::finished).wait(10'000);
                m_acknowledged += reply->readAll().contains("data: [DONE]");
                reply->deleteLater();
            }
            QVERIFY2(clean(), "the books right after the crash");
        }
        start();
        signIn();
        // The deadline (2 + 1 s here) has the next look find what died, and give it up.
        QTRY_COMPARE_WITH_TIMEOUT(get(u"/api/v1/wallet/balance"_s)[u"held"_s].toString(), u"0.0000"_s, 60'000);
        const int charged = get(u"/api/v1/wallet/transactions?kind=chat&limit=100"_s)[u"total"_s].toInt();
        QVERIFY2(charged >= m_acknowledged,
                 qPrintable(u"%1 charged, %2 acknowledged"_s.arg(charged).arg(m_acknowledged)));
        int kept = 0;
        const QJsonArray sessions = get(u"/api/v1/chat/sessions?limit=100"_s)[u"items"_s].toArray();
        for (const QJsonValue &session : sessions)
            kept += session[u"message_count"].toInt() / 2;
        QCOMPARE(kept, charged); // every charge has its reply, every reply its charge
        stop();
        QVERIFY(clean());
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

    QTemporaryDir m_data{QDir::tempPath() + u"/companion-crash-XXXXXX"_s};
    std::unique_ptr<QProcess> m_backend;
    QString m_url;
    QString m_key;
    QByteArray m_token;
    int m_exitCode = 0;
    int m_acknowledged = 0;
};

QTEST_GUILESS_MAIN(CrashTest)
#include "tst_Crash.moc"
