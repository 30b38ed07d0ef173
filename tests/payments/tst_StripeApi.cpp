#include "StripeFixture.h"
#include "payments/stripe/StripeReader.h"

#include <QElapsedTimer>
#include <QRegularExpression>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QSslSocket>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

using namespace Qt::StringLiterals;
using namespace companion;
using namespace companion::test;
using namespace companion::payments::stripe;
using namespace std::chrono_literals;
using Kind = StripeFault::Kind;

namespace {

QByteArray pem(const std::function<void(BIO *)> &write)
{
    BIO *bio = BIO_new(BIO_s_mem());
    write(bio);
    char *data = nullptr;
    const long length = BIO_get_mem_data(bio, &data);
    const QByteArray text(data, length);
    BIO_free(bio);
    return text;
}

// A certificate that nobody vouches for.
QSslConfiguration selfSigned()
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
    X509_set_pubkey(certificate, pair);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char *>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, pair, EVP_sha256());
    const QByteArray ofCertificate = pem([&](BIO *bio) { PEM_write_bio_X509(bio, certificate); });
    const QByteArray ofKey =
        pem([&](BIO *bio) { PEM_write_bio_PrivateKey(bio, pair, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(pair);
    QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
    configuration.setLocalCertificate(QSslCertificate(ofCertificate));
    configuration.setPrivateKey(QSslKey(ofKey, QSsl::Ec));
    return configuration;
}

} // namespace

// The wire to Stripe, when it fails in every way it can, and what of it comes back in any order.
class StripeApiTest : public QObject
{
    Q_OBJECT
    std::unique_ptr<StripeFixture> m_f;

    int tries(const QString &path) const
    {
        return static_cast<int>(
            std::ranges::count_if(m_f->world.calls, [&](const auto &call) { return call.path == path; }));
    }
    QString lastCharge() { return m_f->world.latest(u"charge"_s); }
    QDate yesterday() { return m_f->now().date(); }
    void nextDay() { m_f->db.clock().advance(24h); }

private Q_SLOTS:
    void init() { m_f = std::make_unique<StripeFixture>(); }
    void cleanup()
    {
        QCOMPARE(m_f->audit(), QStringList());
        m_f.reset();
    }

    void every_call_names_version_key_and_form()
    {
        m_f->buy();
        for (const StripeCall &call : m_f->world.calls) {
            QCOMPARE(call.headers["stripe-version"], QByteArray("2026-10-28.endive"));
            QCOMPARE(call.headers["authorization"], QByteArray("Bearer " + FakeStripe::key()));
            QVERIFY(call.method != "POST" || !call.headers["idempotency-key"].isEmpty());
        }
        const StripeCall &made = m_f->world.calls.last();
        QCOMPARE(made.field(u"line_items[0][price_data][unit_amount]"_s), u"899"_s);
        QCOMPARE(made.field(u"line_items[0][price_data][product_data][name]"_s), u"Popular: 100 credits"_s);
        QCOMPARE(made.field(u"success_url"_s), u"https://app.example.com/back"_s);
        QCOMPARE(encoded({{u"a[b]"_s, u"ü &=+%\n"_s}}), QByteArray("a%5Bb%5D=%C3%BC%20%26%3D%2B%25%0A"));
    }

    void a_call_is_repeated_with_its_key_and_done_once_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("status");
        QTest::newRow("429") << int(Kind::Status) << 429;
        QTest::newRow("500") << int(Kind::Status) << 500;
        QTest::newRow("503") << int(Kind::Status) << 503;
        QTest::newRow("409") << int(Kind::Status) << 409;
        QTest::newRow("done, but 500") << int(Kind::StatusAfter) << 502;
        QTest::newRow("hung up") << int(Kind::HangUp) << 0;
        QTest::newRow("done, but hung up") << int(Kind::HangUpAfter) << 0;
        QTest::newRow("half an answer") << int(Kind::Cut) << 0;
        QTest::newRow("silence") << int(Kind::Silence) << 0;
    }
    void a_call_is_repeated_with_its_key_and_done_once()
    {
        QFETCH(int, kind);
        QFETCH(int, status);
        m_f->bought(u"starter"_s); // the customer is there
        m_f->world.calls.clear();
        m_f->world.faults = {{static_cast<Kind>(kind), status, {}}, {static_cast<Kind>(kind), status, {}}};
        const auto started = m_f->buy();
        QVERIFY2(started, qPrintable(started ? QString() : started.error().log));
        QCOMPARE(m_f->world.count(u"checkout.session"_s), 2);
        QSet<QByteArray> keys;
        for (const StripeCall &call : m_f->world.calls)
            keys.insert(call.headers["idempotency-key"]);
        QCOMPARE(keys.size(), 1);
        QVERIFY(tries(u"checkout/sessions"_s) >= 3);
    }

    void it_gives_up_after_three_and_the_same_request_may_be_made_again()
    {
        m_f->bought(u"starter"_s);
        m_f->world.calls.clear();
        m_f->world.faults = {{Kind::StatusAfter, 500, {}}, {Kind::Status, 500, {}}, {Kind::Status, 500, {}}};
        QCOMPARE(m_f->buy(u"popular"_s, u"mine"_s).error().code, ErrorCode::ProviderFailed);
        QCOMPARE(tries(u"checkout/sessions"_s), 3);
        const auto again = m_f->buy(u"popular"_s, u"mine"_s);
        QVERIFY(again.has_value());
        QCOMPARE(m_f->world.count(u"checkout.session"_s), 2);
        QCOMPARE(m_f->text(u"SELECT count(*)::text AS text FROM payment_transactions"_s), u"2"_s);
    }

    void it_waits_as_long_as_it_is_told_and_heeds_the_servers_verdict()
    {
        m_f->bought(u"starter"_s);
        m_f->world.faults = {{Kind::Status, 429, "Retry-After: 1\r\n"}};
        QElapsedTimer timer;
        timer.start();
        QVERIFY(m_f->buy().has_value());
        QVERIFY(timer.elapsed() >= 1000);
        m_f->world.calls.clear();
        m_f->world.faults = {{Kind::Status, 500, "Stripe-Should-Retry: false\r\n"}};
        QCOMPARE(m_f->buy().error().code, ErrorCode::ProviderFailed);
        QCOMPARE(tries(u"checkout/sessions"_s), 1);
        m_f->world.faults = {{Kind::Status, 400, "Stripe-Should-Retry: true\r\n"}};
        QVERIFY(m_f->buy().has_value());
    }

    void what_is_no_answer_is_none()
    {
        m_f->bought(u"starter"_s);
        m_f->world.faults = {{Kind::Garbage, 0, {}}};
        QCOMPARE(m_f->buy().error().code, ErrorCode::ProviderFailed);
        m_f->world.faults = {{Kind::Huge, 0, {}}, {Kind::Huge, 0, {}}, {Kind::Huge, 0, {}}};
        QCOMPARE(m_f->buy().error().code, ErrorCode::ProviderFailed);
        m_f->world.faults = {{Kind::Status, 302, "Location: http://127.0.0.1:1/v1/\r\n"}}; // is not followed
        QCOMPARE(m_f->buy().error().code, ErrorCode::ProviderFailed);
    }

    void a_wrong_key_is_our_trouble_and_never_told()
    {
        auto options = StripeFixture::optionsFor(m_f->world.url());
        options.api.key = "sk_test_wrongwrongwrong";
        StripeProvider wrong(m_f->db.operatorWorkers(), options);
        const auto answer =
            StripeFixture::answerOf<FactList>([&](const auto &then) { wrong.fetchSubscription(u"sub_1"_s, then); });
        QCOMPARE(answer.error().code, ErrorCode::ProviderFailed);
        QVERIFY(!answer.error().log.contains(u"wrongwrong"_s) && !answer.error().detail.contains(u"key"_s));
        QCOMPARE(StripeProvider::isLiveKey(u"sk_live_1"_s), std::optional(true));
        QCOMPARE(StripeProvider::isLiveKey(u"rk_test_1"_s), std::optional(false));
        QCOMPARE(StripeProvider::isLiveKey(u"pk_live_1"_s), std::nullopt);
    }

    void nothing_is_said_to_a_server_without_a_certificate()
    {
        if (!QSslSocket::supportsSsl())
            QSKIP("Qt has no TLS here");
        QSslServer server;
        server.setSslConfiguration(selfSigned());
        QByteArray heard;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        connect(&server, &QTcpServer::newConnection, &server, [&] {
            while (QTcpSocket *socket = server.nextPendingConnection())
                connect(socket, &QTcpSocket::readyRead, socket, [&, socket] { heard += socket->readAll(); });
        });
        auto options = StripeFixture::optionsFor(QUrl(u"https://localhost:%1"_s.arg(server.serverPort())));
        StripeProvider provider(m_f->db.operatorWorkers(), options);
        const auto answer =
            StripeFixture::answerOf<FactList>([&](const auto &then) { provider.fetchSubscription(u"sub_1"_s, then); });
        QCOMPARE(answer.error().code, ErrorCode::ProviderFailed);
        QCOMPARE(heard, QByteArray());
    }

    void an_id_that_is_none_is_not_put_into_an_address()
    {
        for (const char *id : {"sub_1/../../charges", "sub_1?x", "sub_ü", "", "in_1"}) {
            const auto answer = StripeFixture::answerOf<FactList>(
                [&](const auto &then) { m_f->stripe.fetchSubscription(QString::fromUtf8(id), then); });
            QCOMPARE(answer.error().code, ErrorCode::NotFound);
        }
        QVERIFY(m_f->world.calls.isEmpty());
    }

    void a_customer_that_stripe_has_forgotten_is_made_anew()
    {
        m_f->bought(u"starter"_s);
        m_f->world.forget(m_f->world.latest(u"customer"_s));
        QVERIFY(!m_f->bought().isEmpty());
        QCOMPARE(m_f->wallet(), u"110 10 0"_s);
        QVERIFY(!m_f->bought(u"starter"_s).isEmpty()); // and kept
        QCOMPARE(m_f->world.count(u"customer"_s), 1);
    }

    void the_portal_opens_for_who_bought_and_nobody_else()
    {
        const auto open = [&] {
            return StripeFixture::answerOf<QString>([&](const auto &then) {
                m_f->stripe.openPortal({m_f->user, {}, u"https://app.example.com/me"_s}, then);
            });
        };
        QCOMPARE(open().error().code, ErrorCode::NotFound);
        m_f->bought();
        QVERIFY(open()->startsWith(u"https://billing.stripe.com/"_s));
        QCOMPARE(m_f->world.calls.last().field(u"return_url"_s), u"https://app.example.com/me"_s);
    }

    void a_tiers_price_is_made_once_and_anew_when_it_changes()
    {
        const QString subscription = m_f->subscribed(Tier::Premium);
        QCOMPARE(m_f->world.count(u"price"_s), 1);
        StripeProvider other(m_f->db.operatorWorkers(),
                             StripeFixture::optionsFor(m_f->world.url())); // another instance
        CheckoutOrder order;
        order.payment = PaymentId::create();
        order.user = m_f->user;
        order.kind = PaidFor::Period;
        order.product = u"premium"_s;
        order.price = Money::fromMinor(999, u"USD"_s);
        const auto ask = [&] {
            order.payment = PaymentId::create();
            return StripeFixture::answerOf<Checkout>([&](const auto &then) { other.createCheckout(order, then); });
        };
        QVERIFY(ask().has_value());
        QCOMPARE(m_f->world.count(u"price"_s), 1);
        order.price = Money::fromMinor(1099, u"USD"_s);
        QVERIFY(ask().has_value());
        QCOMPARE(m_f->world.count(u"price"_s), 2);
        order.providerProduct = u"price_of_the_operators"_s;
        QCOMPARE(ask().error().code, ErrorCode::ProviderFailed);
        order.price = Money::fromMinor(1001, u"KWD"_s);
        order.providerProduct.clear();
        QCOMPARE(ask().error().code, ErrorCode::Conflict); // Stripe cannot take fils
    }

    // ------------------------------------------------------------------------------------------------- reconciliation

    void webhooks_that_all_got_lost_are_healed_by_the_next_day()
    {
        m_f->buy();
        m_f->world.pay(m_f->world.latest(u"checkout.session"_s));
        m_f->db.clock().advance(1min);
        m_f->world.refund(lastCharge(), 300);
        m_f->subscribe(Tier::Vip);
        m_f->world.pay(m_f->world.latest(u"checkout.session"_s));
        const QString disputed = (m_f->buy(u"starter"_s), m_f->world.latest(u"checkout.session"_s));
        m_f->world.pay(disputed);
        m_f->db.clock().advance(1min);
        m_f->world.dispute(lastCharge());
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        const QDate day = yesterday();
        nextDay();
        const auto run = m_f->reconcile(day);
        QVERIFY2(run, qPrintable(run ? QString() : run.error().log));
        QCOMPARE(run->theirs, 3);
        QCOMPARE(run->healed, 3);
        QCOMPARE(m_f->wallet(), u"66.6296 6.663 0"_s);
        QCOMPARE(m_f->tier(), u"vip"_s);
        QCOMPARE(m_f->status(disputed), u"disputed"_s);
        QVERIFY(m_f->text(u"SELECT sum(fee_minor)::text AS text FROM money_entries"_s).toInt() > 0);
        // What was fetched is as new as the moment it was fetched: that alone may differ from one run to the next.
        const auto state = [&] {
            return QStringList{m_f->wallet(), m_f->booked(), m_f->tier(), m_f->status(disputed)};
        };
        const QStringList healed = state();
        const auto again = m_f->reconcile(day);
        QCOMPARE(again->differences, 0);
        QCOMPARE(state(), healed);
        m_f->deliverAll(); // and should they come after all
        QCOMPARE(state(), healed);
    }

    void a_day_without_losses_has_no_differences()
    {
        m_f->db.owner().script(u"UPDATE tiers SET trial_days = 7 WHERE code = 'premium'"_s);
        m_f->bought();
        m_f->db.clock().advance(1min);
        m_f->world.refund(lastCharge(), 899);
        const QString trial = m_f->subscribed(Tier::Premium);
        m_f->deliverAll();
        const QDate first = yesterday();
        nextDay();
        const auto run = m_f->reconcile(first);
        QCOMPARE(run->theirs, 2);
        QCOMPARE(run->differences, 0);
        m_f->db.clock().advance(6 * 24h); // the trial ends; the renewal's invoice is paid an hour later, another day
        m_f->db.clock().set(QDateTime(m_f->now().date(), QTime(23, 30), Qt::UTC));
        m_f->world.renew(trial);
        m_f->deliverAll();
        m_f->db.clock().advance(1h);
        m_f->world.collect(trial, true);
        m_f->deliverAll();
        const QDate second = yesterday();
        nextDay();
        const auto next = m_f->reconcile(second);
        QCOMPARE(next->theirs, 1);
        QCOMPARE(next->ours, 1);
        QCOMPARE(next->differences, 0);
    }

    void a_fee_in_another_currency_is_not_taken_for_ours()
    {
        m_f->world.settlesIn = u"eur"_s;
        m_f->bought();
        nextDay();
        m_f->reconcile(yesterday().addDays(-1));
        QCOMPARE(m_f->text(u"SELECT sum(fee_minor)::text AS text FROM money_entries"_s), u"0"_s);
    }

    void a_long_day_is_read_page_by_page()
    {
        // A hundred and fifty sales of somebody else's in the same account, and one of ours, lost.
        const QString ours = (m_f->buy(), m_f->world.latest(u"checkout.session"_s));
        m_f->world.pay(ours);
        for (int i = 0; i < 150; ++i) {
            const auto form = Form{{u"mode"_s, u"payment"_s},
                                   {u"success_url"_s, u"https://x"_s},
                                   {u"line_items[0][quantity]"_s, u"1"_s},
                                   {u"line_items[0][price_data][currency]"_s, u"usd"_s},
                                   {u"line_items[0][price_data][unit_amount]"_s, u"100"_s},
                                   {u"line_items[0][price_data][product_data][name]"_s, u"Mug"_s}};
            StripeCall call{"POST", u"checkout/sessions"_s, form, {}};
            m_f->world.sell(call);
        }
        m_f->world.calls.clear();
        const QDate day = yesterday();
        nextDay();
        const auto run = m_f->reconcile(day);
        QCOMPARE(run->theirs, 1);
        QCOMPARE(run->healed, 1);
        QVERIFY(tries(u"charges"_s) == 2 && tries(u"events"_s) >= 2);
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void a_listing_that_fails_midway_is_written_down_and_changes_nothing()
    {
        m_f->buy();
        m_f->world.pay(m_f->world.latest(u"checkout.session"_s));
        const QDate day = yesterday();
        nextDay();
        m_f->world.faults.assign(3, {Kind::Status, 500, {}});
        QCOMPARE(m_f->reconcile(day).error().code, ErrorCode::ProviderFailed);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
        QTRY_VERIFY(!m_f->text(u"SELECT error AS text FROM reconciliation_runs"_s).isEmpty());
        QVERIFY(m_f->reconcile(day).has_value());
        QCOMPARE(m_f->wallet(), u"100 10 0"_s);
    }

    void one_payment_and_one_subscription_can_be_looked_up()
    {
        const QString session = (m_f->buy(), m_f->world.latest(u"checkout.session"_s));
        m_f->world.pay(session);
        m_f->subscribe(Tier::Premium);
        m_f->world.pay(m_f->world.latest(u"checkout.session"_s));
        const auto look = [&](const QStringList &references) {
            return StripeFixture::answerOf<FactList>(
                [&](const auto &then) { m_f->stripe.fetchPayment(references, then); });
        };
        QCOMPARE(look({session})->payments.first().amountMinor, 899);
        const auto period = look({m_f->world.latest(u"invoice"_s)});
        QVERIFY2(period, qPrintable(period ? QString() : period.error().log));
        QCOMPARE(period->payments.first().subscription, m_f->world.latest(u"subscription"_s));
        QCOMPARE(look({u"pi_unknown"_s}).error().code, ErrorCode::NotFound);
        QCOMPARE(look({u"nonsense"_s}).error().code, ErrorCode::NotFound);
        const auto subscription = StripeFixture::answerOf<FactList>(
            [&](const auto &then) { m_f->stripe.fetchSubscription(m_f->world.latest(u"subscription"_s), then); });
        QCOMPARE(subscription->subscriptions.first().tier, Tier::Premium);
    }

    void a_webhook_whose_look_up_fails_is_kept_and_looked_up_again()
    {
        m_f->subscribed(Tier::Premium);
        m_f->world.refund(lastCharge(), 999);
        const QJsonObject event = m_f->world.takeEvents().first();
        m_f->world.faults.assign(3, {Kind::Status, 500, {}});
        QVERIFY(m_f->deliverStripe(event)->what == Taken::What::Waiting);
        QCOMPARE(m_f->text(u"SELECT status AS text FROM payment_events WHERE facts IS NULL"_s), u"received"_s);
        QCOMPARE(m_f->tier(), u"premium"_s);
        m_f->db.clock().advance(2min);
        m_f->desk.catchUp();
        QTRY_COMPARE(m_f->tier(), u"free"_s);
        QVERIFY(m_f->deliverStripe(event)->what == Taken::What::Duplicate);
    }

    void an_old_answer_from_stripes_memory_is_not_taken_for_the_present()
    {
        const QString session = m_f->bought();
        QVERIFY(m_f->refundPayment(session, u"3.00"_s, u"same"_s).has_value());
        m_f->db.clock().advance(1min);
        m_f->world.refund(lastCharge(), 599);
        m_f->deliverAll();
        QCOMPARE(m_f->status(session), u"refunded"_s);
        m_f->db.clock().advance(1min);
        m_f->db.owner().script(
            u"UPDATE payment_refunds SET status = 'ordered', done_at = NULL"_s); // we died before noting it
        QVERIFY(m_f->refundPayment(session, u"3.00"_s, u"same"_s).has_value());
        QCOMPARE(m_f->status(session), u"refunded"_s);
        QCOMPARE(m_f->wallet(), u"0 0 0"_s);
    }
};

QTEST_GUILESS_MAIN(StripeApiTest)
#include "tst_StripeApi.moc"
