#include "LedgerFixture.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// Days, deadlines and expiries, on a clock of our own.
class MidnightTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void init() { m_f = std::make_unique<LedgerFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void a_day_begins_at_midnight_utc_and_not_a_moment_earlier()
    {
        m_f->at("2026-03-01T23:59:59.999Z");
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QVERIFY(m_f->capture(m_f->hold("4")->id, "4"));
        QCOMPARE(m_f->wallet(), "6 0 0 0");
        m_f->db.clock().advance(1ms);
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, chat -4, daily_expiry -6, daily_refresh 10");
    }

    void days_without_a_visit_leave_one_expiry_and_one_refresh()
    {
        m_f->wallet();
        m_f->db.clock().advance(24h * 40);
        QCOMPARE(m_f->wallet("100"), "100 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, daily_expiry -10, daily_refresh 100");
    }

    void a_day_that_was_used_up_leaves_no_expiry()
    {
        QVERIFY(m_f->capture(m_f->hold("10")->id, "10"));
        m_f->db.clock().advance(24h);
        m_f->wallet();
        QCOMPARE(m_f->history(), "daily_refresh 10, chat -10, daily_refresh 10");
    }

    void held_daily_credit_outlives_midnight_and_is_captured()
    {
        m_f->at("2026-03-01T23:58:00Z");
        const auto hold = m_f->hold("4");
        m_f->at("2026-03-02T00:01:00Z");
        QCOMPARE(m_f->wallet(), "14 0 0 4"); // the day's 10 and the held 4
        const auto settled = m_f->capture(hold->id, "4");
        QCOMPARE(settled->charge.dailyFree, credits("4"));
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, daily_expiry -6, daily_refresh 10, chat -4");
    }

    void what_a_capture_releases_after_midnight_expires()
    {
        m_f->at("2026-03-01T23:58:00Z");
        const auto hold = m_f->hold("4");
        m_f->at("2026-03-02T00:01:00Z");
        const auto settled = m_f->capture(hold->id, "1.5"); // nobody has come on the new day yet
        QCOMPARE(settled->balance.total, Credits());
        QCOMPARE(m_f->history(), "daily_refresh 10, daily_expiry -6, chat -1.5, daily_expiry -2.5");
        QCOMPARE(m_f->wallet(), "10 0 0 0");
    }

    void what_a_void_releases_after_midnight_expires()
    {
        m_f->at("2026-03-01T23:58:00Z");
        const auto hold = m_f->hold("4");
        m_f->at("2026-03-02T00:01:00Z");
        QCOMPARE(m_f->wallet(), "14 0 0 4");
        QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id));
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, daily_expiry -6, daily_refresh 10, daily_expiry -4");
    }

    void purchased_credit_is_released_whatever_the_hour()
    {
        m_f->grant(Bucket::Purchased, "5");
        m_f->at("2026-03-01T23:58:00Z");
        const auto hold = m_f->hold("13");
        m_f->at("2026-03-02T00:01:00Z");
        QVERIFY(m_f->capture(hold->id, "11"));
        QCOMPARE(m_f->wallet(), "10 4 0 0");
    }

    void a_hold_past_its_deadline_is_freed_by_the_next_call_and_cannot_be_captured()
    {
        const auto hold = m_f->hold("4");
        m_f->db.clock().advance(6min);
        QCOMPARE(m_f->wallet(), "10 0 0 4"); // at the deadline itself it still stands
        m_f->db.clock().advance(1ms);
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        const auto refused = m_f->capture(hold->id, "1");
        QCOMPARE(refused.error().code, ErrorCode::Conflict);
        QVERIFY(refused.error().detail.contains("deadline"));
    }

    void a_late_capture_itself_frees_the_hold()
    {
        const auto hold = m_f->hold("4");
        m_f->db.clock().advance(7min);
        QCOMPARE(m_f->capture(hold->id, "1").error().code, ErrorCode::Conflict);
        const auto rows = m_f->db.operators().script("SELECT held FROM user_wallet");
        QCOMPARE(rows.first().credits("held"), Credits());
    }

    void bonus_expires_lot_by_lot_and_what_is_held_of_it_does_not()
    {
        m_f->grant(Bucket::Bonus, "3", m_f->in(1h));
        m_f->grant(Bucket::Bonus, "5", m_f->in(2h));
        const auto hold = m_f->hold("2", "0", 3h); // of the first
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->wallet("0"), "0 0 7 2");
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->wallet("0"), "0 0 2 2");
        QVERIFY(m_f->capture(hold->id, "1.5"));
        QCOMPARE(m_f->wallet("0"), "0 0 0 0");
        QCOMPARE(m_f->history(),
                 "bonus_grant 3, bonus_grant 5, bonus_expiry -1, bonus_expiry -5, chat -1.5, bonus_expiry -0.5");
    }

    void a_hold_outlives_as_many_midnights_as_its_deadline_lets_it()
    {
        m_f->at("2026-03-01T12:00:00Z");
        const auto hold = m_f->hold("4", "10", 100h);
        for (int day = 2; day <= 4; ++day) {
            m_f->db.clock().advance(24h);
            QCOMPARE(m_f->wallet(), "14 0 0 4"); // the day's own 10, and what is held of the first
        }
        const auto lots = m_f->balance().lots; // what expires first is spent first: the held one is of the first day
        QCOMPARE(lots.size(), 2);
        QCOMPARE(lots[0].remaining, credits("4"));
        QCOMPARE(lots[0].expiresAt->toString(Qt::ISODate), "2026-03-02T00:00:00Z");
        QVERIFY(m_f->capture(hold->id, "1"));
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QCOMPARE(m_f->history(),
                 "daily_refresh 10, daily_expiry -6, daily_refresh 10, daily_expiry -10, daily_refresh 10,"
                 " daily_expiry -10, daily_refresh 10, chat -1, daily_expiry -3");
    }

    void a_hold_of_every_bucket_gives_back_only_what_has_not_expired()
    {
        m_f->at("2026-03-01T12:00:00Z");
        m_f->grant(Bucket::Purchased, "5");
        m_f->grant(Bucket::Bonus, "6", m_f->in(10h)); // 22:00
        m_f->grant(Bucket::Bonus, "7", m_f->in(240h));
        m_f->grant(Bucket::Bonus, "8");
        const auto hold = m_f->hold("36", "10", 48h);
        QCOMPARE(m_f->wallet(), "10 5 21 36");
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->wallet("0"), "10 5 21 36"); // all of it held: nothing has expired
        QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id));
        QCOMPARE(m_f->wallet("0"), "0 5 15 0");
        QCOMPARE(m_f->history(),
                 "bonus_grant 5, bonus_grant 6, bonus_grant 7, bonus_grant 8, daily_refresh 10,"
                 " daily_expiry -10, bonus_expiry -6");
    }

    void a_bonus_that_expired_while_held_can_be_charged_in_full()
    {
        m_f->grant(Bucket::Bonus, "3", m_f->in(1h));
        const auto hold = m_f->hold("3", "0", 3h);
        m_f->db.clock().advance(2h);
        QCOMPARE(m_f->hold("0.0001", "0").error().code,
                 ErrorCode::InsufficientCredits); // it is there, but not to be had
        const auto settled = m_f->capture(hold->id, "3");
        QCOMPARE(settled->charge.bonus, credits("3"));
        QCOMPARE(m_f->history(), "bonus_grant 3, chat -3");
    }

    void of_two_holds_on_one_lot_each_keeps_its_own_past_the_expiry()
    {
        m_f->grant(Bucket::Bonus, "10", m_f->in(1h));
        const auto first = m_f->hold("3", "0", 5h);
        const auto second = m_f->hold("4", "0", 5h);
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->wallet("0"), "0 0 7 7"); // the 3 that nobody held expired
        QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, first->id));
        QCOMPARE(m_f->wallet("0"), "0 0 4 4");
        QVERIFY(m_f->capture(second->id, "4"));
        QCOMPARE(m_f->history(), "bonus_grant 10, bonus_expiry -3, bonus_expiry -3, chat -4");
    }

    void what_a_deadline_frees_after_its_lots_expiry_expires_with_it()
    {
        m_f->grant(Bucket::Bonus, "3", m_f->in(1h));
        QVERIFY(m_f->hold("2", "0", 2h));
        QVERIFY(m_f->hold("1", "0", 2h));
        m_f->db.clock().advance(90min);
        auto &operators = m_f->db.operators();
        QCOMPARE(m_f->ledger.sweepLots(operators, 9), 0); // held: nothing to sweep, and no sweep for ever
        QCOMPARE(m_f->ledger.sweepHolds(operators, 9), 0);
        m_f->db.clock().advance(31min);
        QCOMPARE(m_f->ledger.sweepHolds(operators, 9), 1); // one wallet, both holds
        QCOMPARE(m_f->ledger.sweepLots(operators, 9), 0); // and the lot with them
        QCOMPARE(m_f->wallet("0"), "0 0 0 0");
        QCOMPARE(m_f->history(), "bonus_grant 3, bonus_expiry -3");
    }

    void a_hold_of_nothing_outlives_midnight_too()
    {
        const auto hold = m_f->hold("0", "0", 48h);
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->wallet("10"), "10 0 0 0");
        QVERIFY(m_f->capture(hold->id, "0"));
        QCOMPARE(m_f->history(), "daily_refresh 10");
    }

    // Instance A is past midnight, B a little before it: B releases what A has seen expire.
    void credit_that_a_slower_clock_releases_cannot_be_spent_after_its_end_data()
    {
        QTest::addColumn<bool>("captured");
        QTest::newRow("by a capture") << true;
        QTest::newRow("by a void") << false;
    }
    void credit_that_a_slower_clock_releases_cannot_be_spent_after_its_end()
    {
        QFETCH(bool, captured);
        m_f->at("2026-03-01T23:50:00Z");
        const auto hold = m_f->hold("4", "10", 1h);
        m_f->at("2026-03-02T00:00:01Z"); // A
        QCOMPARE(m_f->wallet("0"), "4 0 0 4");
        m_f->at("2026-03-01T23:59:59Z"); // B
        if (captured)
            QVERIFY(m_f->capture(hold->id, "1"));
        else
            QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id));
        m_f->at("2026-03-02T00:00:02Z"); // A again
        QCOMPARE(m_f->hold("0.0001", "0").error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(m_f->wallet("0"), "0 0 0 0");
        QCOMPARE(m_f->history(),
                 captured ? "daily_refresh 10, daily_expiry -6, chat -1, daily_expiry -3"
                          : "daily_refresh 10, daily_expiry -6, daily_expiry -4");
    }

    // A has written a row of the new day without refreshing it; B, behind, refreshes: it is the new day's, and the only
    // one.
    void a_slower_clock_refreshes_the_day_that_another_has_begun()
    {
        m_f->at("2026-03-02T00:00:01Z");
        m_f->grant(Bucket::Purchased, "1");
        m_f->at("2026-03-01T23:59:59Z");
        QCOMPARE(m_f->wallet(), "10 1 0 0");
        m_f->at("2026-03-02T00:00:02Z");
        QCOMPARE(m_f->wallet(), "10 1 0 0");
        QCOMPARE(m_f->history(), "bonus_grant 1, daily_refresh 10");
        m_f->at("2026-03-03T00:00:00Z");
        QCOMPARE(m_f->wallet(), "10 1 0 0");
        QCOMPARE(m_f->history(), "bonus_grant 1, daily_refresh 10, daily_expiry -10, daily_refresh 10");
    }

    void a_gift_of_daily_credit_ends_with_the_day()
    {
        QVERIFY(m_f->adjust(Bucket::DailyFree, "2"));
        m_f->db.clock().advance(12h);
        QCOMPARE(m_f->wallet("0"), "0 0 0 0");
        QCOMPARE(m_f->history(), "adjustment 2, daily_expiry -2");
    }

    void a_lot_that_a_refund_opens_again_still_expires()
    {
        m_f->grant(Bucket::Bonus, "1", m_f->in(3h));
        const auto settled = m_f->capture(m_f->hold("1", "0")->id, "1");
        m_f->grant(Bucket::Bonus, "2", m_f->in(1h));
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->wallet("0"), "0 0 0 0"); // nothing is due any more
        QVERIFY(m_f->reverse(settled->transaction));
        QCOMPARE(m_f->wallet("0"), "0 0 1 0");
        m_f->db.clock().advance(2h);
        QCOMPARE(m_f->wallet("0"), "0 0 0 0");
    }

    void a_visit_on_a_day_that_was_swept_is_a_visit()
    {
        m_f->wallet();
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->sweepRefresh(9), 1);
        m_f->wallet();
        for (int day = 2; day <= 7; ++day) {
            m_f->db.clock().advance(24h);
            QCOMPARE(m_f->sweepRefresh(9), 1);
        }
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->sweepRefresh(9), 0);
    }

    void a_sweep_looks_whatever_the_wallet_thinks_is_due()
    {
        m_f->grant(Bucket::Bonus, "1", m_f->in(1h));
        QVERIFY(m_f->hold("4"));
        m_f->db.owner().script("UPDATE user_wallet SET due_at = 'infinity'");
        m_f->db.clock().advance(2h);
        QCOMPARE(m_f->ledger.sweepHolds(m_f->db.operators(), 9), 1);
        QCOMPARE(m_f->ledger.sweepHolds(m_f->db.operators(), 9), 0);
        m_f->db.owner().script("UPDATE user_wallet SET due_at = 'infinity'");
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->ledger.sweepLots(m_f->db.operators(), 9), 1);
        QCOMPARE(m_f->ledger.sweepLots(m_f->db.operators(), 9), 0);
    }

    void a_refund_into_yesterdays_credit_expires_at_once()
    {
        m_f->grant(Bucket::Purchased, "5");
        const auto settled = m_f->capture(m_f->hold("12")->id, "12");
        m_f->db.clock().advance(24h);
        QVERIFY(m_f->reverse(settled->transaction));
        QCOMPARE(m_f->wallet("0"), "0 5 0 0");
        QCOMPARE(m_f->history(), "bonus_grant 5, daily_refresh 10, chat -12, chat_refund 12, daily_expiry -10");
    }

    void a_raised_limit_adds_the_difference_once()
    {
        QCOMPARE(m_f->wallet("10"), "10 0 0 0");
        QCOMPARE(m_f->wallet("100"), "100 0 0 0");
        QCOMPARE(m_f->wallet("10"), "100 0 0 0"); // a lowered one takes nothing today
        QCOMPARE(m_f->wallet("100"), "100 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, subscription_change 90");
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->wallet("10"), "10 0 0 0");
    }

    void a_clock_that_goes_back_neither_refreshes_again_nor_breaks_the_chain()
    {
        m_f->at("2026-03-02T00:00:01Z");
        m_f->wallet();
        m_f->at("2026-03-01T23:59:59Z"); // another instance, a little behind
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QVERIFY(m_f->capture(m_f->hold("1")->id, "1"));
        m_f->at("2026-03-02T00:00:02Z");
        QCOMPARE(m_f->wallet(), "9 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, chat -1");
    }

    void sweeps_do_in_batches_what_visits_would()
    {
        QList<UserId> users{m_f->user};
        for (int i = 0; i < 4; ++i)
            users.append(m_f->addUser());
        for (const UserId &user : users) {
            m_f->user = user;
            m_f->grant(Bucket::Bonus, "1", m_f->in(1h));
            QVERIFY(m_f->hold("4"));
        }
        auto &operators = m_f->db.operators();
        QCOMPARE(m_f->ledger.sweepHolds(operators, 2), 0);
        m_f->db.clock().advance(7min);
        QCOMPARE(m_f->ledger.sweepHolds(operators, 2), 2);
        QCOMPARE(m_f->ledger.sweepHolds(operators, 9), 3);
        QCOMPARE(m_f->ledger.sweepHolds(operators, 9), 0);
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->ledger.sweepLots(operators, 9), 5);
        QCOMPARE(m_f->ledger.sweepLots(operators, 9), 0);
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->sweepRefresh(4), 4);
        QCOMPARE(m_f->sweepRefresh(4), 1);
        QCOMPARE(m_f->sweepRefresh(4), 0);
        QCOMPARE(m_f->history(),
                 "bonus_grant 1, daily_refresh 10, bonus_expiry -1, daily_expiry -10, daily_refresh 10");
    }

    void a_sweep_grants_what_the_tier_is_worth_now()
    {
        m_f->wallet("100");
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->sweepRefresh(9, credits("10")), 1); // the paid month has ended
        QCOMPARE(m_f->history(), "daily_refresh 100, daily_expiry -100, daily_refresh 10");
    }

    void a_sweep_leaves_out_who_has_not_come_for_a_week()
    {
        m_f->wallet();
        for (int day = 0; day < 6; ++day) {
            m_f->db.clock().advance(24h);
            QCOMPARE(m_f->sweepRefresh(9), 1);
        }
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->sweepRefresh(9), 0);
    }

private:
    std::unique_ptr<LedgerFixture> m_f;
};

QTEST_GUILESS_MAIN(MidnightTest)
#include "tst_Midnight.moc"
