#include "console/models/Format.h"
#include "console/models/MoneyModels.h"
#include "console/models/MoneyWords.h"
#include "console/models/RefundForm.h"
#include "console/models/Rights.h"
#include "tests/console/support/CannedMoney.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

namespace {

template <class Model, class Row>
void checkTable(const QList<Row> &rows)
{
    Model model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setRows(rows);
    QCOMPARE(model.rowCount(), int(rows.size()));
    for (int column = 0; column < model.columnCount(); ++column)
        QVERIFY2(!model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString().isEmpty(),
                 qPrintable(QString::number(column)));
    model.appendRows(rows);
}

} // namespace

// What the pages of money show and decide, without a window.
class MoneyModelsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<CannedServer>();
        m_client = std::make_unique<ApiClient>();
        m_client->setServer(m_server->url());
        canned::serveMoney(*m_server);
        m_api = std::make_unique<PaymentsApi>(*m_client);
    }

    void every_table_is_a_sound_model_with_titles()
    {
        checkTable<PaymentsModel>(QList{canned::payment(1), canned::payment(2)});
        checkTable<SubscriptionsModel>(QList{canned::subscription(1)});
        checkTable<DisputesModel>(QList{canned::dispute(1, DisputeState::Open), canned::dispute(2, DisputeState::Won)});
        checkTable<DebtsModel>(QList{canned::debt(1), canned::debt(2)});
        checkTable<DifferencesModel>(QList{canned::difference(1, DifferenceKind::Amount)});
        checkTable<PaymentLotsModel>(canned::story(1).lots);
        checkTable<RefundLotsModel>(canned::refundPreview(u"5.99"_s).lots);
        checkTable<TimelineModel>(timelineOf(canned::story(1)));
        checkTable<RunsModel>(
            QList<ReconciliationRun>{{Provider::Stripe, u"2026-11-21"_s, canned::now, 3, 2, 0, 1, {}}});
    }

    void money_reads_in_its_currencys_own_digits_data()
    {
        QTest::addColumn<QString>("amount");
        QTest::addColumn<QString>("currency");
        QTest::addColumn<QString>("text");
        QTest::newRow("dollars") << u"8.99"_s << u"USD"_s << u"$8.99"_s;
        QTest::newRow("thousands") << u"12345.60"_s << u"EUR"_s << u"\u20AC12,345.60"_s;
        QTest::newRow("no minor digits") << u"1980"_s << u"JPY"_s << u"\u00A51,980"_s;
        QTest::newRow("negative") << u"-3.00"_s << u"USD"_s << u"\u2212$3.00"_s;
        QTest::newRow("three digits") << u"1.234"_s << u"KWD"_s << u"KWD\u00A01.234"_s;
        QTest::newRow("a hundred million million") << u"100000000000000.01"_s << u"USD"_s << u"100000000000000.01"_s;
    }
    void money_reads_in_its_currencys_own_digits()
    {
        QFETCH(const QString, amount);
        QFETCH(const QString, currency);
        QFETCH(const QString, text);
        QVERIFY(format::money(amount, currency, QLocale::c()).contains(text)
                || format::money(amount, currency, QLocale(QLocale::English)).contains(text));
    }

    void payments_come_page_by_page_and_never_all_at_once()
    {
        PaymentsModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.load([this](int limit, const auto &cursor) { return m_api->payments({}, {limit, cursor}); });
        QTRY_COMPARE(model.rowCount(), 50);
        QCOMPARE(model.total(), 53);
        QCOMPARE(m_server->count(u"GET /api/v1/admin/payments"_s), 1);
        QVERIFY(model.canFetchMore({}));
        model.fetchMore({});
        QVERIFY(!model.canFetchMore({})); // one at a time
        QTRY_COMPARE(model.rowCount(), 53);
        QCOMPARE(m_server->last(u"GET /api/v1/admin/payments"_s).query.queryItemValue(u"cursor"_s), u"50"_s);
        QVERIFY(!model.canFetchMore({}));
        QCOMPARE(model.total(), 53);
    }

    void the_answer_to_an_older_question_never_replaces_a_newer_ones()
    {
        m_server->on(u"GET /api/v1/admin/payments"_s, [](const CannedRequest &request) {
            const bool slow = request.query.queryItemValue(u"q"_s) == u"slow"_s;
            CannedReply reply =
                canned::page(slow ? QList{canned::payment(1)} : QList{canned::payment(2), canned::payment(3)});
            reply.delay_ms = slow ? 150 : 0;
            return reply;
        });
        PaymentsModel model;
        QSignalSpy failed(&model.news(), &ListNews::failed);
        const auto search = [&](const QString &text) {
            model.load([=, this](int limit, const auto &cursor) {
                return m_api->payments({.text = text, .status = {}, .provider = {}, .currency = {}, .from = {}},
                                       {limit, cursor});
            });
        };
        search(u"slow"_s);
        search(u"fast"_s);
        QTRY_COMPARE(model.rowCount(), 2);
        QTest::qWait(250);
        QCOMPARE(model.rowCount(), 2);
        QVERIFY(failed.isEmpty());
    }

    void a_search_says_all_its_filters()
    {
        m_api->payments({.text = u"anna+x@example.com"_s,
                         .status = PaymentStatus::PartiallyRefunded,
                         .provider = Provider::Stripe,
                         .currency = u"EUR"_s,
                         .from = canned::now},
                        {20, u"12.a b"_s});
        const QString route = u"GET /api/v1/admin/payments"_s;
        QTRY_COMPARE(m_server->count(route), 1);
        const QUrlQuery query = m_server->last(route).query;
        QCOMPARE(query.queryItemValue(u"q"_s, QUrl::FullyDecoded), u"anna+x@example.com"_s);
        QVERIFY(!query.toString(QUrl::FullyEncoded).contains(u'+'));
        QCOMPARE(query.queryItemValue(u"status"_s), u"partially_refunded"_s);
        QCOMPARE(query.queryItemValue(u"provider"_s), u"stripe"_s);
        QCOMPARE(query.queryItemValue(u"currency"_s), u"EUR"_s);
        QCOMPARE(query.queryItemValue(u"from"_s, QUrl::FullyDecoded), json::timeText(canned::now));
        QCOMPARE(query.queryItemValue(u"cursor"_s, QUrl::FullyDecoded), u"12.a b"_s);
    }

    void a_payments_story_is_told_newest_first_with_its_money_and_credits()
    {
        QStringList told;
        for (const TimelineStep &step : timelineOf(canned::story(1)))
            told.append(step.what + u'|' + step.amount);
        const QString minus(QChar(0x2212));
        QCOMPARE(told,
                 (QStringList{u"Refunded|"_s + minus + u"$3.00"_s, u"Debt|"_s, u"Refund ordered|$3.00"_s,
                              u"Paid|+$8.99"_s, u"Purchase|+100.0000 cr"_s, u"Checkout begun|"_s}));
        PaymentStory disputed = canned::story(0);
        disputed.disputes = {canned::dispute(0, DisputeState::Lost)};
        QStringList words;
        for (const TimelineStep &step : timelineOf(disputed))
            words.append(step.what);
        QVERIFY(words.contains(u"Dispute opened"_s) && words.contains(u"Dispute lost"_s));
    }

    void revenue_is_shown_by_period_in_one_currency_and_written_as_csv_in_all()
    {
        RevenueModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(canned::revenue(), u"USD"_s, RevenueInterval::Month);
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.index(0, RevenueModel::Period).data().toString(), u"November 2026"_s);
        QCOMPARE(model.index(1, RevenueModel::Deferred).data().toString(), u"$38.27"_s);
        model.show(canned::revenue(), u"JPY"_s, RevenueInterval::Month);
        QCOMPARE(model.rowCount(), 1);
        QCOMPARE(model.index(0, RevenueModel::Received).data().toString(), u"\u00A5980"_s);
        const QList<QByteArray> lines = revenueCsv(canned::revenue()).split('\n');
        QCOMPARE(lines.size(), 5); // a head, three rows, the end
        QCOMPARE(lines.at(1).trimmed(),
                 "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,USD,120.00,9.99,8.99,0.00,6.10,"
                 "61.50,1.25,38.27");
    }

    void who_may_not_is_told_who_may_data()
    {
        QTest::addColumn<QList<Role>>("roles");
        QTest::addColumn<QString>("may"); // payments, refund, debts, reconciliation, revenue
        QTest::newRow("admin") << QList{Role::User, Role::Admin} << u"yyyyy"_s;
        QTest::newRow("finance") << QList{Role::User, Role::Finance} << u"yyyyy"_s;
        QTest::newRow("support") << QList{Role::User, Role::Support} << u"ynnnn"_s;
        QTest::newRow("viewer") << QList{Role::User, Role::Viewer} << u"ynnny"_s;
        QTest::newRow("qa") << QList{Role::User, Role::Qa} << u"nnnnn"_s;
        QTest::newRow("support and viewer") << QList{Role::Support, Role::Viewer} << u"ynnny"_s;
    }
    void who_may_not_is_told_who_may()
    {
        QFETCH(const QList<Role>, roles);
        QFETCH(const QString, may);
        QString found;
        for (const MoneyAct act :
             {MoneyAct::ReadPayments, MoneyAct::Refund, MoneyAct::Debts, MoneyAct::Reconciliation, MoneyAct::Revenue}) {
            found += console::may(roles, act) ? u'y' : u'n';
            QCOMPARE(whyNot(roles, act).isEmpty(), console::may(roles, act));
        }
        QCOMPARE(found, may);
    }

    void a_refund_can_be_confirmed_only_as_it_was_previewed()
    {
        RefundForm form(*m_api, canned::payment(1));
        QCOMPARE(form.left(), u"5.99"_s);
        form.setWhole();
        QCOMPARE(form.state(), RefundForm::State::Previewing);
        form.setReason(u"Asked kindly"_s);
        QVERIFY(!form.canConfirm());
        QTRY_COMPARE(form.state(), RefundForm::State::Ready);
        QVERIFY(form.canConfirm());
        form.setReason(u"no"_s);
        QVERIFY(!form.canConfirm()); // the server wants three characters
        form.setReason(u"Asked kindly"_s);
        form.setAmount(u"2.50"_s); // another amount: the old preview says nothing of it
        QVERIFY(!form.canConfirm() && !form.preview());
        form.confirm();
        QTRY_COMPARE(form.state(), RefundForm::State::Ready);
        QCOMPARE(form.preview()->amount, u"2.50"_s);
        QVERIFY(form.canConfirm());
        QCOMPARE(m_server->count(u"POST /api/v1/admin/payments/%1/refund"_s.arg(canned::payment(1).id.toString())), 0);
    }

    void an_amount_that_cannot_be_is_refused_before_the_server_is_asked_data()
    {
        QTest::addColumn<QString>("typed");
        QTest::addColumn<bool>("said");
        QTest::newRow("nothing") << u""_s << false;
        QTest::newRow("zero") << u"0"_s << true;
        QTest::newRow("negative") << u"-1"_s << true;
        QTest::newRow("words") << u"five"_s << true;
        QTest::newRow("half a cent") << u"1.005"_s << true;
        QTest::newRow("more than is left") << u"6.00"_s << true;
        QTest::newRow("more than fits") << u"99999999999999999999"_s << true;
        QTest::newRow("exponent") << u"1e2"_s << true;
    }
    void an_amount_that_cannot_be_is_refused_before_the_server_is_asked()
    {
        QFETCH(const QString, typed);
        QFETCH(const bool, said);
        RefundForm form(*m_api, canned::payment(1));
        form.setReason(u"Asked kindly"_s);
        form.setAmount(typed);
        QCOMPARE(form.state(), RefundForm::State::Editing);
        QCOMPARE(!form.problem().isEmpty(), said);
        QTest::qWait(300);
        QVERIFY(m_server->requests.isEmpty());
        QVERIFY(!form.canConfirm());
    }

    void a_refund_that_was_not_answered_is_sent_again_with_the_same_key_and_words()
    {
        serveRefund({.drop = true});
        RefundForm form(*m_api, canned::payment(1));
        prepare(form);
        form.confirm();
        QTRY_COMPARE(form.state(), RefundForm::State::Unanswered);
        QVERIFY(!form.isOpen() && form.problem().contains(u"may have been made"_s));
        form.setAmount(u"1.00"_s); // what may be under way cannot be changed
        form.setReason(u"Something else"_s);
        const CannedRequest first = m_server->last(m_refundRoute);
        const auto unanswered = form.unanswered();
        QVERIFY(unanswered);

        RefundForm again(*m_api, canned::payment(1)); // the dialog was closed and opened again
        again.resume(*unanswered);
        serveRefund(CannedReply::json(
            toJson(RefundDone{u"r"_s, {.id = canned::payment(1).id, .amount = u"8.99"_s, .createdAt = canned::now}}),
            201));
        QSignalSpy done(&again, &RefundForm::done);
        QVERIFY(again.canConfirm());
        again.confirm();
        QTRY_COMPARE(done.size(), 1);
        const CannedRequest second = m_server->last(m_refundRoute);
        QCOMPARE(second.headers.value("idempotency-key"), first.headers.value("idempotency-key"));
        QCOMPARE(second.body, first.body);
        QVERIFY(!again.unanswered());
    }

    void a_refused_refund_begins_anew_with_another_key()
    {
        serveRefund(CannedReply::problem(409, u"conflict"_s, u"Another refund of this payment is under way."_s));
        RefundForm form(*m_api, canned::payment(1));
        prepare(form);
        form.confirm();
        QTRY_COMPARE(form.state(), RefundForm::State::Editing);
        QVERIFY(form.isOpen() && form.problem().contains(u"under way"_s));
        const QByteArray key = m_server->last(m_refundRoute).headers.value("idempotency-key");
        form.askAgain();
        QTRY_COMPARE(form.state(), RefundForm::State::Ready);
        form.confirm();
        QTRY_COMPARE(m_server->count(m_refundRoute), 2);
        QVERIFY(m_server->last(m_refundRoute).headers.value("idempotency-key") != key);
    }

    void confirming_twice_sends_once()
    {
        serveRefund({.status = 502, .body = "{}", .delay_ms = 50});
        RefundForm form(*m_api, canned::payment(1));
        prepare(form);
        form.confirm();
        form.confirm();
        QTRY_COMPARE(form.state(), RefundForm::State::Unanswered); // 5xx: nobody knows
        QCOMPARE(m_server->count(m_refundRoute), 1);
    }

    void a_preview_that_failed_can_be_asked_for_again()
    {
        m_server->on(u"GET /api/v1/admin/payments/%1/refund"_s.arg(canned::payment(1).id.toString()),
                     CannedReply{.drop = true});
        RefundForm form(*m_api, canned::payment(1));
        form.setReason(u"Asked kindly"_s);
        form.setWhole();
        QTRY_VERIFY(form.canAskAgain());
        QVERIFY(!form.problem().isEmpty() && !form.canConfirm());
        canned::serveMoney(*m_server);
        form.askAgain();
        QTRY_VERIFY(form.canConfirm());
    }

private:
    void serveRefund(const CannedReply &reply)
    {
        m_refundRoute = u"POST /api/v1/admin/payments/%1/refund"_s.arg(canned::payment(1).id.toString());
        m_server->on(m_refundRoute, reply);
    }
    void prepare(RefundForm &form)
    {
        form.setReason(u"Asked kindly"_s);
        form.setWhole();
        QTRY_COMPARE(form.state(), RefundForm::State::Ready);
    }

    std::unique_ptr<CannedServer> m_server;
    std::unique_ptr<ApiClient> m_client;
    std::unique_ptr<PaymentsApi> m_api;
    QString m_refundRoute;
};

QTEST_MAIN(MoneyModelsTest)
#include "tst_MoneyModels.moc"
