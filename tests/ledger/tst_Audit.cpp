#include "LedgerFixture.h"

#include "db/DatabaseError.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// What the audit finds that was changed behind our back, and the daily work that it stands on.
class AuditTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // A user with a grant, a refresh and a charge out of two buckets, and the day closed.
    void initTestCase()
    {
        m_stage.charge();
        m_stage.db.clock().advance(24h);
        QCOMPARE(m_stage.ledger.closeDays(m_stage.db.operators()), 1);
        QCOMPARE(m_stage.audit(), QStringList());
    }

    void the_audit_names_what_was_changed_behind_our_back_data()
    {
        QTest::addColumn<QString>("statements");
        QTest::addColumn<QStringList>("rules");
        const auto row = [](const char *name, const char *statements, const QStringList &rules) {
            QTest::newRow(name) << QString::fromLatin1(statements) << rules;
        };
        row("an amount",
            "UPDATE transaction_history SET amount = amount + 1, daily_free = daily_free + 1 WHERE sequence = 3",
            {"legs_unbalanced", "row_changed", "running_balance", "charge_mismatch"});
        row("a time", "UPDATE transaction_history SET created_at = created_at + interval '1 us' WHERE sequence = 2",
            {"legs_unbalanced", "legs_without_row", "row_changed"});
        row("a kind", "UPDATE transaction_history SET kind = 'purchase' WHERE sequence = 1", {"row_changed"});
        row("a row and its hash",
            "UPDATE transaction_history SET kind = 'purchase' WHERE sequence = 1;"
            "UPDATE transaction_history t SET hash = ledger_hash(t) WHERE sequence = 1",
            {"chain_broken"});
        row("a row in the middle", "DELETE FROM transaction_history WHERE sequence = 2",
            {"legs_without_row", "sequence_gap"});
        row("the tail", "DELETE FROM transaction_history WHERE sequence = 3",
            {"balance_mismatch", "charge_mismatch", "head_mismatch", "legs_without_row", "tail_missing"});
        row("the tail, and the wallet and all set back with it",
            "DELETE FROM ledger_legs WHERE transaction_id = (SELECT id FROM transaction_history WHERE sequence = 3);"
            "UPDATE user_wallet w SET sequence = 2, head_hash = t.hash, daily_free = t.after_daily_free,"
            " purchased = t.after_purchased, held = 0 FROM transaction_history t WHERE t.sequence = 2;"
            "UPDATE wallet_lots SET remaining = original; DELETE FROM hold_lots; DELETE FROM holds;"
            "DELETE FROM transaction_history WHERE sequence = 3",
            {"tail_missing"});
        row("the tail, and what the day wrote down of it",
            "DELETE FROM ledger_legs WHERE transaction_id = (SELECT id FROM transaction_history WHERE sequence = 3);"
            "UPDATE user_wallet w SET sequence = 2, head_hash = t.hash, daily_free = t.after_daily_free,"
            " purchased = t.after_purchased, held = 0 FROM transaction_history t WHERE t.sequence = 2;"
            "UPDATE wallet_lots SET remaining = original; DELETE FROM hold_lots; DELETE FROM holds;"
            "DELETE FROM transaction_history WHERE sequence = 3;"
            "UPDATE ledger_day_heads h SET sequence = 2, hash = t.hash FROM transaction_history t WHERE t.sequence = 2",
            {"day_changed"});
        row("a wallet and its lot",
            "UPDATE wallet_lots SET original = original + 5, remaining = remaining + 5 WHERE bucket = 'purchased';"
            "UPDATE user_wallet SET purchased = purchased + 5",
            {"balance_mismatch", "lot_history"});
        row("a reservation",
            "UPDATE wallet_lots SET reserved = 1 WHERE bucket = 'purchased'; UPDATE user_wallet SET held = 1",
            {"reserved_mismatch"});
        row("a leg", "UPDATE ledger_legs SET amount = amount * 2 WHERE lot_id IS NULL", {"legs_unbalanced"});
        row("a hold's charge", "UPDATE holds SET charged_daily_free = charged_daily_free - 1", {"charge_mismatch"});
    }
    void the_audit_names_what_was_changed_behind_our_back()
    {
        QFETCH(QString, statements);
        QFETCH(QStringList, rules);
        auto &owner = m_stage.db.owner();
        const db::Transaction rolledBack(owner);
        owner.script("SET CONSTRAINTS ALL DEFERRED; " + statements);
        QStringList found;
        for (const auto &finding : m_stage.ledger.audit(owner))
            found.append(finding.rule);
        found.removeDuplicates();
        found.sort();
        rules.sort();
        QCOMPARE(found, rules);
    }

    void a_finding_names_the_row()
    {
        LedgerFixture f;
        const auto settled = f.charge();
        f.db.owner().script("UPDATE transaction_history SET kind = 'debt' WHERE kind = 'chat'");
        const auto findings = f.ledger.audit(f.db.operators(), f.user);
        QCOMPARE(findings.first().user, f.user);
        QVERIFY(std::ranges::any_of(findings, [&](const ledger::AuditFinding &finding) {
            return finding.rule == "row_changed" && finding.detail.contains(settled.transaction.toString());
        }));
    }

    void a_hold_nobody_freed_is_found()
    {
        LedgerFixture f;
        QVERIFY(f.hold("1"));
        f.db.clock().advance(2h);
        QCOMPARE(f.audit(), QStringList{"hold_overdue"});
    }

    void text_can_be_erased_and_the_chain_stays_whole()
    {
        LedgerFixture f;
        f.charge();
        f.db.owner().script("UPDATE transaction_history SET description = '', metadata = '{}'");
        QCOMPARE(f.audit(), QStringList());
    }

    void every_day_is_closed_once_and_none_is_left_out()
    {
        LedgerFixture f;
        f.charge();
        f.db.clock().advance(24h * 5);
        f.charge();
        QCOMPARE(f.ledger.closeDays(f.db.operators()), 5);
        QCOMPARE(f.ledger.closeDays(f.db.operators()), 0);
        f.at("2026-01-21T00:05:00Z");
        QCOMPARE(f.ledger.closeDays(f.db.operators()), 0); // rows of the day may still be on their way
        f.at("2026-01-21T00:10:00Z");
        QCOMPARE(f.ledger.closeDays(f.db.operators()), 1);
        QCOMPARE(f.audit(), QStringList());
    }

    void partitions_are_made_ahead_and_only_once()
    {
        LedgerFixture f;
        f.at("2031-05-20T12:00:00Z");
        QCOMPARE(f.ledger.makePartitions(f.db.operators(), 3), 6);
        QCOMPARE(f.ledger.makePartitions(f.db.operators(), 3), 0);
        f.charge();
        const auto rows = f.db.owner().script("SELECT count(*) AS n FROM transaction_history_2031_05");
        QCOMPARE(rows.first().integer("n"), 3);
        f.at("2031-09-20T12:00:00Z"); // a late job: the rows are in the default partition and stay there
        f.charge();
        QCOMPARE(f.ledger.makePartitions(f.db.operators(), 1), 0);
        QCOMPARE(f.audit(), QStringList());
        QVERIFY_THROWS_EXCEPTION(db::DatabaseError, f.ledger.makePartitions(f.db.app(), 1));
    }

private:
    LedgerFixture m_stage;
};

QTEST_GUILESS_MAIN(AuditTest)
#include "tst_Audit.moc"
