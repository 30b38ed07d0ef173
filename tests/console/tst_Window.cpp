#include "console/ui/charts/DayChartView.h"
#include "console/ui/pages/PersonaTestPage.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/StateView.h"
#include "tests/console/support/CannedModels.h"
#include "tests/console/support/TestConsole.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFontMetrics>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTest>
#include <QToolButton>

#include <cmath>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

namespace {

// WCAG 2.2, 1.4.3
double luminance(const QColor &colour)
{
    const auto part = [](double value) {
        return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * part(colour.redF()) + 0.7152 * part(colour.greenF()) + 0.0722 * part(colour.blueF());
}

double contrast(const QColor &a, const QColor &b)
{
    const double one = luminance(a), other = luminance(b);
    return (std::max(one, other) + 0.05) / (std::min(one, other) + 0.05);
}

} // namespace

// The whole console in front of a canned server, found and driven by object names.
class WindowTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<CannedServer>();
        canned::serveEverything(*m_server);
        m_console = std::make_unique<TestConsole>();
    }
    void cleanup()
    {
        m_console.reset();
        m_server.reset();
    }

    void digits_are_all_of_one_width()
    {
        for (const int pixels : {type::small, type::body, type::section, type::figure}) {
            const QFontMetrics metrics(Theme::font(pixels));
            for (char16_t digit = u'1'; digit <= u'9'; ++digit)
                QCOMPARE(metrics.horizontalAdvance(QChar(digit)), metrics.horizontalAdvance(u'0'));
        }
        QVERIFY(QFontInfo(Theme::font(type::body)).family().startsWith(u"Noto Sans"_s));
    }

    void text_stands_out_from_what_it_is_drawn_on()
    {
        for (const Tokens &tokens : {Tokens::light(), Tokens::darkOnes()}) {
            for (const QColor &ground : {tokens.window, tokens.surface, tokens.raised})
                for (const QColor &ink : {tokens.text, tokens.secondary, tokens.positive, tokens.warning, tokens.danger,
                                          tokens.spicy, tokens.rehearsal, tokens.accent})
                    QVERIFY2(contrast(ink, ground) >= 4.5, qPrintable(ink.name() + u" on "_s + ground.name()));
            QVERIFY(contrast(tokens.onAccent, tokens.accent) >= 4.5);
            QVERIFY(contrast(tokens.onAccent, tokens.danger) >= 4.5);
        }
    }

    void every_token_of_the_style_sheet_has_a_value()
    {
        for (const Tokens &tokens : {Tokens::light(), Tokens::darkOnes()}) {
            QVERIFY(!styleSheetFor(tokens).contains(u'$'));
            QVERIFY(!styleSheetFor(tokens).contains(u": ;"_s));
        }
        for (const QString &file : QDir(u":/icons"_s).entryList({u"*.svg"_s}))
            QVERIFY2(!m_console->theme.pixmap(file.chopped(4), Qt::red, 20, 1).toImage().isNull(), qPrintable(file));
    }

    void signing_in_opens_the_dashboard_with_its_figures()
    {
        signIn();
        QTRY_VERIFY(m_console->window.isSettled());
        QCOMPARE(m_console->find<QWidget>("kpi_revenue")->accessibleName(), u"Revenue $12,843.22"_s);
        QTRY_COMPARE(m_console->find<QToolButton>("person")->text().trimmed(), u"Olga Operator"_s);
        QTRY_VERIFY(m_console->find<QLabel>("connection")->text().startsWith(u"Development"_s));
        auto *revenue = m_console->find<DayChartView>("revenueChart");
        QVERIFY(revenue->isVisible());
        revenue->hoverDay(3);
        QVERIFY(!revenue->grab().isNull());
    }

    void a_wrong_key_and_a_wrong_address_are_said_in_the_form()
    {
        m_server->on(u"POST /api/v1/auth/login"_s, CannedReply::problem(401, u"unauthenticated"_s, u"No."_s));
        signIn();
        auto *problem = m_console->find<QLabel>("signInProblem");
        QTRY_VERIFY(problem->isVisible() && problem->text().contains(u"access-key create"_s));
        m_console->find<QLineEdit>("server")->setText(u"ftp://x"_s);
        click("signIn");
        QVERIFY(problem->text().contains(u"http://"_s));
    }

    void where_firebase_is_offered_one_signs_in_by_email_and_password()
    {
        offerFirebase();
        auto *server = m_console->find<QLineEdit>("server");
        server->setText(m_server->url().toString());
        auto *email = m_console->find<QLineEdit>("email"), *password = m_console->find<QLineEdit>("password");
        QTRY_VERIFY(email->isVisible() && password->isVisible());
        QVERIFY(!m_console->find<QLineEdit>("accessKey")->isVisible());
        QCOMPARE(password->echoMode(), QLineEdit::Password);
        email->setText(u"olga"_s);
        click("signIn");
        QVERIFY(m_console->find<QLabel>("signInProblem")->text().contains(u"email address"_s));
        email->setText(u"olga@example.com"_s);
        password->setText(u"wrong"_s);
        click("signIn");
        QTRY_VERIFY(m_console->find<QLabel>("signInProblem")->text().contains(u"is wrong"_s));
        QCOMPARE(password->selectedText().size(), 5); // to be typed over
        password->setText(u"correct horse"_s);
        click("signIn");
        QTRY_VERIFY(m_console->window.isSettled());
        QVERIFY(password->text().isEmpty());
        m_console->find<QAction>("signOut")->trigger();
        QVERIFY(email->isVisible() && email->text() == u"olga@example.com"_s);
    }

    void whoever_types_a_key_is_not_moved_to_another_form_and_may_choose()
    {
        offerFirebase();
        auto *key = m_console->find<QLineEdit>("accessKey");
        key->setText(u"ak-"_s);
        m_console->find<QLineEdit>("server")->setText(m_server->url().toString());
        QTRY_VERIFY(m_console->find<QAbstractButton>("byEmail")->isVisible());
        QVERIFY(key->isVisible());
        click("byEmail");
        QVERIFY(!key->isVisible() && m_console->find<QLineEdit>("email")->isVisible());
        click("byKey");
        QVERIFY(key->isVisible());
        // Another server, which offers nothing of the kind.
        m_server->on(u"GET /api/v1/auth/providers"_s, CannedReply::problem(404, u"not_found"_s, u"No."_s));
        m_console->find<QLineEdit>("server")->setText(QString(m_server->url().toString() + u"/x"_s));
        QTRY_VERIFY(!m_console->find<QAbstractButton>("byEmail")->isVisible());
        QVERIFY(key->isVisible());
    }

    void a_missing_keyring_is_told_and_stops_nothing()
    {
        m_console->keyring.brokenWith = u"This desktop has no keyring."_s;
        signIn();
        QTRY_VERIFY(m_console->find<QWidget>("notice")->isVisible());
        QCOMPARE(m_console->find<QLabel>("noticeText")->text(), u"This desktop has no keyring."_s);
        click("closeNotice");
        QVERIFY(!m_console->find<QWidget>("notice")->isVisible());
    }

    void a_failed_chart_stays_in_its_card_with_retry()
    {
        m_server->on(u"GET /api/v1/admin/stats"_s, CannedReply::problem(503, u"overloaded"_s, u"Too busy just now."_s));
        signIn();
        auto *figures = m_console->find<StateView>("kpis");
        QTRY_COMPARE(figures->state(), StateView::State::Failed);
        QCOMPARE(figures->findChild<QLabel *>(u"stateHow"_s)->text(), u"Too busy just now."_s);
        m_server->on(u"GET /api/v1/admin/stats"_s, CannedReply::json(toJson(canned::stats())));
        figures->findChild<QPushButton *>(u"retry"_s)->click();
        QTRY_COMPARE(figures->state(), StateView::State::Content);
    }

    void the_range_asks_for_that_many_days()
    {
        signIn();
        QTRY_VERIFY(m_console->window.isSettled());
        click("range7");
        QTRY_VERIFY(m_console->window.isSettled());
        const QUrlQuery query = m_server->last(u"GET /api/v1/admin/stats"_s).query;
        QCOMPARE(query.queryItemValue(u"from"_s), u"2026-11-16T00:00:00Z"_s);
        QCOMPARE(query.queryItemValue(u"to"_s), u"2026-11-23T00:00:00Z"_s);
    }

    void typing_searches_and_enter_opens_the_user()
    {
        open(u"users"_s);
        auto *table = m_console->find<DataTable>("usersTable");
        QTRY_COMPARE(table->model()->rowCount(), 3);
        QTest::keyClicks(m_console->find<QLineEdit>("userSearch"), u"user2"_s);
        QTRY_COMPARE(table->model()->rowCount(), 1);
        table->setCurrentIndex(table->model()->index(0, 0));
        QTest::keyClick(table, Qt::Key_Return);
        QTRY_VERIFY(m_console->window.isSettled());
        QCOMPARE(m_console->find<QLabel>("walletTotal")->text(), u"318.4320"_s);
        QCOMPARE(m_console->find<DataTable>("transactionsTable")->model()->rowCount(), 3);
        QCOMPARE(m_console->find<DataTable>("lotsTable")->model()->rowCount(), 3);
        QTest::keyClick(m_console->find<QWidget>("userView"), Qt::Key_Escape);
        QTRY_VERIFY(table->isVisible());
    }

    void a_search_without_a_match_says_so()
    {
        open(u"users/nobody@nowhere"_s);
        auto *table = m_console->find<DataTable>("usersTable");
        QTRY_VERIFY(m_console->window.isSettled());
        QVERIFY(!table->isVisible());
        bool said = false;
        for (const QLabel *what : m_console->window.findChildren<QLabel *>(u"stateWhat"_s))
            said |= what->isVisible() && what->text() == u"Nobody matches"_s;
        QVERIFY(said);
    }

    void adjusting_credits_shows_the_result_first_and_sends_one_key()
    {
        open(u"users/user2@example.com"_s);
        QTRY_VERIFY(m_console->find<QPushButton>("adjustCredits")->isEnabled());
        const QString route = u"POST /api/v1/admin/users/"_s + canned::user(2).id.toString() + u"/adjustments"_s;
        m_server->on(route, {.drop = true}); // the answer is lost
        click("adjustCredits");
        auto *go = m_console->inDialog<QPushButton>("confirm");
        QVERIFY(!go->isEnabled());
        QTest::keyClicks(m_console->inDialog<QLineEdit>("amount"), u"12.5"_s);
        QTest::keyClicks(m_console->inDialog<QLineEdit>("reason"), u"goodwill"_s);
        QCOMPARE(go->text(), u"Give 12.5000"_s);
        QVERIFY(m_console->inDialog<QLabel>("totalChange")->text().endsWith(u"330.9320"_s));
        go->click();
        QTRY_VERIFY(go->isEnabled());
        QVERIFY(!m_console->inDialog<QLabel>("adjustProblem")->text().isEmpty());
        const QByteArray key = m_server->last(route).headers.value("idempotency-key");
        m_server->on(route, CannedReply::json(toJson(canned::transaction(3)), 201));
        go->click();
        QTRY_VERIFY(!m_console->prompts.dialog || !m_console->prompts.dialog->isVisible());
        QVERIFY(!key.isEmpty());
        QCOMPARE(m_server->last(route).headers.value("idempotency-key"), key);
    }

    void a_draft_saved_by_somebody_else_meanwhile_loses_nothing()
    {
        open(u"characters/aria"_s);
        auto *prompt = m_console->find<QPlainTextEdit>("systemPrompt");
        QTRY_COMPARE(prompt->toPlainText(), u"You are kind."_s);
        auto *save = m_console->find<QPushButton>("saveDraft");
        QVERIFY(!save->isEnabled());
        prompt->setPlainText(u"You are patient."_s);
        QVERIFY(save->isEnabled());
        m_server->on(u"PUT /api/v1/admin/characters/*"_s,
                     CannedReply::problem(412, u"precondition_failed"_s, u"Changed."_s));
        save->click();
        QTRY_VERIFY(m_console->find<QPushButton>("loadTheirs")->isVisible());
        QVERIFY(m_console->find<QLabel>("editorNote")->text().contains(u"still here"_s));
        QCOMPARE(prompt->toPlainText(), u"You are patient."_s);
        click("loadTheirs");
        QTRY_COMPARE(prompt->toPlainText(), u"You are kind."_s);
    }

    void wrong_fields_are_named_before_anything_is_sent()
    {
        open(u"characters/aria"_s);
        auto *name = m_console->find<QLineEdit>("name");
        QTRY_COMPARE(name->text(), u"Aria"_s);
        name->clear();
        click("saveDraft");
        QVERIFY(!name->accessibleDescription().isEmpty());
        QCOMPARE(m_server->count(u"PUT /api/v1/admin/characters/"_s + canned::character(u"aria"_s).id.toString()), 0);
    }

    void publishing_asks_with_before_and_after_and_cancel_has_the_focus()
    {
        const AdminCharacter aria = canned::character(u"aria"_s);
        const QString route = u"POST /api/v1/admin/characters/"_s + aria.id.toString() + u"/publish"_s;
        AdminCharacter published = aria;
        published.publishedVersion = 2;
        published.hasUnpublishedChanges = false;
        m_server->on(route, CannedReply::json(toJson(published)));
        open(u"characters/aria"_s);
        QTRY_VERIFY(m_console->find<QPushButton>("publish")->isEnabled());
        click("publish");
        QVERIFY(m_console->inDialog<QPushButton>("cancel")->isDefault());
        m_console->inDialog<QPushButton>("cancel")->click();
        QCOMPARE(m_server->count(route), 0);
        click("publish");
        QCOMPARE(m_console->inDialog<QPushButton>("confirm")->text(), u"Publish v2"_s);
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_COMPARE(m_console->find<QLabel>("editorNote")->text(), u"Version 2 is published."_s);
        QVERIFY(!m_console->find<QPushButton>("publish")->isEnabled());
    }

    void both_modes_answer_side_by_side_and_the_figures_open_the_turn()
    {
        open(u"persona-test/aria"_s);
        QTRY_COMPARE(m_console->find<QComboBox>("version")->count(), 2);
        click("modeBoth");
        auto *composer = m_console->find<QPlainTextEdit>("composer");
        QTest::keyClicks(composer, u"Hello"_s);
        QTest::keyClick(composer, Qt::Key_Return);
        QVERIFY(m_console->find<QPushButton>("stop")->isVisible());
        QTRY_VERIFY(m_console->find<QPushButton>("send")->isVisible());
        QStringList replies;
        for (const QLabel *reply : m_console->window.findChildren<QLabel *>(u"replyText"_s))
            replies.append(reply->text());
        QCOMPARE(replies, (QStringList{u"A normal reply."_s, u"A spicy reply."_s}));
        for (QPushButton *figures : m_console->window.findChildren<QPushButton *>(u"figures"_s))
            if (figures->isVisible())
                figures->click();
        QVERIFY(m_console->inDialog<QPlainTextEdit>("exactPrompt")->toPlainText().contains(u"You are kind."_s));
    }

    void the_rehearsal_model_is_marked_where_it_answers()
    {
        open(u"persona-test/aria"_s);
        auto *mark = m_console->find<QLabel>("rehearsalMark");
        QTRY_VERIFY(mark->isVisible());
        QCOMPARE(mark->text(), u"Rehearsal model: replies are not a language model's"_s);
        QCOMPARE(mark->palette().color(QPalette::WindowText), m_console->theme.tokens().rehearsal);
        auto *connection = m_console->find<QLabel>("connection");
        QVERIFY2(connection->text().endsWith(u" · rehearsal"_s), qPrintable(connection->text()));
        QVERIFY(connection->fontMetrics().horizontalAdvance(connection->text()) <= connection->width());
        QVERIFY(connection->toolTip().contains(mark->text()));
    }

    void a_real_model_carries_no_mark()
    {
        m_server->on(u"GET /api/v1/admin/system"_s,
                     CannedReply::json(toJson(SystemInfo{.version = u"0.1.0"_s,
                                                         .environment = u"production"_s,
                                                         .model = u"a-model"_s,
                                                         .startedAt = canned::now,
                                                         .components = {}})));
        open(u"persona-test/aria"_s);
        auto *connection = m_console->find<QLabel>("connection");
        QTRY_VERIFY(connection->text().startsWith(u"Production"_s));
        QVERIFY(!connection->text().contains(u"rehearsal"_s));
        QVERIFY(m_console->find<QWidget>("productionLine")->isVisible());
        QVERIFY(!m_console->find<QLabel>("rehearsalMark")->isVisible());
    }

    void a_character_without_a_spicy_prompt_offers_normal_only()
    {
        open(u"persona-test/kenji"_s);
        QTRY_VERIFY(m_console->window.isSettled());
        QVERIFY(!m_console->find<QPushButton>("modeSpicy")->isEnabled());
        QVERIFY(m_console->find<QWidget>("normalColumn")->isVisible());
        QVERIFY(!m_console->find<QWidget>("spicyColumn")->isVisible());
    }

    void shift_enter_breaks_the_line_and_the_composer_grows_to_six()
    {
        open(u"persona-test/aria"_s);
        auto *composer = m_console->find<QPlainTextEdit>("composer");
        QTRY_VERIFY(composer->isVisible());
        const int one = composer->height();
        for (int i = 0; i < 9; ++i)
            QTest::keyClick(composer, Qt::Key_Return, Qt::ShiftModifier);
        QCOMPARE(composer->document()->lineCount(), 10);
        QCOMPARE(composer->height(), one + 5 * composer->fontMetrics().lineSpacing());
        QCOMPARE(m_server->count(u"POST /api/v1/admin/persona-tests"_s), 0);
    }

    void the_palette_goes_where_the_letters_point()
    {
        signIn();
        QTRY_VERIFY(m_console->window.isSettled());
        click("openSearch");
        QTest::keyClicks(m_console->inDialog<QLineEdit>("paletteText"), u"pers"_s);
        QTest::keyClick(m_console->inDialog<QLineEdit>("paletteText"), Qt::Key_Return);
        QTRY_COMPARE(m_console->window.place().page, u"persona-test"_s);
    }

    void the_theme_changes_live_and_is_remembered()
    {
        m_console->theme.choose(ColourScheme::Dark);
        QVERIFY(m_console->theme.tokens().dark);
        QCOMPARE(qApp->palette().color(QPalette::Window), QColor(0x111418));
        m_console->theme.choose(ColourScheme::System);
        QVERIFY(!m_console->theme.tokens().dark);
        m_console->theme.setSystemIsDark(true);
        QVERIFY(m_console->theme.tokens().dark);
    }

    void the_rail_narrows_and_remembers_it()
    {
        signIn();
        QTRY_VERIFY(m_console->window.isSettled());
        m_console->find<QToolButton>("collapseRail")->click();
        QCOMPARE(m_console->find<QWidget>("rail")->width(), size::railCollapsed);
        QVERIFY(Setting<bool>(m_console->settings, "window/railCollapsed").value());
    }

    void signing_out_forgets_the_key_and_shows_the_form()
    {
        signIn();
        QTRY_VERIFY(m_console->window.isSettled());
        QTRY_VERIFY(!m_console->keyring.secrets.isEmpty());
        m_console->find<QAction>("signOut")->trigger();
        QVERIFY(m_console->find<QWidget>("signInPage")->isVisible());
        QVERIFY(m_console->keyring.secrets.isEmpty());
        QVERIFY(m_console->find<QLineEdit>("accessKey")->text().isEmpty());
    }

    void every_control_has_an_accessible_name()
    {
        signIn();
        for (const char *page : {"dashboard", "characters/aria", "users/user2@example.com", "persona-test/aria"}) {
            m_console->window.goTo(Place::parse(QString::fromLatin1(page)));
            QTRY_VERIFY(m_console->window.isSettled());
            for (const QWidget *widget : m_console->window.findChildren<QWidget *>()) {
                const bool control = qobject_cast<const QAbstractButton *>(widget)
                    || qobject_cast<const QLineEdit *>(widget) || qobject_cast<const QComboBox *>(widget)
                    || qobject_cast<const QTableView *>(widget) || qobject_cast<const QPlainTextEdit *>(widget);
                if (!control || !widget->isVisible() || widget->objectName().startsWith(u"qt_"_s))
                    continue;
                const auto *button = qobject_cast<const QAbstractButton *>(widget);
                const bool named = !widget->accessibleName().isEmpty() || (button && !button->text().isEmpty());
                QVERIFY2(named || qobject_cast<const QLineEdit *>(widget->parent()),
                         qPrintable(widget->objectName() + u' '
                                    + QString::fromLatin1(widget->metaObject()->className())));
            }
        }
    }

private:
    void click(const char *name)
    {
        auto *button = m_console->find<QAbstractButton>(name);
        QVERIFY2(button, name);
        button->click();
    }
    void offerFirebase()
    {
        const SignInOffer offer{.provider = LoginProvider::Firebase,
                                .projectId = u"demo-companion"_s,
                                .apiKey = u"web-key"_s,
                                .emulatorHost = m_server->url().authority()};
        m_server->on(u"GET /api/v1/auth/providers"_s, CannedReply::json(toJson(SignInOffers{{{}, offer}})));
        m_server->on(u"POST /identitytoolkit.googleapis.com/v1/accounts:signInWithPassword"_s,
                     [](const CannedRequest &request) {
                         return request.json().value(u"password"_s) == u"correct horse"_s
                             ? CannedReply::json({{u"idToken"_s, u"i"_s}, {u"refreshToken"_s, u"r"_s}})
                             : CannedReply::json({{u"error"_s,
                                                   QJsonObject{{u"message"_s, u"INVALID_LOGIN_CREDENTIALS"_s}}}},
                                                 400);
                     });
    }
    void signIn()
    {
        m_console->find<QLineEdit>("server")->setText(m_server->url().toString());
        m_console->find<QLineEdit>("accessKey")->setText(u"key-1"_s);
        click("signIn");
    }
    void open(const QString &place)
    {
        m_console->window.goTo(Place::parse(place));
        signIn();
    }

    std::unique_ptr<CannedServer> m_server;
    std::unique_ptr<TestConsole> m_console;
};

QTEST_MAIN(WindowTest)
#include "tst_Window.moc"
