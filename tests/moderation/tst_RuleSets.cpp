#include "db/DatabaseError.h"
#include "identity/AccountStore.h"
#include "moderation/RuleSets.h"
#include "support/TestDatabase.h"

#include <QJsonDocument>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::moderation;

namespace {

QJsonObject fileWith(const char *term, const char *hit)
{
    const QByteArray rule =
        QByteArray(
            "{\"format\":1,\"rules\":[{\"id\":\"house-rule\",\"category\":\"house\",\"action\":\"block\",\"any\":[\"")
        + term + "\"],\"tests\":{\"hits\":[\"" + hit + "\"],\"passes\":[\"a quiet evening\"]}}]}";
    return QJsonDocument::fromJson(rule).object();
}

} // namespace

// Rule sets in the database: drafts, what may go live, and how the running engine takes it over.
class TestRuleSets : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;
    std::shared_ptr<Engine> m_engine;
    std::unique_ptr<RuleSets> m_sets;
    UserId m_admin;

    db::Session &db() { return m_db->operators(); }
    bool isBlocked(const QString &text) const
    {
        return m_engine->screen({text, Direction::Input, Mode::Spicy, {}}).isBlocked();
    }
    qint64 draft(const QJsonObject &files)
    {
        const auto before = m_sets->stored(db(), 0);
        const auto put = m_sets->putDraft(db(), {files, u"a note"_s}, before ? before->edition : 0, m_admin);
        return put ? put->edition : -1;
    }
    void go(const QJsonObject &files)
    {
        const auto live = m_sets->publish(db(), draft(files), u"because"_s, m_admin);
        QVERIFY(live.has_value());
        QVERIFY(*m_sets->catchUp(db()));
    }

private Q_SLOTS:
    void init()
    {
        m_db = std::make_unique<test::TestDatabase>();
        m_engine = *Engine::load();
        m_sets = std::make_unique<RuleSets>(m_engine);
        m_admin = identity::AccountStore()
                      .create(db(), {.displayName = u"Admin"_s, .email = u"a@example.com"_s}, m_db->clock().now())
                      ->id();
    }

    void without_a_set_the_programs_own_rules_run()
    {
        QVERIFY(!*m_sets->catchUp(db()));
        const auto view = m_sets->overview(db());
        QCOMPARE(view.live, 0);
        QVERIFY(!view.hasDraft);
        QVERIFY(view.rules.size() > 10);
        QVERIFY(!view.classifier.isEmpty());
    }

    void a_draft_changes_nothing_until_it_is_published()
    {
        QVERIFY(draft({{u"90-house.json"_s, fileWith("moonshine festival", "to the moonshine festival")}}) > 0);
        QVERIFY(!*m_sets->catchUp(db()));
        QVERIFY(!isBlocked(u"Let us go to the moonshine festival."_s));
        go({{u"90-house.json"_s, fileWith("moonshine festival", "to the moonshine festival")}});
        QVERIFY(isBlocked(u"Let us go to the moonshine festival."_s));
        QCOMPARE(m_sets->liveVersion(), 1);
        QVERIFY(!m_sets->stored(db(), 0));
    }

    void a_stale_edit_is_refused()
    {
        const qint64 first = draft({});
        QVERIFY(draft({{u"90-house.json"_s, fileWith("gin", "some gin")}}) > first);
        QCOMPARE(m_sets->putDraft(db(), {{}, u""_s}, first, m_admin).error().code, ErrorCode::PreconditionFailed);
        QCOMPARE(m_sets->publish(db(), first, u"because"_s, m_admin).error().code, ErrorCode::PreconditionFailed);
    }

    void a_broken_set_never_goes_live_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("file");
        QTest::newRow("its own test fails")
            << u"90-house.json"_s << QJsonDocument(fileWith("gin", "some rum")).toJson();
        QTest::newRow("no rule file") << u"90-house.json"_s << QByteArray("{\"hello\":1}");
        QTest::newRow("two rules of one id")
            << u"90-house.json"_s
            << QByteArray(
                   "{\"format\":1,\"rules\":[{\"id\":\"crime-how\",\"category\":\"x\",\"action\":\"block\",\"any\":"
                   "[\"gin\"],\"tests\":{\"hits\":[\"gin\"],\"passes\":[\"tea\"]}}]}");
        QTest::newRow("what no mode allows is let through")
            << u"10-minors.json"_s << QByteArray("{\"format\":1,\"rules\":[]}");
        QTest::newRow("and with an excuse as well")
            << u"05-all.json"_s
            << QByteArray("{\"format\":1,\"rules\":[{\"id\":\"free-all\",\"category\":\"weapons\",\"action\":\"allow\","
                          "\"any\":"
                          "[\"how\"],\"tests\":{\"hits\":[\"how\"],\"passes\":[\"tea\"]}}]}");
    }
    void a_broken_set_never_goes_live()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, file);
        go({{u"90-house.json"_s, fileWith("moonshine", "the moonshine")}});
        const qint64 edition = draft({{name, QJsonDocument::fromJson(file).object()}});
        QVERIFY(edition > 0); // a draft may have mistakes, and says them
        QVERIFY(!m_sets->shown(db(), *m_sets->stored(db(), 0)).mistakes.isEmpty());
        const auto published = m_sets->publish(db(), edition, u"because"_s, m_admin);
        QVERIFY(!published.has_value());
        QCOMPARE(published.error().code, ErrorCode::Invalid);
        QVERIFY(!published.error().errors.isEmpty());
        QVERIFY(!*m_sets->catchUp(db()));
        QVERIFY(isBlocked(u"the moonshine"_s));
    }

    void a_set_that_got_broken_in_the_database_leaves_the_engine_alone()
    {
        go({{u"90-house.json"_s, fileWith("moonshine", "the moonshine")}});
        m_db->owner().script(u"INSERT INTO moderation_rule_sets (version, files, author, changed_at) VALUES "
                             "(2, '{\"90-house.json\": {\"format\": 7}}', '%1', now())"_s.arg(m_admin.toString()));
        QVERIFY(!m_sets->catchUp(db()).has_value());
        QVERIFY(isBlocked(u"the moonshine"_s));
        QCOMPARE(m_sets->liveVersion(), 1);
    }

    void an_earlier_version_comes_back_as_a_new_one()
    {
        go({{u"90-house.json"_s, fileWith("moonshine", "the moonshine")}});
        go({{u"90-house.json"_s, fileWith("absinthe", "the absinthe")}});
        QVERIFY(!isBlocked(u"the moonshine"_s));
        QCOMPARE(m_sets->rollback(db(), 1, u"absinthe is fine"_s, m_admin)->version, 3);
        QVERIFY(*m_sets->catchUp(db()));
        QVERIFY(isBlocked(u"the moonshine"_s) && !isBlocked(u"the absinthe"_s));
        QCOMPARE(m_sets->rollback(db(), 0, u"back to the roots"_s, m_admin)->version, 4);
        QVERIFY(*m_sets->catchUp(db()));
        QVERIFY(!isBlocked(u"the moonshine"_s));
        QCOMPARE(m_sets->rollback(db(), 9, u"none"_s, m_admin).error().code, ErrorCode::NotFound);
    }

    void what_was_published_stays_as_it_was()
    {
        go({{u"90-house.json"_s, fileWith("moonshine", "the moonshine")}});
        for (const QString &statement :
             {u"UPDATE moderation_rule_sets SET note = 'x'"_s, u"DELETE FROM moderation_rule_sets"_s})
            QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->operators().script(statement));
        db::Transaction transaction(m_db->app(), m_admin);
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->app().script(u"SELECT * FROM moderation_rule_sets"_s));
    }
};

QTEST_GUILESS_MAIN(TestRuleSets)
#include "tst_RuleSets.moc"
