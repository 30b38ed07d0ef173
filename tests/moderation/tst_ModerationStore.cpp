#include "db/DatabaseError.h"
#include "identity/AccountStore.h"
#include "moderation/ModerationStore.h"
#include "support/TestDatabase.h"

#include <QTest>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::moderation;
using namespace std::chrono_literals;

// The moderation record against a real database: sealed texts, what each role may do, pages by cursor.
class TestModerationStore : public QObject
{
    Q_OBJECT

    std::unique_ptr<test::TestDatabase> m_db;
    const QByteArray m_key = TextCipher::newKey();
    ModerationStore m_store{TextCipher(m_key)};

    UserId makeUser(const QString &email)
    {
        return identity::AccountStore()
            .create(m_db->operators(), {.displayName = u"Test"_s, .email = email}, m_db->clock().now())
            ->id();
    }
    static Verdict verdict(Action action = Action::Block, const QString &category = u"weapons"_s)
    {
        Verdict made;
        made.action = action;
        made.category = category;
        made.rule = category + u"-rule"_s;
        made.severity = category == u"sexual_minors"_s ? Severity::High : Severity::Normal;
        made.mode = Mode::Spicy;
        made.start = 3;
        made.length = 5;
        return made;
    }
    ModerationEventId recorded(const UserId &user, const Verdict &made = verdict(), const QString &text = u"words"_s)
    {
        db::Transaction transaction(m_db->app(), user);
        const auto id = m_store.record(m_db->app(), {user, SessionId::create(), std::nullopt, made, text});
        transaction.commit();
        return id;
    }

private Q_SLOTS:
    void init() { m_db = std::make_unique<test::TestDatabase>(); }

    void a_record_says_who_where_and_why()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const auto id = recorded(user, verdict(Action::Block, u"sexual_minors"_s), u"the words"_s);
        const auto event = m_store.find(m_db->operators(), id);
        QVERIFY(event);
        QCOMPARE(event->user, user);
        QVERIFY(event->session.has_value() && !event->message);
        QCOMPARE(event->action, u"block"_s);
        QCOMPARE(event->severity, u"high"_s);
        QCOMPARE(event->stage, u"rules"_s);
        QVERIFY(!event->score);
        QCOMPARE(event->category, u"sexual_minors"_s);
        QCOMPARE(event->mode, Mode::Spicy);
        QCOMPARE(event->status, u"open"_s);
        QCOMPARE(event->createdAt, m_db->clock().now());
        QCOMPARE(*m_store.text(m_db->operators(), id), u"the words"_s);
    }

    void the_text_lies_sealed()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const auto first = recorded(user, verdict(), u"plain words"_s);
        const auto second = recorded(user, verdict(), u"other words"_s);
        for (const db::Row &row :
             m_db->owner().script(u"SELECT text_sealed, moderation_events::text AS whole FROM moderation_events"_s)) {
            QVERIFY(!row.bytes("text_sealed").contains("words"));
            QVERIFY(!row.text("whole").contains(u"words"_s));
        }
        QVERIFY(!ModerationStore(TextCipher(TextCipher::newKey())).text(m_db->operators(), first));
        // A text moved to another record does not open there.
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError,
                                 m_db->owner().script(
                                     u"UPDATE moderation_events SET text_sealed = '\\x01' WHERE id = '%1'"_s.arg(
                                         second.toString())));
    }

    void a_user_writes_and_never_reads()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const UserId other = makeUser(u"b@example.com"_s);
        recorded(user);
        for (const QString &statement :
             {u"SELECT * FROM moderation_events"_s, u"UPDATE moderation_events SET status = 'dismissed'"_s,
              u"DELETE FROM moderation_events"_s}) {
            db::Transaction transaction(m_db->app(), user);
            QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->app().script(statement));
        }
        db::Transaction transaction(m_db->app(), user);
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError,
                                 m_store.record(m_db->app(), {other, std::nullopt, std::nullopt, verdict(), u"x"_s}));
    }

    void operators_change_the_status_and_nothing_of_what_happened()
    {
        const auto id = recorded(makeUser(u"a@example.com"_s));
        m_db->clock().advance(1h);
        const UserId support = makeUser(u"support@example.com"_s);
        const auto acted = m_store.actOn(m_db->operators(), id, EventAct::Warn, support, u"a first time"_s);
        QCOMPARE(acted->status, u"actioned"_s);
        QCOMPARE(acted->act, u"warn"_s);
        QCOMPARE(acted->actedBy, support);
        QCOMPARE(m_store.actOn(m_db->operators(), id, EventAct::Escalate, support, u"again"_s)->status, u"escalated"_s);
        QCOMPARE(m_store.actOn(m_db->operators(), ModerationEventId::create(), EventAct::Dismiss, support, u"none"_s)
                     .error()
                     .code,
                 ErrorCode::NotFound);
        for (const QString &statement :
             {u"UPDATE moderation_events SET category = 'x'"_s, u"DELETE FROM moderation_events"_s})
            QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->operators().script(statement));
    }

    void a_model_s_verdict_keeps_its_stage_and_score()
    {
        Verdict made = verdict(Action::Flag, u"prompt_injection"_s);
        made.stage = Stage::Classifier;
        made.score = 0.75F;
        const auto event = m_store.find(m_db->operators(), recorded(makeUser(u"a@example.com"_s), made));
        QCOMPARE(event->action, u"flag"_s);
        QCOMPARE(event->stage, u"classifier"_s);
        QCOMPARE(event->score, 0.75);
    }

    void a_rotated_key_still_opens_what_it_sealed()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const auto id = recorded(user, verdict(), u"old words"_s);
        const auto rotated = TextCipher(TextCipher::newKey()).withEarlier({QString::fromLatin1(m_key.toHex())});
        QVERIFY(rotated.has_value());
        const ModerationStore later(*rotated);
        QCOMPARE(*later.text(m_db->operators(), id), u"old words"_s);
        db::Transaction transaction(m_db->app(), user);
        const auto second = later.record(m_db->app(), {user, std::nullopt, std::nullopt, verdict(), u"new words"_s});
        transaction.commit();
        QCOMPARE(*later.text(m_db->operators(), second), u"new words"_s);
        QVERIFY(!m_store.text(m_db->operators(), second)); // the old key alone does not open it
    }

    void crises_are_counted_without_anybody_in_it()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        m_db->owner().script(u"UPDATE users SET region = 'AT'"_s);
        for (int i = 0; i < 3; ++i)
            recorded(user, verdict(Action::Crisis, u"self_harm"_s));
        recorded(user); // no crisis
        m_db->owner().script(u"UPDATE users SET region = NULL"_s);
        recorded(user, verdict(Action::Crisis, u"self_harm"_s));
        const auto counts = m_store.crisisCounts(m_db->operators(), m_db->clock().now().date().year());
        QCOMPARE(counts.size(), 2);
        QCOMPARE(counts[0].region, QString());
        QCOMPARE(counts[0].count, 1);
        QCOMPARE(counts[1].region, u"AT"_s);
        QCOMPARE(counts[1].count, 3);
        QCOMPARE(counts[1].month, m_db->clock().now().toString(u"yyyy-MM"_s));
        for (const db::Row &row : m_db->owner().script(
                 u"SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'crisis_counts'"_s))
            QVERIFY(QStringList({u"month"_s, u"region"_s, u"kind"_s, u"count"_s}).contains(row.text("name")));
        db::Transaction transaction(m_db->app(), user);
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError, m_db->app().script(u"SELECT * FROM crisis_counts"_s));
    }

    void texts_are_dropped_when_their_time_is_over()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const auto old = recorded(user);
        m_db->clock().advance(48h);
        const auto young = recorded(user);
        QCOMPARE(m_store.dropTexts(m_db->operators(), m_db->clock().now().addDays(-1), 100), 1);
        QVERIFY(!m_store.text(m_db->operators(), old));
        QVERIFY(!m_store.find(m_db->operators(), old)->hasText);
        QVERIFY(m_store.text(m_db->operators(), young));
    }

    void a_warning_is_there_until_it_is_seen()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        const UserId other = makeUser(u"b@example.com"_s);
        m_store.warn(m_db->operators(), user, u"Please keep to the rules."_s);
        db::Transaction mine(m_db->app(), user);
        const auto notices = m_store.notices(m_db->app(), user);
        QCOMPARE(notices.size(), 1);
        QVERIFY(!notices[0].seenAt);
        QVERIFY(m_store.seeNotice(m_db->app(), user, notices[0].id));
        QVERIFY(m_store.notices(m_db->app(), user)[0].seenAt);
        mine.commit();
        db::Transaction theirs(m_db->app(), other);
        QVERIFY(m_store.notices(m_db->app(), user).isEmpty()); // by row-level security, whatever is asked for
        QVERIFY(!m_store.seeNotice(m_db->app(), user, notices[0].id));
    }

    void the_queue_filters_and_pages_by_cursor()
    {
        const UserId user = makeUser(u"a@example.com"_s);
        for (int i = 0; i < 7; ++i) {
            recorded(user, i % 2 ? verdict(Action::Crisis, u"self_harm"_s) : verdict());
            if (i != 3) // two at the same moment
                m_db->clock().advance(1min);
        }
        QList<ModerationEventId> seen;
        PageRequest request{.limit = 3};
        for (bool more = true; more;) {
            const auto page = m_store.events(m_db->operators(), {.user = user}, request);
            for (const ModerationRecord &event : page.items)
                seen.append(event.id);
            more = page.hasMore;
            QCOMPARE(page.nextCursor.has_value(), more);
            request.cursor = page.nextCursor;
        }
        QCOMPARE(seen.size(), 7);
        QCOMPARE(QSet<ModerationEventId>(seen.begin(), seen.end()).size(), 7);
        QCOMPARE(m_store.events(m_db->operators(), {.action = Action::Crisis}, {}).items.size(), 3);
        QCOMPARE(m_store.events(m_db->operators(), {.category = u"weapons"_s}, {}).items.size(), 4);
        QCOMPARE(m_store.events(m_db->operators(), {.user = UserId::create()}, {}).items.size(), 0);
    }
};

QTEST_GUILESS_MAIN(TestModerationStore)
#include "tst_ModerationStore.moc"
