#include "console/ui/pages/PaymentsPage.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/StateView.h"
#include "tests/console/support/CannedMoney.h"
#include "tests/console/support/TestConsole.h"

#include <QClipboard>
#include <QDateEdit>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

// The pages of money in front of a canned server, found and driven by object names.
class PaymentsPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<CannedServer>();
        canned::serveEverything(*m_server);
        canned::serveMoney(*m_server);
        m_console = std::make_unique<TestConsole>();
    }
    void cleanup()
    {
        m_console.reset();
        m_server.reset();
    }

    void payments_are_listed_filtered_and_fetched_as_one_scrolls()
    {
        open(u"payments"_s);
        auto *table = m_console->find<DataTable>("paymentsTable");
        QTRY_COMPARE(table->model()->rowCount(), 50);
        QCOMPARE(pageContext(), u"53 payments"_s);
        table->scrollToBottom();
        QTRY_COMPARE(table->model()->rowCount(), 53);
        auto *status = m_console->find<FilterChip>("paymentStatusFilter");
        QCOMPARE(status->accessibleName(), u"Status: any"_s);
        status->choose(static_cast<int>(PaymentStatus::Disputed));
        QCOMPARE(status->text(), u"Status: Disputed"_s);
        QTRY_COMPARE(lastPaymentQuery().queryItemValue(u"status"_s), u"disputed"_s);
        m_console->find<FilterChip>("paymentPeriodFilter")->choose(7);
        QTRY_COMPARE(lastPaymentQuery().queryItemValue(u"from"_s, QUrl::FullyDecoded), u"2026-11-16T00:00:00Z"_s);
        m_console->find<QLineEdit>("paymentSearch")->setText(u"anna"_s);
        QTRY_COMPARE(lastPaymentQuery().queryItemValue(u"q"_s), u"anna"_s);
        status->choose({});
        QTRY_VERIFY(!lastPaymentQuery().hasQueryItem(u"status"_s));
    }

    void nothing_found_nothing_there_and_no_answer_each_say_so()
    {
        m_server->on(u"GET /api/v1/admin/payments"_s, canned::page<AdminPayment>({}));
        open(u"payments"_s);
        QTRY_COMPARE(stateWhat("tab_payments"), u"No payments yet"_s);
        m_console->find<FilterChip>("paymentCurrencyFilter")->choose(u"JPY"_s);
        QTRY_COMPARE(stateWhat("tab_payments"), u"No payment matches"_s);
        m_server->on(u"GET /api/v1/admin/payments"_s, CannedReply{.drop = true});
        m_console->find<FilterChip>("paymentCurrencyFilter")->choose({});
        QTRY_COMPARE(stateWhat("tab_payments"), u"This could not be loaded"_s);
        canned::serveMoney(*m_server);
        for (auto *retry : m_console->find<QWidget>("tab_payments")->findChildren<QPushButton *>(u"retry"_s))
            if (retry->isVisible())
                retry->click();
        QTRY_COMPARE(m_console->find<DataTable>("paymentsTable")->model()->rowCount(), 50);
    }

    void a_payment_opens_at_the_side_by_keyboard_and_closes_on_escape()
    {
        open(u"payments"_s);
        auto *table = m_console->find<DataTable>("paymentsTable");
        QTRY_COMPARE(table->model()->rowCount(), 50);
        auto *pane = m_console->find<QWidget>("paymentPane");
        QVERIFY(!pane->isVisible());
        table->setFocus();
        table->setCurrentIndex(table->model()->index(0, 0));
        QTest::keyClick(table, Qt::Key_Return);
        QTRY_VERIFY(pane->isVisible() && m_console->window.isSettled());
        QCOMPARE(m_console->find<QLabel>("paymentAmount")->text(), u"$8.99"_s);
        QCOMPARE(m_console->window.place().toString(), u"payments/"_s + canned::payment(0).id.toString());
        QVERIFY(m_console->find<DataTable>("paymentTimeline")->model()->rowCount() >= 6);
        QCOMPARE(m_console->find<DataTable>("paymentLots")->model()->rowCount(), 2);
        QTest::keyClick(table, Qt::Key_Down); // the pane follows
        QTRY_COMPARE(m_console->window.place().toString(), u"payments/"_s + canned::payment(1).id.toString());
        QTest::keyClick(table, Qt::Key_Escape);
        QVERIFY(!pane->isVisible());
        QCOMPARE(m_console->window.place().toString(), u"payments"_s);
    }

    void the_providers_ids_are_copied_whole()
    {
        open(u"payments/"_s + canned::payment(1).id.toString());
        auto *ids = m_console->find<QWidget>("paymentIds");
        QTRY_VERIFY(!ids->findChildren<QPushButton *>(u"copyId"_s).isEmpty());
        QStringList names;
        for (auto *copy : ids->findChildren<QPushButton *>(u"copyId"_s)) {
            names.append(copy->accessibleName());
            if (copy->accessibleName().contains(u"sbx_pay_1"_s))
                copy->click();
        }
        QVERIFY(names.contains(u"Copy the payment's id"_s));
        QCOMPARE(QGuiApplication::clipboard()->text(), u"sbx_pay_1"_s);
    }

    void a_refund_shows_the_servers_preview_before_it_can_be_confirmed()
    {
        open(u"payments/"_s + canned::payment(1).id.toString());
        auto *refund = m_console->find<QPushButton>("refundPayment");
        QTRY_VERIFY(refund->isEnabled());
        refund->click();
        auto *confirm = m_console->inDialog<QPushButton>("confirm");
        QVERIFY(!confirm->isEnabled());
        QVERIFY(m_console->inDialog<QPushButton>("cancel")->isDefault());
        QTRY_COMPARE(m_console->inDialog<DataTable>("refundLots")->model()->rowCount(), 2);
        QVERIFY(!confirm->isEnabled()); // no reason yet
        m_console->inDialog<QLineEdit>("refundReason")->setText(u"Asked kindly"_s);
        QVERIFY(confirm->isEnabled());
        QCOMPARE(confirm->text(), u"Refund $5.99"_s);
        QVERIFY(m_console->inDialog<QLabel>("refundSentence")->text().contains(u"owes 12.5000 credits"_s));
        m_console->inDialog<QPushButton>("refundPart")->click();
        QVERIFY(!confirm->isEnabled());
        m_console->inDialog<QLineEdit>("refundAmount")->setText(u"2.00"_s);
        QTRY_COMPARE(confirm->text(), u"Refund $2.00"_s);
        const QString route = u"POST /api/v1/admin/payments/%1/refund"_s.arg(canned::payment(1).id.toString());
        m_server->on(route,
                     CannedReply::json(
                         toJson(RefundDone{u"r"_s, {.id = canned::payment(1).id, .createdAt = canned::now}}), 201));
        const int lists = m_server->count(u"GET /api/v1/admin/payments"_s);
        confirm->click();
        confirm->click();
        QTRY_VERIFY(m_console->prompts.dialog.isNull());
        QCOMPARE(m_server->count(route), 1);
        QCOMPARE(m_server->last(route).json(),
                 (QJsonObject{{u"amount"_s, u"2.00"_s}, {u"reason"_s, u"Asked kindly"_s}}));
        QTRY_VERIFY(m_server->count(u"GET /api/v1/admin/payments"_s) > lists); // the list is asked for anew
    }

    void a_refund_whose_dialog_was_closed_without_an_answer_goes_on_with_its_key()
    {
        const QString route = u"POST /api/v1/admin/payments/%1/refund"_s.arg(canned::payment(1).id.toString());
        m_server->on(route, CannedReply{.drop = true});
        open(u"payments/"_s + canned::payment(1).id.toString());
        auto *refund = m_console->find<QPushButton>("refundPayment");
        QTRY_VERIFY(refund->isEnabled());
        refund->click();
        m_console->inDialog<QLineEdit>("refundReason")->setText(u"Asked kindly"_s);
        QTRY_VERIFY(m_console->inDialog<QPushButton>("confirm")->isEnabled());
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_COMPARE(m_console->inDialog<QPushButton>("confirm")->text(), u"Send again"_s);
        QVERIFY(m_console->inDialog<QLabel>("refundProblem")->text().contains(u"may have been made"_s));
        const QByteArray key = m_server->last(route).headers.value("idempotency-key");
        m_console->prompts.dialog->reject();
        QTRY_VERIFY(m_console->prompts.dialog.isNull());
        QVERIFY(m_console->find<QLabel>("paymentNote")->isVisible());
        QTRY_VERIFY(m_console->window.isSettled());
        m_server->on(route,
                     CannedReply::json(
                         toJson(RefundDone{u"r"_s, {.id = canned::payment(1).id, .createdAt = canned::now}}), 201));
        refund->click();
        QVERIFY(!m_console->inDialog<QLineEdit>("refundReason")->isEnabled());
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_VERIFY(m_console->prompts.dialog.isNull());
        QCOMPARE(m_server->last(route).headers.value("idempotency-key"), key);
        QVERIFY(!m_console->find<QLabel>("paymentNote")->isVisible());
    }

    void subscriptions_tell_their_history_and_the_tier_of_a_day()
    {
        open(u"payments/subscriptions/"_s + canned::subscription(1).id);
        auto *tier = m_console->find<QLabel>("tierThen");
        QTRY_COMPARE(tier->text(), u"VIP"_s);
        QCOMPARE(m_console->find<DataTable>("subscriptionEvents")->model()->rowCount(), 1);
        m_console->find<QDateEdit>("tierDay")->setDate(QDate(2026, 11, 1));
        QTRY_COMPARE(tier->text(), u"Free"_s);
        QTRY_COMPARE(m_console->find<DataTable>("subscriptionsTable")->model()->rowCount(), 2);
        Q_EMIT m_console->find<DataTable>("subscriptionPayments")
            ->opened(m_console->find<DataTable>("subscriptionPayments")->model()->index(0, 0));
        QTRY_COMPARE(m_console->window.place().toString(), u"payments/"_s + canned::payment(0).id.toString());
        QVERIFY(m_console->find<QWidget>("paymentPane")->isVisible());
    }

    void a_dispute_opens_its_payment()
    {
        open(u"payments/disputes"_s);
        auto *table = m_console->find<DataTable>("disputesTable");
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QTRY_VERIFY(pageContext().startsWith(u"2 disputes, 1 open"_s));
        table->setCurrentIndex(table->model()->index(0, 0));
        QTest::keyClick(table, Qt::Key_Return);
        QTRY_COMPARE(m_console->window.place().toString(), u"payments/"_s + canned::payment(0).id.toString());
    }

    void a_debt_is_let_off_with_a_reason_and_its_key()
    {
        open(u"payments/debts"_s);
        auto *table = m_console->find<DataTable>("debtsTable");
        auto *forgive = m_console->find<QPushButton>("forgiveDebt");
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QVERIFY(!forgive->isEnabled() && !forgive->toolTip().isEmpty());
        table->setCurrentIndex(table->model()->index(1, 0));
        QVERIFY(!forgive->isEnabled()); // settled
        table->setCurrentIndex(table->model()->index(0, 0));
        QVERIFY(forgive->isEnabled());
        forgive->click();
        m_console->inDialog<QLineEdit>("forgiveAmount")->setText(u"13"_s);
        m_console->inDialog<QLineEdit>("forgiveReason")->setText(u"Our mistake"_s);
        QVERIFY(!m_console->inDialog<QPushButton>("confirm")->isEnabled());
        m_console->inDialog<QLineEdit>("forgiveAmount")->setText(u"2.5"_s);
        QCOMPARE(m_console->inDialog<QLabel>("forgiveAfter")->text(), u"10.0000"_s);
        const QString route = u"POST /api/v1/admin/debts/%1/forgive"_s.arg(canned::debt(1).id);
        m_server->on(route, CannedReply{.drop = true});
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_COMPARE(m_console->inDialog<QPushButton>("confirm")->text(), u"Send again"_s);
        const QByteArray key = m_server->last(route).headers.value("idempotency-key");
        m_server->on(route, CannedReply::json(toJson(canned::debt(1)), 201));
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_VERIFY(m_console->prompts.dialog.isNull());
        QCOMPARE(m_server->last(route).headers.value("idempotency-key"), key);
    }

    void differences_are_resolved_applied_again_and_days_compared()
    {
        open(u"payments/reconciliation"_s);
        auto *table = m_console->find<DataTable>("differencesTable");
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QTRY_COMPARE(pageContext(), u"1 difference needs attention"_s);
        QCOMPARE(m_console->find<DataTable>("runsTable")->model()->rowCount(), 2);
        Q_EMIT table->opened(table->model()->index(0, 0));
        auto *apply = m_console->find<QPushButton>("applyWebhook");
        QVERIFY(apply->isVisible());
        AdminWebhook webhook{.id = u"hook-1"_s, .type = u"t"_s, .status = u"failed"_s, .reason = u"Unknown product."_s};
        webhook.createdAt = webhook.receivedAt = webhook.lastAt = canned::now;
        m_server->on(u"GET /api/v1/admin/webhooks"_s, canned::page<AdminWebhook>({webhook}));
        m_server->on(u"POST /api/v1/admin/webhooks/hook-1/apply"_s, CannedReply::json(toJson(webhook)));
        apply->click();
        QTRY_VERIFY(m_console->find<QLabel>("differenceNote")->text().contains(u"Unknown product."_s));
        QCOMPARE(m_server->last(u"GET /api/v1/admin/webhooks"_s).query.queryItemValue(u"event"_s), u"evt_1"_s);
        const QString route =
            u"POST /api/v1/admin/reconciliation/%1/resolve"_s.arg(canned::difference(1, DifferenceKind::Amount).id);
        m_server->on(route, CannedReply::json(toJson(canned::difference(2, DifferenceKind::UnusableEvent))));
        m_console->find<QPushButton>("resolveDifference")->click();
        m_console->inDialog<QLineEdit>("reason")->setText(u"An old shop of ours"_s);
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_COMPARE(m_server->last(route).json().value(u"note"_s).toString(), u"An old shop of ours"_s);
        m_console->find<QPushButton>("compareDay")->click();
        m_server->on(u"POST /api/v1/admin/reconciliation/run"_s,
                     CannedReply::problem(404, u"not_found"_s, u"This provider is not configured."_s));
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_VERIFY(!m_console->inDialog<QLabel>("reconcileProblem")->text().isEmpty());
        m_server->on(u"POST /api/v1/admin/reconciliation/run"_s,
                     CannedReply::json(
                         toJson(ReconciliationRun{Provider::Sandbox, u"2026-11-21"_s, canned::now, 1, 1, 0, 0, {}})));
        m_console->inDialog<QPushButton>("confirm")->click();
        QTRY_VERIFY(m_console->prompts.dialog.isNull());
        QCOMPARE(m_server->last(u"POST /api/v1/admin/reconciliation/run"_s).json().value(u"day"_s).toString(),
                 u"2026-11-21"_s);
    }

    void revenue_is_told_by_currency_and_exported()
    {
        open(u"payments/revenue"_s);
        QTRY_VERIFY(m_console->find<QWidget>("kpi_deferred"));
        m_console->find<QPushButton>("currencyUSD")->click();
        QCOMPARE(m_console->find<QWidget>("kpi_deferred")->accessibleName(), u"Deferred $38.27"_s);
        QCOMPARE(m_console->find<QWidget>("kpi_received")->accessibleName(), u"Cash received $120.00"_s);
        QCOMPARE(m_console->find<DataTable>("revenueTable")->model()->rowCount(), 2);
        m_console->find<QPushButton>("day")->click();
        QTRY_COMPARE(m_server->last(u"GET /api/v1/admin/books/revenue"_s).query.queryItemValue(u"interval"_s),
                     u"day"_s);
        QTRY_VERIFY(m_console->window.isSettled());
        m_console->find<QPushButton>("exportRevenue")->click();
        QPointer<QDialog> dialog = m_console->prompts.dialog;
        const QString name = m_console->folder.filePath(u"out.csv"_s);
        Q_EMIT qobject_cast<QFileDialog *>(dialog)->fileSelected(name);
        dialog->reject();
        QFile file(name);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), revenueCsv(canned::revenue()));
    }

    void what_a_role_may_not_do_is_disabled_with_the_reason()
    {
        for (const auto &[role, chips] : {std::pair(Role::Support, u"yyynnn"_s), std::pair(Role::Viewer, u"yyynny"_s),
                                          std::pair(Role::Finance, u"yyyyyy"_s), std::pair(Role::Qa, u"nnnnnn"_s)}) {
            TokenGrant grant = canned::grant();
            grant.user.roles = {Role::User, role};
            m_server->on(u"POST /api/v1/auth/login"_s, CannedReply::json(toJson(grant)));
            m_console = std::make_unique<TestConsole>();
            open(u"payments/"_s + canned::payment(1).id.toString());
            QTRY_VERIFY(m_console->window.isSettled());
            QString found;
            for (const char *part : {"part_payments", "part_subscriptions", "part_disputes", "part_debts",
                                     "part_reconciliation", "part_revenue"}) {
                const auto *chip = m_console->find<QPushButton>(part);
                found += chip->isEnabled() ? u'y' : u'n';
                QCOMPARE(chip->toolTip().isEmpty(), chip->isEnabled());
            }
            QCOMPARE(found, chips);
            const auto *refund = m_console->find<QPushButton>("refundPayment");
            QCOMPARE(refund->isEnabled(), role == Role::Finance);
            QCOMPARE(refund->toolTip().isEmpty(), role == Role::Finance);
            QCOMPARE(m_console->find<QWidget>("paymentPane")->isVisible(), role != Role::Qa);
        }
    }

    void a_failed_payment_has_nothing_to_refund_and_says_so()
    {
        open(u"payments/"_s + canned::payment(2).id.toString());
        auto *refund = m_console->find<QPushButton>("refundPayment");
        QTRY_VERIFY(refund->toolTip().contains(u"failed"_s));
        QVERIFY(!refund->isEnabled());
    }

    void every_control_has_an_accessible_name_in_both_themes()
    {
        const QStringList places{u"payments/"_s + canned::payment(1).id.toString(),
                                 u"payments/subscriptions/"_s + canned::subscription(1).id,
                                 u"payments/disputes"_s,
                                 u"payments/debts"_s,
                                 u"payments/reconciliation"_s,
                                 u"payments/revenue"_s};
        for (const QString &place : places) {
            place == places.first() ? open(place) : m_console->window.goTo(Place::parse(place));
            QTRY_VERIFY(m_console->window.isSettled());
            for (const ColourScheme scheme : {ColourScheme::Light, ColourScheme::Dark}) {
                m_console->theme.choose(scheme);
                QVERIFY(!m_console->window.grab().isNull());
            }
            for (const QWidget *widget : m_console->window.findChildren<QWidget *>()) {
                const auto *button = qobject_cast<const QAbstractButton *>(widget);
                const bool control = button || qobject_cast<const QLineEdit *>(widget)
                    || qobject_cast<const QTableView *>(widget) || qobject_cast<const QAbstractSpinBox *>(widget);
                if (!control || !widget->isVisible() || widget->objectName().startsWith(u"qt_"_s)
                    || qobject_cast<const QLineEdit *>(widget->parent())
                    || qobject_cast<const QAbstractSpinBox *>(widget->parent())
                    || qobject_cast<const QTableView *>(widget->parent()))
                    continue;
                QVERIFY2(!widget->accessibleName().isEmpty() || (button && !button->text().isEmpty()),
                         qPrintable(place + u' ' + widget->objectName()));
            }
        }
    }

private:
    void open(const QString &place)
    {
        m_console->window.goTo(Place::parse(place));
        m_console->find<QLineEdit>("server")->setText(m_server->url().toString());
        m_console->find<QLineEdit>("accessKey")->setText(u"key-1"_s);
        m_console->find<QPushButton>("signIn")->click();
    }
    QString pageContext() const
    {
        return m_console->find<QWidget>("pageOf_payments")->findChild<QLabel *>(u"pageContext"_s)->text();
    }
    QString stateWhat(const char *tab) const
    {
        for (const auto *what : m_console->find<QWidget>(tab)->findChildren<QLabel *>(u"stateWhat"_s))
            if (what->isVisible())
                return what->text();
        return {};
    }
    QUrlQuery lastPaymentQuery() const { return m_server->last(u"GET /api/v1/admin/payments"_s).query; }

    std::unique_ptr<CannedServer> m_server;
    std::unique_ptr<TestConsole> m_console;
};

QTEST_MAIN(PaymentsPageTest)
#include "tst_PaymentsPage.moc"
