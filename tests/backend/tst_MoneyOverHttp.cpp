// Money, as clients, the sandbox and finance live it: over real HTTP, with real signed webhooks.

#include "backend/TestBackend.h"
#include "payments/sandbox/SandboxProvider.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace companion;
using namespace companion::test;
using namespace Qt::StringLiterals;

namespace {
const QString buyPath = u"/api/v1/market/buy_credits"_s;
const QString subscribePath = u"/api/v1/market/subscribe"_s;
const QString hookPath = u"/api/v1/webhooks/sandbox"_s;
} // namespace

class MoneyOverHttpTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_backend = std::make_unique<TestBackend>();
        m_finance = m_backend->newPerson(u"finance@example.com"_s, {Role::User, Role::Finance});
        m_admin = m_backend->newPerson(u"admin@example.com"_s, {Role::User, Role::Admin});
    }
    void cleanupTestCase()
    {
        m_backend->verifyBooks();
        QCOMPARE(m_backend->metric("companion_undeclared_answers_total"), 0);
        m_backend.reset();
    }
    void init()
    {
        static int number = 0;
        m_person = m_backend->newPerson(u"buyer%1@example.com"_s.arg(++number));
    }

    void a_checkout_is_paid_on_its_page_and_the_webhook_brings_the_credits()
    {
        const QJsonObject started = buy(u"popular"_s);
        QCOMPARE(started[u"status"_s].toString(), u"pending"_s);
        const QString path = QUrl(started[u"checkout_url"_s].toString()).path();
        const auto page = m_backend->request("GET", path);
        QCOMPARE(page.status, 200);
        QVERIFY(page.body.contains("8.99 USD"));
        const QByteArray policy = page.headers.value("content-security-policy");
        QVERIFY(policy.startsWith("default-src 'none'") && !policy.contains("unsafe"));
        pay(started, "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        QCOMPARE(m_backend->balanceOf(m_person).bonus.toString(), u"10.0000"_s);
        const auto payment =
            m_backend->get(u"/api/v1/market/payments/"_s + started[u"payment_id"_s].toString(), m_person).json();
        QCOMPARE(payment[u"status"_s].toString(), u"paid"_s);
        QCOMPARE(payment[u"amount"_s].toString(), u"8.99"_s);
        QCOMPARE(click(path, "outcome=pay").status, 409);
        QCOMPARE(m_backend->request("POST", path, "outcome=pay").status, 415);
        QCOMPARE(click(path, QByteArray(5000, 'x')).status, 413);
        QCOMPARE(click(path + u'0', "outcome=pay").status, 404);
    }

    void the_same_request_again_is_the_same_payment()
    {
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "one"}};
        const auto first = m_backend->post(buyPath, order(u"starter"_s), m_person, key);
        const auto second = m_backend->post(buyPath, order(u"starter"_s), m_person, key);
        QCOMPARE(first.status, 201);
        QCOMPARE(second.json(), first.json());
        QCOMPARE(m_backend->post(buyPath, order(u"whale"_s), m_person, key).code(), u"idempotency_key_reused"_s);
        QCOMPARE(m_backend->post(buyPath, order(u"starter"_s), m_person).status, 400);
        QCOMPARE(m_backend->get(u"/api/v1/market/payments"_s, m_person).json()[u"total"_s].toInt(), 1);
    }

    void what_is_not_for_sale_is_refused()
    {
        QCOMPARE(send(buyPath, order(u"nothing"_s)).status, 404);
        QCOMPARE(send(buyPath, {{u"product"_s, u"popular"_s}, {u"provider"_s, u"stripe"_s}}).status, 422);
        QCOMPARE(send(buyPath, {{u"product"_s, u"popular"_s}, {u"provider"_s, u"sandbox"_s}, {u"price"_s, u"0.01"_s}})
                     .status,
                 422);
        QCOMPARE(send(subscribePath, {{u"tier"_s, u"free"_s}, {u"provider"_s, u"sandbox"_s}}).status, 422);
    }

    void a_declined_card_grants_nothing()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=fail");
        QTRY_COMPARE_WITH_TIMEOUT(statusOf(started), u"failed"_s, 10'000);
        QCOMPARE(purchased(), u"0.0000"_s);
    }

    void webhooks_that_come_three_times_in_any_order_grant_once()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay&copies=3&shuffle=1");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 15'000);
        QTRY_COMPARE_WITH_TIMEOUT(deliveries(started), 3, 15'000);
        QCOMPARE(purchased(), u"100.0000"_s);
    }

    void forged_stale_and_oversized_webhooks_are_refused_and_recorded()
    {
        const QByteArray body = "{\"id\":\"evt_forged\",\"type\":\"payment.paid\"}";
        const auto hook = [&](const QByteArray &signature, const QByteArray &sent) {
            return m_backend->request("POST", hookPath, sent, {}, {{"Sandbox-Signature", signature}});
        };
        const qint64 now = QDateTime::currentSecsSinceEpoch();
        const QByteArray secret = payments::SandboxWorld().secret(m_backend->database().operators());
        QCOMPARE(hook("", body).status, 400);
        QCOMPARE(hook("t=1,v1=00", body).status, 400);
        QCOMPARE(hook(payments::sandboxSignature("another secret", body, now), body).status, 400);
        QCOMPARE(hook(payments::sandboxSignature(secret, body, now - 301), body).status, 400);
        QCOMPARE(hook(payments::sandboxSignature(secret, body, now + 302), body).status, 400);
        QCOMPARE(hook(payments::sandboxSignature(secret, body, now), body + ' ').status, 400);
        QCOMPARE(hook(payments::sandboxSignature(secret, body, now), body).status, 400); // signed, and unreadable
        const QByteArray large(300'000, 'x');
        QCOMPARE(hook(payments::sandboxSignature(secret, large, now), large).status, 413);
        QCOMPARE(text(u"SELECT count(*)::text AS text FROM payment_events WHERE status = 'refused'"_s), u"3"_s);
        QVERIFY(text(u"SELECT string_agg(reason, ';') AS text FROM payment_events WHERE status = 'refused'"_s)
                    .contains(u"oversized"_s));
    }

    void a_lost_webhook_heals_by_reconciliation()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay&copies=0");
        QTest::qWait(300);
        QCOMPARE(statusOf(started), u"pending"_s);
        const QJsonObject today{{u"provider"_s, u"sandbox"_s},
                                {u"day"_s, QDateTime::currentDateTimeUtc().date().toString(Qt::ISODate)}};
        const auto run = m_backend->post(u"/api/v1/admin/reconciliation/run"_s, today, m_finance);
        QCOMPARE(run.status, 200);
        QVERIFY(run.json()[u"healed"_s].toInt() >= 1);
        QCOMPARE(statusOf(started), u"paid"_s);
        QCOMPARE(purchased(), u"100.0000"_s);
        const auto list = m_backend->get(u"/api/v1/admin/reconciliation?all=true&limit=100"_s, m_finance).json();
        QVERIFY(!list[u"items"_s].toArray().isEmpty());
        QCOMPARE(m_backend->post(u"/api/v1/admin/reconciliation/run"_s, today, m_finance).json()[u"healed"_s].toInt(),
                 0);
        QCOMPARE(m_backend->get(u"/api/v1/admin/reconciliation"_s, m_person).status, 403);
    }

    void finance_sees_what_a_refund_takes_and_then_refunds()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        const QString path = u"/api/v1/admin/payments/%1/refund"_s.arg(started[u"payment_id"_s].toString());
        const QJsonObject preview = m_backend->get(path, m_finance).json();
        QCOMPARE(preview[u"amount"_s].toString(), u"8.99"_s);
        QCOMPARE(preview[u"purchased"_s].toString(), u"100.0000"_s);
        QCOMPARE(preview[u"bonus"_s].toString(), u"10.0000"_s);
        QCOMPARE(preview[u"owed"_s].toString(), u"0.0000"_s);
        QCOMPARE(m_backend->get(path + u"?amount=9"_s, m_finance).status, 422);
        const QJsonObject wish{{u"amount"_s, u"3.00"_s}, {u"reason"_s, u"Asked kindly"_s}};
        const QMap<QByteArray, QByteArray> key{{"Idempotency-Key", "refund-1"}};
        const auto done = m_backend->post(path, wish, m_finance, key);
        QCOMPARE(done.status, 201);
        QCOMPARE(done.json()[u"payment"_s][u"refunded"].toString(), u"3.00"_s);
        QCOMPARE(purchased(), u"66.6296"_s);
        QCOMPARE(m_backend->post(path, wish, m_finance, key).json(), done.json());
        QCOMPARE(purchased(), u"66.6296"_s);
        QCOMPARE(
            m_backend->post(path, {{u"reason"_s, u"The rest"_s}}, m_finance, {{"Idempotency-Key", "refund-2"}}).status,
            201);
        QCOMPARE(purchased(), u"0.0000"_s);
        QCOMPARE(statusOf(started), u"refunded"_s);
        QCOMPARE(m_backend->get(path, m_finance).status, 409);
        QCOMPARE(m_backend->get(path, m_person).status, 403);
    }

    void a_subscription_is_bought_raised_lowered_and_canceled()
    {
        const auto started = send(subscribePath, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}});
        QCOMPARE(started.status, 201);
        pay(started.json(), "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(tier(), u"premium"_s, 10'000);
        QCOMPARE(m_backend->balanceOf(m_person).dailyFree.toString(), u"100.0000"_s);
        QCOMPARE(send(subscribePath, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}}).status, 409);
        QCOMPARE(send(subscribePath, {{u"tier"_s, u"vip"_s}, {u"provider"_s, u"sandbox"_s}}).status, 201);
        QCOMPARE(tier(), u"vip"_s); // at once
        QCOMPARE(m_backend->balanceOf(m_person).dailyFree.toString(), u"500.0000"_s);
        QCOMPARE(send(subscribePath, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}}).status, 201);
        QCOMPARE(tier(), u"vip"_s);
        QCOMPARE(subscription()[u"next_tier"_s].toString(), u"premium"_s);
        const auto canceled = m_backend->post(u"/api/v1/market/cancel"_s, {}, m_person);
        QCOMPARE(canceled.status, 200);
        QCOMPARE(subscription()[u"status"_s].toString(), u"canceled"_s);
        QCOMPARE(tier(), u"vip"_s); // to the period's end
        QCOMPARE(m_backend->post(u"/api/v1/market/cancel"_s, {}, m_person).status, 409);
    }

    void a_dispute_suspends_and_winning_it_restores()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        const QString reference = text(
            u"SELECT reference AS text FROM payment_references WHERE payment_id = '%1' AND reference LIKE 'sbx_pay%'"_s
                .arg(started[u"payment_id"_s].toString()));
        const QString sandbox = u"/api/v1/admin/sandbox"_s;
        const auto opened = m_backend->post(sandbox + u"/payments/%1/dispute"_s.arg(reference), {}, m_admin)
                                .json()[u"reference"_s]
                                .toString();
        QTRY_COMPARE_WITH_TIMEOUT(m_backend->get(u"/api/v1/wallet/balance"_s, m_person).code(), u"account_suspended"_s,
                                  10'000);
        QCOMPARE(m_backend->post(sandbox + u"/disputes/%1/win"_s.arg(opened), {}, m_admin).status, 200);
        QTRY_COMPARE_WITH_TIMEOUT(m_backend->get(u"/api/v1/wallet/balance"_s, m_person).status, 200, 10'000);
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        QCOMPARE(statusOf(started), u"paid"_s);
    }

    void products_and_tiers_are_edited()
    {
        const QString path = u"/api/v1/admin/products/gift"_s;
        const QJsonObject product{{u"code"_s, u"gift"_s},    {u"name"_s, u"Gift"_s},  {u"price"_s, u"4.99"_s},
                                  {u"currency"_s, u"USD"_s}, {u"credits"_s, u"50"_s}, {u"bonus_percent"_s, u"5"_s},
                                  {u"bonus_days"_s, 30},     {u"rank"_s, 9},          {u"active"_s, true}};
        const auto put = [&](const QJsonObject &body, const Person &who,
                             const QMap<QByteArray, QByteArray> &more = {}) {
            QMap<QByteArray, QByteArray> headers = more;
            headers.insert("Content-Type", "application/json");
            return m_backend->request("PUT", path, QJsonDocument(body).toJson(), who.token, headers);
        };
        QCOMPARE(put(product, m_finance).status, 403);
        QCOMPARE(put(product, m_admin).status, 404);
        const auto made = m_backend->post(u"/api/v1/admin/products"_s, product, m_admin);
        QCOMPARE(made.status, 201);
        QCOMPARE(m_backend->post(u"/api/v1/admin/products"_s, product, m_admin).status, 409);
        QCOMPARE(put(product, m_admin).status, 428);
        QJsonObject dearer = product;
        dearer[u"price"_s] = u"5.99"_s;
        QCOMPARE(put(dearer, m_admin, {{"If-Match", made.headers.value("etag")}}).status, 200);
        QCOMPARE(put(product, m_admin, {{"If-Match", made.headers.value("etag")}}).status, 412);
        QCOMPARE(m_backend->get(u"/api/v1/admin/tiers"_s, m_finance).json()[u"items"_s].toArray().size(), 3);
    }

    void the_books_tell_cash_and_revenue()
    {
        const auto report = m_backend->get(u"/api/v1/admin/books/revenue"_s, m_finance);
        QCOMPARE(report.status, 200);
        const QJsonObject usd = report.json()[u"currencies"_s][0].toObject();
        const auto minor = [&](const QString &name) { return Money::parse(usd[name].toString(), u"USD"_s)->minor(); };
        QVERIFY(minor(u"received"_s) > 0);
        // What was received less what went back is earned or still to be given.
        QCOMPARE(minor(u"received"_s) - minor(u"refunded"_s) - minor(u"charged_back"_s) - minor(u"tax"_s),
                 minor(u"recognised"_s) + minor(u"breakage"_s) + minor(u"deferred"_s));
    }

private:
    QJsonObject order(const QString &product) { return {{u"product"_s, product}, {u"provider"_s, u"sandbox"_s}}; }
    Answer send(const QString &path, const QJsonObject &body)
    {
        return m_backend->post(path, body, m_person, {{"Idempotency-Key", "key-" + QByteArray::number(++m_keys)}});
    }
    QJsonObject buy(const QString &product) { return send(buyPath, order(product)).json(); }
    void pay(const QJsonObject &started, const QByteArray &form)
    {
        const QString path = QUrl(started[u"checkout_url"_s].toString()).path();
        QCOMPARE(click(path, form).status, 200);
    }
    Answer click(const QString &path, const QByteArray &form)
    {
        return m_backend->request("POST", path, form, {}, {{"Content-Type", "application/x-www-form-urlencoded"}});
    }
    QString purchased() { return m_backend->balanceOf(m_person).purchased.toString(); }
    QString statusOf(const QJsonObject &started)
    {
        return m_backend->get(u"/api/v1/market/payments/"_s + started[u"payment_id"_s].toString(), m_person)
            .json()[u"status"_s]
            .toString();
    }
    QJsonObject state() { return m_backend->get(u"/api/v1/market/subscription"_s, m_person).json(); }
    QString tier() { return state()[u"tier"_s].toString(); }
    QJsonObject subscription() { return state()[u"subscription"_s].toObject(); }
    QString text(const QString &sql) { return m_backend->database().owner().script(sql).first().text("text"); }
    int deliveries(const QJsonObject &started)
    {
        return text(u"SELECT coalesce(sum(deliveries), 0)::text AS text FROM payment_events WHERE payment_id = '%1'"_s
                        .arg(started[u"payment_id"_s].toString()))
            .toInt();
    }

    std::unique_ptr<TestBackend> m_backend;
    Person m_person;
    Person m_finance;
    Person m_admin;
    int m_keys = 0;
};

QTEST_GUILESS_MAIN(MoneyOverHttpTest)
#include "tst_MoneyOverHttp.moc"
