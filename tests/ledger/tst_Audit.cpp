#include "LedgerFixture.h"

#include "db/DatabaseError.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

// What the audit finds that was changed behind our back, and the daily work that it stands on.
class AuditTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // Everything that the tables can hold, a day ago and closed: bonus that expires, a purchase, two charges of which
    // one out of two buckets and reversed, an adjustment by an operator, a hold still open, a voided one, an audit log.
    void initTestCase()
    {
        LedgerFixture &f = m_stage;
        f.grant(Bucket::Bonus, "5", f.in(240h));
        f.grant(Bucket::Purchased, "20");
        m_chat = f.capture(f.hold("14")->id, "13")->transaction;
        f.reverse(f.capture(f.hold("2")->id, "2")->transaction);
        f.ledger.adjust(f.db.app(), {f.user, f.newKey(), Bucket::Purchased, credits("-1.5"), "Why", UserId::create()});
        QVERIFY(f.ledger.voidHold(f.db.app(), f.user, f.hold("1")->id));
        QVERIFY(f.hold("3", "10", 48h));
        for (int i = 0; i < 3; ++i)
            f.db.operators().script("SELECT append_audit(gen_random_uuid(), now(), 'cli', 'a.b', 'c', 'why',"
                                    " '{\"a\": 1}', '{\"a\": 2}', 'req')");
        f.db.clock().advance(24h);
        QCOMPARE(f.ledger.closeDays(f.db.operators()), 1);
        f.wallet();
        QCOMPARE(f.audit(), QStringList());
        QCOMPARE(f.db.operators().script("SELECT 1 FROM verify_audit()").size(), 0);
        liftEveryGuard();
    }

    // Each column of each table of the books, one row of it changed, with all that would stop the owner out of the way.
    // Names who, and for a row of the history or a leg which transaction.
    void a_changed_column_is_found_and_named_data()
    {
        QTest::addColumn<QString>("table");
        QTest::addColumn<QString>("column");
        QTest::addColumn<QString>("type");
        const auto columns = m_stage.db.owner().script(
            "SELECT c.relname AS tab, a.attname AS col, format_type(a.atttypid, NULL) AS type"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attgenerated = ''"
            " WHERE a.attname <> 'only_one' AND c.relname IN ('transaction_history', 'ledger_legs', 'user_wallet', "
            "'wallet_lots', 'holds', "
            "'hold_lots',"
            " 'operations', 'reversals', 'ledger_days', 'ledger_day_heads', 'audit_log', 'audit_log_head')"
            " ORDER BY c.relname, a.attnum");
        for (const auto &row : columns)
            QTest::newRow(qPrintable(row.text("tab") + u'.' + row.text("col")))
                << row.text("tab") << row.text("col") << row.text("type");
    }
    void a_changed_column_is_found_and_named()
    {
        QFETCH(QString, table);
        QFETCH(QString, column);
        QFETCH(QString, type);
        auto &owner = m_stage.db.owner();
        const db::Transaction rolledBack(owner);
        const auto changed =
            owner.script(QStringLiteral("UPDATE %1 t SET %2 = %3 WHERE ctid = (SELECT ctid FROM %1 WHERE %4 LIMIT 1) "
                                        "AND tableoid = (SELECT tableoid FROM %1 WHERE %4 LIMIT 1) "
                                        "RETURNING to_jsonb(t)::text AS now")
                             .arg(table, column, changeOf(column, type), rowOf(table)));
        QCOMPARE(changed.size(), 1);
        const QString finding = findingAbout(m_chat.toString(), table);
        const QString name = table + u'.' + column;
        QVERIFY2(finding.isEmpty() == notWatched().contains(name),
                 qPrintable(u"%1: %2"_s.arg(name, finding.isEmpty() ? u"changed and not found"_s : finding)));
    }

    void the_audit_names_what_was_done_behind_our_back_data()
    {
        QTest::addColumn<QString>("statements");
        QTest::addColumn<QStringList>("rules");
        const auto row = [](const char *name, const QString &statements, const QStringList &rules) {
            QTest::newRow(name) << statements << rules;
        };
        const auto chat = u"(SELECT id FROM transaction_history WHERE sequence = 4)"_s;
        row("an amount, and all that must fit it",
            u"UPDATE transaction_history SET amount = amount + 1, daily_free = daily_free + 1 WHERE sequence = 4"_s,
            {"legs_unbalanced", "row_changed", "running_balance", "charge_mismatch"});
        row("a row and its hash",
            u"UPDATE transaction_history SET kind = 'purchase' WHERE sequence = 1;"
            "UPDATE transaction_history t SET hash = ledger_sealed_hash(t) WHERE sequence = 1"_s,
            {"chain_broken"});
        row("a row written in the old form",
            u"UPDATE transaction_history SET text_digest = NULL, parts_digest = NULL,"
            " description = 'x' WHERE sequence = 1;"
            "UPDATE transaction_history t SET hash = ledger_sealed_hash(t) WHERE sequence = 1"_s,
            {"chain_broken"});
        row("a text", u"UPDATE transaction_history SET description = 'x' WHERE sequence = 1"_s, {"text_changed"});
        row("a text and its digest",
            u"UPDATE transaction_history SET description = 'x', text_digest = ledger_text_digest(text_salt, 'x', "
            u"metadata)"
            " WHERE sequence = 1"_s,
            {"row_changed"});
        row("legs and their digest", u"UPDATE transaction_history SET parts_digest = sha256('') WHERE sequence = 1"_s,
            {"parts_changed", "row_changed"});
        row("a text that is said to be erased",
            u"UPDATE transaction_history SET description = 'x', text_salt = NULL WHERE sequence = 1"_s,
            {"text_changed"});
        row("a row in the middle taken out", u"DELETE FROM transaction_history WHERE sequence = 2"_s,
            {"legs_without_row", "operation_mismatch", "sequence_gap"});
        row("a row in the middle and its legs and keys taken out",
            u"DELETE FROM ledger_legs WHERE transaction_id = (SELECT id FROM transaction_history WHERE sequence = 2);"
            "DELETE FROM operations o USING transaction_history t WHERE o.result_id = t.id AND t.sequence = 2;"
            "DELETE FROM transaction_history WHERE sequence = 2"_s,
            {"lot_history", "sequence_gap"});
        row("a row put in between",
            u"INSERT INTO transaction_history SELECT (jsonb_populate_record(t, jsonb_build_object('id',"
            " gen_random_uuid()))).* FROM transaction_history t WHERE sequence = 2;"
            "UPDATE transaction_history t SET hash = ledger_sealed_hash(t) WHERE sequence = 2"_s,
            {"legs_unbalanced", "operation_mismatch", "parts_changed", "sequence_gap"});
        row("a row put at the end",
            u"INSERT INTO transaction_history SELECT (jsonb_populate_record(t, jsonb_build_object('id',"
            " gen_random_uuid(), 'sequence', (SELECT max(sequence) + 1 FROM transaction_history), 'prev_hash',"
            " (SELECT head_hash FROM user_wallet)))).* FROM transaction_history t WHERE sequence = 2;"
            "UPDATE transaction_history t SET hash = ledger_sealed_hash(t) WHERE sequence ="
            " (SELECT max(sequence) FROM transaction_history)"_s,
            {"balance_mismatch", "head_mismatch", "legs_unbalanced", "operation_mismatch", "parts_changed",
             "running_balance"});
        row("two rows swapped",
            u"UPDATE transaction_history SET sequence = CASE sequence WHEN 2 THEN 3 ELSE 2 END WHERE sequence IN (2, 3)"_s,
            {"chain_broken", "parts_changed", "row_changed", "running_balance"});
        row("the tail",
            u"DELETE FROM transaction_history WHERE sequence = (SELECT max(sequence) FROM transaction_history)"_s,
            {"balance_mismatch", "day_mismatch", "head_mismatch", "legs_without_row"});
        row("the tail, and the wallet and all set back with it", cutBeforeTheDay(), {"tail_missing"});
        row("the tail, and what the day wrote down of it",
            cutBeforeTheDay()
                + u"UPDATE ledger_day_heads h SET sequence = t.sequence, hash = t.hash FROM"
                  " transaction_history t WHERE t.sequence = 3"_s,
            {"day_changed"});
        row("the tail, and the day with a fitting digest",
            cutBeforeTheDay()
                + u"UPDATE ledger_day_heads h SET sequence = t.sequence, hash = t.hash FROM"
                  " transaction_history t WHERE t.sequence = 3;"
                  "UPDATE ledger_days SET digest = ledger_day_digest(day, NULL, audit_sequence, audit_hash)"_s,
            {"day_missing"});
        row("the tail, and the day gone",
            cutBeforeTheDay() + u"DELETE FROM ledger_day_heads; DELETE FROM ledger_days"_s, {"day_missing"});
        row("where a day says that a chain stood", u"UPDATE ledger_day_heads SET hash = sha256('')"_s,
            {"day_changed", "tail_missing"});
        row("a wallet and its lot",
            u"UPDATE wallet_lots SET original = original + 5, remaining = remaining + 5 WHERE bucket = 'purchased';"
            "UPDATE user_wallet SET purchased = purchased + 5"_s,
            {"balance_mismatch", "lot_history", "parts_changed"});
        row("a lot with its wallet, leg and row",
            u"UPDATE wallet_lots SET original = original + 5, remaining = remaining + 5 WHERE bucket = 'purchased';"
            "UPDATE user_wallet SET purchased = purchased + 5;"
            "UPDATE ledger_legs g SET amount = g.amount + 5 * sign(g.amount) FROM transaction_history t"
            " WHERE t.id = g.transaction_id AND t.sequence = 2;"
            "UPDATE transaction_history SET amount = amount + 5, purchased = purchased + 5 WHERE sequence = 2;"
            "UPDATE transaction_history SET after_purchased = after_purchased + 5 WHERE sequence >= 2"_s,
            {"parts_changed", "row_changed"});
        row("a longer life for a bonus",
            u"UPDATE wallet_lots SET expires_at = expires_at + interval '1 year'"
            " WHERE bucket = 'bonus'"_s,
            {"parts_changed"});
        row("a reservation",
            u"UPDATE wallet_lots SET reserved = reserved + 1 WHERE bucket = 'purchased';"
            " UPDATE user_wallet SET held = held + 1"_s,
            {"reserved_mismatch"});
        row("a leg", u"UPDATE ledger_legs SET amount = amount * 2 WHERE lot_id IS NULL AND transaction_id = "_s + chat,
            {"legs_unbalanced", "parts_changed"});
        row("the other account",
            u"UPDATE ledger_legs SET account = 'operator:issuance' WHERE lot_id IS NULL AND"
            " transaction_id = "_s
                + chat,
            {"parts_changed"});
        row("a charge out of another lot",
            u"UPDATE ledger_legs g SET lot_id = l.id, account = 'user:bonus' FROM wallet_lots l"
            " WHERE l.bucket = 'bonus' AND g.account = 'user:purchased' AND g.transaction_id = "_s
                + chat,
            {"legs_unbalanced", "lot_history", "parts_changed"});
        row("a hold's charge",
            u"UPDATE holds SET charged_daily_free = charged_daily_free - 1 WHERE transaction_id = "_s + chat,
            {"charge_mismatch"});
        row("a hold's buckets",
            u"UPDATE holds SET charged_daily_free = charged_daily_free - 1, charged_purchased ="
            " charged_purchased + 1 WHERE transaction_id = "_s
                + chat,
            {"charge_mismatch"});
        row("a wallet alone", u"UPDATE user_wallet SET purchased = purchased + 1"_s,
            {"balance_mismatch", "lot_mismatch"});
        row("two refreshes on one day",
            u"UPDATE transaction_history SET created_at = created_at - interval '1 day' WHERE kind = 'daily_refresh' "
            u"AND"
            " created_at > '2026-01-16'"_s,
            {"day_mismatch", "head_mismatch", "legs_unbalanced", "legs_without_row", "parts_changed", "refreshed_twice",
             "row_changed"});
        row("a second refresh", u"UPDATE user_wallet SET refreshed_on = refreshed_on - 1, granted_today = 0"_s,
            {"day_mismatch"});
        row("a reversal forgotten", u"DELETE FROM reversals"_s, {"reversal_mismatch"});
        row("a hold that never was",
            u"DELETE FROM hold_lots p USING holds h WHERE h.id = p.hold_id AND h.state = 'voided'"_s,
            {"hold_mismatch"});
        row("a deadline not looked at", u"UPDATE user_wallet SET due_at = 'infinity'"_s, {"due_mismatch"});
    }
    void the_audit_names_what_was_done_behind_our_back()
    {
        QFETCH(QString, statements);
        QFETCH(QStringList, rules);
        auto &owner = m_stage.db.owner();
        const db::Transaction rolledBack(owner);
        owner.script(statements);
        QStringList found;
        for (const auto &finding : m_stage.ledger.audit(owner)) {
            found.append(finding.rule);
            QVERIFY2(finding.user == m_stage.user || finding.rule.startsWith(u"day_"), qPrintable(finding.rule));
        }
        found.removeDuplicates();
        found.sort();
        rules.sort();
        QCOMPARE(found.join(u' '), rules.join(u' '));
    }

    void a_log_that_was_cut_is_found_data()
    {
        QTest::addColumn<QString>("statements");
        QTest::addColumn<QString>("rules");
        const auto row = [](const char *name, const QString &statements, const char *rules) {
            QTest::newRow(name) << statements << QString::fromLatin1(rules);
        };
        row("the tail", u"DELETE FROM audit_log WHERE sequence = 4"_s, "missing_tail");
        row("all of it", u"DELETE FROM audit_log"_s, "missing_tail missing_tail");
        row("all of it and its head", u"DELETE FROM audit_log; DELETE FROM audit_log_head"_s,
            "missing_tail missing_tail");
        row("the tail, the head set back with it",
            u"DELETE FROM audit_log WHERE sequence >= 3; UPDATE audit_log_head h SET sequence = l.sequence, hash = "
            u"l.hash"
            " FROM audit_log l WHERE l.sequence = 2"_s,
            "missing_tail"); // the closed day has seen 3
        row("the tail, and a line since",
            u"DELETE FROM audit_log WHERE sequence = 4; SELECT append_audit(gen_random_uuid(), now(), 'cli', 'a.b', "
            u"'c',"
            " 'why', NULL, NULL, '')"_s,
            "missing_row");
        row("a line swapped",
            u"UPDATE audit_log SET sequence = 9 - sequence WHERE sequence IN (1, 2);"
            "UPDATE audit_log SET sequence = CASE sequence WHEN 8 THEN 2 ELSE 1 END WHERE sequence IN (7, 8)"_s,
            "broken_chain broken_chain broken_chain");
    }
    void a_log_that_was_cut_is_found()
    {
        QFETCH(QString, statements);
        auto &owner = m_stage.db.owner();
        const db::Transaction rolledBack(owner);
        owner.script(statements);
        QStringList found;
        for (const auto &row : owner.script("SELECT rule FROM verify_audit()"))
            found.append(row.text("rule"));
        found.sort();
        QTEST(found.join(u' '), "rules");
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

    // A digest tells nothing about a text that was erased: the same text has another one in every row.
    void equal_texts_have_digests_of_their_own()
    {
        LedgerFixture f;
        f.grant(Bucket::Purchased, "1");
        f.grant(Bucket::Purchased, "1");
        const auto rows = f.db.owner().script("SELECT count(DISTINCT text_digest) AS n FROM transaction_history");
        QCOMPARE(rows.first().integer("n"), 2);
    }

    // Rows that were written before there were digests are whole under the hash of then.
    void rows_of_before_are_still_whole()
    {
        LedgerFixture f;
        f.charge();
        QVERIFY(f.hold("1"));
        const db::Transaction rolledBack(f.db.owner());
        f.db.owner().script(
            "UPDATE transaction_history SET text_salt = NULL, text_digest = NULL, parts_digest = NULL;"
            "UPDATE transaction_history t SET hash = sha256(convert_to('v1|' || id || '|' || user_id || '|' ||"
            " sequence || '|' || (extract(epoch FROM created_at) * 1000000)::bigint || '|' || kind || '|' ||"
            " amount || '|' || daily_free || '|' || purchased || '|' || bonus || '|' || after_daily_free ||"
            " '|' || after_purchased || '|' || after_bonus || '|' || coalesce(hold_id::text, '') || '|||' ||"
            " repeat('00', 32), 'UTF8')), prev_hash = decode(repeat('00', 32), 'hex')");
        QStringList found;
        for (const auto &finding : f.ledger.audit(f.db.owner()))
            found.append(finding.rule);
        found.removeDuplicates();
        QCOMPARE(found, (QStringList{"chain_broken", "head_mismatch"})); // for the chain was not rebuilt here
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
        f.db.owner().script("UPDATE transaction_history SET description = '', metadata = '{}', text_salt = NULL");
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
    // Whoever owns the tables can take all of this away; so it is taken away before anything is changed.
    void liftEveryGuard()
    {
        m_stage.db.owner().script(
            "SET session_replication_role = replica; DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass "
            "AS"
            " tab, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND conparentid = 0 AND coninhcount = 0 AND"
            " conrelid <> 0 LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.tab, c.conname); END LOOP; END "
            "$$");
    }
    static QString rowOf(const QString &table)
    {
        if (table == u"transaction_history")
            return u"id = (SELECT id FROM transaction_history WHERE kind = 'chat' ORDER BY sequence LIMIT 1)"_s;
        if (table == u"ledger_legs")
            return u"account = 'user:daily_free' AND transaction_id = (SELECT id FROM transaction_history WHERE kind ="
                   " 'chat' ORDER BY sequence LIMIT 1)"_s;
        if (table == u"wallet_lots")
            return u"bucket = 'bonus'"_s;
        if (table == u"holds")
            return u"state = 'captured'"_s;
        if (table == u"hold_lots")
            return u"hold_id = (SELECT id FROM holds WHERE state = 'held')"_s;
        if (table == u"audit_log")
            return u"sequence = 4"_s;
        return u"true"_s;
    }
    // Another value of the type, a little off.
    static QString changeOf(const QString &column, const QString &type)
    {
        if (type == u"uuid")
            return u"gen_random_uuid()"_s;
        if (type == u"numeric" || type == u"bigint" || type == u"smallint" || type == u"date")
            return type != u"numeric" ? u"%1 + 100"_s.arg(column) : u"coalesce(%1, 0) + 0.0001"_s.arg(column);
        if (type == u"text")
            return u"coalesce(%1, '') || 'x'"_s.arg(column);
        if (type == u"jsonb")
            return u"coalesce(%1, '{}') || '{\"x\": 1}'"_s.arg(column);
        if (type == u"bytea")
            return u"coalesce(set_byte(%1, 0, get_byte(%1, 0) # 1), '\\x00')"_s.arg(column);
        return u"coalesce(CASE WHEN isfinite(%1) THEN %1 END, '2026-01-16') + interval '1 us'"_s.arg(column);
    }
    // What is no book and may change unseen; docs/ledger.md says so. Whatever is not here must be found.
    static QStringList notWatched()
    {
        return {u"hold_lots.position"_s, // in which order a hold's parts are charged
                u"holds.expires_at"_s, u"holds.closed_at"_s, u"ledger_days.closed_at"_s, u"reversals.created_at"_s,
                u"user_wallet.created_at"_s, u"wallet_lots.created_at"_s, u"user_wallet.active_on"_s,
                u"user_wallet.daily_limit"_s, // as last told, for show
                // what a repeated call is answered: no credit moves by it
                u"holds.after_daily_free"_s, u"holds.after_purchased"_s, u"holds.after_bonus"_s, u"holds.after_held"_s,
                u"operations.after_daily_free"_s, u"operations.after_purchased"_s, u"operations.after_bonus"_s,
                u"operations.after_held"_s, u"operations.key"_s, u"operations.fingerprint"_s};
    }
    // The first finding that says whose it is, and of a row or leg which transaction's; empty where there is none.
    QString findingAbout(const QString &transaction, const QString &table)
    {
        auto &owner = m_stage.db.owner();
        if (table.startsWith(u"audit_log")) {
            const auto rows = owner.script("SELECT rule FROM verify_audit()");
            return rows.isEmpty() ? QString() : rows.first().text("rule");
        }
        const bool named = table == u"transaction_history" || table == u"ledger_legs";
        for (const auto &finding : m_stage.ledger.audit(owner))
            if ((finding.user == m_stage.user && (!named || finding.detail.contains(transaction)))
                || table.startsWith(u"ledger_day"))
                return finding.rule + u": "_s + finding.detail;
        return {};
    }
    // Statements of a careful forger: all after sequence 3 never happened. Before it were two grants and the refresh.
    static QString cutBeforeTheDay()
    {
        return u"DELETE FROM ledger_legs WHERE transaction_id IN (SELECT id FROM transaction_history WHERE sequence > "
               u"3);"
               "DELETE FROM operations o WHERE result_id NOT IN (SELECT id FROM transaction_history WHERE sequence <= "
               "3);"
               "DELETE FROM hold_lots; DELETE FROM holds; DELETE FROM reversals;"
               "UPDATE user_wallet w SET sequence = 3, head_hash = t.hash, last_at = t.created_at, daily_free ="
               " t.after_daily_free, purchased = t.after_purchased, bonus = t.after_bonus, held = 0, refreshed_on ="
               " '2026-01-15', granted_today = 10, due_at = '-infinity' FROM transaction_history t WHERE t.sequence = "
               "3;"
               "UPDATE wallet_lots SET remaining = original, reserved = 0;"
               "DELETE FROM wallet_lots WHERE sequence > 3;"
               "DELETE FROM transaction_history WHERE sequence > 3;"_s;
    }

    LedgerFixture m_stage;
    TransactionId m_chat; // the first charge
};

QTEST_GUILESS_MAIN(AuditTest)
#include "tst_Audit.moc"
