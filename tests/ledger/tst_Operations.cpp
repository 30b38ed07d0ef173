#include "LedgerFixture.h"

#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// What each operation does when nothing is in its way, and what is written for it.
class OperationsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void init() { m_f = std::make_unique<LedgerFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void the_first_call_makes_the_wallet_and_grants_the_day()
    {
        QCOMPARE(m_f->wallet("10"), "10 0 0 0");
        QCOMPARE(m_f->wallet("10"), "10 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10");
    }

    void a_hold_reserves_and_a_capture_takes_what_was_used()
    {
        const auto hold = m_f->hold("4");
        QVERIFY(hold);
        QCOMPARE(hold->balance.available, credits("6"));
        QCOMPARE(m_f->wallet(), "10 0 0 4");

        const auto settled = m_f->capture(hold->id, "1.25");
        QVERIFY(settled);
        QCOMPARE(settled->charge.amount, credits("1.25"));
        QCOMPARE(settled->balance.available, credits("8.75"));
        QCOMPARE(m_f->wallet(), "8.75 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10, chat -1.25");
    }

    void credit_is_spent_daily_then_purchased_then_bonus_by_expiry()
    {
        m_f->grant(Bucket::Bonus, "3");
        m_f->grant(Bucket::Bonus, "4", m_f->in(48h));
        m_f->grant(Bucket::Bonus, "5", m_f->in(24h));
        m_f->grant(Bucket::Purchased, "20");
        const auto hold = m_f->hold("36");
        const auto settled = m_f->capture(hold->id, "36");
        QCOMPARE(settled->charge.dailyFree, credits("10"));
        QCOMPARE(settled->charge.purchased, credits("20"));
        QCOMPARE(settled->charge.bonus, credits("6"));
        const auto lots = m_f->balance().lots; // of the 12 bonus, the first to expire is gone, then the second's 1
        QCOMPARE(lots.size(), 2);
        QCOMPARE(lots[0].remaining, credits("3"));
        QCOMPARE(lots[0].expiresAt, std::optional(m_f->in(48h)));
        QCOMPARE(lots[1].remaining, credits("3"));
        QVERIFY(!lots[1].expiresAt);
    }

    void a_void_gives_everything_back_and_writes_nothing()
    {
        const auto hold = m_f->hold("4");
        const auto balance = m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id);
        QCOMPARE(balance->available, credits("10"));
        QCOMPARE(m_f->history(), "daily_refresh 10");
        QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id)); // again: it is as asked
    }

    void nothing_can_be_held_and_charged_by_who_has_nothing()
    {
        const auto hold = m_f->hold("0", "0");
        QVERIFY(hold);
        const auto settled = m_f->capture(hold->id, "0");
        QVERIFY(settled);
        QVERIFY(settled->transaction.isNull());
        QCOMPARE(m_f->history(), "");
    }

    void a_capture_of_nothing_releases_all_and_writes_nothing()
    {
        const auto hold = m_f->hold("4");
        QVERIFY(m_f->capture(hold->id, "0"));
        QCOMPARE(m_f->wallet(), "10 0 0 0");
        QCOMPARE(m_f->history(), "daily_refresh 10");
        QCOMPARE(m_f->capture(hold->id, "1").error().code, ErrorCode::Conflict);
    }

    void a_grant_answers_with_its_row()
    {
        const auto row = m_f->grant(Bucket::Purchased, "50.5");
        QVERIFY(row);
        QCOMPARE(row->kind, TransactionKind::BonusGrant);
        QCOMPARE(row->amount, credits("50.5"));
        QCOMPARE(row->buckets.purchased, credits("50.5"));
        QCOMPARE(row->balanceAfter.purchased, credits("50.5"));
        QCOMPARE(row->createdAt, m_f->now());
    }

    void an_adjustment_adds_or_takes()
    {
        QVERIFY(m_f->adjust(Bucket::Purchased, "7"));
        QVERIFY(m_f->adjust(Bucket::Purchased, "-2.5"));
        QVERIFY(m_f->adjust(Bucket::DailyFree, "1"));
        QCOMPARE(m_f->wallet(), "11 4.5 0 0");
        QCOMPARE(m_f->history(), "adjustment 7, adjustment -2.5, adjustment 1, daily_refresh 10");
    }

    void a_reversed_charge_returns_to_its_lots()
    {
        m_f->grant(Bucket::Purchased, "5");
        const auto settled = m_f->capture(m_f->hold("12")->id, "12");
        QCOMPARE(m_f->wallet(), "0 3 0 0");
        const auto undone = m_f->reverse(settled->transaction);
        QVERIFY(undone);
        QCOMPARE(undone->kind, TransactionKind::ChatRefund);
        QCOMPARE(m_f->wallet(), "10 5 0 0");
        QCOMPARE(m_f->reverse(settled->transaction).error().code, ErrorCode::Conflict); // once
        QCOMPARE(m_f->reverse(undone->id).error().code, ErrorCode::Conflict); // and not back again
    }

    void a_reversed_grant_is_taken_out_of_its_own_lot()
    {
        const auto first = m_f->grant(Bucket::Purchased, "5");
        m_f->grant(Bucket::Purchased, "7");
        QVERIFY(m_f->capture(m_f->hold("2", "0")->id, "2")); // out of the first
        const auto refused = m_f->reverse(first->id);
        QCOMPARE(refused.error().code, ErrorCode::InsufficientCredits);
        QCOMPARE(refused.error().available, std::optional(credits("3")));
        QCOMPARE(refused.error().required, std::optional(credits("5")));
    }

    // What no balance shows, and the row keeps.
    void a_row_says_who_what_and_for_which_hold()
    {
        const UserId actor = UserId::create();
        const auto granted = m_f->ledger.grant(m_f->db.app(),
                                               {.user = m_f->user,
                                                .key = "g",
                                                .amount = credits("20"),
                                                .kind = TransactionKind::Purchase,
                                                .description = "Popular",
                                                .metadata = {{"payment", "p1"}}});
        QCOMPARE(granted->description, "Popular");
        QCOMPARE(granted->metadata, (QJsonObject{{"payment", "p1"}}));
        const auto hold = m_f->hold("3");
        const auto settled =
            m_f->ledger.capture(m_f->db.app(), m_f->user, hold->id, credits("2"), "Aria", {{"tokens", 7}});
        m_f->ledger.adjust(m_f->db.app(), {m_f->user, "a", Bucket::Bonus, credits("1"), "Sorry", actor});
        m_f->ledger.reverse(m_f->db.app(), m_f->user, settled->transaction, "r", "Undone", actor);
        const auto rows =
            m_f->db.owner().script("SELECT kind, description, metadata::text AS metadata, hold_id::text AS hold,"
                                   " reverses::text AS reverses, actor_id::text AS actor FROM"
                                   " transaction_history ORDER BY sequence");
        QStringList told;
        for (const auto &row : rows)
            told.append(QStringList{row.text("kind"), row.text("description"), row.text("metadata"), row.text("hold"),
                                    row.text("reverses"), row.text("actor")}
                            .join(u'|'));
        const QString who = actor.toString();
        QCOMPARE(told,
                 (QStringList{"purchase|Popular|{\"payment\": \"p1\"}|||", "daily_refresh|Daily credits|{}|||",
                              "chat|Aria|{\"tokens\": 7}|" + hold->id.toString() + "||", "adjustment|Sorry|{}|||" + who,
                              "chat_refund|Undone|{}||" + settled->transaction.toString() + u'|' + who}));
    }

    void every_kind_is_booked_against_its_account()
    {
        m_f->grant(Bucket::Bonus, "5", m_f->in(1h));
        QVERIFY(m_f->capture(m_f->hold("4")->id, "4"));
        QVERIFY(m_f->reverse(m_f->capture(m_f->hold("3")->id, "3")->transaction));
        QVERIFY(m_f->adjust(Bucket::Purchased, "2"));
        m_f->wallet("16"); // an upgrade
        m_f->db.clock().advance(24h);
        m_f->wallet("0");
        const auto rows = m_f->db.owner().script(
            "SELECT DISTINCT kind, account FROM transaction_history t JOIN ledger_legs g ON g.transaction_id = t.id"
            " WHERE g.lot_id IS NULL ORDER BY kind");
        QStringList booked;
        for (const auto &row : rows)
            booked.append(row.text("kind") + u' ' + row.text("account").section(u':', 1));
        QCOMPARE(booked,
                 (QStringList{"adjustment adjustment", "bonus_expiry expiry", "bonus_grant issuance",
                              "chat usage_revenue", "chat_refund usage_revenue", "daily_expiry expiry",
                              "daily_refresh issuance", "subscription_change issuance"}));
    }

    void a_repeated_key_answers_as_the_first_time()
    {
        const ledger::HoldTerms terms{m_f->user, "turn", credits("4"), m_f->in(6min), credits("10")};
        const auto first = m_f->ledger.hold(m_f->db.app(), terms);
        m_f->hold("3");
        const auto again = m_f->ledger.hold(m_f->db.app(), terms);
        QCOMPARE(again->id, first->id);
        QVERIFY(again->replayed && !first->replayed);
        QCOMPARE(again->balance.available, credits("6"));
        QCOMPARE(m_f->wallet(), "10 0 0 7");

        const auto settled = m_f->capture(first->id, "2");
        m_f->hold("1");
        const auto repeated = m_f->capture(first->id, "2");
        QVERIFY(repeated->replayed);
        QCOMPARE(repeated->transaction, settled->transaction);
        QCOMPARE(repeated->charge.amount, credits("2"));
        QCOMPARE(repeated->balance.available, settled->balance.available);
    }

    void the_list_pages_by_offset_and_by_cursor()
    {
        for (int i = 0; i < 5; ++i)
            m_f->grant(Bucket::Purchased, "1");
        m_f->db.clock().advance(1s);
        m_f->grant(Bucket::Bonus, "2");
        const TransactionsReader read{*m_f};
        const auto first = read({.limit = 4});
        QCOMPARE(first.total, std::optional<qint64>(6));
        QVERIFY(first.hasMore);
        QCOMPARE(first.items.first().amount, credits("2"));
        const auto second = read({.limit = 4, .offset = 4});
        QVERIFY(!second.hasMore && !second.nextCursor);
        const auto byCursor = read({.limit = 4, .cursor = first.nextCursor});
        QVERIFY(!byCursor.total);
        QCOMPARE(byCursor.items.size(), 2);
        QCOMPARE(byCursor.items.last().id, second.items.last().id);
        QCOMPARE(m_f->ledger.transactions(m_f->db.app(), {.user = m_f->user}, {.cursor = "no"}).error().code,
                 ErrorCode::Invalid);
        const auto bonus =
            m_f->ledger.transactions(m_f->db.operators(),
                                     {.kind = TransactionKind::BonusGrant, .from = m_f->now(), .to = m_f->in(1s)}, {});
        QCOMPARE(bonus->total, std::optional<qint64>(1));
        QCOMPARE(m_f->ledger.transactions(m_f->db.app(), {.user = m_f->user, .to = m_f->now()}, {})->items.size(), 5);
        QCOMPARE(m_f->ledger.transactions(m_f->db.app(), {.user = m_f->user, .kind = TransactionKind::Chat}, {})->total,
                 std::optional<qint64>(0));
    }

private:
    struct TransactionsReader
    {
        LedgerFixture &f;
        Page<Transaction> operator()(const PageRequest &page) const
        {
            return f.ledger.transactions(f.db.app(), {.user = f.user}, page).value();
        }
    };
    std::unique_ptr<LedgerFixture> m_f;
};

QTEST_GUILESS_MAIN(OperationsTest)
#include "tst_Operations.moc"
