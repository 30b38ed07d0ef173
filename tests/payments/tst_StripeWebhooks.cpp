#include "StripeFixture.h"
#include "payments/SoundJson.h"
#include "payments/stripe/StripeMoney.h"
#include "payments/stripe/StripeReader.h"
#include "payments/stripe/StripeSignature.h"

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace companion::payments::stripe;
using namespace std::chrono_literals;

namespace {

const QByteArrayList secrets{"whsec_new", "whsec_old"};

QString becameOf(const Result<Taken> &taken)
{
    return taken ? u"taken"_s : taken.error().log.section(u':', 0, 0);
}

} // namespace

// Who may tell us something, and what is read of it: signatures, environments, shapes of several API versions.
class StripeWebhooksTest : public QObject
{
    Q_OBJECT
    const QDateTime m_now = QDateTime::fromSecsSinceEpoch(1'800'000'000, Qt::UTC);
    QByteArray headerAt(qint64 shift_s, const QByteArray &secret = "whsec_new", const QByteArray &body = "{}") const
    {
        return FakeStripe::signature(secret, body, m_now.toSecsSinceEpoch() + shift_s);
    }
    QString verdict(const QByteArray &header, const QByteArray &body = "{}") const
    {
        const auto checked = checkSignature(header, body, secrets, m_now);
        return checked ? u"good"_s : checked.error().log.section(u':', 0, 0);
    }

private Q_SLOTS:
    void a_signature_is_ours_and_the_fakes_alike()
    {
        QCOMPARE(signatureOf("whsec_x", "{\"a\":1}", 1'800'000'000),
                 FakeStripe::signature("whsec_x", "{\"a\":1}", 1'800'000'000));
        // Computed with openssl dgst -sha256 -hmac whsec_test of "1700000000.{}".
        QCOMPARE(signatureOf("whsec_test", "{}", 1'700'000'000),
                 QByteArray("t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"));
    }

    void either_secret_signs_while_the_endpoints_is_rolled()
    {
        QCOMPARE(verdict(headerAt(0)), u"good"_s);
        QCOMPARE(verdict(headerAt(0, "whsec_old")), u"good"_s);
        QCOMPARE(verdict(headerAt(0, "whsec_other")), u"forged"_s);
        QCOMPARE(verdict(headerAt(0, "")), u"forged"_s);
        const QByteArray mine = headerAt(0).mid(headerAt(0).indexOf("v1=") + 3);
        QCOMPARE(verdict(headerAt(0, "whsec_other") + ",v1=" + mine), u"good"_s); // Stripe signs with both
        QCOMPARE(verdict(headerAt(0, "whsec_other") + ",v0=" + mine), u"forged"_s);
    }

    void the_time_counts_both_ways_to_the_second()
    {
        QCOMPARE(verdict(headerAt(-300)), u"good"_s);
        QCOMPARE(verdict(headerAt(300)), u"good"_s);
        QCOMPARE(verdict(headerAt(-301)), u"stale"_s);
        QCOMPARE(verdict(headerAt(301)), u"stale"_s);
        QCOMPARE(verdict(FakeStripe::signature("whsec_new", "{}", 0)), u"stale"_s);
        QCOMPARE(verdict(FakeStripe::signature("whsec_new", "{}", 999'999'999'999)), u"stale"_s);
    }

    void junk_in_the_header_is_no_signature_data()
    {
        QTest::addColumn<QByteArray>("header");
        const QByteArray mac = QByteArray(64, 'a');
        const QByteArray time = QByteArray::number(m_now.toSecsSinceEpoch());
        const QByteArray right = headerAt(0).mid(headerAt(0).indexOf("v1=") + 3);
        QTest::newRow("empty") << QByteArray();
        QTest::newRow("no time") << QByteArray("v1=" + right);
        QTest::newRow("two times") << QByteArray("t=" + time + ",t=" + time + ",v1=" + right);
        QTest::newRow("time in hex") << QByteArray("t=0x10,v1=" + right);
        QTest::newRow("signed time") << QByteArray("t=+" + time + ",v1=" + right);
        QTest::newRow("negative time") << QByteArray("t=-1,v1=" + right);
        QTest::newRow("endless time") << QByteArray("t=" + QByteArray(400, '9') + ",v1=" + right);
        QTest::newRow("time with a point") << QByteArray("t=" + time + ".0,v1=" + right);
        QTest::newRow("empty signature") << QByteArray("t=" + time + ",v1=");
        QTest::newRow("wrong signature") << QByteArray("t=" + time + ",v1=" + mac);
        QTest::newRow("half a signature") << QByteArray("t=" + time + ",v1=" + right.left(32));
        QTest::newRow("more than a signature") << QByteArray("t=" + time + ",v1=" + right + "00");
        QTest::newRow("capitals") << QByteArray("t=" + time + ",v1=" + right.toUpper());
        QTest::newRow("base64") << QByteArray("t=" + time + ",v1=" + QByteArray::fromHex(right).toBase64());
        QTest::newRow("other scheme") << QByteArray("t=" + time + ",v2=" + right);
        QTest::newRow("many") << QByteArray("t=" + time + QByteArray(",v1=" + mac).repeated(40) + ",v1=" + right);
        QTest::newRow("long") << QByteArray("t=" + time + ",v1=" + right + ",x=" + QByteArray(5000, 'x'));
        QTest::newRow("NUL") << QByteArray("t=" + time + QByteArray(1, '\0') + ",v1=" + right);
        QTest::newRow("only commas") << QByteArray(",,,,=,=");
    }
    void junk_in_the_header_is_no_signature()
    {
        QFETCH(QByteArray, header);
        QCOMPARE(verdict(header), u"forged"_s);
    }

    void every_bit_of_the_body_and_the_signature_counts()
    {
        const QByteArray body = "{\"id\":\"evt_1\"}";
        const QByteArray header = headerAt(0, "whsec_new", body);
        QCOMPARE(verdict(header, body), u"good"_s);
        for (qsizetype i = 0; i < body.size(); ++i) {
            QByteArray other = body;
            other[i] = static_cast<char>(other[i] ^ 1);
            QCOMPARE(verdict(header, other), u"forged"_s);
        }
        for (qsizetype i = header.indexOf("v1=") + 3; i < header.size(); ++i) {
            QByteArray other = header;
            other[i] = other[i] == '0' ? '1' : '0';
            QCOMPARE(verdict(other, body), u"forged"_s);
        }
        QCOMPARE(verdict(header, body + '\n'), u"forged"_s); // the raw body, to the last byte
    }

    void json_with_a_name_twice_is_read_by_nobody()
    {
        QVERIFY(readSoundJson("{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":1},{\"a\":2}],\"d\":\"a\",\"e\":[\"a\",\"a\"]}"));
        QVERIFY(readSoundJson("{\"a\\\"\":1,\"a\":2}"));
        QVERIFY(!readSoundJson("{\"a\":1,\"a\":1}"));
        QVERIFY(!readSoundJson("{\"a\":1,\"\\u0061\":2}"));
        QVERIFY(!readSoundJson("{\"x\":[{\"a\":{},\"b\":[],\"a\":1}]}"));
        QVERIFY(!readSoundJson("[1]"));
        QVERIFY(!readSoundJson("{\"a\":1} x"));
        QVERIFY(!readSoundJson("{\"a\":1"));
        QVERIFY(!readSoundJson(""));
        QVERIFY(!readSoundJson("{\"a\":" + QByteArray(100, '[') + QByteArray(100, ']') + "}"));
    }

    void amounts_move_their_point_where_stripe_and_iso_differ_data()
    {
        QTest::addColumn<QString>("currency");
        QTest::addColumn<qint64>("ours");
        QTest::addColumn<qint64>("theirs");
        QTest::newRow("two") << u"USD"_s << qint64(899) << qint64(899);
        QTest::newRow("none") << u"JPY"_s << qint64(980) << qint64(980);
        QTest::newRow("three") << u"KWD"_s << qint64(2750) << qint64(2750);
        QTest::newRow("króna") << u"ISK"_s << qint64(12) << qint64(1200);
        QTest::newRow("shilling") << u"UGX"_s << qint64(5) << qint64(500);
        QTest::newRow("ariary") << u"MGA"_s << qint64(1000) << qint64(10);
        QTest::newRow("nothing") << u"EUR"_s << qint64(0) << qint64(0);
    }
    void amounts_move_their_point_where_stripe_and_iso_differ()
    {
        QFETCH(QString, currency);
        QFETCH(qint64, ours);
        QFETCH(qint64, theirs);
        QCOMPARE(toStripe(ours, currency), std::optional(theirs));
        QCOMPARE(fromStripe(theirs, currency.toLower()), std::optional(ours));
    }
    void an_amount_that_one_side_cannot_say_is_refused()
    {
        QVERIFY(!toStripe(2751, u"KWD"_s)); // Stripe wants a 0 at the end
        QVERIFY(!toStripe(15, u"MGA"_s));
        QVERIFY(!fromStripe(1250, u"isk"_s));
        QVERIFY(!fromStripe(1, u"us"_s));
        QVERIFY(!fromStripe(1, u"€€€"_s));
        QVERIFY(!toStripe(std::numeric_limits<qint64>::max(), u"ISK"_s));
    }

    // ------------------------------------------------------------------------------------------- attacks at the door

    void what_is_not_believed_is_kept_and_changes_nothing()
    {
        StripeFixture f;
        f.buy();
        f.world.pay(f.world.latest(u"checkout.session"_s));
        const QJsonObject event = f.world.takeEvents().last();
        const QByteArray body = StripeFixture::bodyOf(event);
        const QString before = f.everything();
        const auto changed = [&](const QString &name, const QJsonValue &value) {
            QJsonObject other = event;
            other.insert(name, value);
            return becameOf(f.deliverStripe(other));
        };
        QCOMPARE(becameOf(f.deliverRaw({body, {}})), u"forged"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(body, "whsec_guess"))), u"forged"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(body, "whsec_new", -301))), u"stale"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(body, "whsec_new", 301))), u"stale"_s);
        Webhook twice = f.signedWebhook(body);
        twice.headers.append(std::pair(QByteArray("stripe-signature"), QByteArray("t=1,v1=00")));
        QCOMPARE(becameOf(f.deliverRaw(twice)), u"forged"_s);
        QCOMPARE(changed(u"livemode"_s, true), u"of another environment"_s);
        QCOMPARE(changed(u"livemode"_s, u"false"_s), u"unreadable"_s);
        QCOMPARE(changed(u"livemode"_s, QJsonValue()), u"unreadable"_s);
        QCOMPARE(changed(u"object"_s, u"v2.core.event"_s), u"unreadable"_s);
        QCOMPARE(changed(u"id"_s, u"evt_1'; DROP TABLE users"_s), u"unreadable"_s);
        QCOMPARE(changed(u"id"_s, QString(u"evt_"_s + QString(300, u'x'))), u"unreadable"_s);
        QCOMPARE(changed(u"created"_s, u"yesterday"_s), u"unreadable"_s);
        QCOMPARE(changed(u"created"_s, 1e300), u"unreadable"_s);
        QCOMPARE(changed(u"created"_s, -5), u"unreadable"_s);
        QByteArray doubled = body;
        doubled.replace("\"livemode\": false", "\"livemode\": true, \"livemode\": false");
        QVERIFY(doubled != body);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(doubled))), u"unreadable"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook("[]"))), u"unreadable"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(""))), u"unreadable"_s);
        QCOMPARE(becameOf(f.deliverRaw(f.signedWebhook(QByteArray(300'000, ' ') + body))), u"oversized"_s);
        QCOMPARE(f.everything(), before);
        QCOMPARE(f.text(u"SELECT count(*)::text AS text FROM payment_events WHERE status <> 'refused'"_s), u"0"_s);
        QVERIFY(f.text(u"SELECT count(*)::text AS text FROM payment_events WHERE reason LIKE 'forged%'"_s).toInt()
                >= 1);
        QVERIFY(f.deliverRaw(f.signedWebhook(body)).has_value()); // the true one is still believed
        QCOMPARE(f.wallet(), u"100 10 0"_s);
        QCOMPARE(f.audit(), QStringList());
    }

    void a_replayed_webhook_is_counted_and_does_nothing()
    {
        StripeFixture f;
        f.buy();
        f.world.pay(f.world.latest(u"checkout.session"_s));
        const Webhook webhook = f.signedWebhook(StripeFixture::bodyOf(f.world.takeEvents().last()));
        QVERIFY(f.deliverRaw(webhook)->what == Taken::What::Applied);
        f.db.clock().advance(200s);
        QVERIFY(f.deliverRaw(webhook)->what == Taken::What::Duplicate);
        f.db.clock().advance(200s);
        QCOMPARE(becameOf(f.deliverRaw(webhook)), u"stale"_s);
        QCOMPARE(f.wallet(), u"100 10 0"_s);
    }

    void somebody_elses_words_in_a_signed_event_move_nothing()
    {
        StripeFixture f;
        f.buy();
        const QString session = f.world.latest(u"checkout.session"_s);
        f.world.pay(session);
        f.world.takeEvents();
        const auto told = [&](const QString &name, const QJsonValue &value) {
            QJsonObject object = f.world.object(session);
            object.insert(name, value);
            const auto taken = f.deliverStripe(f.world.madeEvent(u"checkout.session.completed"_s, object));
            return taken && taken->what == Taken::What::Unusable ? u"kept"_s
                : taken && taken->granted.isEmpty()              ? u"nothing"_s
                                                                 : u"granted"_s;
        };
        QCOMPARE(told(u"amount_total"_s, 1), u"kept"_s); // another price
        QCOMPARE(told(u"amount_total"_s, -899), u"nothing"_s);
        QCOMPARE(told(u"amount_total"_s, u"899"_s), u"kept"_s);
        QCOMPARE(told(u"amount_total"_s, 1e300), u"kept"_s);
        QCOMPARE(told(u"currency"_s, u"jpy"_s), u"kept"_s);
        QCOMPARE(told(u"currency"_s, u"dollars"_s), u"nothing"_s);
        QCOMPARE(told(u"metadata"_s, QJsonObject()), u"nothing"_s);
        QJsonObject marks = f.world.object(session)[u"metadata"_s].toObject();
        marks.insert(mark::user, f.addUser().toString());
        QCOMPARE(told(u"metadata"_s, marks), u"kept"_s); // another user's
        QCOMPARE(f.wallet(), u"0 0 0"_s);
    }

    // ------------------------------------------------------------------------------------------------ what is read

    void a_subscriptions_period_is_found_in_both_places()
    {
        const QString user = UserId::create().toString();
        const QJsonObject marks{{mark::user, user}, {mark::tier, u"vip"_s}};
        const QJsonObject price{{u"id"_s, u"price_1"_s}, {u"product"_s, u"prod_x"_s}, {u"metadata"_s, QJsonObject()}};
        const QJsonObject item{{u"id"_s, u"si_1"_s}, {u"price"_s, price}};
        QJsonObject itemNow = item;
        itemNow.insert(u"current_period_start"_s, 1'800'000'000);
        itemNow.insert(u"current_period_end"_s, 1'802'592'000);
        QJsonObject now{{u"id"_s, u"sub_1"_s},
                        {u"customer"_s, QJsonObject{{u"id"_s, u"cus_1"_s}}},
                        {u"status"_s, u"active"_s},
                        {u"metadata"_s, marks},
                        {u"items"_s, QJsonObject{{u"data"_s, QJsonArray{itemNow}}}}};
        QJsonObject older = now;
        older.insert(u"items"_s, QJsonObject{{u"data"_s, QJsonArray{item}}});
        older.insert(u"current_period_start"_s, 1'800'000'000);
        older.insert(u"current_period_end"_s, 1'802'592'000);
        for (const QJsonObject &subscription : {now, older}) {
            const auto fact = readSubscription(subscription, 7000, m_now);
            QVERIFY(fact);
            QCOMPARE(fact->periodEnd.toSecsSinceEpoch(), 1'802'592'000);
            QCOMPARE(fact->customer, u"cus_1"_s);
            QCOMPARE(fact->tier, Tier::Vip);
            QCOMPARE(fact->user->toString(), user);
        }
    }

    void statuses_are_translated_data()
    {
        QTest::addColumn<QString>("theirs");
        QTest::addColumn<QJsonObject>("more");
        QTest::addColumn<QString>("ours"); // and the end, relative to the item's period 0..30 days
        const qint64 start = 1'800'000'000;
        const qint64 day = 86'400;
        QTest::newRow("active") << u"active"_s << QJsonObject() << u"active 30"_s;
        QTest::newRow("trialing") << u"trialing"_s << QJsonObject() << u"trialing 30"_s;
        QTest::newRow("cancels") << u"active"_s << QJsonObject{{u"cancel_at_period_end"_s, true}} << u"canceled 30"_s;
        QTest::newRow("cancels sooner") << u"active"_s << QJsonObject{{u"cancel_at"_s, start + 3 * day}}
                                        << u"canceled 3"_s;
        QTest::newRow("cancels later") << u"active"_s << QJsonObject{{u"cancel_at"_s, start + 300 * day}}
                                       << u"active 30"_s;
        QTest::newRow("past due") << u"past_due"_s << QJsonObject() << u"past_due 0"_s;
        QTest::newRow("unpaid") << u"unpaid"_s << QJsonObject() << u"expired 0"_s;
        QTest::newRow("ended") << u"canceled"_s << QJsonObject{{u"ended_at"_s, start + 5 * day}} << u"expired 5"_s;
        QTest::newRow("paused") << u"paused"_s << QJsonObject() << u"expired 2"_s; // as of the event
        QTest::newRow("incomplete") << u"incomplete"_s << QJsonObject() << u"nothing"_s;
        QTest::newRow("incomplete_expired") << u"incomplete_expired"_s << QJsonObject() << u"nothing"_s;
        QTest::newRow("a new word") << u"hibernating"_s << QJsonObject() << u"nothing"_s;
        QTest::newRow("kept") << u"active"_s
                              << QJsonObject{{u"metadata"_s,
                                              QJsonObject{{mark::user, UserId::create().toString()},
                                                          {mark::tier, u"premium"_s},
                                                          {mark::keeps, u"vip"_s},
                                                          {mark::keepsUntil, QString::number(start + 30 * day)}}}}
                              << u"active 30 vip then premium"_s;
        QTest::newRow("no longer kept") << u"active"_s
                                        << QJsonObject{{u"metadata"_s,
                                                        QJsonObject{{mark::user, UserId::create().toString()},
                                                                    {mark::tier, u"premium"_s},
                                                                    {mark::keeps, u"vip"_s},
                                                                    {mark::keepsUntil, QString::number(start)}}}}
                                        << u"active 30"_s;
    }
    void statuses_are_translated()
    {
        QFETCH(QString, theirs);
        QFETCH(QJsonObject, more);
        const qint64 start = 1'800'000'000;
        const QJsonObject item{{u"id"_s, u"si_1"_s},
                               {u"current_period_start"_s, start},
                               {u"current_period_end"_s, start + 30 * 86'400},
                               {u"price"_s, QJsonObject{{u"product"_s, u"companion_tier_premium"_s}}}};
        QJsonObject subscription{{u"id"_s, u"sub_1"_s},
                                 {u"status"_s, theirs},
                                 {u"metadata"_s, QJsonObject{{mark::user, UserId::create().toString()}}},
                                 {u"items"_s, QJsonObject{{u"data"_s, QJsonArray{item}}}}};
        for (auto it = more.begin(); it != more.end(); ++it)
            subscription.insert(it.key(), it.value());
        const auto fact = readSubscription(subscription, 1000, m_now.addDays(2));
        QString got = u"nothing"_s;
        if (fact)
            got = u"%1 %2"_s.arg(toText(fact->status)).arg((fact->periodEnd.toSecsSinceEpoch() - start) / 86'400);
        if (fact && fact->nextTier)
            got += u" %1 then %2"_s.arg(toText(fact->tier), toText(*fact->nextTier));
        QTEST(got, "ours");
        QVERIFY(!fact || fact->periodStart <= fact->periodEnd);
    }

    void an_invoice_of_an_older_version_says_the_same()
    {
        const QString user = UserId::create().toString();
        const QString payment = PaymentId::create().toString();
        const QJsonObject details{{u"metadata"_s,
                                   QJsonObject{{mark::user, user}, {mark::payment, payment}, {mark::tier, u"vip"_s}}},
                                  {u"subscription"_s, u"sub_1"_s}};
        QJsonObject line{{u"amount"_s, 2999},
                         {u"period"_s, QJsonObject{{u"start"_s, 1'800'000'000}, {u"end"_s, 1'802'592'000}}}};
        QJsonObject common{{u"id"_s, u"in_1"_s},
                           {u"status"_s, u"paid"_s},
                           {u"currency"_s, u"eur"_s},
                           {u"amount_paid"_s, 3569},
                           {u"amount_due"_s, 3569},
                           {u"billing_reason"_s, u"subscription_create"_s},
                           {u"lines"_s, QJsonObject{{u"data"_s, QJsonArray{line}}}}};
        QJsonObject now = common;
        now.insert(u"parent"_s, QJsonObject{{u"subscription_details"_s, details}});
        now.insert(u"total_taxes"_s, QJsonArray{QJsonObject{{u"amount"_s, 500}}, QJsonObject{{u"amount"_s, 70}}});
        QJsonObject older = common;
        older.insert(u"subscription"_s, u"sub_1"_s);
        older.insert(u"subscription_details"_s, QJsonObject{{u"metadata"_s, details[u"metadata"_s]}});
        older.insert(u"tax"_s, 570);
        older.insert(u"payment_intent"_s, u"pi_1"_s);
        older.insert(u"charge"_s, u"ch_1"_s);
        const auto first = readInvoice(now, 1000, m_now);
        auto second = readInvoice(older, 1000, m_now);
        QVERIFY(first && second);
        QCOMPARE(second->references, (QStringList{u"in_1"_s, u"pi_1"_s, u"ch_1"_s}));
        second->references = first->references;
        QCOMPARE(toJson(*first), toJson(*second));
        QCOMPARE(first->taxMinor, 570);
        QCOMPARE(first->subscription, u"sub_1"_s);
        QCOMPARE(first->payment->toString(), payment);
        QCOMPARE(first->periodEnd->toSecsSinceEpoch(), 1'802'592'000);
        common.insert(u"billing_reason"_s, u"subscription_cycle"_s);
        common.insert(u"parent"_s, now[u"parent"_s]);
        QVERIFY(!readInvoice(common, 1000, m_now)->payment); // a renewal is a payment of its own
    }

    void all_events_the_operator_is_asked_to_send_are_read()
    {
        for (const char *type : {"checkout.session.completed", "checkout.session.async_payment_succeeded",
                                 "checkout.session.async_payment_failed", "checkout.session.expired", "invoice.paid",
                                 "invoice.payment_failed", "customer.subscription.created",
                                 "customer.subscription.updated", "customer.subscription.deleted", "charge.refunded",
                                 "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
                                 "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "refund.failed"})
            QVERIFY2(eventTypes().contains(QString::fromLatin1(type)), type);
    }
};

QTEST_GUILESS_MAIN(StripeWebhooksTest)
#include "tst_StripeWebhooks.moc"
