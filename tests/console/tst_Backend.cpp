#include "console/ui/widgets/DataTable.h"
#include "tests/console/support/TestConsole.h"

#include <QComboBox>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QProcess>
#include <QPushButton>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

namespace {

constexpr int patience_ms = 20'000;

} // namespace

// The real console in front of the real backend with a PostgreSQL of its own, both made for this test.
class BackendTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.remove(u"DATABASE_URL"_s);
        environment.insert(u"COMPANION_REHEARSAL_PACE"_s, u"0"_s);
        m_backend.setProcessEnvironment(environment);
        m_backend.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_backend.start(QStringLiteral(COMPANION_BACKEND),
                        {u"serve"_s, u"--ready-json"_s, u"--listen"_s, u"127.0.0.1:0"_s, u"--data"_s, m_data.path()});
        QVERIFY2(m_backend.waitForStarted(), COMPANION_BACKEND);
        QTRY_VERIFY_WITH_TIMEOUT(m_backend.canReadLine(), 60'000);
        m_ready = QJsonDocument::fromJson(m_backend.readLine()).object();
        QVERIFY(!m_ready.value(u"url"_s).toString().isEmpty());

        QProcess user;
        user.setProcessEnvironment(environment);
        user.start(QStringLiteral(COMPANION_BACKEND),
                   {u"access-key"_s, u"create"_s, u"--user"_s, u"anna@example.com"_s, u"--tier"_s, u"premium"_s,
                    u"--age-verified"_s, u"--data"_s, m_data.path(), u"--json"_s});
        QVERIFY(user.waitForFinished(30'000));
        QVERIFY2(user.exitCode() == 0, user.readAllStandardError().constData());

        m_console = std::make_unique<TestConsole>();
        m_console->clock.at = QDateTime::currentDateTimeUtc();
        m_console->find<QLineEdit>("server")->setText(m_ready.value(u"url"_s).toString());
        m_console->find<QLineEdit>("accessKey")->setText(m_ready.value(u"admin_access_key"_s).toString());
        m_console->find<QPushButton>("signIn")->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
    }

    void cleanupTestCase()
    {
        m_console.reset();
        m_backend.terminate();
        QVERIFY(m_backend.waitForFinished(60'000));
    }

    void the_dashboard_shows_the_real_figures()
    {
        QVERIFY(m_console->find<QWidget>("kpi_revenue"));
        QTRY_VERIFY(m_console->find<QLabel>("connection")->text().startsWith(u"Development"_s));
    }

    void a_user_is_found_and_given_credits_that_the_wallet_then_shows()
    {
        open(u"users/anna@example.com"_s);
        auto *total = m_console->find<QLabel>("walletTotal");
        QTRY_COMPARE_WITH_TIMEOUT(total->text(), u"100.0000"_s, patience_ms); // premium: a day's credits
        m_console->find<QPushButton>("adjustCredits")->click();
        auto *bucket = m_console->inDialog<QComboBox>("bucket");
        bucket->setCurrentIndex(bucket->findText(u"Bonus"_s));
        m_console->inDialog<QLineEdit>("amount")->setText(u"12.5"_s);
        m_console->inDialog<QLineEdit>("reason")->setText(u"goodwill after an outage"_s);
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_COMPARE_WITH_TIMEOUT(total->text(), u"112.5000"_s, patience_ms);
        auto *history = m_console->find<DataTable>("transactionsTable")->model();
        QTRY_COMPARE_WITH_TIMEOUT(history->index(0, 1).data().toString(), u"Adjustment"_s, patience_ms);
    }

    void a_character_is_edited_saved_and_published()
    {
        open(u"characters/aria"_s);
        auto *tagline = m_console->find<QLineEdit>("tagline");
        QTRY_VERIFY_WITH_TIMEOUT(!tagline->text().isEmpty(), patience_ms);
        tagline->setText(u"Edited by a test"_s);
        m_console->find<QPushButton>("saveDraft")->click();
        auto *note = m_console->find<QLabel>("editorNote");
        QTRY_COMPARE_WITH_TIMEOUT(note->text(), u"Draft saved."_s, patience_ms);
        m_console->find<QPushButton>("publish")->click();
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_VERIFY_WITH_TIMEOUT(note->text().contains(u"is published"_s), patience_ms);
    }

    void a_persona_answers_in_both_modes_with_its_figures()
    {
        open(u"persona-test/aria"_s);
        m_console->find<QPushButton>("modeBoth")->click();
        auto *composer = m_console->find<QPlainTextEdit>("composer");
        composer->setPlainText(u"Hello, who are you?"_s);
        QTest::keyClick(composer, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(m_console->find<QPushButton>("send")->isVisible(), patience_ms);
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
        const auto figures = m_console->window.findChildren<QPushButton *>(u"figures"_s);
        int shown = 0;
        for (const QPushButton *one : figures)
            shown += one->isVisible() && one->text().contains(u"tokens"_s) ? 1 : 0;
        QCOMPARE(shown, 2);
    }

private:
    void open(const QString &place)
    {
        m_console->window.goTo(Place::parse(place));
        QTRY_VERIFY_WITH_TIMEOUT(m_console->window.isSettled(), patience_ms);
    }

    QTemporaryDir m_data;
    QProcess m_backend;
    QJsonObject m_ready;
    std::unique_ptr<TestConsole> m_console;
};

QTEST_MAIN(BackendTest)
#include "tst_Backend.moc"
