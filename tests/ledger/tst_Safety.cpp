#include "LedgerFixture.h"

#include "db/DatabaseError.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

// What the database itself does not let happen, whatever program asks. On one stage: a user with a grant, a refresh and
// a charge out of two buckets; every attempt is rolled back.
class SafetyTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // Today, so that the rows are in a month's partition, and a day before the partitions begin.
    void initTestCase()
    {
        m_f.charge();
        m_f.db.clock().set(QDateTime::currentDateTimeUtc());
        m_f.charge();
        m_f.ledger.closeDays(m_f.db.operators());
        QVERIFY(m_f.ledger.makePartitions(m_f.db.operators(), 30) > 0);
        const auto tables = m_f.db.owner().script(
            "WITH RECURSIVE history AS (SELECT DISTINCT tgrelid AS id FROM pg_trigger WHERE "
            "tgparentid = 0 AND tgfoid IN"
            " ('ledger_is_append_only'::regproc, 'audit_log_is_append_only'::regproc)"
            " UNION SELECT inhrelid FROM pg_inherits JOIN history ON inhparent = id)"
            " SELECT id::regclass::text AS name, (SELECT attname FROM pg_attribute WHERE "
            "attrelid = id AND attnum > 0 AND attidentity = '' AND attgenerated = '' ORDER BY attnum LIMIT 1) AS "
            "col"
            " FROM history ORDER BY 1");
        for (const auto &row : tables)
            m_history.append({row.text("name"), row.text("col")});
    }

    // Found in the catalog, so that a table or a month that is added one day is attacked too.
    void the_history_is_all_there()
    {
        QStringList names;
        for (const auto &[table, column] : m_history)
            names.append(table);
        for (const char *table : {"transaction_history", "ledger_legs", "operations", "reversals", "hold_lots",
                                  "ledger_days", "ledger_day_heads", "audit_log", "transaction_history_default"})
            QVERIFY2(names.contains(QLatin1StringView(table)), table);
        QVERIFY2(names.filter(QStringLiteral("transaction_history_2")).size() >= 12, "the months' partitions");
        QVERIFY2(names.filter(QStringLiteral("ledger_legs_2")).size() >= 12, "the months' partitions");
    }

    void no_role_but_the_owner_changes_the_history_data()
    {
        QTest::addColumn<QString>("role");
        QTest::addColumn<QString>("attempt");
        for (const char *role : {"companion_app", "companion_operator"})
            for (const char *attempt :
                 {"UPDATE %1 SET %2 = %2",
                  "DELETE FROM %1",
                  "TRUNCATE %1",
                  "TRUNCATE %1 CASCADE",
                  "SELECT * FROM %1 FOR UPDATE",
                  "MERGE INTO %1 t USING (VALUES (1)) v ON false WHEN MATCHED THEN DELETE",
                  "MERGE INTO %1 t USING (VALUES (1)) v ON false WHEN MATCHED THEN UPDATE SET %2 = t.%2",
                  "LOCK TABLE %1 IN ACCESS EXCLUSIVE MODE",
                  "ALTER TABLE %1 DISABLE TRIGGER ALL",
                  "ALTER TABLE %1 DISABLE TRIGGER USER",
                  "ALTER TABLE %1 DISABLE ROW LEVEL SECURITY",
                  "ALTER TABLE %1 NO FORCE ROW LEVEL SECURITY",
                  "ALTER TABLE %1 ADD COLUMN more integer",
                  "ALTER TABLE %1 DROP COLUMN %2",
                  "ALTER TABLE %1 ALTER COLUMN %2 TYPE text",
                  "ALTER TABLE %1 OWNER TO CURRENT_USER",
                  "ALTER TABLE %1 RENAME TO other",
                  "DROP TABLE %1",
                  "DROP TABLE %1 CASCADE",
                  "CREATE POLICY open ON %1 USING (true)",
                  "CREATE RULE gone AS ON INSERT TO %1 DO INSTEAD NOTHING",
                  "GRANT ALL ON %1 TO CURRENT_USER; UPDATE %1 SET %2 = %2",
                  "CREATE TRIGGER mine BEFORE INSERT ON %1 FOR EACH ROW EXECUTE FUNCTION"
                  " suppress_redundant_updates_trigger()"})
                QTest::newRow(qPrintable(QString::fromLatin1(role) + u": " + QLatin1StringView(attempt)))
                    << QString::fromLatin1(role) << QString::fromLatin1(attempt);
    }
    void no_role_but_the_owner_changes_the_history()
    {
        QFETCH(QString, role);
        QFETCH(QString, attempt);
        for (const auto &[table, column] : m_history) {
            db::Session &session = sessionOf(role);
            const db::Transaction rolledBack(session, m_f.user);
            const QString statement = filled(attempt, table, column);
            const QString state = stateOf([&] { session.script(statement); });
            QVERIFY2(state == QStringLiteral("42501"), qPrintable(statement + u": " + state)); // insufficient_privilege
        }
    }

    // A partition is reached through its table only, whose policies then count.
    void no_role_reads_or_fills_a_partition_directly()
    {
        for (const auto &[table, column] : m_history) {
            if (!table.startsWith(QLatin1StringView("transaction_history_")) && !table.startsWith(u"ledger_legs_"))
                continue;
            for (db::Session *session : {&m_f.db.app(), &m_f.db.operators()})
                for (const QString &statement :
                     {QStringLiteral("SELECT 1 FROM %1").arg(table),
                      QStringLiteral("INSERT INTO %1 SELECT * FROM %2").arg(table, table.section(u'_', 0, 1))}) {
                    const db::Transaction rolledBack(*session, m_f.user);
                    QCOMPARE(stateOf([&] { session->script(statement); }), QStringLiteral("42501"));
                }
        }
    }

    // The second line: somebody grants too much one day, and lifts the row-level security as well.
    void a_role_that_was_granted_too_much_is_refused_by_the_triggers_data()
    {
        QTest::addColumn<QString>("attempt");
        for (const char *attempt : {"UPDATE %1 SET %2 = %2", "DELETE FROM %1", "TRUNCATE %1 CASCADE"})
            QTest::newRow(attempt) << QString::fromLatin1(attempt);
    }
    void a_role_that_was_granted_too_much_is_refused_by_the_triggers()
    {
        QFETCH(QString, attempt);
        auto &owner = m_f.db.owner();
        const db::Transaction rolledBack(owner);
        owner.script("GRANT ALL ON ALL TABLES IN SCHEMA public TO companion_operator;"
                     "ALTER ROLE companion_operator BYPASSRLS");
        int withRows = 0;
        for (const auto &[table, column] : m_history) {
            const bool isEmpty = owner.script(u"SELECT 1 FROM %1 LIMIT 1"_s.arg(table)).isEmpty();
            withRows += isEmpty ? 0 : 1;
            owner.script("SAVEPOINT before; SET LOCAL ROLE companion_operator");
            const QString statement = filled(attempt, table, column);
            const QString state = stateOf([&] { owner.script(statement); });
            owner.script("ROLLBACK TO SAVEPOINT before");
            const bool foundNoRow = isEmpty && state.isEmpty() && !attempt.startsWith(u"TRUNCATE");
            QVERIFY2(state == u"23001" || foundNoRow, qPrintable(statement + u": " + state)); // restrict_violation
        }
        QVERIFY(withRows >= 9); // reversals is empty; the default and this month's partitions are not
    }

    void no_role_gets_more_power_than_it_has_data()
    {
        QTest::addColumn<QString>("role");
        QTest::addColumn<QString>("attempt");
        for (const char *role : {"companion_app", "companion_operator"})
            for (const char *attempt :
                 {"SET ROLE owner",
                  "SET SESSION AUTHORIZATION owner",
                  "SET session_replication_role = replica",
                  "ALTER ROLE CURRENT_USER SUPERUSER",
                  "ALTER ROLE CURRENT_USER BYPASSRLS",
                  "ALTER ROLE CURRENT_USER CREATEROLE",
                  "CREATE ROLE other",
                  "GRANT owner TO CURRENT_USER",
                  "GRANT pg_write_all_data TO CURRENT_USER",
                  "SELECT pg_reload_conf()",
                  "CREATE TABLE public.mine (id integer)",
                  "CREATE SCHEMA mine",
                  "CREATE FUNCTION public.ledger_is_append_only(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                  "CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
                  "RETURN NEW; END'",
                  "ALTER FUNCTION ledger_is_append_only() OWNER TO CURRENT_USER",
                  "ALTER FUNCTION ledger_make_partitions(date, integer) SET search_path = pg_temp",
                  "DROP FUNCTION ledger_audit(uuid, timestamptz)",
                  "DROP TRIGGER append_only ON transaction_history",
                  "DROP TRIGGER never_truncated ON transaction_history",
                  "DROP POLICY user_rows ON transaction_history",
                  "ALTER TABLE transaction_history DETACH PARTITION transaction_history_default",
                  "ALTER TABLE user_wallet DROP CONSTRAINT held_is_there",
                  "ALTER TABLE user_wallet DISABLE TRIGGER ALL",
                  "DELETE FROM user_wallet",
                  "DELETE FROM wallet_lots",
                  "DELETE FROM holds",
                  "TRUNCATE user_wallet CASCADE",
                  "TRUNCATE holds CASCADE",
                  "DELETE FROM users",
                  "DELETE FROM audit_log_head",
                  "UPDATE wallet_lots SET original = original",
                  "UPDATE wallet_lots SET expires_at = NULL",
                  "UPDATE schema_migrations SET checksum = ''",
                  "UPDATE pg_class SET relrowsecurity = false",
                  "DELETE FROM pg_trigger",
                  "COPY transaction_history TO PROGRAM 'cat'",
                  "COPY user_wallet TO '/tmp/wallets'",
                  "SELECT pg_read_file('PG_VERSION')",
                  "SELECT lo_import('/etc/passwd')",
                  "CREATE EVENT TRIGGER mine ON"
                  " ddl_command_start EXECUTE FUNCTION ledger_is_append_only()",
                  "CREATE PUBLICATION mine FOR ALL TABLES",
                  "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT ALL ON TABLES TO companion_app",
                  "REASSIGN OWNED BY owner TO CURRENT_USER",
                  "DROP OWNED BY owner"})
                QTest::newRow(qPrintable(QString::fromLatin1(role) + u": " + QLatin1StringView(attempt)))
                    << QString::fromLatin1(role) << QString::fromLatin1(attempt);
        for (const char *attempt : {"SET ROLE companion_operator", "GRANT companion_operator TO companion_app",
                                    "SELECT ledger_make_partitions(current_date, 1)", "SELECT ledger_close_days(now())",
                                    "SELECT * FROM audit_log", "SELECT * FROM audit_log_head",
                                    "UPDATE users SET roles = '{admin}'", "SELECT * FROM ledger_days"})
            QTest::newRow(qPrintable(u"companion_app: " + QString::fromLatin1(attempt)))
                << QStringLiteral("companion_app") << QString::fromLatin1(attempt);
    }
    void no_role_gets_more_power_than_it_has()
    {
        QFETCH(QString, role);
        QFETCH(QString, attempt);
        db::Session &session = sessionOf(role);
        const db::Transaction rolledBack(session, m_f.user);
        const QString state = stateOf([&] { session.script(attempt); });
        QVERIFY2(state == QStringLiteral("42501"), qPrintable(attempt + u": " + state));
    }

    // A table of the session's own does not stand in for one of the books.
    void a_temporary_table_does_not_shadow_the_books()
    {
        auto &app = m_f.db.app();
        const db::Transaction rolledBack(app, m_f.user);
        app.script("CREATE TEMP TABLE user_wallet (LIKE public.user_wallet); CREATE TEMP TABLE wallet_lots (id uuid);"
                   "CREATE TEMP TABLE operations (id uuid); CREATE TEMP TABLE holds (id uuid);"
                   "SET search_path = pg_temp, public");
        const auto row =
            app.script(QStringLiteral("SELECT code FROM ledger_grant('%1', 'k', 'purchased', 1, 'purchase', NULL,"
                                      " 'd', '{}', now())")
                           .arg(m_f.user.toString()));
        QCOMPARE(row.first().text("code"), "ok");
        QVERIFY(app.script("SELECT 1 FROM pg_temp.user_wallet").isEmpty());
    }

    void another_users_wallet_cannot_be_seen_or_touched_data()
    {
        QTest::addColumn<QString>("statement");
        QTest::addColumn<bool>("fails");
        QTest::newRow("see") << "SELECT 1 FROM user_wallet WHERE user_id = OTHER" << false;
        QTest::newRow("take") << "UPDATE user_wallet SET purchased = 0 WHERE user_id = OTHER RETURNING 1" << false;
        QTest::newRow("lots") << "UPDATE wallet_lots SET remaining = 0 WHERE user_id = OTHER RETURNING 1" << false;
        QTest::newRow("write")
            << "INSERT INTO operations VALUES (OTHER, 'k', 'hold', sha256(''), gen_random_uuid(), now(), 0, 0, "
               "0, 0)"
            << true;
    }
    void another_users_wallet_cannot_be_seen_or_touched()
    {
        QFETCH(QString, statement);
        QFETCH(bool, fails);
        const UserId other = m_f.user;
        const db::Transaction rolledBack(m_f.db.app(), m_f.addUser());
        statement.replace("OTHER", u'\'' + other.toString() + u'\'');
        db::Rows rows;
        QCOMPARE(stateOf([&] { rows = m_f.db.app().script(statement); }), fails ? QStringLiteral("42501") : QString());
        QVERIFY(rows.isEmpty());
    }

    void the_tables_repeat_the_invariants_data()
    {
        QTest::addColumn<QString>("statement");
        QTest::addColumn<QString>("complaint");
        const auto row = [](const char *statement, const char *complaint) {
            QTest::newRow(statement) << QString::fromLatin1(statement) << QString::fromLatin1(complaint);
        };
        row("UPDATE user_wallet SET purchased = -1, held = -1", "user_wallet");
        row("UPDATE user_wallet SET held = 1000", "held_is_there");
        row("UPDATE user_wallet SET purchased = purchased + 1", "not the sum of its lots");
        row("UPDATE user_wallet SET held = held + 1", "not the sum of its lots");
        row("UPDATE wallet_lots SET remaining = -1", "wallet_lots");
        row("UPDATE wallet_lots SET remaining = original + 1", "wallet_lots_check");
        row("UPDATE wallet_lots SET reserved = remaining + 1", "reserved_is_there");
        row("UPDATE wallet_lots SET expires_at = now() WHERE bucket = 'purchased'", "bucket_has_its_expiry");
        row("UPDATE wallet_lots SET expires_at = NULL WHERE bucket = 'daily_free'", "bucket_has_its_expiry");
        row("UPDATE holds SET charged_bonus = amount + 1", "charge_within_hold");
        row("UPDATE holds SET state = 'voided'", "only_captures_charge");
        row("UPDATE holds SET closed_at = NULL", "closed_says_when");
        row("UPDATE transaction_history SET amount = amount + 1", "amount_is_the_buckets");
        row("UPDATE transaction_history SET amount = -amount, purchased = -purchased, daily_free = -daily_free "
            "WHERE kind = 'chat'",
            "kind_has_its_sign");
        row("INSERT INTO ledger_legs SELECT id, 9, user_id, 'operator:issuance', NULL, 1, created_at "
            "FROM transaction_history",
            "do not sum to zero");
        row("INSERT INTO operations SELECT * FROM operations", "operations_pkey");
    }
    void the_tables_repeat_the_invariants()
    {
        QFETCH(QString, statement);
        QFETCH(QString, complaint);
        const db::Transaction rolledBack(m_f.db.owner()); // whom no privilege stops
        try {
            m_f.db.owner().script(statement);
            m_f.db.owner().script("SET CONSTRAINTS ALL IMMEDIATE");
            QFAIL("it was let through");
        } catch (const db::DatabaseError &error) {
            QVERIFY2(QString::fromUtf8(error.what()).contains(complaint), error.what());
        }
    }

private:
    static QString stateOf(const std::function<void()> &act)
    {
        try {
            act();
        } catch (const db::DatabaseError &error) {
            return error.sqlState();
        }
        return {};
    }

    // QString::arg complains about a place that is not there; many attempts name no column.
    static QString filled(QString attempt, const QString &table, const QString &column)
    {
        return attempt.replace(u"%1"_s, table).replace(u"%2"_s, column);
    }
    db::Session &sessionOf(const QString &role) { return role == u"companion_app" ? m_f.db.app() : m_f.db.operators(); }

    LedgerFixture m_f;
    QList<std::pair<QString, QString>> m_history; // tables that are never changed, each with its first column
};

QTEST_GUILESS_MAIN(SafetyTest)
#include "tst_Safety.moc"
