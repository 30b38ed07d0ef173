#include "LedgerFixture.h"

#include "db/DatabaseError.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// What the database itself does not let happen, whatever program asks. On one stage: a user with a grant, a refresh and
// a charge out of two buckets; every attempt is rolled back.
class SafetyTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_f.charge(); }

    void no_role_but_the_owner_changes_the_history_data()
    {
        QTest::addColumn<QString>("statement");
        for (const char *table : {"transaction_history", "ledger_legs", "operations", "reversals", "hold_lots",
                                  "transaction_history_default"}) {
            const QString name = QString::fromLatin1(table);
            for (const QString &statement :
                 {QStringLiteral("UPDATE %1 SET user_id = user_id").arg(name),
                  QStringLiteral("DELETE FROM %1").arg(name), QStringLiteral("TRUNCATE %1 CASCADE").arg(name)})
                QTest::newRow(qPrintable(statement)) << statement;
        }
    }
    void no_role_but_the_owner_changes_the_history()
    {
        QFETCH(QString, statement);
        for (db::Session *session : {&m_f.db.app(), &m_f.db.operators()}) {
            const db::Transaction rolledBack(*session, m_f.user);
            QCOMPARE(stateOf([&] { session->script(statement); }), QStringLiteral("42501")); // insufficient_privilege
        }
    }

    // The second line: somebody grants too much one day.
    void a_role_that_was_granted_too_much_is_refused_by_the_triggers_data()
    {
        QTest::addColumn<QString>("statement");
        for (const char *statement :
             {"UPDATE transaction_history SET amount = amount", "DELETE FROM transaction_history",
              "TRUNCATE transaction_history", "DELETE FROM ledger_legs", "TRUNCATE ledger_legs",
              "DELETE FROM operations", "UPDATE ledger_legs SET amount = amount"})
            QTest::newRow(statement) << QString::fromLatin1(statement);
    }
    void a_role_that_was_granted_too_much_is_refused_by_the_triggers()
    {
        QFETCH(QString, statement);
        const db::Transaction rolledBack(m_f.db.owner());
        m_f.db.owner().script("GRANT ALL ON ALL TABLES IN SCHEMA public TO companion_operator");
        m_f.db.owner().script("SET LOCAL ROLE companion_operator");
        QCOMPARE(stateOf([&] { m_f.db.owner().script(statement); }), QStringLiteral("23001"));
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

    LedgerFixture m_f;
};

QTEST_GUILESS_MAIN(SafetyTest)
#include "tst_Safety.moc"
