#include "console/models/CharactersModel.h"
#include "console/models/ConversationModel.h"
#include "console/models/UsersModel.h"
#include "console/models/WalletModels.h"
#include "tests/console/support/CannedModels.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace companion;
using namespace Qt::StringLiterals;
using namespace companion::console;

class ModelsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<CannedServer>();
        m_client = std::make_unique<ApiClient>();
        m_client->setServer(m_server->url());
        canned::serveEverything(*m_server);
    }

    void characters_say_what_is_published_and_what_waits()
    {
        CharactersModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        AdminCharacter draft = canned::character(u"new"_s, false);
        draft.status = CharacterStatus::Draft;
        draft.publishedVersion.reset();
        model.setRows({canned::character(u"aria"_s), draft});
        using C = CharactersModel;
        const auto text = [&](int row, int column) { return model.index(row, column).data().toString(); };
        QCOMPARE(text(0, C::Name), u"Aria"_s);
        QCOMPARE(text(0, C::Status), u"Published, edited"_s);
        QCOMPARE(text(0, C::Version), u"v1, draft v2"_s);
        QCOMPARE(text(1, C::Version), u"draft v2"_s);
        QCOMPARE(text(1, C::Modes), u"Normal"_s);
        QCOMPARE(model.index(1, C::Status).data(ToneRole).value<Tone>(), Tone::Warning);
        QCOMPARE(model.headerData(C::Price, Qt::Horizontal, Qt::TextAlignmentRole).toInt(),
                 int(Qt::AlignRight | Qt::AlignVCenter));
        QVERIFY(model.find(u"aria"_s) && !model.find(u"nobody"_s));
    }

    void the_answer_to_an_older_search_never_replaces_a_newer_ones()
    {
        m_server->on(u"GET /api/v1/admin/users"_s, [](const CannedRequest &request) {
            const bool slow = request.query.queryItemValue(u"q"_s) == u"slow"_s;
            CannedReply reply = canned::page(slow ? QList{canned::user(1)} : QList{canned::user(2), canned::user(3)});
            reply.delay_ms = slow ? 150 : 0;
            return reply;
        });
        UsersApi api(*m_client);
        UsersModel model(api);
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QSignalSpy failed(&model, &UsersModel::failed);
        model.search({.text = u"slow"_s, .tier = {}, .status = {}});
        model.search({.text = u"fast"_s, .tier = {}, .status = {}});
        QTRY_COMPARE(model.rowCount(), 2);
        QTest::qWait(250);
        QCOMPARE(model.rowCount(), 2);
        QVERIFY(failed.isEmpty());
    }

    void users_come_page_by_page()
    {
        m_server->on(u"GET /api/v1/admin/users"_s, [](const CannedRequest &request) {
            const int offset = request.query.queryItemValue(u"offset"_s).toInt();
            QList<AdminUser> users;
            for (int i = offset; i < std::min(offset + 50, 70); ++i)
                users.append(canned::user(i));
            return canned::page(users, offset == 0);
        });
        UsersApi api(*m_client);
        UsersModel model(api);
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.search({});
        QTRY_COMPARE(model.rowCount(), 50);
        QVERIFY(model.canFetchMore({}));
        model.fetchMore({});
        QTRY_COMPARE(model.rowCount(), 70);
        QVERIFY(!model.canFetchMore({}));
    }

    void transactions_follow_the_cursor_and_never_ask_twice()
    {
        const QString route = u"GET /api/v1/admin/users/"_s + canned::user(2).id.toString() + u"/transactions"_s;
        m_server->on(route, [](const CannedRequest &request) {
            const QString cursor = request.query.queryItemValue(u"cursor"_s);
            return cursor.isEmpty()
                ? canned::page<Transaction>({canned::transaction(1), canned::transaction(2)}, true, u"c2"_s)
                : canned::page<Transaction>({canned::transaction(3)});
        });
        UsersApi api(*m_client);
        TransactionsModel model(api);
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.load(canned::user(2).id);
        QTRY_COMPARE(model.rowCount(), 2);
        model.fetchMore({});
        model.fetchMore({}); // a view asks again while the first is under way
        QTRY_COMPARE(model.rowCount(), 3);
        QCOMPARE(m_server->count(route), 2);
        QVERIFY(!model.canFetchMore({}));
        using C = TransactionsModel;
        QCOMPARE(model.index(0, C::Amount).data().toString(), QString(QChar(0x2212) + u"0.0328"_s));
        QCOMPARE(model.index(2, C::Amount).data().toString(), u"+110.0000"_s);
        QCOMPARE(model.index(2, C::Buckets).data().toString(), u"Purchased"_s);
        QCOMPARE(model.index(2, C::DailyFree).data().toString(), QString());
        QCOMPARE(model.index(2, C::Amount).data(ToneRole).value<Tone>(), Tone::Positive);
    }

    void a_charge_out_of_two_buckets_names_both_parts()
    {
        UsersApi api(*m_client);
        TransactionsModel model(api);
        Transaction split = canned::transaction(1);
        split.buckets.purchased = *Credits::parse(u"-0.5");
        model.setRows({split});
        const QString text = model.index(0, TransactionsModel::Buckets).data().toString();
        QVERIFY2(text.contains(u"Daily free"_s) && text.contains(u"Purchased"_s) && text.contains(u"0.5000"_s),
                 qPrintable(text));
    }

    void a_failed_page_of_history_can_be_asked_for_again()
    {
        const QString route = u"GET /api/v1/admin/users/"_s + canned::user(2).id.toString() + u"/transactions"_s;
        m_server->on(route, CannedReply::problem(503, u"overloaded"_s, u"Busy."_s));
        UsersApi api(*m_client);
        TransactionsModel model(api);
        QSignalSpy failed(&model, &TransactionsModel::failed);
        model.load(canned::user(2).id);
        QVERIFY(failed.wait());
        m_server->on(route, canned::page<Transaction>({canned::transaction(1)}));
        model.load(canned::user(2).id);
        QTRY_COMPARE(model.rowCount(), 1);
    }

    void lots_without_an_end_say_never()
    {
        LotsModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setRows(canned::balance().lots);
        QCOMPARE(model.index(1, LotsModel::Expires).data().toString(), u"never"_s);
        QVERIFY(model.index(2, LotsModel::Expires).data(TimeRole).toDateTime().isValid());
    }

    void versions_pass_the_model_tester()
    {
        VersionsModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setRows({canned::version(2), canned::version(1)});
        model.appendRows({canned::version(3)});
        QCOMPARE(model.index(0, VersionsModel::Version).data().toString(), u"v2"_s);
    }

    void a_conversation_remembers_what_was_said_and_sends_all_of_it()
    {
        PersonaTestApi api(*m_client);
        ConversationModel model(api, {.character = canned::character(u"aria"_s).id, .version = 3, .mode = Mode::Spicy});
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.send(u" Hello "_s);
        QVERIFY(model.isStreaming());
        model.send(u"too early"_s);
        QTRY_VERIFY(!model.isStreaming());
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.entry(1).text, u"A spicy reply."_s);
        QVERIFY(model.entry(1).result.has_value());
        QCOMPARE(model.index(1).data(ConversationModel::FiguresRole).toString(),
                 u"rehearsal · 260 tokens · 0.0260 credits · 238 ms to first token · 1.4 s in all · allowed"_s);
        PersonaTestResult nameless = canned::testResult();
        nameless.model.clear();
        QVERIFY(figuresText(nameless).startsWith(u"260 tokens"_s));
        model.send(u"And you?"_s);
        QTRY_VERIFY(!model.isStreaming());
        const QJsonObject sent = m_server->requests.last().json();
        QCOMPARE(sent.value(u"messages"_s).toArray().size(), 3);
        QCOMPARE(sent.value(u"messages"_s)[0][u"content"].toString(), u"Hello"_s);
        QCOMPARE(sent.value(u"version"_s).toInt(), 3);
        QCOMPARE(sent.value(u"mode"_s).toString(), u"spicy"_s);
    }

    void stopping_keeps_what_was_said_so_far()
    {
        m_server->on(u"POST /api/v1/admin/persona-tests"_s,
                     {.contentType = "text/event-stream",
                      .stream = {"data: {\"choices\":[{\"delta\":{\"content\":\"So far\"}}]}\n\n", ": ping\n\n",
                                 ": ping\n\n"},
                      .delay_ms = 100});
        PersonaTestApi api(*m_client);
        ConversationModel model(api, {.character = canned::character(u"aria"_s).id, .version = {}});
        model.send(u"Hello"_s);
        QTRY_COMPARE(model.entry(1).text, u"So far"_s);
        model.stop();
        QCOMPARE(model.entry(1).state, ConversationModel::State::Stopped);
        QCOMPARE(model.request().messages.size(), 2);
    }

    void a_reply_that_failed_is_shown_and_not_sent_along()
    {
        m_server->on(u"POST /api/v1/admin/persona-tests"_s,
                     CannedReply::problem(502, u"model_failed"_s, u"The model failed."_s));
        PersonaTestApi api(*m_client);
        ConversationModel model(api, {.character = canned::character(u"aria"_s).id, .version = {}});
        model.send(u"Hello"_s);
        QTRY_COMPARE(model.entry(1).state, ConversationModel::State::Failed);
        QCOMPARE(model.entry(1).problem, u"The model failed."_s);
        QCOMPARE(model.request().messages.size(), 1);
    }

    void another_persona_begins_anew_even_while_one_is_speaking()
    {
        PersonaTestApi api(*m_client);
        ConversationModel model(api, {.character = canned::character(u"aria"_s).id, .version = {}});
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.send(u"Hello"_s);
        model.setSubject({.character = canned::character(u"kenji"_s).id, .version = {}});
        QCOMPARE(model.rowCount(), 0);
        QVERIFY(!model.isStreaming());
        QTest::qWait(100);
        QCOMPARE(model.rowCount(), 0);
    }

private:
    std::unique_ptr<CannedServer> m_server;
    std::unique_ptr<ApiClient> m_client;
};

QTEST_GUILESS_MAIN(ModelsTest)
#include "tst_Models.moc"
