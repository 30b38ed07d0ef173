#include "StoreFixture.h"
#include "fakes/FakeApple.h"
#include "payments/apple/AppleProvider.h"

#include <QJsonDocument>
#include <random>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

namespace {

struct AppleFixture : StoreFixture
{
    FakeApple apple{[this] { return now(); }};
    AppleProvider provider{db.operatorWorkers(), db.clock(),
                           AppleVerifier(AppleSignatures::withRoots(apple.rootPem()).value(),
                                         {apple.bundleId, apple.appId, AppleEnvironment::Production}),
                           AppleApi::Options{.base = apple.url(),
                                             .issuerId = apple.issuerId,
                                             .keyId = apple.keyId,
                                             .bundleId = apple.bundleId,
                                             .http = {.firstPause = 5ms}},
                           *jose::JwsKey::fromPrivateKey(apple.apiKeyPem())};

    AppleFixture()
        : StoreFixture(Provider::Apple)
    {
        desk.add(provider);
    }
    QString hear(const QByteArray &signedPayload) { return webhook({FakeApple::bodyOf(signedPayload), {}}); }
    QString me() const { return user.toString(); }
    QString receipt() const { return QString::fromLatin1(apple.transactionJws(apple.lastTransaction())); }
    void consent(bool given)
    {
        db::Transaction transaction(db.app(), user);
        db.app().execute("payments.store_set_consent",
                         {{"user_id", user}, {"share_consumption", given}, {"now", now()}});
        transaction.commit();
    }
};

const QString popular = u"com.example.popular"_s;
const QString premium = u"com.example.premium"_s;
const QString vip = u"com.example.vip"_s;

} // namespace

// The App Store, from its own signed words to the books.
class AppleProviderTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<AppleFixture> m_f;

private Q_SLOTS:
    void init() { m_f = std::make_unique<AppleFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        QCOMPARE(m_f->apple.unauthorized, 0);
        m_f.reset();
    }

    void a_sale_grants_its_credits_once_however_often_it_is_told()
    {
        const QByteArray sold = m_f->apple.buy(popular, m_f->me(), 8990);
        QCOMPARE(m_f->hear(sold), u"applied"_s);
        QCOMPARE(m_f->hear(sold), u"duplicate"_s);
        QCOMPARE(m_f->hear(m_f->apple.notify(u"ONE_TIME_CHARGE"_s, {}, m_f->apple.lastTransaction())), u"applied"_s);
        QCOMPARE(m_f->redeem(m_f->receipt(), m_f->user), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->money(), u"payment 899 USD"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(rail, ' ') AS text FROM lot_rails"_s), u"apple apple"_s);
    }

    void amounts_are_in_the_currencys_own_digits_and_pieces_are_counted()
    {
        m_f->hear(m_f->apple.buy(popular, m_f->me(), 980'000, 1, u"JPY"_s));
        QCOMPARE(m_f->money(), u"payment 980 JPY"_s);
        m_f->hear(m_f->apple.buy(u"com.example.starter"_s, m_f->me(), 990, 3));
        QCOMPARE(m_f->wallet(), u"130 10 0"_s);
        QCOMPARE(m_f->money(), u"payment 980 JPY, payment 99 USD, payment 99 USD, payment 99 USD"_s);
        m_f->hear(m_f->apple.refund(m_f->apple.lastTransaction()));
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void what_costs_nothing_is_granted_too() // an offer code for credits
    {
        m_f->hear(m_f->apple.buy(popular, m_f->me(), 0));
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void a_receipt_counts_for_its_buyer_alone()
    {
        const UserId other = m_f->addUser();
        m_f->apple.buy(popular, m_f->me(), 8990);
        QVERIFY(m_f->redeem(m_f->receipt(), other).startsWith(u"invalid: This purchase belongs to another account"_s));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->redeem(m_f->receipt(), m_f->user), u"paid"_s);
        // One that names nobody belongs to the first who brings it.
        m_f->apple.buy(popular, {}, 8990);
        QCOMPARE(m_f->redeem(m_f->receipt(), m_f->user), u"paid"_s);
        QVERIFY(m_f->redeem(m_f->receipt(), other).startsWith(u"conflict"_s));
        QCOMPARE(m_f->wallet(), u"200 20 0"_s);
        QVERIFY(m_f->redeem(u"hello"_s, m_f->user).startsWith(u"invalid: This is no receipt"_s));
        const AppleChain foreign = AppleChain::usual(AppleChain::makeRoot());
        const auto forged = foreign.sign(m_f->apple.transaction(m_f->apple.lastTransaction()));
        QVERIFY(m_f->redeem(QString::fromLatin1(forged), m_f->user).startsWith(u"invalid: This is no receipt"_s));
    }

    void a_sale_that_names_nobody_waits_for_who_brings_the_receipt()
    {
        QVERIFY(m_f->hear(m_f->apple.buy(popular, {}, 8990)).startsWith(u"waiting"_s));
        QCOMPARE(m_f->redeem(m_f->receipt(), m_f->user), u"paid"_s);
        QCOMPARE(m_f->text(u"SELECT string_agg(status, ' ') AS text FROM payment_events"_s), u"processed"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void an_old_copy_of_a_receipt_that_was_refunded_gives_nothing()
    {
        m_f->apple.buy(popular, m_f->me(), 8990);
        const QString old = m_f->receipt();
        m_f->db.clock().advance(1h);
        m_f->apple.refund(m_f->apple.lastTransaction()); // and its notification is lost
        QCOMPARE(m_f->redeem(old, m_f->user), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->status(m_f->apple.lastTransaction()), u"refunded"_s);
    }

    void what_the_family_shares_is_nobodys_payment()
    {
        m_f->apple.buy(popular, m_f->me(), 8990);
        m_f->apple.transaction(m_f->apple.lastTransaction()).insert(u"inAppOwnershipType"_s, u"FAMILY_SHARED"_s);
        QCOMPARE(m_f->hear(m_f->apple.notify(u"ONE_TIME_CHARGE"_s, {}, m_f->apple.lastTransaction())), u"applied"_s);
        QVERIFY(m_f->redeem(m_f->receipt(), m_f->user).startsWith(u"invalid"_s));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }

    void a_product_that_nobody_knows_is_kept_for_people()
    {
        QVERIFY(
            m_f->hear(m_f->apple.buy(u"com.example.unheard"_s, m_f->me(), 8990)).startsWith(u"kept: There is no"_s));
        QVERIFY(m_f->hear(m_f->apple.subscribe(u"com.example.unheard"_s, m_f->me(), 8990)).startsWith(u"kept"_s));
        QVERIFY(m_f->hear(m_f->apple.buy(vip, m_f->me(), 8990)).startsWith(u"kept"_s)); // of the wrong kind
    }

    void refunds_partly_wholly_and_reversed()
    {
        m_f->hear(m_f->apple.buy(popular, m_f->me(), 8990));
        const QString id = m_f->apple.lastTransaction();
        m_f->db.clock().advance(1h);
        QCOMPARE(m_f->hear(m_f->apple.refund(id, 50'000)), u"applied"_s);
        QCOMPARE(m_f->status(id), u"partially_refunded"_s);
        QCOMPARE(m_f->wallet(), u"49.9444 4.9944 0"_s); // 450/899 back
        m_f->db.clock().advance(1h);
        m_f->hear(m_f->apple.refund(id));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        m_f->db.clock().advance(1h);
        m_f->hear(m_f->apple.reverseRefund(id));
        QCOMPARE(m_f->status(id), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void a_refund_of_spent_credits_leaves_a_debt()
    {
        m_f->hear(m_f->apple.buy(popular, m_f->me(), 8990));
        m_f->spend(u"60"_s);
        m_f->db.clock().advance(1h);
        m_f->hear(m_f->apple.refund(m_f->apple.lastTransaction()));
        QCOMPARE(m_f->wallet(), u"0 0 60"_s);
    }

    void a_subscription_lives_through_trial_renewal_failure_grace_and_end()
    {
        FakeApple &apple = m_f->apple;
        QCOMPARE(m_f->hear(apple.subscribe(premium, m_f->me(), 0, true)), u"applied"_s);
        QCOMPARE(m_f->subscription(), u"trialing premium 02-15 until 02-15"_s);
        QCOMPARE(m_f->money(), QString());
        m_f->db.clock().set(QDateTime(QDate(2026, 2, 15), QTime(12, 0, 5), Qt::UTC));
        apple.transaction(apple.lastTransaction()).insert(u"price"_s, 9990);
        m_f->hear(apple.renew());
        QCOMPARE(m_f->subscription(), u"active premium 03-15 until 03-15"_s);
        QCOMPARE(m_f->money(), u"payment 999 USD"_s);
        m_f->db.clock().set(QDateTime(QDate(2026, 3, 15), QTime(12, 1), Qt::UTC));
        m_f->hear(apple.failRenewal(6));
        QCOMPARE(m_f->subscription(), u"past_due premium 03-15 until 03-21"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().advance(2 * 24h);
        m_f->hear(apple.renew()); // the card works again
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->subscription(), u"active premium 04-17 until 04-17"_s);
        m_f->db.clock().set(QDateTime(QDate(2026, 4, 17), QTime(12, 2), Qt::UTC));
        m_f->hear(apple.failRenewal(6));
        m_f->db.clock().advance(7 * 24h);
        m_f->hear(apple.endGrace());
        QCOMPARE(m_f->tier(), u"free"_s);
        m_f->db.clock().advance(50 * 24h);
        m_f->hear(apple.expire());
        QCOMPARE(m_f->subscription(), u"expired premium 04-17 until 04-17"_s);
        QCOMPARE(m_f->money(), u"payment 999 USD, payment 999 USD"_s);
    }

    void a_cancellation_counts_at_the_periods_end_and_can_be_taken_back()
    {
        m_f->hear(m_f->apple.subscribe(premium, m_f->me(), 9990));
        m_f->db.clock().advance(24h);
        m_f->hear(m_f->apple.setRenewal(false));
        QCOMPARE(m_f->subscription(), u"canceled premium 02-15 until 02-15"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().advance(24h);
        m_f->hear(m_f->apple.setRenewal(true));
        QCOMPARE(m_f->subscription(), u"active premium 02-15 until 02-15"_s);
        m_f->db.clock().advance(24h);
        m_f->hear(m_f->apple.setRenewal(false));
        m_f->db.clock().advance(40 * 24h);
        QCOMPARE(m_f->tier(), u"free"_s);
    }

    void up_is_at_once_and_down_at_the_periods_end()
    {
        FakeApple &apple = m_f->apple;
        m_f->hear(apple.subscribe(premium, m_f->me(), 9990));
        m_f->db.clock().advance(24h);
        m_f->hear(apple.changeTo(vip, true, 29'990));
        QCOMPARE(m_f->tier(), u"vip"_s);
        QCOMPARE(m_f->money(), u"payment 999 USD, payment 2999 USD"_s);
        m_f->db.clock().advance(24h);
        m_f->hear(apple.changeTo(premium, false, 0));
        QCOMPARE(m_f->subscription(), u"active vip premium 02-16 until 02-16"_s);
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->db.clock().set(QDateTime(QDate(2026, 2, 16), QTime(12, 0), Qt::UTC));
        m_f->hear(apple.renew());
        QCOMPARE(m_f->tier(), u"premium"_s);
    }

    void a_refunded_period_ends_its_tier_and_its_reversal_gives_it_back()
    {
        FakeApple &apple = m_f->apple;
        m_f->hear(apple.subscribe(premium, m_f->me(), 9990));
        const QString first = apple.lastTransaction();
        m_f->db.clock().advance(31 * 24h);
        m_f->hear(apple.renew());
        m_f->db.clock().advance(24h);
        m_f->hear(apple.refund(first)); // of the period that is over
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->hear(apple.refund(apple.lastTransaction()));
        QCOMPARE(m_f->tier(), u"free"_s);
        m_f->db.clock().advance(1h);
        m_f->hear(apple.reverseRefund(apple.lastTransaction()));
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().advance(1h);
        m_f->hear(apple.refund(apple.lastTransaction(), 40'000)); // prorated: the rest of the period is gone as well
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(m_f->status(apple.lastTransaction()), u"partially_refunded"_s);
    }

    void forged_stale_and_foreign_webhooks_are_refused_recorded_and_change_nothing()
    {
        FakeApple &apple = m_f->apple;
        apple.buy(popular, m_f->me(), 8990);
        const QJsonObject note = apple.notification(u"ONE_TIME_CHARGE"_s, {}, apple.lastTransaction());
        const AppleChain foreign = AppleChain::usual(AppleChain::makeRoot());
        QCOMPARE(m_f->hear(foreign.sign(note)), u"malformed_request"_s);
        QCOMPARE(m_f->webhook({"{}", {}}), u"malformed_request"_s);
        QCOMPARE(m_f->webhook({"", {}}), u"malformed_request"_s);
        QCOMPARE(m_f->webhook({R"({"signedPayload":7})", {}}), u"malformed_request"_s);
        QCOMPARE(m_f->webhook({QByteArray(300'000, 'x'), {}}), u"payload_too_large"_s);
        apple.environment = u"Sandbox"_s;
        QCOMPARE(m_f->hear(apple.test()), u"malformed_request"_s);
        apple.environment = u"Production"_s;
        const QByteArray good = apple.chain().sign(note);
        m_f->db.clock().advance(8 * 24h);
        QCOMPARE(m_f->hear(good), u"malformed_request"_s);
        m_f->db.clock().advance(-9 * 24h);
        QCOMPARE(m_f->hear(good), u"malformed_request"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        const QString why = m_f->refusals();
        for (const QString &word : {u"root is none of ours"_s, u"no signedPayload"_s, u"oversized"_s,
                                    u"environment: \"Sandbox\""_s, u"stale: signed -86400 s ago"_s})
            QVERIFY2(why.contains(word), qPrintable(why));
        m_f->db.clock().advance(24h);
        QCOMPARE(m_f->hear(good), u"applied"_s);
        QCOMPARE(m_f->hear(apple.test()), u"applied"_s);
    }

    void a_request_for_consumption_is_answered_from_the_lots_where_the_customer_consented()
    {
        FakeApple &apple = m_f->apple;
        m_f->hear(apple.buy(popular, m_f->me(), 8990));
        const QString id = apple.lastTransaction();
        m_f->spend(u"25"_s);
        QCOMPARE(m_f->hear(apple.askForConsumption(id)), u"applied"_s); // nobody was asked: nothing is told
        QCOMPARE(apple.consumption.size(), 0);
        m_f->consent(true);
        const QByteArray asked = apple.askForConsumption(id);
        apple.wire().failures = 9;
        QVERIFY(m_f->hear(asked).startsWith(u"waiting"_s));
        apple.wire().failures = 0;
        m_f->db.clock().advance(2min);
        m_f->desk.catchUp(); // the answer is owed until Apple has it
        QTRY_COMPARE(apple.consumption.size(), 1);
        QTRY_COMPARE(m_f->hear(asked), u"duplicate"_s);
        QCOMPARE(apple.consumption.size(), 1);
        QCOMPARE(apple.consumption.first(),
                 (QJsonObject{{u"id"_s, id},
                              {u"customerConsented"_s, true},
                              {u"sampleContentProvided"_s, true},
                              {u"deliveryStatus"_s, u"DELIVERED"_s},
                              {u"consumptionPercentage"_s, 25'000}}));
        m_f->consent(false);
        m_f->hear(apple.askForConsumption(id));
        QCOMPARE(apple.consumption.size(), 1);
        m_f->consent(true);
        m_f->hear(apple.subscribe(premium, m_f->me(), 9990));
        m_f->db.clock().advance(31 * 12h); // half of January's 31 days
        m_f->hear(apple.askForConsumption(apple.lastTransaction()));
        QCOMPARE(apple.consumption.last().value(u"consumptionPercentage"_s).toInt(), 50'000);
    }

    void a_receipt_of_a_subscription_brings_all_its_periods()
    {
        FakeApple &apple = m_f->apple;
        apple.subscribe(premium, {}, 9990); // and every notification is lost
        const QString first = m_f->receipt(), firstId = apple.lastTransaction();
        for (int month = 0; month < 3; ++month) {
            m_f->db.clock().advance(31 * 24h);
            apple.renew();
        }
        apple.refund(firstId);
        QCOMPARE(m_f->redeemTier(first, m_f->user), u"paid"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->money(),
                 u"payment 999 USD, payment 999 USD, refund -999 USD, payment 999 USD, payment 999 USD"_s);
        const UserId other = m_f->addUser();
        QVERIFY(m_f->redeemTier(first, other).startsWith(u"conflict"_s));
    }

    void the_app_stores_silence_is_no_refusal_of_the_receipt()
    {
        m_f->apple.buy(popular, m_f->me(), 8990);
        m_f->apple.wire().silent = true;
        QVERIFY(m_f->redeem(m_f->receipt(), m_f->user).startsWith(u"provider_failed"_s));
        m_f->apple.wire().silent = false;
        m_f->apple.wire().failures = 2;
        QCOMPARE(m_f->redeem(m_f->receipt(), m_f->user), u"paid"_s);
    }

    void what_was_lost_comes_by_the_reconciliation()
    {
        FakeApple &apple = m_f->apple;
        for (int i = 0; i < 5; ++i)
            apple.buy(popular, m_f->me(), 8990);
        apple.subscribe(premium, m_f->me(), 9990);
        m_f->hear(apple.buy(popular, m_f->me(), 8990)); // this one was not
        m_f->db.clock().advance(1h);
        apple.refund(apple.lastTransaction());
        const QDate day = m_f->now().date();
        m_f->db.clock().advance(24h);
        const auto run = m_f->reconcile(day);
        QCOMPARE(run.theirs, 7);
        QCOMPARE(run.healed, 7);
        QCOMPARE(m_f->wallet(), u"500 50 0"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        const auto again = m_f->reconcile(day);
        QCOMPARE(again.differences, 0);
        QCOMPARE(again.ours, 7);
    }

    // A year of one customer, its notifications in any order and each up to three times: the same end.
    void the_order_of_arrival_does_not_matter_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 3; ++seed)
            QTest::addRow("%d", seed) << seed;
    }
    void the_order_of_arrival_does_not_matter()
    {
        QFETCH(int, seed);
        FakeApple &apple = m_f->apple;
        QList<QByteArray> told{apple.subscribe(premium, m_f->me(), 9990)};
        const auto day = [&](int days) { m_f->db.clock().advance(std::chrono::hours(24 * days)); };
        const QString subscription = apple.lastTransaction();
        told.append(apple.buy(popular, m_f->me(), 8990));
        const QString credits = apple.lastTransaction();
        day(1), told.append(apple.refund(credits, 30'000));
        day(1), told.append(apple.reverseRefund(credits));
        apple.goOn(subscription);
        told.append(apple.setRenewal(false));
        day(1), told.append(apple.setRenewal(true));
        day(1), told.append(apple.changeTo(vip, true, 29'990));
        day(1), told.append(apple.refund(apple.lastTransaction()));
        day(1), told.append(apple.reverseRefund(apple.lastTransaction()));
        day(1), told.append(apple.changeTo(premium, false, 0));
        for (const QByteArray &one : std::as_const(told))
            m_f->hear(one);
        const QString inOrder = m_f->everything();
        QVERIFY(inOrder.contains(u"vip"_s));

        BooksFixture fresh; // the same customer in other books
        fresh.db.owner().script(u"UPDATE users SET id = '%1'"_s.arg(m_f->me()));
        fresh.db.owner().script(
            u"INSERT INTO provider_products VALUES ('apple', 'com.example.premium', 'subscription', 'premium'),"
            " ('apple', 'com.example.vip', 'subscription', 'vip'), ('apple', 'com.example.popular', 'credits',"
            " 'popular')"_s);
        fresh.user = m_f->user;
        fresh.db.clock().set(m_f->now());
        QList<QByteArray> shuffled = told + told + told;
        std::mt19937 random(static_cast<unsigned>(seed));
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        const AppleVerifier verifier(AppleSignatures::withRoots(apple.rootPem()).value(),
                                     {apple.bundleId, apple.appId, AppleEnvironment::Production});
        for (const QByteArray &one : std::as_const(shuffled)) {
            const auto note = verifier.notification(one);
            QVERIFY(note.has_value());
            fresh.books.take(fresh.db.operators(), Provider::Apple,
                             {note->id,
                              note->type,
                              note->signedAt,
                              factsOf(*note, StoreCatalogue::load(fresh.db.operators(), Provider::Apple)),
                              {}},
                             {one, {}});
        }
        QCOMPARE(fresh.audit(), QStringList());
        QCOMPARE(fresh.everything(), inOrder);
    }
};

QTEST_GUILESS_MAIN(AppleProviderTest)
#include "tst_AppleProvider.moc"
