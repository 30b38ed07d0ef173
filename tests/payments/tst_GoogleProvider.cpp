#include "StoreFixture.h"
#include "fakes/FakeGoogle.h"
#include "payments/google/GoogleProvider.h"

#include <QJsonDocument>
#include <random>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace std::chrono_literals;

namespace {

struct GoogleFixture : StoreFixture
{
    FakeGoogle google{[this] { return now(); }};
    jose::PublishedCertificates certificates{db.clock(), {.url = google.certificatesUrl(), .firstRetry_ms = 50}};
    GoogleProvider provider{db.operatorWorkers(),
                            db.clock(),
                            {.packageName = google.packageName, .push = {google.audience, google.pusher}},
                            {.base = google.url(), .packageName = google.packageName, .http = {.firstPause = 5ms}},
                            GoogleAccount::read(google.serviceAccountJson()).value(),
                            certificates};

    GoogleFixture()
        : StoreFixture(Provider::Google)
    {
        certificates.start();
        desk.add(provider);
    }
    QString hear(const QByteArray &body) { return hear(body, google.authorization()); }
    QString hear(const QByteArray &body, const QByteArray &authorization)
    {
        db.clock().advance(1s); // what is asked for later is newer
        return webhook({body, {{"Authorization", authorization}}});
    }
    QString me() const { return user.toString(); }
    void days(int count) { db.clock().advance(std::chrono::hours(24 * count)); }
    bool isConsumed(const QString &token) { return google.sale(token).value(u"consumptionState"_s).toInt() == 1; }
    bool isAcknowledged(const QString &token)
    {
        return google.subscription(token).value(u"acknowledgementState"_s) == u"ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED"_s;
    }
    QString settled()
    {
        return text(u"SELECT coalesce(string_agg(CASE WHEN settled_at IS NULL THEN 'due' ELSE 'settled' END, ' '"
                    " ORDER BY purchased_at, token), '') AS text FROM google_purchases"_s);
    }
};

const QString popular = u"com.example.popular"_s;
const QString premium = u"com.example.premium"_s;
const QString vip = u"com.example.vip"_s;

} // namespace

// Google Play, from its pushes and its resources to the books.
class GoogleProviderTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<GoogleFixture> m_f;

private Q_SLOTS:
    void init() { m_f = std::make_unique<GoogleFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void a_sale_grants_its_credits_once_and_is_consumed()
    {
        const QByteArray push = m_f->google.buy(popular, m_f->me(), 899);
        QCOMPARE(m_f->hear(push), u"applied"_s);
        QCOMPARE(m_f->hear(push), u"duplicate"_s);
        QCOMPARE(m_f->redeem(m_f->google.lastToken(), m_f->user), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->text(u"SELECT concat_ws(' ', amount_minor, tax_minor, fee_minor, currency) AS text FROM"
                           " money_entries"_s),
                 u"899 89 122 USD"_s); // 899 − 89 tax, of which we get 688
        QTRY_COMPARE(m_f->settled(), u"settled"_s);
        QVERIFY(m_f->isConsumed(m_f->google.lastToken()));
        QCOMPARE(m_f->google.tokens, 1); // one access token for all of it
    }

    void a_receipt_is_a_token_or_the_purchases_json()
    {
        const UserId other = m_f->addUser();
        m_f->google.buy(u"com.example.starter"_s, {}, 99);
        const QString json = QString::fromUtf8(QJsonDocument(QJsonObject{{u"packageName"_s, m_f->google.packageName},
                                                                         {u"productId"_s, u"com.example.starter"_s},
                                                                         {u"purchaseToken"_s, m_f->google.lastToken()}})
                                                   .toJson());
        QVERIFY(m_f->redeem(QString(json).replace(u"com.example.companion"_s, u"com.example.other"_s), m_f->user)
                    .startsWith(u"invalid"_s));
        QVERIFY(m_f->redeem(m_f->google.lastToken(), m_f->user).startsWith(u"invalid"_s)); // it says it is "popular"
        QCOMPARE(m_f->redeem(json, m_f->user), u"paid"_s);
        QCOMPARE(m_f->wallet(), u"10 0 0"_s);
        QVERIFY(m_f->redeem(json, other).startsWith(u"conflict"_s));
        m_f->google.buy(popular, m_f->me(), 899);
        QVERIFY(m_f->redeem(m_f->google.lastToken(), other).startsWith(u"invalid: This purchase belongs to another"_s));
        for (const QString &odd : {u""_s, u"hello"_s, u"{}"_s, u"../../orders/1234567"_s, u"a/b?c=d#e&f%2f12345678"_s,
                                   u"unknown-token-12345"_s, QString(2000, u'a')})
            QVERIFY2(m_f->redeem(odd, m_f->user).startsWith(u"invalid"_s), qPrintable(odd));
        QCOMPARE(m_f->wallet(), u"10 0 0"_s);
    }

    void what_has_not_been_paid_yet_grants_nothing_until_it_is()
    {
        m_f->google.buy(popular, m_f->me(), 899);
        const QString token = m_f->google.lastToken();
        m_f->google.sale(token).insert(u"purchaseState"_s, 2); // cash at the shop
        QVERIFY(m_f->redeem(token, m_f->user).startsWith(u"invalid: This purchase has not been paid"_s));
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        m_f->google.sale(token).insert(u"purchaseState"_s, 0);
        QCOMPARE(m_f->redeem(token, m_f->user), u"paid"_s);
    }

    void testers_purchases_count_only_where_they_may()
    {
        m_f->google.buy(popular, m_f->me(), 899);
        m_f->google.sale(m_f->google.lastToken()).insert(u"purchaseType"_s, 0);
        QVERIFY(m_f->redeem(m_f->google.lastToken(), m_f->user).startsWith(u"invalid: Testers"_s));
        m_f->google.subscribe(premium, m_f->me(), 999);
        m_f->google.subscription(m_f->google.lastToken()).insert(u"testPurchase"_s, QJsonObject());
        QCOMPARE(m_f->hear(m_f->google.pushSubscription(4, m_f->google.lastToken())), u"applied"_s);
        QCOMPARE(m_f->tier(), u"free"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }

    void a_promotion_costs_nothing_and_is_granted()
    {
        const QByteArray push = m_f->google.buy(popular, m_f->me(), 899);
        m_f->google.sale(m_f->google.lastToken()).insert(u"purchaseType"_s, 1);
        m_f->google.sale(m_f->google.lastToken()).remove(u"orderId"_s);
        QCOMPARE(m_f->hear(push), u"applied"_s);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        QTRY_COMPARE(m_f->settled(), u"settled"_s);
    }

    void pieces_are_counted_and_refunded_one_by_one()
    {
        m_f->hear(m_f->google.buy(popular, m_f->me(), 2697, 3));
        QCOMPARE(m_f->wallet(), u"300 30 0"_s);
        m_f->hear(m_f->google.refundPartly(m_f->google.lastOrder(), 899));
        QCOMPARE(m_f->wallet(), u"200 20 0"_s);
    }

    void refunds_partly_and_wholly_and_of_spent_credits()
    {
        m_f->hear(m_f->google.buy(popular, m_f->me(), 899));
        const QString order = m_f->google.lastOrder();
        QCOMPARE(m_f->hear(m_f->google.refundPartly(order, 300)), u"applied"_s);
        QCOMPARE(m_f->status(order), u"partially_refunded"_s);
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
        m_f->spend(u"60"_s);
        m_f->hear(m_f->google.refund(order));
        QCOMPARE(m_f->status(order), u"refunded"_s);
        QCOMPARE(m_f->wallet(), u"0 0 60"_s);
    }

    void an_operator_may_refund_a_whole_order()
    {
        m_f->hear(m_f->google.buy(popular, m_f->me(), 899));
        const auto refund = [&](bool whole) {
            m_f->db.clock().advance(1s);
            return m_f->wait<FactList>([&](const auto &then) {
                m_f->provider.refund({.idempotencyKey = u"key"_s,
                                      .references = {m_f->google.lastOrder()},
                                      .amountMinor = whole ? 899 : 300,
                                      .currency = u"USD"_s,
                                      .whole = whole},
                                     then);
            });
        };
        QCOMPARE(refund(false).error().code, ErrorCode::Invalid);
        const auto facts = refund(true);
        QVERIFY(facts.has_value());
        QVERIFY(m_f->books.apply(m_f->db.operators(), Provider::Google, *facts).what == Taken::What::Applied);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QVERIFY(refund(true).has_value()); // the answer was lost: once is enough
    }

    void a_subscription_lives_through_trial_renewal_grace_hold_and_end()
    {
        FakeGoogle &google = m_f->google;
        QCOMPARE(m_f->hear(google.subscribe(premium, m_f->me(), 999, {}, true)), u"applied"_s);
        const QString token = google.lastToken();
        QCOMPARE(m_f->subscription(), u"trialing premium 02-15 until 02-15"_s);
        QCOMPARE(m_f->money(), QString());
        m_f->provider.settleDue(); // without a payment its own timer comes to it
        QTRY_VERIFY(m_f->isAcknowledged(token));
        m_f->db.clock().set(QDateTime(QDate(2026, 2, 15), QTime(12, 0), Qt::UTC));
        m_f->hear(google.renew(token));
        QCOMPARE(m_f->subscription(), u"active premium 03-15 until 03-15"_s);
        QCOMPARE(m_f->money(), u"payment 999 USD"_s);
        m_f->db.clock().set(QDateTime(QDate(2026, 3, 15), QTime(12, 0), Qt::UTC));
        m_f->hear(google.enterGrace(token, 7));
        QCOMPARE(m_f->subscription(), u"past_due premium 03-15 until 03-22"_s);
        m_f->days(6);
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->days(1);
        m_f->hear(google.putOnHold(token));
        QCOMPARE(m_f->tier(), u"free"_s);
        m_f->days(5);
        m_f->hear(google.renew(token)); // recovered
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->days(3);
        m_f->hear(google.cancel(token));
        QCOMPARE(m_f->subscription(), u"canceled premium 04-27 until 04-27"_s);
        m_f->hear(google.restart(token));
        QCOMPARE(m_f->subscription(), u"active premium 04-27 until 04-27"_s);
        m_f->hear(google.cancel(token));
        m_f->days(40);
        m_f->hear(google.expire(token));
        QCOMPARE(m_f->subscription(), u"expired premium 04-27 until 04-27"_s);
        QCOMPARE(m_f->money(), u"payment 999 USD, payment 999 USD"_s);
    }

    void an_upgrade_is_another_purchase_that_takes_the_place_of_the_first()
    {
        FakeGoogle &google = m_f->google;
        m_f->hear(google.subscribe(premium, m_f->me(), 999));
        const QString first = google.lastToken();
        m_f->days(3);
        m_f->hear(google.subscribe(vip, {}, 2999, first)); // whose it is follows from the first
        QCOMPARE(m_f->tier(), u"vip"_s);
        QCOMPARE(m_f->subscription(), u"expired premium 01-18 until 01-18; active vip 02-18 until 02-18"_s);
        QCOMPARE(m_f->hear(google.pushSubscription(13, first)), u"applied"_s);
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->days(1);
        m_f->hear(google.defer(google.lastToken(), premium));
        QCOMPARE(m_f->text(u"SELECT next_tier AS text FROM subscriptions WHERE tier = 'vip'"_s), u"premium"_s);
        QCOMPARE(m_f->tier(), u"vip"_s);
        m_f->days(30);
        m_f->hear(google.renew(google.lastToken()));
        QCOMPARE(m_f->tier(), u"premium"_s);
    }

    void a_refunded_period_ends_its_tier()
    {
        m_f->hear(m_f->google.subscribe(premium, m_f->me(), 999));
        const QString first = m_f->google.lastOrder();
        m_f->db.clock().advance(31 * 24h);
        m_f->hear(m_f->google.renew(m_f->google.lastToken()));
        m_f->hear(m_f->google.refund(first)); // of the period that is over
        QCOMPARE(m_f->status(first), u"refunded"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->hear(m_f->google.refund(m_f->google.lastOrder()));
        QCOMPARE(m_f->tier(), u"free"_s);
    }

    void the_backend_can_cancel_for_the_customer()
    {
        m_f->hear(m_f->google.subscribe(premium, m_f->me(), 999));
        m_f->db.clock().advance(1h);
        const auto state = m_f->wait<SubscriptionState>(
            [&](const auto &then) { m_f->desk.cancel(m_f->user, then, m_f->subscriptions); });
        QVERIFY(state.has_value());
        QVERIFY(state->subscription->status == SubscriptionStatus::Canceled);
        QVERIFY(state->tier == Tier::Premium);
    }

    void what_is_not_acknowledged_is_tried_again_until_it_is_also_by_another_instance()
    {
        m_f->google.refuseAcknowledging = 6; // two calls, each tried three times
        m_f->hear(m_f->google.buy(popular, m_f->me(), 899));
        const QString token = m_f->google.lastToken();
        QTRY_COMPARE(m_f->google.refuseAcknowledging, 3);
        QTRY_VERIFY(m_f->text(u"SELECT coalesce(last_error, '') AS text FROM google_purchases"_s).contains(u"500"_s));
        m_f->provider.settleDue(); // not before its time
        QTest::qWait(100);
        QCOMPARE(m_f->google.refuseAcknowledging, 3);
        m_f->db.clock().advance(61s);
        m_f->provider.settleDue();
        QTRY_COMPARE(m_f->google.refuseAcknowledging, 0);
        QTRY_COMPARE(m_f->text(u"SELECT attempts::text AS text FROM google_purchases"_s), u"2"_s);
        QVERIFY(!m_f->isConsumed(token));
        m_f->db.clock().advance(5min);
        GoogleProvider other(m_f->db.operatorWorkers(), m_f->db.clock(),
                             {.packageName = m_f->google.packageName,
                              .push = {m_f->google.audience, m_f->google.pusher}},
                             {.base = m_f->google.url(), .packageName = m_f->google.packageName},
                             GoogleAccount::read(m_f->google.serviceAccountJson()).value(), m_f->certificates);
        other.open();
        QTRY_COMPARE(m_f->settled(), u"settled"_s);
        QVERIFY(m_f->isConsumed(token));
    }

    void what_the_app_consumed_itself_is_found_so()
    {
        const QByteArray push = m_f->google.buy(popular, m_f->me(), 899);
        const QString token = m_f->google.lastToken();
        m_f->google.refuseAcknowledging = 3;
        m_f->hear(push);
        QTRY_COMPARE(m_f->google.refuseAcknowledging, 0);
        m_f->google.sale(token).insert(u"consumptionState"_s, 1);
        m_f->db.clock().advance(2min);
        m_f->provider.settleDue();
        QTRY_COMPARE(m_f->settled(), u"settled"_s);
    }

    void what_was_not_granted_is_not_acknowledged() // so that Google pays it back
    {
        QVERIFY(m_f->hear(m_f->google.buy(u"com.example.unheard"_s, m_f->me(), 899)).startsWith(u"kept"_s));
        QVERIFY(m_f->hear(m_f->google.buy(popular, {}, 899)).startsWith(u"waiting"_s));
        m_f->provider.settleDue();
        QTest::qWait(150);
        QVERIFY(!m_f->isConsumed(m_f->google.lastToken()));
    }

    void a_withdrawn_access_token_is_fetched_anew_and_an_old_one_too()
    {
        m_f->hear(m_f->google.buy(popular, m_f->me(), 899));
        QTRY_COMPARE(m_f->settled(), u"settled"_s);
        m_f->google.withdrawToken = true;
        QCOMPARE(m_f->hear(m_f->google.buy(popular, m_f->me(), 899)), u"applied"_s);
        QTRY_COMPARE(m_f->settled(), u"settled settled"_s);
        QCOMPARE(m_f->google.tokens, 2);
        QCOMPARE(m_f->google.unauthorized, 1);
        m_f->db.clock().advance(59min);
        QCOMPARE(m_f->hear(m_f->google.buy(popular, m_f->me(), 899)), u"applied"_s);
        QCOMPARE(m_f->google.tokens, 3);
        QCOMPARE(m_f->google.unauthorized, 1);
    }

    void while_google_is_silent_the_push_is_kept_and_looked_up_later()
    {
        const QByteArray push = m_f->google.buy(popular, m_f->me(), 899);
        m_f->hear(m_f->google.pushTest());
        m_f->google.wire().failures = 99;
        QVERIFY(m_f->hear(push).startsWith(u"waiting"_s));
        m_f->google.wire().failures = 0;
        QCOMPARE(m_f->text(u"SELECT status AS text FROM payment_events ORDER BY received_at DESC LIMIT 1"_s),
                 u"received"_s);
        m_f->db.clock().advance(2min);
        m_f->desk.catchUp();
        QTRY_COMPARE(m_f->wallet(), u"100 10 0"_s);
        QCOMPARE(m_f->hear(push), u"duplicate"_s);
    }

    // What of pushes is not believed is in tst_GooglePush.cpp; here, what becomes of it.
    void forged_stale_and_foreign_pushes_are_refused_recorded_and_change_nothing()
    {
        FakeGoogle &real = m_f->google;
        const QByteArray push = real.buy(popular, m_f->me(), 899);
        const QByteArray good = real.authorization();
        FakeGoogle other([this] { return m_f->now(); }, "other");
        QCOMPARE(m_f->hear(push, {}), u"malformed_request"_s);
        QCOMPARE(m_f->hear(push + ' ', other.authorization(real.claims())), u"malformed_request"_s);
        QCOMPARE(m_f->hear("{}"), u"malformed_request"_s);
        QCOMPARE(m_f->hear(QByteArray(300'000, 'x')), u"payload_too_large"_s);
        m_f->db.clock().advance(2h);
        QCOMPARE(m_f->hear(push + "  ", good), u"malformed_request"_s);
        QCOMPARE(m_f->refusals(),
                 u"forged: no bearer token of Google's; forged: not signed by Google; unreadable: no"
                 " message; oversized: 300000 bytes; stale: the token's time has passed"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QCOMPARE(m_f->hear(push), u"applied"_s);
    }

    void without_googles_certificates_nothing_is_believed_and_nothing_refused()
    {
        GoogleFixture fresh;
        fresh.google.wire().silent = true;
        fresh.db.clock().advance(25h);
        QCOMPARE(fresh.hear(fresh.google.pushTest()), u"not_ready"_s);
    }

    void what_was_lost_comes_by_the_reconciliation()
    {
        FakeGoogle &google = m_f->google;
        m_f->hear(google.buy(popular, m_f->me(), 899));
        m_f->hear(google.buy(popular, m_f->me(), 899));
        google.refund(google.lastOrder()); // lost
        m_f->hear(google.subscribe(premium, m_f->me(), 999));
        const QString token = google.lastToken();
        m_f->hear(google.buy(popular, {}, 899)); // whose nobody knows
        google.refund(google.lastOrder());
        const QDate day = m_f->now().date();
        m_f->days(1);
        const auto run = m_f->reconcile(day);
        QCOMPARE(run.healed, 1);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
        m_f->db.clock().set(QDateTime(QDate(2026, 2, 15), QTime(12, 0), Qt::UTC));
        google.renew(token); // lost
        m_f->days(1);
        QCOMPARE(m_f->reconcile(QDate(2026, 2, 15)).healed, 1);
        QCOMPARE(m_f->tier(), u"premium"_s);
        QCOMPARE(m_f->reconcile(QDate(2026, 2, 15)).differences, 0);
    }

    // Truth is fetched: whatever order the pushes come in, the last one to be asked for has it.
    void the_order_of_arrival_does_not_matter_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 3; ++seed)
            QTest::addRow("%d", seed) << seed;
    }
    void the_order_of_arrival_does_not_matter()
    {
        QFETCH(int, seed);
        FakeGoogle &google = m_f->google;
        QList<QByteArray> told{google.buy(popular, m_f->me(), 899)};
        const QString order = google.lastOrder();
        told.append(google.buy(popular, m_f->me(), 899));
        told.append(google.refundPartly(order, 300));
        told.append(google.subscribe(premium, m_f->me(), 999));
        told.append(google.subscribe(vip, m_f->me(), 2999, google.lastToken()));
        told.append(google.cancel(google.lastToken()));
        told.append(told + told);
        std::mt19937 random(static_cast<unsigned>(seed));
        std::shuffle(told.begin(), told.end(), random);
        for (const QByteArray &one : std::as_const(told))
            m_f->hear(one);
        QCOMPARE(m_f->wallet(), u"166.6296 16.663 0"_s);
        QCOMPARE(m_f->tier(), u"vip"_s);
        QVERIFY(m_f->subscription().contains(u"canceled vip"_s));
        QVERIFY(m_f->subscription().contains(u"expired premium"_s));
        QCOMPARE(m_f->text(u"SELECT string_agg(DISTINCT status, ' ') AS text FROM payment_events"_s), u"processed"_s);
    }
};

QTEST_GUILESS_MAIN(GoogleProviderTest)
#include "tst_GoogleProvider.moc"
