#include "LedgerFixture.h"

#include <QRegularExpression>
#include <QTest>

using namespace companion;
using namespace companion::test;

// One row per refusal, and one per pair of them that can meet: the earlier in the function's list is answered.
// Asked of the functions themselves, because C++ answers several of their codes as one.
//
// The stage (2026-01-15 12:00 UTC), the same before each row: user U has 10 daily, 20 purchased and 5 bonus; of these
// the hold OPEN reserves 12 (10 daily, 2 purchased). Key "taken" belongs to a grant. Holds CAPTURED (of 1, out of a lot
// of 1), VOIDED and EXPIRED are closed. Transactions: CHAT and its reversal REFUND, GRANT (5 bonus, unspent), SPENT
// (the purchased lot of which OPEN reserves 2), REFRESH. V is another user with a hold THEIRS; NOBODY is no user.
class RefusalsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { setTheStage(); }

    void the_first_that_applies_is_answered_data()
    {
        QTest::addColumn<QString>("call");
        QTest::addColumn<QString>("code");
        const auto row = [](const char *name, const char *call, const char *code) {
            QTest::newRow(name) << QString::fromLatin1(call) << QString::fromLatin1(code);
        };
        const char *hold = "hold(U, 'new', 1, LATER, 10, NOW)";
        row("hold: done", hold, "ok");
        row("hold: negative", "hold(U, 'new', -0.0001, LATER, 10, NOW)", "invalid");
        row("hold: five places", "hold(U, 'new', 0.00001, LATER, 10, NOW)", "invalid");
        row("hold: beyond the range", "hold(U, 'new', 1000000000.0001, LATER, 10, NOW)", "invalid");
        row("hold: not a number", "hold(U, 'new', 'NaN', LATER, 10, NOW)", "invalid");
        row("hold: no amount", "hold(U, 'new', NULL, LATER, 10, NOW)", "invalid");
        row("hold: no deadline", "hold(U, 'new', 1, NULL, 10, NOW)", "invalid");
        row("hold: a deadline for ever", "hold(U, 'new', 1, 'infinity', 10, NOW)", "invalid");
        row("hold: a deadline now", "hold(U, 'new', 1, NOW, 10, NOW)", "invalid");
        row("hold: no key", "hold(U, '', 1, LATER, 10, NOW)", "invalid");
        row("hold: too long a key", "hold(U, repeat('k', 201), 1, LATER, 10, NOW)", "invalid");
        row("hold: a negative limit", "hold(U, 'new', 1, LATER, -1, NOW)", "invalid");
        row("hold: invalid before no such user", "hold(NOBODY, 'new', -1, LATER, 10, NOW)", "invalid");
        row("hold: no such user", "hold(NOBODY, 'new', 1, LATER, 10, NOW)", "not_found");
        row("hold: the key is another's terms", "hold(U, 'open', 13, LATER, 10, NOW)", "key_reused");
        row("hold: the key is a grant's", "hold(U, 'taken', 12, LATER, 10, NOW)", "key_reused");
        row("hold: a used key before too little", "hold(U, 'taken', 1000, LATER, 10, NOW)", "key_reused");
        row("hold: too little", "hold(U, 'new', 23.0001, LATER, 10, NOW)", "insufficient_credits");
        row("hold: just enough", "hold(U, 'new', 23, LATER, 10, NOW)", "ok");
        row("hold: a repetition, though too little is left now", "hold(U, 'open', 12, LATER, 10, NOW)", "ok");

        row("capture: done", "capture(U, OPEN, 12, 'd', '{}', NOW)", "ok");
        row("capture: negative", "capture(U, OPEN, -1, 'd', '{}', NOW)", "invalid");
        row("capture: invalid before no such hold", "capture(U, NOBODY, -1, 'd', '{}', NOW)", "invalid");
        row("capture: no such user", "capture(NOBODY, OPEN, 1, 'd', '{}', NOW)", "not_found");
        row("capture: no such hold", "capture(U, NOBODY, 1, 'd', '{}', NOW)", "not_found");
        row("capture: another user's hold", "capture(U, THEIRS, 1, 'd', '{}', NOW)", "not_found");
        row("capture: captured for another amount", "capture(U, CAPTURED, 0.5, 'd', '{}', NOW)", "hold_captured");
        row("capture: captured before more than the hold", "capture(U, CAPTURED, 99, 'd', '{}', NOW)", "hold_captured");
        row("capture: a repetition", "capture(U, CAPTURED, 1, 'd', '{}', NOW)", "ok");
        row("capture: voided", "capture(U, VOIDED, 1, 'd', '{}', NOW)", "hold_voided");
        row("capture: voided before more than the hold", "capture(U, VOIDED, 99, 'd', '{}', NOW)", "hold_voided");
        row("capture: expired", "capture(U, EXPIRED, 1, 'd', '{}', NOW)", "hold_expired");
        row("capture: expires just now", "capture(U, OPEN, 1, 'd', '{}', LATER + interval '1 ms')", "hold_expired");
        row("capture: at the deadline", "capture(U, OPEN, 1, 'd', '{}', LATER)", "ok");
        row("capture: more than the hold", "capture(U, OPEN, 12.0001, 'd', '{}', NOW)", "exceeds_hold");

        row("void: done", "void(U, OPEN, NOW)", "ok");
        row("void: no such user", "void(NOBODY, OPEN, NOW)", "not_found");
        row("void: no such hold", "void(U, NOBODY, NOW)", "not_found");
        row("void: another user's hold", "void(U, THEIRS, NOW)", "not_found");
        row("void: captured", "void(U, CAPTURED, NOW)", "hold_captured");
        row("void: voided already", "void(U, VOIDED, NOW)", "ok");
        row("void: expired already", "void(U, EXPIRED, NOW)", "ok");

        row("grant: done", "grant(U, 'new', 'purchased', 1, 'purchase', NULL, 'd', '{}', NOW)", "ok");
        row("grant: nothing", "grant(U, 'new', 'purchased', 0, 'purchase', NULL, 'd', '{}', NOW)", "invalid");
        row("grant: into the daily bucket", "grant(U, 'new', 'daily_free', 1, 'purchase', NULL, 'd', '{}', NOW)",
            "invalid");
        row("grant: of a kind that is no grant", "grant(U, 'new', 'bonus', 1, 'chat', NULL, 'd', '{}', NOW)",
            "invalid");
        row("grant: purchased credit never expires",
            "grant(U, 'new', 'purchased', 1, 'purchase', LATER, 'd', '{}', NOW)", "invalid");
        row("grant: expired already", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NOW, 'd', '{}', NOW)", "invalid");
        row("grant: no description", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, NULL, '{}', NOW)", "invalid");
        row("grant: metadata that is no object", "grant(U, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '[]', NOW)",
            "invalid");
        row("grant: no such user", "grant(NOBODY, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)",
            "not_found");
        row("grant: the key is another's terms", "grant(U, 'taken', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)",
            "key_reused");
        row("grant: a full wallet", "grant(RICH, 'new', 'bonus', 1, 'bonus_grant', NULL, 'd', '{}', NOW)",
            "wallet_full");

        row("adjust: done", "adjust(U, 'new', 'purchased', -18, 'r', NULL, NOW)", "ok");
        row("adjust: nothing", "adjust(U, 'new', 'purchased', 0, 'r', NULL, NOW)", "invalid");
        row("adjust: no such bucket", "adjust(U, 'new', 'gold', 1, 'r', NULL, NOW)", "invalid");
        row("adjust: no reason", "adjust(U, 'new', 'bonus', 1, NULL, NULL, NOW)", "invalid");
        row("adjust: no such user", "adjust(NOBODY, 'new', 'bonus', 1, 'r', NULL, NOW)", "not_found");
        row("adjust: a used key before too little", "adjust(U, 'taken', 'bonus', -999, 'r', NULL, NOW)", "key_reused");
        row("adjust: what is held stays", "adjust(U, 'new', 'purchased', -18.0001, 'r', NULL, NOW)",
            "insufficient_credits");
        row("adjust: one bucket does not pay for another", "adjust(U, 'new', 'bonus', -5.0001, 'r', NULL, NOW)",
            "insufficient_credits");
        row("adjust: a full wallet", "adjust(RICH, 'new', 'bonus', 1, 'r', NULL, NOW)", "wallet_full");

        row("reverse: done", "reverse(U, GRANT, 'new', 'r', NULL, NOW)", "ok");
        row("reverse: no key", "reverse(U, GRANT, '', 'r', NULL, NOW)", "invalid");
        row("reverse: no such user", "reverse(NOBODY, GRANT, 'new', 'r', NULL, NOW)", "not_found");
        row("reverse: no such transaction", "reverse(U, NOBODY, 'new', 'r', NULL, NOW)", "not_found");
        row("reverse: another user's transaction", "reverse(V, GRANT, 'new', 'r', NULL, NOW)", "not_found");
        row("reverse: a used key before reversed already", "reverse(U, CHAT, 'taken', 'r', NULL, NOW)", "key_reused");
        row("reverse: reversed already", "reverse(U, CHAT, 'new', 'r', NULL, NOW)", "reversed_already");
        row("reverse: itself a reversal", "reverse(U, REFUND, 'new', 'r', NULL, NOW)", "not_reversible");
        row("reverse: a refresh", "reverse(U, REFRESH, 'new', 'r', NULL, NOW)", "not_reversible");
        row("reverse: of its lot some is held", "reverse(U, SPENT, 'new', 'r', NULL, NOW)", "insufficient_credits");

        row("refresh: a negative limit", "refresh(U, -1, NOW)", "invalid");
        row("refresh: no such user", "refresh(NOBODY, 1, NOW)", "not_found");
        row("balance: no such user", "balance(NOBODY, 1, NOW)", "not_found");
    }
    // Rolled back after each row; a refusal must have written nothing at all.
    void the_first_that_applies_is_answered()
    {
        QFETCH(QString, call);
        QFETCH(QString, code);
        auto &app = m_f.db.app();
        const db::Transaction rolledBack(app, m_f.user);
        const QString before = everything();
        QCOMPARE(app.script(QStringLiteral("SELECT code FROM ledger_") + filled(call)).first().text("code"), code);
        if (code != QLatin1StringView("ok") && !call.contains(QLatin1StringView("LATER +")))
            QCOMPARE(everything(), before);
    }

    void a_refusal_says_what_was_needed_and_what_there_is()
    {
        const auto refused = m_f.hold("23.0001");
        QCOMPARE(refused.error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(refused.error().required, std::optional(credits("23.0001")));
        QCOMPARE(refused.error().available, std::optional(credits("23")));
    }

    void what_was_due_stays_done_when_the_call_refuses()
    {
        LedgerFixture f;
        QVERIFY(f.hold("4"));
        f.db.clock().advance(std::chrono::hours(24));
        QCOMPARE(f.hold("1000").error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(f.history(), "daily_refresh 10, daily_expiry -10, daily_refresh 10");
    }

private:
    void setTheStage()
    {
        LedgerFixture &f = m_f;
        auto &app = f.db.app();
        f.grant(Bucket::Purchased, "1");
        const auto captured = f.hold("1", "0");
        const auto chat = f.capture(captured->id, "1");
        const auto refund = f.reverse(chat->transaction);
        f.adjust(Bucket::Purchased, "-1");
        const auto voided = f.hold("0", "0");
        QVERIFY(f.ledger.voidHold(app, f.user, voided->id));
        const auto expired = f.hold("0", "0", std::chrono::seconds(1));
        f.db.clock().advance(std::chrono::hours(24)); // past its deadline; a day on, the refresh is a plain one
        const auto spent = f.grant(Bucket::Purchased, "20");
        const auto bonus = f.ledger.grant(
            app, {.user = f.user, .key = "taken", .bucket = Bucket::Bonus, .amount = credits("5"), .description = "d"});
        QCOMPARE(f.wallet(), "10 20 5 0");
        const auto refresh = f.ledger.transactions(app, {.user = f.user, .kind = TransactionKind::DailyRefresh}, {});
        const auto open =
            f.ledger.hold(app, {f.user, "open", credits("12"), f.in(std::chrono::minutes(6)), credits("10")});
        const UserId other = f.addUser();
        const auto theirs =
            f.ledger.hold(app, {other, "k", credits("1"), f.in(std::chrono::minutes(6)), credits("10")});
        const UserId rich = f.addUser();
        for (int i = 0; i < 1000; ++i)
            QVERIFY(
                f.ledger.grant(app,
                               {.user = rich, .key = f.newKey(), .amount = credits("1000000000"), .description = "d"}));
        const auto text = [&](const QString &name, const QString &value) {
            m_names.append({name, u'\'' + value + u'\''});
        };
        text("NOBODY", UserId::create().toString());
        text("THEIRS", theirs->id.toString());
        text("CAPTURED", captured->id.toString());
        text("VOIDED", voided->id.toString());
        text("EXPIRED", expired->id.toString());
        text("OPEN", open->id.toString());
        text("CHAT", chat->transaction.toString());
        text("REFUND", refund->id.toString());
        text("GRANT", bonus->id.toString());
        text("SPENT", spent->id.toString());
        text("REFRESH", refresh->items.first().id.toString());
        text("RICH", rich.toString());
        m_names.append({"LATER", "timestamptz '" + f.in(std::chrono::minutes(6)).toString(Qt::ISODate) + u'\''});
        m_names.append({"NOW", "timestamptz '" + f.now().toString(Qt::ISODate) + u'\''});
        text("U", f.user.toString());
        text("V", other.toString());
    }
    QString filled(QString call) const
    {
        for (const auto &[name, value] : m_names)
            call.replace(QRegularExpression(u"\\b" + name + u"\\b"), value);
        return call;
    }
    // What this session's transaction sees of every table, as one digest; as the user of the stage.
    QString everything()
    {
        m_f.db.app().script(filled("SELECT set_config('companion.user_id', U, true)"));
        return m_f.db.app()
            .script(filled("SELECT md5(concat((SELECT string_agg(t::text, ',' ORDER BY user_id) FROM user_wallet t),"
                           "(SELECT string_agg(t::text, ',' ORDER BY id) FROM wallet_lots t),"
                           "(SELECT string_agg(t::text, ',' ORDER BY id) FROM holds t),"
                           "(SELECT string_agg(t::text, ',' ORDER BY key) FROM operations t),"
                           "(SELECT string_agg(t::text, ',' ORDER BY sequence) FROM transaction_history t),"
                           "(SELECT count(*) FROM ledger_legs), (SELECT count(*) FROM reversals))) AS digest"))
            .first()
            .text("digest");
    }

    LedgerFixture m_f;
    QList<std::pair<QString, QString>> m_names; // what stands for what in a call
};

QTEST_GUILESS_MAIN(RefusalsTest)
#include "tst_Refusals.moc"
