#include "BooksFixture.h"

#include <QTest>
#include <random>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// What providers tell, in every order, more than once, or not at all: the books are right all the same.
class PaymentBooksTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<BooksFixture> m_f;

private Q_SLOTS:
    void init() { m_f = std::make_unique<BooksFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void a_purchase_grants_one_purchased_lot_and_one_bonus_lot_that_expires()
    {
        const Taken taken = m_f->tell(m_f->paid(u"pi_1"_s));
        QVERIFY(taken.what == Taken::What::Applied);
        QCOMPARE(taken.granted.size(), 1);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->history(), u"purchase 100, bonus_grant 10"_s);
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(rail, ' ') AS text FROM lot_rails"_s), u"sandbox sandbox"_s);
        m_f->db.clock().advance(91 * 24h);
        QCOMPARE(m_f->wallet(), u"100 0 0"_s);
    }

    void an_event_that_comes_again_changes_nothing()
    {
        const auto event = m_f->event(m_f->paid(u"pi_1"_s));
        QVERIFY(m_f->deliver(event).what == Taken::What::Applied);
        QVERIFY(m_f->deliver(event).what == Taken::What::Duplicate);
        QVERIFY(m_f->tell(m_f->paid(u"pi_1"_s)).what == Taken::What::Applied); // the same fact by another event
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->text(u"SELECT deliveries::text AS text FROM payment_events WHERE event_id = 'evt_1'"_s), u"2"_s);
    }

    void a_refund_takes_its_share_of_the_very_lots()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->tell(m_f->refunded(u"pi_1"_s, 300, 2));
        QCOMPARE(m_f->status(u"pi_1"_s), u"partially_refunded"_s);
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s); // 300/899 of 100 and of 10, half up
        m_f->tell(m_f->refunded(u"pi_1"_s, 899, 3));
        QCOMPARE(m_f->status(u"pi_1"_s), u"refunded"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        m_f->tell(m_f->refunded(u"pi_1"_s, 300, 2)); // old news
        QCOMPARE(m_f->status(u"pi_1"_s), u"refunded"_s);
        m_f->tell(m_f->refunded(u"pi_1"_s, 0, 4)); // the refund was reversed
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void a_refund_that_comes_before_its_payment_waits_for_it()
    {
        QVERIFY(m_f->tell(m_f->refunded(u"pi_1"_s, 899, 2)).what == Taken::What::Waiting);
        QVERIFY(m_f->tell(m_f->paid(u"pi_1"_s)).what == Taken::What::Applied);
        QCOMPARE(m_f->status(u"pi_1"_s), u"refunded"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }

    void what_waits_for_what_waits_is_applied_when_the_first_comes()
    {
        const QDateTime start = m_f->now();
        const QDateTime end = start.addDays(30);
        QVERIFY(m_f->tell(m_f->refunded(u"in_1"_s, 999, 2)).what == Taken::What::Waiting);
        QVERIFY(m_f->tell(m_f->periodPaid(u"in_1"_s, u"sub_1"_s, Tier::Premium, start, end)).what
                == Taken::What::Waiting);
        const Taken taken =
            m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Premium, SubscriptionStatus::Active, 1, start, end));
        QVERIFY(taken.what == Taken::What::Applied);
        QCOMPARE(taken.granted.size(), 1); // to be acknowledged, whoever applied it
        QCOMPARE(m_f->status(u"in_1"_s), u"refunded"_s);
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }

    void what_an_instance_left_behind_is_applied_by_the_next()
    {
        // It died after the payment was applied, and before the dispute that waited for it.
        QVERIFY(m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 5)).what == Taken::What::Waiting);
        m_f->db.owner().script(u"UPDATE payment_events SET waits_for = '{something else}'"_s);
        m_f->tell(m_f->paid(u"pi_1"_s));
        QList<Granted> granted;
        QCOMPARE(m_f->books.retry(m_f->db.operators(), 10, granted), 0); // it was looked at just now
        m_f->db.clock().advance(61s);
        QCOMPARE(m_f->books.retry(m_f->db.operators(), 10, granted), 1);
        QCOMPARE(m_f->status(u"pi_1"_s), u"disputed"_s);
        QCOMPARE(userStatus(), u"suspended"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(act, ' ') AS text FROM audit_log"_s), u"user.suspend"_s);
        QCOMPARE(m_f->books.retry(m_f->db.operators(), 10, granted), 0);
    }

    void what_still_waits_is_looked_at_ever_less_often()
    {
        m_f->tell(m_f->refunded(u"pi_1"_s, 899, 2));
        QList<Granted> granted;
        int looks = 0;
        for (int minute = 0; minute < 24 * 60; ++minute) {
            m_f->db.clock().advance(61s);
            looks += m_f->books.retry(m_f->db.operators(), 10, granted);
        }
        QVERIFY2(looks >= 8 && looks <= 12, qPrintable(QString::number(looks))); // 1, 2, 4 … minutes
        m_f->db.clock().advance(31 * 24h);
        QCOMPARE(m_f->books.retry(m_f->db.operators(), 10, granted), 0);
    }

    void what_cannot_be_applied_is_listed_and_healed_when_it_can()
    {
        const auto listed = [this] {
            return m_f->text(u"SELECT coalesce(string_agg(concat_ws(' ', kind, reference, healed), ';'), '') AS text"
                             " FROM reconciliation_differences"_s);
        };
        const auto unknown = m_f->event(m_f->paid(u"pi_1"_s, u"nothing"_s));
        QVERIFY(m_f->deliver(unknown).what == Taken::What::Unusable);
        QVERIFY(m_f->deliver(unknown).what == Taken::What::Unusable);
        QCOMPARE(listed(), u"unusable_event evt_1 f"_s);
        m_f->db.owner().script(u"INSERT INTO products (code, name, credits, price_minor, currency, bonus_percent, rank)"
                               " VALUES ('nothing', 'Nothing', 10, 899, 'USD', 0, 9)"_s);
        QVERIFY(m_f->deliver(unknown).what == Taken::What::Applied);
        QCOMPARE(listed(), u"unusable_event evt_1 t"_s);

        const auto early = m_f->event(m_f->refunded(u"pi_2"_s, 899, 2));
        m_f->deliver(early);
        QCOMPARE(m_f->books.listOverdue(m_f->db.operators()), 0);
        m_f->db.clock().advance(25h);
        QCOMPARE(m_f->books.listOverdue(m_f->db.operators()), 1);
        QCOMPARE(m_f->books.listOverdue(m_f->db.operators()), 0);
        m_f->tell(m_f->paid(u"pi_2"_s));
        QCOMPARE(listed(), u"unusable_event evt_1 t;unusable_event evt_2 t"_s);
    }

    void a_lookup_that_failed_is_claimed_again_by_just_one()
    {
        ProviderEvent event = m_f->event(FactList{});
        event.lookUp = QJsonObject{{u"token"_s, u"t"_s}};
        QVERIFY(m_f->books.keep(m_f->db.operators(), Provider::Google, event, {}));
        QVERIFY(m_f->books.claimIncomplete(m_f->db.operators(), 10).isEmpty()); // its first lookup is under way
        m_f->db.clock().advance(61s);
        const auto kept = m_f->books.claimIncomplete(m_f->db.operators(), 10);
        QCOMPARE(kept.size(), 1);
        QCOMPARE(*kept.first().event.lookUp, *event.lookUp);
        QVERIFY(m_f->books.claimIncomplete(m_f->db.operators(), 10).isEmpty());
        const Taken taken = m_f->books.completed(m_f->db.operators(), kept.first(), {{}, {m_f->paid(u"gp_1"_s)}, {}});
        QVERIFY(taken.what == Taken::What::Applied);
        QCOMPARE(taken.granted.size(), 1);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QVERIFY(m_f->books.completed(m_f->db.operators(), kept.first(), {{}, {m_f->paid(u"gp_1"_s)}, {}}).what
                == Taken::What::Duplicate);
        m_f->db.clock().advance(48h);
        QVERIFY(m_f->books.claimIncomplete(m_f->db.operators(), 10).isEmpty());
    }

    void what_was_spent_becomes_a_debt_that_the_next_purchase_pays_first()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->spend(u"60"_s);
        m_f->tell(m_f->refunded(u"pi_1"_s, 899, 2));
        QCOMPARE(m_f->wallet(), u"0 0 60"_s);
        m_f->tell(m_f->paid(u"pi_2"_s));
        QCOMPARE(m_f->wallet(), u"40 10 0"_s);
        QCOMPARE(m_f->history(),
                 u"purchase 100, bonus_grant 10, chat -60, payment_refund -40, debt 0, payment_refund -10, "
                 "purchase 100, debt_payment -60, bonus_grant 10"_s);
    }

    void the_order_of_a_refund_and_another_purchase_does_not_matter()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->spend(u"60"_s);
        m_f->tell(m_f->paid(u"pi_2"_s));
        m_f->tell(m_f->refunded(u"pi_1"_s, 899, 2));
        QCOMPARE(m_f->wallet(), u"40 10 0"_s);
    }

    void credit_that_a_reply_holds_is_owed_and_pays_when_it_is_released()
    {
        m_f->tell(m_f->paid(u"pi_1"_s, u"starter"_s, 99));
        const auto hold =
            m_f->ledger.hold(m_f->db.app(),
                             {m_f->user, u"h"_s, *Credits::parse(u"10"), m_f->now().addSecs(60), Credits()});
        QVERIFY(hold);
        m_f->tell(m_f->refunded(u"pi_1"_s, 99, 2));
        QCOMPARE(m_f->wallet(), u"10 0 10"_s);
        QVERIFY(m_f->ledger.voidHold(m_f->db.app(), m_f->user, hold->id));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }

    void a_dispute_takes_the_credits_and_suspends_and_winning_it_undoes_both()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->spend(u"60"_s);
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 5));
        QCOMPARE(m_f->status(u"pi_1"_s), u"disputed"_s);
        QCOMPARE(m_f->wallet(), u"0 0 60"_s);
        QCOMPARE(userStatus(), u"suspended"_s);
        m_f->tell(m_f->paid(u"pi_2"_s)); // pays the debt
        QCOMPARE(m_f->wallet(), u"40 10 0"_s);
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Won, 6));
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"140 20 0"_s);
        QCOMPARE(userStatus(), u"active"_s);
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 5)); // late
        QCOMPARE(userStatus(), u"active"_s);
        QCOMPARE(m_f->wallet(), u"140 20 0"_s);
    }

    void a_lost_dispute_leaves_the_debt_and_the_suspension()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->spend(u"100"_s);
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Lost, 6));
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 5));
        QCOMPARE(m_f->wallet(), u"0 0 100"_s);
        QCOMPARE(m_f->status(u"pi_1"_s), u"disputed"_s);
        QCOMPARE(userStatus(), u"suspended"_s);
    }

    void an_operators_own_suspension_outlives_a_won_dispute()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Open, 5));
        m_f->db.owner().script(u"UPDATE users SET status_changed_at = status_changed_at + interval '1 hour'"_s);
        m_f->tell(m_f->disputed(u"pi_1"_s, DisputeState::Won, 6));
        QCOMPARE(userStatus(), u"suspended"_s);
    }

    void another_price_than_was_asked_grants_nothing_and_is_kept()
    {
        const PaymentId id = PaymentId::create();
        m_f->db.owner().script(
            u"INSERT INTO payment_transactions (id, user_id, provider, kind, product, amount_minor, currency, status,"
            " created_at, credits, bonus_credits) VALUES ('%1', '%2', 'sandbox', 'credits', 'popular', 899, 'USD',"
            " 'pending', now(), 100, 10)"_s.arg(id.toString(), m_f->user.toString()));
        auto fact = m_f->paid(u"pi_1"_s, u"popular"_s, 1);
        fact.payment = id;
        QVERIFY(m_f->tell(fact).what == Taken::What::Unusable);
        fact.amountMinor = 899;
        fact.currency = u"JPY"_s;
        QVERIFY(m_f->tell(fact).what == Taken::What::Unusable);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(status, ' ') AS text FROM payment_events"_s), u"failed failed"_s);
    }

    void a_payment_of_another_user_is_not_taken_over()
    {
        m_f->tell(m_f->paid(u"pi_1"_s));
        auto fact = m_f->paid(u"pi_1"_s);
        fact.user = m_f->addUser();
        fact.version = 9;
        QVERIFY(m_f->tell(fact).what == Taken::What::Unusable);
    }

    void a_failed_attempt_does_not_undo_a_payment_and_a_payment_undoes_a_failed_attempt()
    {
        auto failed = m_f->paid(u"pi_1"_s);
        failed.state = PaymentFact::State::Failed;
        failed.failure = u"Declined"_s;
        m_f->tell(failed);
        QCOMPARE(m_f->status(u"pi_1"_s), u"failed"_s);
        m_f->tell(m_f->paid(u"pi_1"_s));
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
        failed.version = 7;
        m_f->tell(failed);
        QCOMPARE(m_f->status(u"pi_1"_s), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void the_tier_ends_by_the_clock_alone()
    {
        const QDateTime start = m_f->now();
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Premium, SubscriptionStatus::Active, 1, start, start.addDays(30)));
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().set(start.addDays(30).addSecs(7199)); // renews: its webhook may be under way
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().set(start.addDays(30).addSecs(7200));
        QCOMPARE(m_f->tier(), u"free"_s);
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Premium, SubscriptionStatus::PastDue, 2, start, start.addDays(30)));
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().set(start.addDays(33));
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(tierAt(start.addDays(-1)), u"free"_s);
        QCOMPARE(tierAt(start.addDays(10)), u"premium"_s);
        QCOMPARE(tierAt(start.addDays(32)), u"premium"_s);
        QCOMPARE(tierAt(start.addDays(33)), u"free"_s);
    }

    void a_canceled_subscription_runs_to_its_periods_end_and_not_longer()
    {
        const QDateTime start = m_f->now();
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Vip, SubscriptionStatus::Canceled, 2, start, start.addDays(30)));
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Vip, SubscriptionStatus::Active, 1, start, start.addDays(30)));
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->db.clock().set(start.addDays(30));
        QCOMPARE(m_f->tier(), u"free"_s);
    }

    void an_upgrade_tops_the_day_up_once_and_toggling_gains_nothing()
    {
        const auto daily = [this] {
            return BooksFixture::brief(
                m_f->ledger
                    .balance(m_f->db.app(), m_f->user, m_f->tiers.termsOf(m_f->db.operators(), m_f->user)->dailyCredits)
                    ->dailyFree);
        };
        const QDateTime start = m_f->now();
        QCOMPARE(daily(), u"10"_s);
        qint64 version = 0;
        const auto become = [&](Tier tier) {
            m_f->tell(
                m_f->subscribed(u"sub_1"_s, tier, SubscriptionStatus::Active, ++version, start, start.addDays(30)));
        };
        become(Tier::Premium);
        QCOMPARE(daily(), u"100"_s);
        become(Tier::Vip);
        QCOMPARE(m_f->text(u"SELECT daily_free::text AS text FROM user_wallet"_s),
                 u"500.0000"_s); // at once, before anybody asks
        for (int i = 0; i < 5; ++i) {
            become(Tier::Premium);
            become(Tier::Vip);
        }
        QCOMPARE(daily(), u"500"_s);
    }

    void a_downgrade_waits_for_the_periods_end()
    {
        const QDateTime start = m_f->now();
        auto fact = m_f->subscribed(u"sub_1"_s, Tier::Vip, SubscriptionStatus::Active, 1, start, start.addDays(30));
        fact.nextTier = Tier::Premium;
        m_f->tell(fact);
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->db.clock().set(start.addDays(30));
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(tierAt(start.addDays(29)), u"vip"_s);
        QCOMPARE(tierAt(start.addDays(30)), u"premium"_s);
    }

    void a_refunded_period_gives_no_tier_and_the_next_one_does()
    {
        const QDateTime start = m_f->now();
        const QDateTime end = start.addDays(30);
        QVERIFY(m_f->tell(m_f->periodPaid(u"in_1"_s, u"sub_1"_s, Tier::Premium, start, end)).what
                == Taken::What::Waiting);
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Premium, SubscriptionStatus::Active, 1, start, end));
        QCOMPARE(m_f->status(u"in_1"_s), u"paid"_s); // waited for its subscription
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->tell(m_f->refunded(u"in_1"_s, 500, 2)); // a part of it takes nothing
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->tell(m_f->refunded(u"in_1"_s, 999, 3));
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(m_f->text(u"SELECT status AS text FROM subscriptions"_s), u"refunded"_s);
        m_f->db.clock().set(end);
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Premium, SubscriptionStatus::Active, 4, end, end.addDays(30)));
        QCOMPARE(m_f->tier(), u"premium"_s);
    }

    void an_operators_grant_and_a_subscription_stand_beside_each_other_the_higher_counts()
    {
        const QDateTime start = m_f->now();
        m_f->db.owner().script(u"UPDATE users SET tier = 'premium'"_s);
        m_f->tell(m_f->subscribed(u"sub_1"_s, Tier::Vip, SubscriptionStatus::Canceled, 1, start, start.addDays(30)));
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->db.clock().set(start.addDays(31));
        QCOMPARE(m_f->tier(), u"premium"_s);
    }

    void any_order_and_repetition_ends_as_one_delivery_in_order()
    {
        std::vector<ProviderEvent> story = makeStory(people(5));
        for (const auto &event : story)
            m_f->deliver(event);
        const QString inOrder = m_f->everything();
        QCOMPARE(m_f->audit(), QStringList());
        const QStringList users = m_users;
        for (unsigned seed = 1; seed <= (people(5) > 5 ? 3U : 1U); ++seed) {
            m_f = std::make_unique<BooksFixture>();
            keepUsers(users);
            std::mt19937 random(seed);
            std::vector<ProviderEvent> mixed;
            for (const auto &event : story)
                for (unsigned copies = 1 + random() % 4; copies > 0; --copies)
                    mixed.push_back(event);
            std::ranges::shuffle(mixed, random);
            for (const auto &event : mixed)
                m_f->deliver(event);
            QCOMPARE(m_f->everything(), inOrder);
            QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s),
                     u"processed"_s);
        }
    }

    void eight_senders_at_once_end_the_same()
    {
        std::vector<ProviderEvent> story = makeStory(people(4));
        for (const auto &event : story)
            m_f->deliver(event);
        const QString inOrder = m_f->everything();
        const QStringList users = m_users;
        m_f = std::make_unique<BooksFixture>();
        keepUsers(users);
        std::mt19937 random(7);
        std::vector<ProviderEvent> mixed;
        for (const auto &event : story)
            for (unsigned copies = 1 + random() % 4; copies > 0; --copies)
                mixed.push_back(event);
        std::ranges::shuffle(mixed, random);
        // Eight senders, each with its next event when the last one was answered.
        db::Workers workers(m_f->db.operatorTarget(), m_f->db.clock(), {.name = u"senders"_s, .threads = 8});
        size_t next = 0;
        size_t answered = 0;
        QStringList refused;
        std::function<void()> sendNext = [&] {
            if (next == mixed.size())
                return;
            workers.act(
                this,
                [this, event = mixed[next++]](db::Session &db) {
                    return static_cast<int>(m_f->deliver(db, event).what);
                },
                [&](const Result<int> &what) {
                    ++answered;
                    if (!what)
                        refused.append(what.error().log);
                    sendNext();
                });
        };
        for (int sender = 0; sender < 8; ++sender)
            sendNext();
        QTRY_COMPARE_WITH_TIMEOUT(answered, mixed.size(), 600'000);
        QCOMPARE(refused, QStringList());
        QCOMPARE(m_f->everything(), inOrder);
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }

private:
    // PAYMENTS_STORY_PEOPLE=60 tells about 600 events (ctest -L long).
    static int people(int otherwise)
    {
        return qEnvironmentVariableIsSet("PAYMENTS_STORY_PEOPLE")
            ? qEnvironmentVariableIntValue("PAYMENTS_STORY_PEOPLE")
            : otherwise;
    }
    QString userStatus() { return m_f->text(u"SELECT status AS text FROM users"_s); }
    QString tierAt(const QDateTime &at)
    {
        return toText(m_f->subscriptions.tierAt(m_f->db.operators(), m_f->user, at));
    }
    void keepUsers(const QStringList &users)
    {
        for (int i = 0; i < users.size(); ++i)
            m_f->db.owner().script(
                u"INSERT INTO users (id, display_name, created_at) VALUES ('%1', 'user %2', '2026-01-01')"_s
                    .arg(users[i])
                    .arg(i));
        m_f->db.owner().script(u"DELETE FROM users WHERE display_name = ''"_s);
    }
    // Of each user: two purchases with refunds and disputes of all kinds, and a subscription with renewals.
    std::vector<ProviderEvent> makeStory(int people)
    {
        m_users.clear();
        for (int i = 0; i < people; ++i)
            m_users.append(UserId::create().toString());
        keepUsers(m_users);
        std::vector<ProviderEvent> story;
        const QDateTime start = m_f->now().addDays(-40);
        for (int i = 0; i < people; ++i) {
            m_f->user = *UserId::parse(m_users[i]);
            const auto name = [&](const char *what) { return QString(QString::fromLatin1(what) + QString::number(i)); };
            story.push_back(m_f->event(m_f->paid(name("pi_a"))));
            story.push_back(m_f->event(m_f->paid(name("pi_b"), u"whale"_s, 6999)));
            story.push_back(m_f->event(m_f->refunded(name("pi_a"), 100 + i, 10)));
            if (i % 2)
                story.push_back(m_f->event(m_f->refunded(name("pi_a"), 899, 20)));
            if (i % 4 == 3)
                story.push_back(m_f->event(m_f->refunded(name("pi_a"), 0, 30)));
            if (i % 3) {
                story.push_back(m_f->event(m_f->disputed(name("pi_b"), DisputeState::Open, 40, 6999)));
                story.push_back(m_f->event(
                    m_f->disputed(name("pi_b"), i % 3 == 1 ? DisputeState::Won : DisputeState::Lost, 50, 6999)));
            }
            const auto sub = name("sub_");
            const QDateTime mid = start.addDays(30);
            story.push_back(m_f->event(m_f->subscribed(sub, Tier::Premium, SubscriptionStatus::Active, 1, start, mid)));
            story.push_back(m_f->event(m_f->periodPaid(name("in_a"), sub, Tier::Premium, start, mid)));
            story.push_back(
                m_f->event(m_f->subscribed(sub, i % 2 ? Tier::Vip : Tier::Premium,
                                           i % 5 ? SubscriptionStatus::Active : SubscriptionStatus::Canceled, 2, mid,
                                           mid.addDays(30))));
            story.push_back(m_f->event(
                m_f->periodPaid(name("in_b"), sub, i % 2 ? Tier::Vip : Tier::Premium, mid, mid.addDays(30))));
            if (i % 4 == 1)
                story.push_back(m_f->event(m_f->refunded(name("in_b"), 2999, 9)));
        }
        return story;
    }
    QStringList m_users;
};

QTEST_GUILESS_MAIN(PaymentBooksTest)
#include "tst_PaymentBooks.moc"
