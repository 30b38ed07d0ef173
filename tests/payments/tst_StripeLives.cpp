#include "StripeFixture.h"

#include <random>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

// Every life of a payment and of a subscription at Stripe, told by signed webhooks: the books say the same.
class StripeLivesTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<StripeFixture> m_f;
    void pass(std::chrono::milliseconds time) { m_f->db.clock().advance(time); }
    QString lastCharge() { return m_f->world.latest(u"charge"_s); }

private Q_SLOTS:
    void init() { m_f = std::make_unique<StripeFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void a_package_is_bought_once_whatever_is_repeated()
    {
        const auto started = m_f->buy();
        QVERIFY2(started, qPrintable(started ? QString() : started.error().log));
        QVERIFY(started->checkoutUrl->startsWith(u"https://checkout.stripe.com/"_s));
        const QString session = m_f->world.latest(u"checkout.session"_s);
        m_f->world.pay(session);
        const auto events = m_f->world.takeEvents();
        for (int round = 0; round < 3; ++round)
            for (const QJsonObject &event : events)
                QVERIFY(m_f->deliverStripe(event).has_value());
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->status(session), u"paid"_s);
        QCOMPARE(m_f->booked(), u"payment 899 USD"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT rail, ' ') AS text FROM lot_rails"_s), u"stripe"_s);
        m_f->bought(u"starter"_s);
        QCOMPARE(m_f->world.count(u"customer"_s), 1); // the same customer again
    }

    void the_tax_is_kept_apart()
    {
        m_f->world.taxPercent = 19;
        m_f->subscribed(Tier::Premium);
        QCOMPARE(m_f->text(u"SELECT concat_ws(' ', amount_minor, tax_minor) AS text FROM money_entries"_s),
                 u"1188 189"_s);
    }

    void a_slow_payment_is_pending_until_it_comes_or_fails()
    {
        m_f->buy();
        const QString first = m_f->world.latest(u"checkout.session"_s);
        m_f->world.payLater(first);
        QCOMPARE(m_f->deliverAll().last(), u"applied"_s);
        QCOMPARE(m_f->status(first), u"pending"_s);
        pass(72h);
        m_f->world.settleLater(first, true);
        m_f->deliverAll();
        QCOMPARE(m_f->status(first), u"paid"_s);
        m_f->buy();
        const QString second = m_f->world.latest(u"checkout.session"_s);
        m_f->world.payLater(second);
        m_f->world.settleLater(second, false);
        m_f->deliverAll();
        QCOMPARE(m_f->status(second), u"failed"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void a_checkout_that_nobody_paid_fails_when_it_expires()
    {
        m_f->buy();
        const QString session = m_f->world.latest(u"checkout.session"_s);
        m_f->world.expire(session);
        m_f->deliverAll();
        QCOMPARE(m_f->status(session), u"failed"_s);
    }

    void an_operator_refunds_in_part_and_then_the_rest()
    {
        const QString session = m_f->bought();
        const auto part = m_f->refundPayment(session, u"3.00"_s);
        QVERIFY2(part, qPrintable(part ? QString() : part.error().log));
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
        m_f->deliverAll(); // the webhooks say the same
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
        pass(10s);
        QVERIFY(m_f->refundPayment(session, std::nullopt).has_value());
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->status(session), u"refunded"_s);
        QCOMPARE(m_f->booked(), u"payment 899 USD, refund -899 USD"_s);
        QCOMPARE(m_f->world.object(lastCharge())[u"amount_refunded"_s].toInt(), 899);
    }

    void a_refund_in_the_dashboard_is_told_by_webhook_and_one_that_fails_is_undone()
    {
        const QString session = m_f->bought();
        m_f->spend(u"60"_s);
        const QString refund = m_f->world.refund(lastCharge(), 899);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"0 0 60"_s); // the rest is owed
        pass(24h);
        m_f->world.failRefund(refund);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"40 10 0"_s);
        QCOMPARE(m_f->status(session), u"paid"_s);
    }

    void a_refund_that_was_asked_twice_is_one()
    {
        const QString session = m_f->bought();
        m_f->world.faults = {{StripeFault::Kind::Status, 500, {}},
                             {StripeFault::Kind::HangUpAfter, 0, {}},
                             {StripeFault::Kind::HangUp, 0, {}}};
        QVERIFY(m_f->refundPayment(session, u"3.00"_s, u"same"_s).has_value()); // by its own repetitions
        const auto again = m_f->refundPayment(session, u"3.00"_s, u"same"_s);
        QVERIFY(again.has_value());
        QCOMPARE(m_f->world.object(lastCharge())[u"amount_refunded"_s].toInt(), 300);
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
    }

    void a_dispute_takes_the_credits_and_winning_it_gives_them_back()
    {
        const QString session = m_f->bought();
        m_f->spend(u"60"_s);
        const QString dispute = m_f->world.dispute(lastCharge());
        QCOMPARE(m_f->deliverAll(), (QStringList{u"applied"_s, u"applied"_s}));
        QCOMPARE(m_f->wallet(), u"0 0 60"_s);
        QCOMPARE(m_f->status(session), u"disputed"_s);
        QCOMPARE(m_f->userStatus(), u"suspended"_s);
        QCOMPARE(m_f->booked(), u"chargeback -899 USD, payment 899 USD"_s);
        pass(48h);
        m_f->world.closeDispute(dispute, u"won"_s);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"40 10 0"_s);
        QCOMPARE(m_f->userStatus(), u"active"_s);
        QCOMPARE(m_f->booked(), u"payment 899 USD"_s);
    }

    void a_lost_dispute_stays_and_an_enquiry_is_none()
    {
        m_f->bought();
        m_f->world.dispute(lastCharge(), u"warning_needs_response"_s);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        pass(1h);
        const QString dispute = m_f->world.dispute(lastCharge());
        pass(1h);
        m_f->world.closeDispute(dispute, u"lost"_s);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(state, ' ') AS text FROM payment_disputes"_s), u"lost"_s);
    }

    void a_dispute_over_a_part_or_in_another_currency_takes_its_share_or_all()
    {
        m_f->bought();
        m_f->world.dispute(lastCharge(), u"needs_response"_s, 300);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
        m_f->bought();
        m_f->world.dispute(lastCharge(), u"needs_response"_s, 120, u"eur"_s);
        m_f->deliverAll();
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s); // of the second nothing is left
    }

    void a_subscription_begins_renews_and_ends_when_nobody_pays()
    {
        const QString subscription = m_f->subscribed(Tier::Premium);
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->booked(), u"payment 999 USD"_s);
        QCOMPARE(m_f->text(u"SELECT count(*)::text AS text FROM payment_transactions"_s), u"1"_s); // the checkout's own
        pass(31 * 24h);
        m_f->world.renew(subscription);
        m_f->deliverAll();
        pass(1h);
        m_f->world.collect(subscription, true);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->booked(), u"payment 1998 USD"_s);
        pass(28 * 24h);
        m_f->world.renew(subscription);
        m_f->deliverAll();
        pass(1h);
        m_f->world.collect(subscription, false);
        m_f->deliverAll();
        QCOMPARE(m_f->subscriptionStatus(), u"past_due"_s);
        QCOMPARE(m_f->tier(), u"premium"_s); // in the grace
        QCOMPARE(m_f->text(u"SELECT string_agg(status, ' ' ORDER BY created_at) AS text FROM payment_transactions"_s),
                 u"paid paid failed"_s);
        pass(4 * 24h);
        QCOMPARE(m_f->tier(), u"free"_s); // by the clock alone
        m_f->world.collect(subscription, true);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"premium"_s); // paid after all
        QCOMPARE(m_f->booked(), u"payment 2997 USD"_s);
        pass(1h);
        m_f->world.giveUp(subscription);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"free"_s);
    }

    void a_canceled_subscription_runs_to_its_end_and_can_be_taken_back()
    {
        const QString subscription = m_f->subscribed(Tier::Premium);
        pass(10s);
        QCOMPARE(m_f->cancel()->subscription->status, SubscriptionStatus::Canceled);
        QCOMPARE(m_f->tier(), u"premium"_s);
        pass(10s);
        QVERIFY(m_f->subscribe(Tier::Premium).has_value()); // takes it back
        QCOMPARE(m_f->subscriptionStatus(), u"active"_s);
        pass(10s);
        QCOMPARE(m_f->cancel()->subscription->status,
                 SubscriptionStatus::Canceled); // again, within Stripe's day of keys
        m_f->deliverAll();
        QCOMPARE(m_f->subscriptionStatus(), u"canceled"_s);
        QCOMPARE(m_f->booked(), u"payment 999 USD"_s);
        pass(32 * 24h);
        m_f->world.endPeriod(subscription);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"free"_s);
    }

    void an_upgrade_is_paid_at_once_and_a_downgrade_waits_for_the_period()
    {
        const QString subscription = m_f->subscribed(Tier::Premium);
        pass(10 * 24h);
        const auto up = m_f->subscribe(Tier::Vip);
        QVERIFY2(up, qPrintable(up ? QString() : up.error().log));
        QCOMPARE(m_f->tier(), u"vip"_s); // before any webhook
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"vip"_s);
        QCOMPARE(m_f->text(u"SELECT concat_ws(' ', count(*), max(product)) AS text FROM payment_transactions"_s),
                 u"2 vip"_s);
        pass(1h);
        QVERIFY(m_f->subscribe(Tier::Premium).has_value());
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"vip"_s);
        QCOMPARE(toText(*m_f->subscriptions.stateOf(m_f->db.operators(), m_f->user).subscription->nextTier),
                 u"premium"_s);
        const QString before = m_f->booked();
        pass(1h);
        QVERIFY(m_f->subscribe(Tier::Vip).has_value()); // stays after all, and pays nothing for it
        m_f->deliverAll();
        QCOMPARE(m_f->booked(), before);
        QVERIFY(!m_f->subscriptions.stateOf(m_f->db.operators(), m_f->user).subscription->nextTier);
        pass(1h);
        m_f->subscribe(Tier::Premium);
        pass(21 * 24h);
        m_f->world.renew(subscription);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"premium"_s);
        pass(1h);
        m_f->world.collect(subscription, true);
        m_f->deliverAll();
        QCOMPARE(m_f->world.object(m_f->world.latest(u"invoice"_s))[u"amount_paid"_s].toInt(), 999);
        QCOMPARE(m_f->world.count(u"product"_s), 2); // one of each tier
    }

    void an_upgrade_that_the_card_refuses_changes_nothing_and_says_why()
    {
        m_f->subscribed(Tier::Premium);
        m_f->world.cardsWork = false;
        const auto up = m_f->subscribe(Tier::Vip);
        QCOMPARE(up.error().code, ErrorCode::Conflict);
        QCOMPARE(up.error().detail, u"Your card was declined."_s);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->booked(), u"payment 999 USD"_s);
    }

    void a_periods_refund_ends_its_tier_whoever_makes_it()
    {
        const QString subscription = m_f->subscribed(Tier::Premium);
        const QString invoice = m_f->world.latest(u"invoice"_s);
        m_f->world.refund(lastCharge(), 999); // Stripe's charge says nothing of us: the invoice is asked for
        QCOMPARE(m_f->deliverAll().first(), u"applied"_s);
        QCOMPARE(m_f->status(invoice), u"refunded"_s);
        QCOMPARE(m_f->tier(), u"free"_s);
        pass(31 * 24h);
        m_f->world.renew(subscription);
        pass(1h);
        m_f->world.collect(subscription, true);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"premium"_s);
        pass(1h);
        const auto done = m_f->refundPayment(m_f->world.latest(u"invoice"_s), std::nullopt); // its intent is looked up
        QVERIFY2(done, qPrintable(done ? QString() : done.error().log));
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(m_f->booked(), u"payment 1998 USD, refund -1998 USD"_s);
    }

    void a_periods_dispute_ends_its_tier_until_it_is_won()
    {
        m_f->subscribed(Tier::Vip);
        const QString dispute = m_f->world.dispute(lastCharge());
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"free"_s);
        pass(1h);
        m_f->world.closeDispute(dispute, u"won"_s);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"vip"_s);
    }

    void a_trial_costs_nothing_and_is_given_once()
    {
        m_f->db.owner().script(u"UPDATE tiers SET trial_days = 7 WHERE code = 'premium'"_s);
        const QString subscription = m_f->subscribed(Tier::Premium);
        QCOMPARE(m_f->subscriptionStatus(), u"trialing"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->booked(), QString());
        QCOMPARE(m_f->text(u"SELECT string_agg(status, ' ') AS text FROM payment_transactions"_s), u"paid"_s);
        pass(1h);
        m_f->world.cancelNow(subscription);
        m_f->deliverAll();
        QCOMPARE(m_f->tier(), u"free"_s);
        pass(1h);
        m_f->subscribed(Tier::Premium);
        QCOMPARE(m_f->subscriptionStatus(), u"active"_s);
    }

    void currencies_without_and_with_three_places_are_booked_in_their_own()
    {
        m_f->db.owner().script(u"UPDATE products SET price_minor = 980, currency = 'JPY' WHERE code = 'popular'"_s);
        m_f->bought();
        QCOMPARE(m_f->booked(), u"payment 980 JPY"_s);
        m_f->db.owner().script(u"UPDATE products SET price_minor = 2750, currency = 'KWD' WHERE code = 'popular'"_s);
        const QString dinars = m_f->bought();
        QVERIFY(m_f->refundPayment(dinars, u"0.500"_s).has_value());
        m_f->db.owner().script(u"UPDATE products SET price_minor = 1200, currency = 'ISK' WHERE code = 'popular'"_s);
        m_f->bought();
        QCOMPARE(m_f->world.object(lastCharge())[u"amount"_s].toInt(),
                 120'000); // Stripe writes the króna with two zeros
        QCOMPARE(m_f->booked(), u"payment 1200 ISK, payment 2750 KWD, payment 980 JPY, refund -500 KWD"_s);
        QCOMPARE(m_f->refundPayment(dinars, u"0.001"_s).error().code, ErrorCode::Conflict);
    }

    void what_is_not_ours_in_the_same_account_is_passed_over()
    {
        m_f->bought();
        const QString before = m_f->everything();
        QJsonObject charge = m_f->world.object(lastCharge());
        charge.insert(u"id"_s, u"ch_foreign"_s);
        charge.insert(u"payment_intent"_s, u"pi_foreign"_s);
        charge.insert(u"metadata"_s, QJsonObject());
        charge.insert(u"amount_refunded"_s, 899);
        QVERIFY(m_f->deliverStripe(m_f->world.madeEvent(u"charge.refunded"_s, charge))->what == Taken::What::Applied);
        QJsonObject session = m_f->world.object(m_f->world.latest(u"checkout.session"_s));
        session.insert(u"id"_s, u"cs_link"_s); // by a payment link, with our id in the field that customers can write
        session.insert(u"metadata"_s, QJsonObject());
        m_f->deliverStripe(m_f->world.madeEvent(u"checkout.session.completed"_s, session));
        m_f->deliverStripe(m_f->world.madeEvent(
            u"invoice.paid"_s,
            {{u"id"_s, u"in_1"_s}, {u"status"_s, u"paid"_s}, {u"amount_paid"_s, 5}, {u"currency"_s, u"usd"_s}}));
        m_f->deliverStripe(m_f->world.madeEvent(u"customer.subscription.updated"_s,
                                                {{u"id"_s, u"sub_1"_s}, {u"status"_s, u"active"_s}}));
        m_f->deliverStripe(m_f->world.madeEvent(u"payment_link.created"_s, {{u"id"_s, u"plink_1"_s}}));
        QCOMPARE(m_f->everything(), before);
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }

    // One story of everything, each webhook one to three times, in any order: the same books.
    void any_order_and_any_repetition_end_in_the_same_books()
    {
        const QString wanted = booksAfterStory(0);
        QVERIFY(wanted.contains(u"refunded"_s));
        const int rounds = std::max(2, qEnvironmentVariableIntValue("STRIPE_STORY_ROUNDS"));
        for (int seed = 1; seed <= rounds; ++seed) {
            const QString got = booksAfterStory(seed);
            QVERIFY2(got == wanted, qPrintable(u"seed %1\n%2\nwanted\n%3"_s.arg(QString::number(seed), got, wanted)));
        }
    }

private:
    // Everything at Stripe, and of it nothing here but what our own calls answer.
    void tellStory()
    {
        FakeStripe &world = m_f->world;
        m_f->buy();
        world.pay(world.latest(u"checkout.session"_s));
        pass(5min);
        world.refund(lastCharge(), 300);
        pass(5min);
        const QString failing = world.refund(lastCharge(), 200);
        pass(5min);
        world.failRefund(failing);
        m_f->buy(u"best_value"_s);
        world.pay(world.latest(u"checkout.session"_s));
        pass(5min);
        const QString dispute = world.dispute(lastCharge());
        pass(5min);
        world.closeDispute(dispute, u"won"_s);
        m_f->buy(u"starter"_s);
        world.payLater(world.latest(u"checkout.session"_s));
        pass(5min);
        world.settleLater(world.latest(u"checkout.session"_s), true);
        m_f->buy(u"starter"_s);
        world.expire(world.latest(u"checkout.session"_s));
        m_f->subscribe(Tier::Premium);
        world.pay(world.latest(u"checkout.session"_s));
        const QString subscription = world.latest(u"subscription"_s);
        pass(31 * 24h);
        world.renew(subscription);
        pass(1h);
        world.collect(subscription, false);
        pass(24h);
        world.collect(subscription, true);
        pass(1h);
        world.refund(lastCharge(), 999);
        pass(28 * 24h);
        world.renew(subscription);
        pass(1h);
        world.collect(subscription, true);
        pass(1h);
        world.cancelNow(subscription);
        pass(1h);
    }
    // seed 0: each event once, in order. The same story in a database of its own.
    QString booksAfterStory(int seed)
    {
        m_f = std::make_unique<StripeFixture>();
        tellStory();
        QList<QJsonObject> events = m_f->world.takeEvents();
        if (seed > 0) {
            std::mt19937 chance(static_cast<unsigned>(seed));
            QList<QJsonObject> more;
            for (const QJsonObject &event : std::as_const(events))
                for (unsigned copies = 1 + chance() % 3; copies > 0; --copies)
                    more.append(event);
            std::ranges::shuffle(more, chance);
            events = more;
        }
        for (const QJsonObject &event : std::as_const(events))
            if (const auto taken = m_f->deliverStripe(event); !taken)
                return u"refused: "_s + taken.error().log;
        const QString open =
            m_f->text(u"SELECT count(*)::text AS text FROM payment_events WHERE status <> 'processed'"_s);
        return m_f->everything() + u"\nopen "_s + open + u"\naudit "_s + m_f->audit().join(u'\n');
    }
};

QTEST_GUILESS_MAIN(StripeLivesTest)
#include "tst_StripeLives.moc"
