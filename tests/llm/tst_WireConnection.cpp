// What the wire client does with its connections: kept, closed under it, encrypted. tests/llm/tst_WireModel.cpp has
// what comes over them.

#include "fakes/FakeLlm.h"
#include "llm/WireModel.h"

#include <QEventLoop>
#include <QFile>
#include <QProcess>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <QTimer>

using namespace companion;
using namespace companion::llm;
using namespace std::chrono_literals;

namespace {

const QByteArray goodAnswer = [] {
    const QByteArray body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},"
                            "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    return QByteArray("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: "
                      + QByteArray::number(body.size()) + "\r\n\r\n" + body);
}();

Result<Completion> completionOf(WireModel &model)
{
    Result<Completion> end = refuse(ErrorCode::Internal, QStringLiteral("no end"));
    QEventLoop loop;
    Generation *generation = model.start({.messages = {{ChatMessage::Role::User, QStringLiteral("Hello?")}}});
    QObject::connect(generation, &Generation::finished, &loop, [&](const Result<Completion> &result) {
        end = result;
        loop.quit();
    });
    QTimer::singleShot(10'000, &loop, [] { qFatal("the generation never ended"); });
    loop.exec();
    return end;
}

// Answers each request with the same bytes and then does what it is told.
class PlainProvider : public QTcpServer
{
public:
    explicit PlainProvider(std::function<void(QTcpSocket *, int request)> answered)
        : m_answered(std::move(answered))
    {
        connect(this, &QTcpServer::newConnection, this, [this] {
            ++connections;
            QTcpSocket *socket = nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [this, socket] {
                if (!socket->readAll().contains("\"messages\""))
                    return;
                m_answered(socket, ++requests);
            });
        });
        if (!listen(QHostAddress::LocalHost))
            qFatal("no port is free");
    }
    WireOptions options() const
    {
        return {.baseUrl = QUrl(QStringLiteral("http://127.0.0.1:%1/v1").arg(serverPort())), .attempts = 1};
    }

    int connections = 0;
    int requests = 0;

private:
    std::function<void(QTcpSocket *, int)> m_answered;
};

} // namespace

class WireConnectionTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a_kept_connection_that_the_provider_closed_is_not_used_again()
    {
        PlainProvider provider([](QTcpSocket *socket, int) {
            socket->write(goodAnswer);
            socket->disconnectFromHost();
        });
        WireModel model(provider.options());
        for (int i = 0; i < 3; ++i) {
            QVERIFY(completionOf(model));
            QTest::qWait(20);
        }
        QCOMPARE(provider.connections, 3);
        QCOMPARE(provider.requests, 3);
    }

    // The close and the next request cross on the wire: sent once more, on a new connection, and no attempt is used up.
    void a_request_that_met_a_closing_connection_goes_out_again()
    {
        PlainProvider provider([](QTcpSocket *socket, int request) {
            if (request == 2)
                return socket->abort();
            socket->write(goodAnswer);
        });
        WireModel model(provider.options());
        QVERIFY(completionOf(model));
        QVERIFY(completionOf(model));
        QCOMPARE(provider.connections, 2);
        QCOMPARE(provider.requests, 3);
    }

    void a_new_connection_that_ends_without_an_answer_is_a_failure()
    {
        PlainProvider provider([](QTcpSocket *socket, int) { socket->abort(); });
        WireModel model(provider.options());
        const auto completion = completionOf(model);
        QCOMPARE(completion.error().code, ErrorCode::ModelFailed);
        QCOMPARE(provider.requests, 1);
    }

    void a_connection_is_not_used_again_after_words_that_nobody_asked_for()
    {
        PlainProvider provider([](QTcpSocket *socket, int) { socket->write(goodAnswer + "HTTP/1.1 200 OK\r\n"); });
        WireModel model(provider.options());
        QVERIFY(completionOf(model));
        QVERIFY(completionOf(model));
        QCOMPARE(provider.connections, 2);
    }

    // Late, after the end mark and so late that the loop finds the end and the end of its patience at once.
    void an_answer_that_ends_just_as_its_time_is_up_leaves_a_sound_connection()
    {
        QTcpSocket *asked = nullptr;
        PlainProvider provider([&](QTcpSocket *socket, int) {
            asked = socket;
            socket->write(goodAnswer.first(goodAnswer.indexOf("Content-Length"))
                          + "Transfer-Encoding: chunked\r\n\r\n");
            const QByteArray body = goodAnswer.sliced(goodAnswer.indexOf("\r\n\r\n") + 4);
            socket->write(QByteArray::number(body.size(), 16) + "\r\n" + body + "\r\n");
        });
        WireModel model(provider.options());
        QVERIFY(completionOf(model));
        asked->write("0\r\n\r\n");
        asked->flush();
        QThread::msleep(1'100); // WirePool waits a second for it
        QTest::qWait(50);
        QVERIFY(completionOf(model));
        QCOMPARE(provider.requests, 2);
        QCOMPARE(provider.connections, 1);
    }

    void a_connection_that_is_to_close_is_not_kept()
    {
        QByteArray closing = goodAnswer;
        closing.replace("Content-Type", "Connection: close\r\nContent-Type");
        PlainProvider provider([closing](QTcpSocket *socket, int) { socket->write(closing); });
        WireModel model(provider.options());
        QVERIFY(completionOf(model));
        QVERIFY(completionOf(model));
        QCOMPARE(provider.connections, 2);
    }

    void speaks_tls_and_only_with_whom_it_can_trust()
    {
        QTemporaryDir folder;
        const QString key = folder.filePath(QStringLiteral("key.pem"));
        const QString certificate = folder.filePath(QStringLiteral("certificate.pem"));
        QProcess openssl;
        openssl.start(QStringLiteral("openssl"),
                      {QStringLiteral("req"), QStringLiteral("-x509"), QStringLiteral("-newkey"),
                       QStringLiteral("rsa:2048"), QStringLiteral("-nodes"), QStringLiteral("-keyout"), key,
                       QStringLiteral("-out"), certificate, QStringLiteral("-days"), QStringLiteral("2"),
                       QStringLiteral("-subj"), QStringLiteral("/CN=localhost"), QStringLiteral("-addext"),
                       QStringLiteral("subjectAltName=DNS:localhost")});
        if (!openssl.waitForFinished(30'000) || openssl.exitCode() != 0)
            QSKIP("openssl is not installed: no certificate can be made");

        QFile keyFile(key);
        QVERIFY(keyFile.open(QIODevice::ReadOnly));
        const QList<QSslCertificate> own = QSslCertificate::fromPath(certificate);
        QSslConfiguration serverSide = QSslConfiguration::defaultConfiguration();
        serverSide.setLocalCertificateChain(own);
        serverSide.setPrivateKey(QSslKey(&keyFile, QSsl::Rsa));
        QSslServer provider;
        provider.setSslConfiguration(serverSide);
        int requests = 0;
        connect(&provider, &QTcpServer::pendingConnectionAvailable, this, [&] {
            QTcpSocket *socket = provider.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket, &requests] {
                if (socket->readAll().contains("\"messages\"")) {
                    ++requests;
                    socket->write(goodAnswer);
                }
            });
        });
        QVERIFY(provider.listen(QHostAddress::LocalHost));
        const auto optionsFor = [&](const QString &host) {
            return WireOptions{.baseUrl = QUrl(QStringLiteral("https://%1:%2/v1").arg(host).arg(provider.serverPort())),
                               .apiKey = "sk-secret"};
        };

        WireModel stranger(optionsFor(QStringLiteral("localhost")));
        const auto refused = completionOf(stranger);
        QCOMPARE(refused.error().code, ErrorCode::ModelFailed);
        QVERIFY2(refused.error().log.contains(QStringLiteral("SslHandshakeFailed")), qPrintable(refused.error().log));
        QCOMPARE(requests, 0);

        const QSslConfiguration before = QSslConfiguration::defaultConfiguration();
        QSslConfiguration trusting = before;
        trusting.addCaCertificates(own);
        QSslConfiguration::setDefaultConfiguration(trusting);
        WireModel friendOfOurs(optionsFor(QStringLiteral("localhost")));
        const auto completion = completionOf(friendOfOurs);
        const bool again = completionOf(friendOfOurs).has_value();
        WireModel misnamed(optionsFor(QStringLiteral("127.0.0.1"))); // the certificate does not name it
        const auto wrongName = completionOf(misnamed);
        QSslConfiguration::setDefaultConfiguration(before);
        QVERIFY2(completion, qPrintable(completion ? QString() : completion.error().log));
        QVERIFY(again);
        QCOMPARE(requests, 2);
        QVERIFY(!wrongName);
        QVERIFY(wrongName.error().log.contains(QStringLiteral("SslHandshakeFailed")));
    }
};

QTEST_GUILESS_MAIN(WireConnectionTest)
#include "tst_WireConnection.moc"
