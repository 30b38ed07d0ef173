#include "console/ui/widgets/DataTable.h"
#include "tests/console/support/TestConsole.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QPushButton>
#include <QTest>
#include <QUuid>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

namespace {

constexpr int patience_ms = 30'000;

} // namespace

// The payments page in front of the real backend, its sandbox's money and a PostgreSQL of its own; also while the
// backend is killed.
class MoneyOnBackendTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        serve(u"127.0.0.1:0"_s);
        m_url = m_ready.value(u"url"_s).toString();
        m_user = made(u"anna@example.com"_s);
        m_console = std::make_unique<TestConsole>();
        m_console->clock.at = QDateTime::currentDateTimeUtc();
        m_console->find<QLineEdit>("server")->setText(m_url);
        m_console->find<QLineEdit>("accessKey")->setText(m_ready.value(u"admin_access_key"_s).toString());
        m_console->find<QPushButton>("signIn")->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
        const QJsonObject login = call("POST", u"/api/v1/auth/login"_s,
                                       {{u"provider"_s, u"access_key"_s}, {u"token"_s, m_user[u"access_key"_s]}});
        m_token = login[u"access_token"_s].toString().toLatin1();
        QVERIFY(!m_token.isEmpty());
    }
    void cleanupTestCase()
    {
        m_console.reset();
        m_backend.terminate();
        QVERIFY(m_backend.waitForFinished(60'000));
    }

    void a_refund_does_what_its_preview_said_and_a_double_click_refunds_once()
    {
        const QString payment = buy(u"popular"_s);
        open(u"payments/"_s + payment);
        QCOMPARE(label("paymentAmount"), u"$8.99"_s);
        m_console->find<QPushButton>("refundPayment")->click();
        m_console->inDialog<QPushButton>("refundPart")->click();
        m_console->inDialog<QLineEdit>("refundAmount")->setText(u"3.00"_s);
        m_console->inDialog<QLineEdit>("refundReason")->setText(u"Asked kindly"_s);
        auto *confirm = m_console->inDialog<QPushButton>("confirm");
        QTRY_COMPARE_WITH_TIMEOUT(confirm->text(), u"Refund $3.00"_s, patience_ms);
        auto *lots = m_console->inDialog<DataTable>("refundLots")->model();
        QCOMPARE(lots->index(0, 3).data().toString(), u"66.6296"_s); // what will be left in it
        QTest::mouseDClick(confirm, Qt::LeftButton);
        confirm->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_console->prompts.dialog.isNull(), patience_ms);
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
        QTRY_COMPARE_WITH_TIMEOUT(m_console->find<QWidget>("paymentStatus")->accessibleName(), u"Partly refunded"_s,
                                  patience_ms);
        auto *now = m_console->find<DataTable>("paymentLots")->model();
        QCOMPARE(now->index(0, 2).data().toString(), u"66.6296"_s);
        QCOMPARE(refundsOf(payment), 1);
        QCOMPARE(call("GET", u"/api/v1/wallet/balance"_s)[u"purchased"_s].toString(), u"66.6296"_s);
    }

    void the_backend_killed_while_the_dialog_is_open_loses_nothing()
    {
        const QString payment = buy(u"starter"_s);
        open(u"payments/"_s + payment);
        m_console->find<QPushButton>("refundPayment")->click();
        m_console->inDialog<QLineEdit>("refundReason")->setText(u"Bought twice"_s);
        auto *confirm = m_console->inDialog<QPushButton>("confirm");
        QTRY_VERIFY_WITH_TIMEOUT(confirm->isEnabled(), patience_ms);

        m_backend.kill();
        QVERIFY(m_backend.waitForFinished(30'000));
        confirm->click();
        QTRY_COMPARE_WITH_TIMEOUT(confirm->text(), u"Send again"_s, patience_ms);
        QVERIFY(m_console->inDialog<QLabel>("refundProblem")->text().contains(u"may have been made"_s));
        QCOMPARE(m_console->inDialog<QLineEdit>("refundReason")->text(), u"Bought twice"_s);
        confirm->click(); // still dead
        QTRY_COMPARE_WITH_TIMEOUT(confirm->text(), u"Send again"_s, patience_ms);

        const QUrl address(m_url);
        serve(u"127.0.0.1:%1"_s.arg(address.port()));
        confirm->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_console->prompts.dialog.isNull(), patience_ms);
        QTRY_COMPARE_WITH_TIMEOUT(m_console->find<QWidget>("paymentStatus")->accessibleName(), u"Refunded"_s,
                                  patience_ms);
        QCOMPARE(refundsOf(payment), 1);
    }

    void every_part_shows_what_the_real_server_says()
    {
        open(u"payments"_s);
        QVERIFY(m_console->find<DataTable>("paymentsTable")->model()->rowCount() >= 2);
        for (const QString &part : {u"subscriptions"_s, u"disputes"_s, u"debts"_s, u"reconciliation"_s, u"revenue"_s}) {
            open(u"payments/"_s + part);
            auto *tab = m_console->window.findChild<QWidget *>(QString(u"tab_"_s + part));
            QVERIFY2(tab->isVisible(), qPrintable(part));
            for (const auto *what : tab->findChildren<QLabel *>(u"stateWhat"_s))
                QVERIFY2(!what->isVisible() || what->text() != u"This could not be loaded"_s, qPrintable(part));
        }
        QTRY_VERIFY(m_console->find<QWidget>("kpi_received"));
        QVERIFY(m_console->find<QWidget>("kpi_received")->accessibleName().startsWith(u"Cash received $"_s));
    }

private:
    void serve(const QString &listen)
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.remove(u"DATABASE_URL"_s);
        environment.insert(u"COMPANION_REHEARSAL_PACE"_s, u"0"_s);
        m_backend.setProcessEnvironment(environment);
        m_backend.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_backend.start(QStringLiteral(COMPANION_BACKEND),
                        {u"serve"_s, u"--ready-json"_s, u"--listen"_s, listen, u"--data"_s, m_data.path()});
        QVERIFY2(m_backend.waitForStarted(), COMPANION_BACKEND);
        QTRY_VERIFY_WITH_TIMEOUT(m_backend.canReadLine(), 60'000);
        m_ready = QJsonDocument::fromJson(m_backend.readLine()).object();
        QVERIFY(!m_ready.value(u"url"_s).toString().isEmpty());
    }
    QJsonObject made(const QString &email)
    {
        QProcess user;
        user.setProcessEnvironment(m_backend.processEnvironment());
        user.start(QStringLiteral(COMPANION_BACKEND),
                   {u"access-key"_s, u"create"_s, u"--user"_s, email, u"--data"_s, m_data.path(), u"--json"_s});
        if (!user.waitForFinished(30'000) || user.exitCode() != 0)
            qWarning("%s", user.readAllStandardError().constData());
        return QJsonDocument::fromJson(user.readAllStandardOutput()).object();
    }
    QJsonObject call(const char *method, const QString &path, const QJsonObject &body = {})
    {
        return QJsonDocument::fromJson(
                   send(method, path, body.isEmpty() ? QByteArray() : QJsonDocument(body).toJson(), "application/json"))
            .object();
    }
    QByteArray send(const char *method, const QString &path, const QByteArray &body, const char *type)
    {
        QNetworkRequest request{QUrl(m_url + path)};
        request.setHeader(QNetworkRequest::ContentTypeHeader, type);
        if (!m_token.isEmpty())
            request.setRawHeader("Authorization", "Bearer " + m_token);
        request.setRawHeader("Idempotency-Key", QUuid::createUuid().toByteArray(QUuid::WithoutBraces));
        QNetworkReply *reply = m_network.sendCustomRequest(request, method, body);
        if (!QTest::qWaitFor([&] { return reply->isFinished(); }, patience_ms))
            qWarning("no answer to %s", qPrintable(path));
        reply->deleteLater();
        return reply->readAll();
    }
    // Bought and paid at the sandbox; its webhook has come.
    QString buy(const QString &product)
    {
        const QJsonObject started =
            call("POST", u"/api/v1/market/buy_credits"_s, {{u"product"_s, product}, {u"provider"_s, u"sandbox"_s}});
        const QString id = started[u"payment_id"_s].toString();
        send("POST", QUrl(started[u"checkout_url"_s].toString()).path(), "outcome=pay",
             "application/x-www-form-urlencoded");
        if (!QTest::qWaitFor(
                [&] { return call("GET", u"/api/v1/market/payments/"_s + id)[u"status"_s].toString() == u"paid"_s; },
                patience_ms))
            qWarning("the payment was not paid");
        return id;
    }
    int refundsOf(const QString &payment)
    {
        const QByteArray user = std::exchange(m_token, {});
        const QJsonObject login =
            call("POST", u"/api/v1/auth/login"_s,
                 {{u"provider"_s, u"access_key"_s}, {u"token"_s, m_ready.value(u"admin_access_key"_s)}});
        m_token = login[u"access_token"_s].toString().toLatin1();
        const QJsonObject story = call("GET", u"/api/v1/admin/payments/%1/story"_s.arg(payment));
        m_token = user;
        int money = 0;
        for (const auto &entry : story[u"money"_s].toArray())
            money += entry[u"kind"].toString() == u"refund"_s ? 1 : 0;
        const auto ordered = static_cast<int>(story[u"refunds"_s].toArray().size());
        return ordered == money ? ordered : -1;
    }
    void open(const QString &place)
    {
        m_console->clock.at = QDateTime::currentDateTimeUtc();
        m_console->window.goTo(Place::parse(place));
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
    }
    QString label(const char *name) const { return m_console->find<QLabel>(name)->text(); }

    QTemporaryDir m_data;
    QProcess m_backend;
    QJsonObject m_ready;
    QJsonObject m_user;
    QString m_url;
    QByteArray m_token;
    QNetworkAccessManager m_network;
    std::unique_ptr<TestConsole> m_console;
};

QTEST_MAIN(MoneyOnBackendTest)
#include "tst_MoneyOnBackend.moc"
