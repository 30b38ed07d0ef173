#include "support/TestDatabase.h"

#include "common/Bug.h"
#include "db/DatabaseError.h"

#include <QTest>
#include <limits>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::db;

// Values, statements and transactions through one connection, each trap of QPSQL by name.
class TestSession : public QObject
{
    Q_OBJECT
private:
    std::unique_ptr<test::TestDatabase> m_db;
    Session &db() { return m_db->owner(); }

    static Binds echo() { return {}; }
    Row echoed(const Value &text, const Value &int8 = std::nullopt, const Value &numeric = std::nullopt,
               const Value &time = std::nullopt, const Value &texts = std::nullopt, const Value &bytes = std::nullopt,
               const Value &object = std::nullopt)
    {
        return db().one("test.echo",
                        {{"text", text},
                         {"int4", 1},
                         {"int8", int8},
                         {"flag", true},
                         {"numeric", numeric},
                         {"float8", 0.1},
                         {"bytes", bytes},
                         {"uuid", UserId::parse(u"8a3e8f3e-5a0f-4a53-9d0e-0123456789ab").value()},
                         {"time", time},
                         {"day", u"2026-02-28"_s},
                         {"object", object},
                         {"texts", texts}});
    }
    template <class F>
    DatabaseError failure(F f)
    {
        try {
            f();
        } catch (const DatabaseError &error) {
            return error;
        }
        return DatabaseError(u"it did not fail"_s, u"none"_s);
    }
    void insertNote(int id, const Value &body = "x") { insertNote(db(), id, body); }
    static void insertNote(Session &session, int id, const Value &body = "x")
    {
        session.execute("test.insert_note", {{"id", id}, {"body", body}, {"amount", std::nullopt}});
    }
    qint64 noteCount() { return db().one("test.note_count").integer("n"); }

private Q_SLOTS:
    void init()
    {
        m_db = std::make_unique<test::TestDatabase>();
        db().script(u"CREATE TABLE notes (id integer CONSTRAINT notes_id PRIMARY KEY, body text NOT NULL,"
                    " amount numeric(18,4) CONSTRAINT amount_is_positive CHECK (amount > 0))"_s);
    }

    void text_comes_back_as_it_went()
    {
        for (const QString &text : {u""_s, u"it's \"quoted\" \\ back\nline"_s, u"$1 :name ? ::x"_s, u"Grüße 👋 日本"_s})
            QCOMPARE(echoed(text).text("text"), text);
    }

    void a_null_string_is_an_empty_text_and_null_is_nullopt()
    {
        QVERIFY(!echoed(QString()).isNull("text"));
        QVERIFY(echoed(std::nullopt).isNull("text"));
        QVERIFY(!echoed(std::nullopt).maybeText("text"));
        QVERIFY(echoed(std::optional<QString>()).isNull("text"));
    }

    void nul_in_a_text_is_refused_before_it_is_sent()
    {
        const auto error = failure([this] { echoed(u"a\0b"_s); });
        QCOMPARE(error.sqlState(), u"22021"_s);
        QCOMPARE(echoed("fine").text("text"), u"fine"_s); // and nothing else is broken
    }

    void int8_keeps_all_its_bits_and_sign()
    {
        for (const qint64 number : {std::numeric_limits<qint64>::min(), qint64(-1), qint64(0), qint64(9007199254740993),
                                    std::numeric_limits<qint64>::max()})
            QCOMPARE(echoed("", number).integer("int8"), number);
        QVERIFY(!echoed("").maybeInteger("int8"));
    }

    void numeric_is_exact()
    {
        for (const char *text : {"0.0001", "-12.3400", "99999999999999.9999"}) {
            const auto amount = Credits::parse(QString::fromLatin1(text)).value();
            QCOMPARE(echoed("", std::nullopt, amount).credits("numeric"), amount);
        }
        QCOMPARE(echoed("").number("float8"), 0.1);
    }

    void times_are_utc_with_milliseconds()
    {
        const QDateTime time(QDate(2026, 3, 29), QTime(1, 30, 0, 123), Qt::UTC);
        const auto row = echoed("", std::nullopt, std::nullopt, time);
        QCOMPARE(row.time("time"), time);
        QCOMPARE(row.time("time").timeSpec(), Qt::UTC);
        const QDateTime elsewhere(QDate(2026, 7, 1), QTime(12, 0), Qt::OffsetFromUTC, 7200);
        QCOMPARE(echoed("", std::nullopt, std::nullopt, elsewhere).time("time"), elsewhere);
        QCOMPARE(row.time("day"), QDateTime(QDate(2026, 2, 28), QTime(0, 0), Qt::UTC));
        QVERIFY(!echoed("").maybeTime("time"));
    }

    void a_local_time_zone_changes_nothing()
    {
        qputenv("TZ", "America/St_Johns");
        tzset();
        const QDateTime time(QDate(2026, 3, 8), QTime(5, 15, 0, 1), Qt::UTC); // in the gap of that zone's spring
        QCOMPARE(echoed("", std::nullopt, std::nullopt, time).time("time"), time);
        qunsetenv("TZ");
        tzset();
    }

    void ids_bytes_json_and_lists_come_back()
    {
        QByteArray bytes;
        for (int i = 0; i < 256; ++i)
            bytes += char(i);
        const QStringList texts{u"plain"_s,     u""_s,     u"with, comma"_s, u"{brace}"_s,
                                u"q\"uote\\"_s, u"NULL"_s, u" blank "_s};
        const QJsonObject object{{u"a"_s, 1}, {u"b"_s, QJsonObject{{u"it's"_s, u"\\x"_s}}}};
        const auto row = echoed("", std::nullopt, std::nullopt, std::nullopt, texts, bytes, object);
        QCOMPARE(row.id<UserId>("uuid").toString(), u"8a3e8f3e-5a0f-4a53-9d0e-0123456789ab"_s);
        QCOMPARE(row.bytes("bytes"), bytes);
        QCOMPARE(row.object("object"), object);
        QCOMPARE(row.texts("texts"), texts);
        QVERIFY(row.boolean("flag"));
        QCOMPARE(echoed("", std::nullopt, std::nullopt, std::nullopt, QStringList()).texts("texts"), QStringList());
        QCOMPARE(echoed("", std::nullopt, std::nullopt, std::nullopt, QStringList{u""_s}).texts("texts"),
                 QStringList{u""_s});
    }

    void jsonbs_question_mark_and_casts_are_no_placeholders()
    {
        const auto row = db().one("test.has_key", {{"object", QJsonObject{{u"k"_s, 1}}}, {"key", "k"}});
        QVERIFY(row.boolean("found"));
        QCOMPARE(row.text("literal"), u":key"_s);
        QCOMPARE(row.text("quoted"), u"it's :not one"_s);
        QCOMPARE(db().one("test.twice", {{"word", "ab"}}).text("doubled"), u"abab"_s);
    }

    void a_wrong_column_type_or_bind_is_a_bug()
    {
        const auto row = echoed("text");
        QVERIFY_THROWS_EXCEPTION(Bug, row.text("no_such"));
        QVERIFY_THROWS_EXCEPTION(Bug, row.integer("text"));
        QVERIFY_THROWS_EXCEPTION(Bug, row.integer("int8")); // NULL
        QVERIFY_THROWS_EXCEPTION(Bug, row.boolean("text"));
        QVERIFY_THROWS_EXCEPTION(Bug, db().rows("test.twice"));
        QVERIFY_THROWS_EXCEPTION(Bug, db().rows("test.twice", {{"wort", "x"}}));
        QVERIFY_THROWS_EXCEPTION(Bug, db().rows("test.note_count", {{"extra", 1}}));
        QVERIFY_THROWS_EXCEPTION(Bug, db().rows("test.no_such_statement"));
        QVERIFY_THROWS_EXCEPTION(Bug, static_cast<void>(Value{QDateTime()}));
    }

    void execute_tells_the_rows_touched_and_first_finds_one_or_none()
    {
        insertNote(1);
        insertNote(2);
        insertNote(3);
        QCOMPARE(db().execute("test.touch_notes", {{"least", 2}}), 2);
        QCOMPARE(db().first("test.notes")->text("body"), u"x"_s);
        QCOMPARE(db().rows("test.notes").size(), 3);
        db().script(u"DELETE FROM notes"_s);
        QVERIFY(!db().first("test.notes"));
        QVERIFY_THROWS_EXCEPTION(Bug, db().one("test.notes"));
    }

    void a_script_fails_when_any_of_its_statements_does()
    {
        QCOMPARE(failure([this] { db().script(u"SELECT 1; SELECT 1/0; SELECT 2"_s); }).sqlState(), u"22012"_s);
        QCOMPARE(failure([this] { db().script(u"SELECT g/(2-g) FROM generate_series(1, 3) g"_s); }).sqlState(),
                 u"22012"_s);
        QCOMPARE(
            db().script(u"SELECT 1 AS a; SELECT relname FROM pg_class LIMIT 3; SELECT 2 AS b"_s).first().integer("b"),
            2);
        QCOMPARE(db().script(u"SELECT relname FROM pg_class LIMIT 3"_s).size(), 3);
    }

    void a_violated_constraint_is_named()
    {
        insertNote(1);
        auto error = failure([this] { insertNote(1); });
        QCOMPARE(error.sqlState(), u"23505"_s);
        QCOMPARE(error.constraint(), u"notes_id"_s);
        QVERIFY(error.isUniqueViolation() && !error.isConnectionLost());
        error = failure([this] {
            db().execute("test.insert_note", {{"id", 2}, {"body", "x"}, {"amount", Credits::fromUnits(-1)}});
        });
        QCOMPARE(error.sqlState(), u"23514"_s);
        QCOMPARE(error.constraint(), u"amount_is_positive"_s);
        error = failure([this] { insertNote(3, std::nullopt); });
        QCOMPARE(error.sqlState(), u"23502"_s);
        QCOMPARE(noteCount(), 1);
    }

    void a_statement_that_cannot_be_prepared_runs_nothing_and_may_be_tried_again()
    {
        QCOMPARE(failure([this] { db().rows("test.broken"); }).sqlState(), u"42703"_s);
        QCOMPARE(failure([this] { db().rows("test.broken"); }).sqlState(), u"42703"_s);
        db().script(u"ALTER TABLE notes ADD no_such_column integer"_s);
        QCOMPARE(db().rows("test.broken").size(), 0);
    }

    void a_migration_under_a_prepared_statement_is_survived()
    {
        insertNote(1);
        QCOMPARE(db().rows("test.notes").size(), 1);
        Session other(m_db->ownerTarget(), m_db->clock());
        other.script(u"ALTER TABLE notes ADD extra text DEFAULT 'new'"_s);
        QCOMPARE(db().one("test.notes").text("extra"), u"new"_s);
        db().script(u"DEALLOCATE ALL"_s);
        QCOMPARE(db().one("test.notes").text("extra"), u"new"_s);
    }

    void a_transaction_is_rolled_back_unless_committed()
    {
        {
            Transaction transaction(db());
            db().script(u"LOCK TABLE notes"_s);
            insertNote(1);
        }
        QCOMPARE(noteCount(), 0);
        {
            Transaction transaction(db());
            db().execute("test.lock_notes");
            insertNote(1);
            transaction.commit();
        }
        QCOMPARE(noteCount(), 1);
    }

    void a_failed_statement_ends_its_transaction()
    {
        Transaction transaction(db());
        insertNote(1);
        QCOMPARE(failure([this] { db().one("test.divide", {{"by", 0}}); }).sqlState(), u"22012"_s);
        QVERIFY_THROWS_EXCEPTION(Bug, transaction.commit());
    }

    void transactions_do_not_nest()
    {
        Transaction transaction(db());
        QVERIFY_THROWS_EXCEPTION(Bug, Transaction{db()});
    }

    void the_user_is_set_for_just_one_transaction()
    {
        const auto user = UserId::create();
        {
            Transaction transaction(m_db->app(), user);
            QCOMPARE(m_db->app().one("test.whose").id<UserId>("id"), user);
            transaction.commit();
        }
        QVERIFY(m_db->app().one("test.whose").isNull("id"));
        Transaction transaction(m_db->app());
        QVERIFY(m_db->app().one("test.whose").isNull("id"));
    }

    void a_session_recovers_after_the_server_went_away()
    {
        insertNote(1);
        test::TestCluster::instance().restart();
        const auto error = failure([this] { noteCount(); });
        QVERIFY2(error.isConnectionLost(), error.what());
        QCOMPARE(noteCount(), 1); // connected and prepared again
    }

    void a_transaction_begun_on_a_dead_connection_gets_a_new_one()
    {
        insertNote(1);
        test::TestCluster::instance().restart();
        Transaction transaction(db());
        QCOMPARE(noteCount(), 1);
    }

    void a_connection_lost_within_a_transaction_ends_it()
    {
        {
            Transaction transaction(db());
            insertNote(1);
            test::TestCluster::instance().restart();
            QVERIFY(failure([this] { insertNote(2); }).isConnectionLost());
        }
        QCOMPARE(noteCount(), 0);
    }

    void a_statement_that_takes_too_long_is_ended()
    {
        Session impatient(m_db->ownerTarget(), m_db->clock(), 50);
        const auto error = failure([&] { impatient.rows("test.sleep", {{"seconds", 5}}); });
        QCOMPARE(error.sqlState(), u"57014"_s);
        QVERIFY(!error.isConnectionLost());
    }

    void a_server_that_cannot_be_reached_is_a_lost_connection()
    {
        Session nowhere({.host = u"/nowhere"_s, .database = u"x"_s, .user = u"x"_s}, m_db->clock());
        QVERIFY(failure([&] { nowhere.makeReady(); }).isConnectionLost());
        QVERIFY(failure([&] { nowhere.rows("test.notes"); }).isConnectionLost());
    }

    void a_savepoint_gives_up_what_came_after_it_and_nothing_else()
    {
        db().script(u"CREATE TABLE kept (n integer)"_s);
        Transaction transaction(db());
        db().script(u"INSERT INTO kept VALUES (1)"_s);
        Savepoint savepoint(db());
        db().script(u"INSERT INTO kept VALUES (2)"_s);
        savepoint.rollback();
        db().script(u"INSERT INTO kept VALUES (3)"_s);
        transaction.commit();
        QCOMPARE(db().script(u"SELECT sum(n) AS n FROM kept"_s).first().integer("n"), 4);
        db().script(u"DROP TABLE kept"_s);
    }

    void the_time_is_the_clocks()
    {
        const QDateTime before = db().now();
        m_db->clock().advance(std::chrono::hours(24));
        QCOMPARE(db().now(), before.addDays(1));
    }

    // docs: a cached statement takes about 20 µs more than the server itself; this is the whole round trip.
    void a_statement_is_cheap()
    {
        QBENCHMARK
        {
            db().one("test.add", {{"a", 20}, {"b", 22}});
        }
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_Session.moc"
