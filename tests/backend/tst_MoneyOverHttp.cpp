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
        m_email = u"buyer%1@example.com"_s.arg(++number);
        m_person = m_backend->newPerson(m_email);
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
        for (const char *wrong : {"", "do=pay", "outcome=paid", "outcome=pay&copies=-1", "outcome=pay&delay_s=soon"})
            QCOMPARE(click(path, wrong).status, 422);
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

    void what_is_no_true_webhook_is_refused_recorded_and_changes_nothing_data()
    {
        QTest::addColumn<QByteArray>("signature"); // with %BODY% standing for the right one of the body sent
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("reason");
        const QByteArray genuine = webhook(u"evt_genuine"_s);
        const qint64 now = QDateTime::currentSecsSinceEpoch();
        const QByteArray right = signedBy(genuine, now);
        const QByteArray v1 = right.mid(right.indexOf(',') + 1);
        const auto row = [](const char *name, const QByteArray &signature, const QByteArray &body, const char *reason,
                            int status = 400) {
            QTest::newRow(name) << signature << body << status << QString::fromLatin1(reason);
        };
        row("no signature", "", genuine, "forged");
        row("no sense", "t=,v1=", genuine, "forged");
        row("another secret", payments::sandboxSignature("another secret", genuine, now), genuine, "forged");
        row("another body", signedBy(webhook(u"evt_other"_s), now), genuine, "forged");
        row("a byte more", right, genuine + ' ', "forged");
        row("the amount changed", right, QByteArray(genuine).replace("899", "898"), "forged");
        row("the time changed", "t=" + QByteArray::number(now + 1) + ',' + v1, genuine, "forged");
        row("no time", v1, genuine, "forged");
        row("a time that overflows", "t=99999999999999999999," + v1, genuine, "forged");
        row("a scheme we do not know", QByteArray(right).replace("v1=", "v0="), genuine, "forged");
        row("cut", right.chopped(1), genuine, "forged");
        row("many signatures, none right", "t=" + QByteArray::number(now) + QByteArray(",v1=00").repeated(200), genuine,
            "forged");
        row("301 s old", signedBy(genuine, now - 301), genuine, "stale");
        row("ten minutes ahead", signedBy(genuine, now + 600), genuine, "stale");
        row("a year old", signedBy(genuine, now - 31'536'000), genuine, "stale");
        const auto altered = [&](const char *from, const char *to) {
            const QByteArray body = QByteArray(genuine).replace(from, to);
            return std::pair(signedBy(body, now), body);
        };
        const auto rightlySigned = [&](const char *name, const std::pair<QByteArray, QByteArray> &sent,
                                       const char *reason) { row(name, sent.first, sent.second, reason); };
        rightlySigned("another environment", altered("\"sandbox\"", "\"production\""), "environment");
        rightlySigned("no environment", altered("\"environment\"", "\"environments\""), "environment");
        rightlySigned("no facts", altered("\"facts\"", "\"fact\""), "unreadable");
        rightlySigned("no id", altered("\"evt_genuine\"", "\"\""), "unreadable");
        rightlySigned("an endless id", altered("evt_genuine", QByteArray(256, 'e').constData()), "unreadable");
        rightlySigned("a time that is none", altered("\"created_at\":\"2", "\"created_at\":\"x"), "unreadable");
        rightlySigned("no object", {signedBy("[]", now), "[]"}, "environment");
        rightlySigned("no JSON", {signedBy("{{", now), "{{"}, "environment");
        const QByteArray large = genuine + QByteArray(300'000, ' ');
        row("oversized", signedBy(large, now), large, "oversized", 413);
    }

    void what_is_no_true_webhook_is_refused_recorded_and_changes_nothing()
    {
        QFETCH(QByteArray, signature);
        QFETCH(QByteArray, body);
        QFETCH(int, status);
        QFETCH(QString, reason);
        const QString before = money();
        const Answer answer = hook(signature, body);
        QCOMPARE(answer.status, status);
        QCOMPARE(money(), before);
        const auto kept = m_backend->get(u"/api/v1/admin/webhooks?status=refused&limit=100"_s, m_finance)
                              .json()[u"items"_s]
                              .toArray();
        QVERIFY(std::ranges::any_of(kept, [&](const QJsonValue &row) {
            return row[u"reason"].toString().contains(reason) && row[u"event_id"].isNull();
        }));
    }

    void a_webhook_that_is_replayed_changes_nothing()
    {
        const QByteArray genuine = webhook(u"evt_replayed"_s);
        const qint64 now = QDateTime::currentSecsSinceEpoch();
        QCOMPARE(hook(signedBy(genuine, now), genuine).json()[u"status"_s].toString(), u"applied"_s);
        QCOMPARE(purchased(), u"100.0000"_s);
        const QString before = money();
        QCOMPARE(hook(signedBy(genuine, now), genuine).json()[u"status"_s].toString(), u"duplicate"_s);
        QCOMPARE(hook(signedBy(genuine, now + 2), genuine).json()[u"status"_s].toString(), u"duplicate"_s);
        QCOMPARE(hook(signedBy(genuine, now - 400), genuine).status, 400);
        // The same event, saying something else: what was applied stays, and what is on record of it too.
        const QByteArray other = QByteArray(genuine).replace("\"references\"", "\"refunded_minor\":899,\"references\"");
        QVERIFY(other != genuine);
        QCOMPARE(hook(signedBy(other, now), other).json()[u"status"_s].toString(), u"duplicate"_s);
        QCOMPARE(money(), before);
        QCOMPARE(text(
                     u"SELECT (facts -> 'payments' -> 0 ->> 'refunded_minor' IS NULL)::text AS text FROM payment_events"
                     " WHERE event_id = 'evt_replayed'"_s),
                 u"true"_s);
        QCOMPARE(text(u"SELECT deliveries::text AS text FROM payment_events WHERE event_id = 'evt_replayed'"_s),
                 u"4"_s);
        QCOMPARE(m_backend->request("POST", u"/api/v1/webhooks/stripe"_s, genuine).status, 404);
    }

    void a_flood_of_forged_webhooks_fills_nothing()
    {
        const int refused = text(u"SELECT count(*)::text AS text FROM payment_events WHERE event_id IS NULL"_s).toInt();
        for (int i = 0; i < 130; ++i)
            QCOMPARE(hook("t=1,v1=00", QByteArray::number(i)).status, 400);
        const int after = text(u"SELECT count(*)::text AS text FROM payment_events WHERE event_id IS NULL"_s).toInt();
        QVERIFY2(after > refused && after <= 120, qPrintable(QString::number(after)));
    }

    void what_could_not_be_applied_is_listed_and_applied_again_when_it_can()
    {
        const QByteArray body = QByteArray(webhook(u"evt_early"_s)).replace("\"popular\"", "\"not_yet\"");
        QCOMPARE(hook(signedBy(body, QDateTime::currentSecsSinceEpoch()), body).json()[u"status"_s].toString(),
                 u"kept"_s);
        const auto failed =
            m_backend->get(u"/api/v1/admin/webhooks?status=failed"_s, m_finance).json()[u"items"_s][0].toObject();
        QCOMPARE(failed[u"event_id"_s].toString(), u"evt_early"_s);
        QVERIFY(failed[u"reason"_s].toString().contains(u"not_yet"_s));
        const auto differences = [this](const QString &query) {
            const auto list = m_backend->get(u"/api/v1/admin/reconciliation?limit=100"_s + query, m_finance).json();
            int count = 0;
            for (const QJsonValue &row : list[u"items"_s].toArray())
                count += row[u"reference"].toString() == "evt_early"_L1;
            return count;
        };
        QCOMPARE(differences({}), 1);
        const QString again = u"/api/v1/admin/webhooks/%1/apply"_s.arg(failed[u"id"_s].toString());
        QCOMPARE(m_backend->post(again, {}, m_finance).json()[u"status"_s].toString(), u"failed"_s);
        const QJsonObject product{{u"code"_s, u"not_yet"_s}, {u"name"_s, u"Not yet"_s},
                                  {u"price"_s, u"8.99"_s},   {u"currency"_s, u"USD"_s},
                                  {u"credits"_s, u"70"_s},   {u"bonus_percent"_s, u"0"_s},
                                  {u"bonus_days"_s, 30},     {u"rank"_s, 9},
                                  {u"active"_s, true}};
        QCOMPARE(m_backend->post(u"/api/v1/admin/products"_s, product, m_admin).status, 201);
        QCOMPARE(m_backend->post(again, {}, m_person).status, 403);
        QCOMPARE(m_backend->post(again, {}, m_finance).json()[u"status"_s].toString(), u"processed"_s);
        QCOMPARE(purchased(), u"70.0000"_s);
        QCOMPARE(m_backend->post(again, {}, m_finance).status, 409);
        QCOMPARE(differences({}), 0); // healed
        QCOMPARE(differences(u"&all=true"_s), 1);
    }

    void operators_see_subscriptions_and_disputes_and_edit_policies()
    {
        pay(send(subscribePath, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}}).json(), "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(tier(), u"premium"_s, 10'000);
        const auto items = [this](const QString &path) {
            return m_backend->get(u"/api/v1/admin/"_s + path, m_finance).json()[u"items"_s].toArray();
        };
        const QString user = m_person.id.toString();
        QCOMPARE(items(u"subscriptions?status=active&user="_s + user).size(), 1);
        QCOMPARE(items(u"subscriptions?status=canceled&user="_s + user).size(), 0);
        QCOMPARE(items(u"disputes?user="_s + user).size(), 0);
        QCOMPARE(items(u"policies/rails"_s).size(), 5);

        const auto put = [&](const QString &path, const QJsonObject &body, const Person &who) {
            return m_backend->request("PUT", u"/api/v1/admin/"_s + path, QJsonDocument(body).toJson(), who.token,
                                      {{"Content-Type", "application/json"}});
        };
        m_backend->database().owner().script(
            u"UPDATE users SET age_verified_at = now(), age_verified_method = 'test', region = 'DE' WHERE id = '%1'"_s
                .arg(user));
        // Every door of the spicy mode says the same.
        const QString session = m_backend->openSession(m_person);
        const auto spicy = [&] {
            const QJsonObject turn{{u"session_id"_s, session}, {u"message"_s, u"Hello"_s}, {u"mode"_s, u"spicy"_s}};
            const QJsonObject open{{u"character"_s, u"aria"_s}, {u"mode"_s, u"spicy"_s}};
            const QJsonObject stateless{{u"model"_s, u"aria:spicy"_s},
                                        {u"messages"_s,
                                         QJsonArray{QJsonObject{{u"role"_s, u"user"_s}, {u"content"_s, u"Hello"_s}}}}};
            QStringList said;
            for (const auto &[path, body] :
                 {std::pair(u"/api/v1/chat/quote"_s, turn), std::pair(u"/api/v1/chat/completions"_s, turn),
                  std::pair(u"/api/v1/chat/sessions"_s, open), std::pair(u"/v1/chat/completions"_s, stateless)}) {
                const Answer answer = m_backend->post(path, body, m_person);
                const QString code =
                    path.startsWith(u"/v1") ? answer.json()[u"error"_s][u"code"].toString() : answer.code();
                said << (answer.status < 300 ? u"may"_s : code);
            }
            said.removeDuplicates();
            return said.join(u' ');
        };
        const auto change = [](bool allowed) {
            return QJsonObject{{u"spicy"_s, allowed}, {u"reason"_s, u"The law there"_s}};
        };
        QCOMPARE(spicy(), u"may"_s);
        QCOMPARE(put(u"policies/regions/DE"_s, change(false), m_finance).status, 403);
        QCOMPARE(put(u"policies/regions/DE"_s, change(false), m_admin).status, 200);
        QCOMPARE(spicy(), u"region_unavailable"_s);
        QCOMPARE(put(u"policies/regions/DE"_s, change(true), m_admin).status, 200);
        QCOMPARE(put(u"policies/rails/sandbox"_s, change(false), m_admin).status, 200);
        QCOMPARE(spicy(), u"rail_unavailable"_s);
        QCOMPARE(put(u"policies/rails/sandbox"_s, change(true), m_admin).status, 200);
        QCOMPARE(spicy(), u"may"_s);
        QCOMPARE(put(u"policies/rails/cash"_s, change(true), m_admin).status, 404);
        QCOMPARE(put(u"policies/regions/Germany"_s, change(true), m_admin).status, 404);
        QCOMPARE(text(u"SELECT count(*)::text AS text FROM audit_log WHERE act LIKE 'policy.%'"_s), u"4"_s);

        QJsonObject named{{u"provider"_s, u"stripe"_s},
                          {u"reference"_s, u"price_1"_s},
                          {u"kind"_s, u"credits"_s},
                          {u"product"_s, u"popular"_s}};
        QCOMPARE(put(u"provider-products"_s, named, m_admin).status, 200);
        QCOMPARE(items(u"provider-products"_s).size(), 1);
        named[u"product"_s] = u"nothing"_s;
        QCOMPARE(put(u"provider-products"_s, named, m_admin).status, 422);
        const QString path = u"/api/v1/admin/provider-products/stripe:price_1"_s;
        QCOMPARE(m_backend->request("DELETE", path, {}, m_admin.token).status, 204);
        QCOMPARE(m_backend->request("DELETE", path, {}, m_admin.token).status, 404);
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

    void a_preview_says_what_the_refund_then_does_data()
    {
        QTest::addColumn<QString>("taken"); // by finance out of the purchased credit, before the refund
        QTest::addColumn<bool>("another"); // purchase, which then pays what is owed
        QTest::addColumn<QString>("amount");
        QTest::newRow("untouched, wholly") << u""_s << false << u"8.99"_s;
        QTest::newRow("untouched, in part") << u""_s << false << u"3.00"_s;
        QTest::newRow("spent in part") << u"-60"_s << false << u"8.99"_s;
        QTest::newRow("spent, in part") << u"-100"_s << false << u"4.50"_s;
        QTest::newRow("spent, and another purchase pays") << u"-100"_s << true << u"8.99"_s;
        QTest::newRow("spent in part, and another purchase pays") << u"-30"_s << true << u"7.00"_s;
    }
    void a_preview_says_what_the_refund_then_does()
    {
        QFETCH(const QString, taken);
        QFETCH(const bool, another);
        QFETCH(const QString, amount);
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        const QString user = u"/api/v1/admin/users/"_s + m_person.id.toString();
        if (!taken.isEmpty())
            QCOMPARE(m_backend
                         ->post(user + u"/adjustments"_s,
                                {{u"bucket"_s, u"purchased"_s}, {u"amount"_s, taken}, {u"reason"_s, u"as if spent"_s}},
                                m_finance, {{"Idempotency-Key", m_person.id.toString().toLatin1()}})
                         .status,
                     201);
        if (another) {
            const QString before = purchased();
            pay(buy(u"starter"_s), "outcome=pay");
            QTRY_VERIFY_WITH_TIMEOUT(purchased() != before, 10'000);
        }
        const QString path = u"/api/v1/admin/payments/%1/refund"_s.arg(started[u"payment_id"_s].toString());
        const QJsonObject preview = m_backend->get(path + u"?amount="_s + amount, m_finance).json();
        QCOMPARE(preview[u"balance_before"_s].toString(), wallet()[u"total"_s].toString());
        const auto done = m_backend->post(path, {{u"amount"_s, amount}, {u"reason"_s, u"Asked kindly"_s}}, m_finance,
                                          {{"Idempotency-Key", "preview-" + m_person.id.toString().toLatin1()}});
        QCOMPARE(done.status, 201);
        QCOMPARE(preview[u"balance_after"_s].toString(), wallet()[u"total"_s].toString());
        QCOMPARE(preview[u"debt_after"_s].toString(), wallet()[u"debt"_s].toString());
        const QJsonObject story =
            m_backend->get(u"/api/v1/admin/payments/%1/story"_s.arg(started[u"payment_id"_s].toString()), m_finance)
                .json();
        QCOMPARE(story[u"lots"_s].toArray().size(), preview[u"lots"_s].toArray().size());
        for (int i = 0; i < 2; ++i) {
            const auto amountIn = [](const QJsonValue &value, const QString &name) {
                return Credits::parse(value.toObject()[name].toString()).value();
            };
            const QJsonValue before = preview[u"lots"_s][i];
            const QJsonValue after = story[u"lots"_s][i];
            QCOMPARE(after[u"bucket"].toString(), before[u"bucket"].toString());
            // What the refund took of it, and what a debt of this very refund took then.
            QVERIFY(amountIn(after, u"remaining"_s) <= amountIn(before, u"remaining"_s) - amountIn(before, u"taken"_s));
            QCOMPARE(amountIn(after, u"returned"_s), amountIn(before, u"taken"_s) + amountIn(before, u"owed"_s));
        }
    }

    void a_payment_tells_its_whole_story()
    {
        const QJsonObject started = buy(u"popular"_s);
        pay(started, "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(purchased(), u"100.0000"_s, 10'000);
        const QString payment = u"/api/v1/admin/payments/%1"_s.arg(started[u"payment_id"_s].toString());
        QCOMPARE(m_backend
                     ->post(payment + u"/refund"_s, {{u"amount"_s, u"3.00"_s}, {u"reason"_s, u"Asked kindly"_s}},
                            m_finance, {{"Idempotency-Key", "story-" + m_person.id.toString().toLatin1()}})
                     .status,
                 201);
        const auto story = m_backend->get(payment + u"/story"_s, m_finance);
        QCOMPARE(story.status, 200);
        const QJsonObject told = story.json();
        QCOMPARE(told[u"payment"_s][u"status"].toString(), u"partially_refunded"_s);
        QCOMPARE(told[u"credits"_s].toString(), u"100.0000"_s);
        QCOMPARE(told[u"lots"_s][0][u"granted"].toString(), u"100.0000"_s);
        QCOMPARE(told[u"lots"_s][0][u"remaining"].toString(), u"66.6296"_s);
        QCOMPARE(told[u"lots"_s][0][u"returned"].toString(), u"33.3704"_s);
        QStringList entries, money;
        for (const auto &entry : told[u"entries"_s].toArray())
            entries.append(entry[u"kind"].toString() + u' ' + entry[u"amount"].toString());
        QCOMPARE(entries,
                 (QStringList{u"purchase 100.0000"_s, u"bonus_grant 10.0000"_s, u"payment_refund -33.3704"_s,
                              u"payment_refund -3.3370"_s}));
        for (const auto &entry : told[u"money"_s].toArray())
            money.append(entry[u"kind"].toString() + u' ' + entry[u"amount"].toString());
        QCOMPARE(money, (QStringList{u"payment 8.99"_s, u"refund -3.00"_s}));
        QCOMPARE(told[u"refunds"_s][0][u"reason"].toString(), u"Asked kindly"_s);
        QCOMPARE(told[u"refunds"_s][0][u"state"].toString(), u"done"_s);
        QVERIFY(!told[u"webhooks"_s].toArray().isEmpty());
        QCOMPARE(m_backend->get(payment + u"/story"_s, m_person).status, 403);
        QCOMPARE(m_backend->get(u"/api/v1/admin/payments/%1/story"_s.arg(m_person.id.toString()), m_finance).status,
                 404);
    }

    void lists_of_money_are_paged_by_cursor_and_narrowed()
    {
        for (int i = 0; i < 5; ++i)
            buy(i % 2 ? u"popular"_s : u"starter"_s);
        const QString mine = u"/api/v1/admin/payments?limit=2&q="_s + m_person.id.toString();
        QStringList seen;
        auto page = m_backend->get(mine, m_finance).json();
        QCOMPARE(page[u"total"_s].toInt(), 5);
        for (int pages = 0; pages < 5; ++pages) {
            for (const auto &item : page[u"items"_s].toArray())
                seen.append(item[u"id"].toString());
            if (!page[u"has_more"_s].toBool())
                break;
            page = m_backend->get(mine + u"&cursor="_s + page[u"next_cursor"_s].toString(), m_finance).json();
            QVERIFY(!page[u"total"_s].isDouble());
        }
        QCOMPARE(seen.size(), 5);
        QCOMPARE(QSet<QString>(seen.begin(), seen.end()).size(), 5);
        const auto total = [&](const QString &query) {
            return m_backend->get(mine + query, m_finance).json()[u"total"_s].toInt();
        };
        QCOMPARE(total(u"&status=pending"_s), 5);
        QCOMPARE(total(u"&status=paid"_s), 0);
        QCOMPARE(total(u"&currency=USD"_s), 5);
        QCOMPARE(total(u"&currency=EUR"_s), 0);
        const QString email = u"/api/v1/admin/payments?q="_s + m_email;
        QCOMPARE(m_backend->get(email, m_finance).json()[u"total"_s].toInt(), 5);
        QCOMPARE(m_backend->get(u"/api/v1/admin/payments?q=%25nobody_"_s, m_finance).json()[u"total"_s].toInt(), 0);
        const auto hooks = m_backend->get(u"/api/v1/admin/webhooks?status=processed&limit=1"_s, m_finance).json();
        const QString event = hooks[u"items"_s][0][u"event_id"].toString();
        QCOMPARE(m_backend->get(u"/api/v1/admin/webhooks?event="_s + event, m_finance).json()[u"total"_s].toInt(), 1);
        for (const char *list : {"payments", "subscriptions", "disputes", "debts", "reconciliation", "webhooks"}) {
            const QString path = u"/api/v1/admin/"_s + QLatin1StringView(list);
            QCOMPARE(m_backend->get(path + u"?cursor="_s, m_finance).status, 200);
            QCOMPARE(m_backend->get(path + u"?cursor=12.nonsense"_s, m_finance).status, 422);
            QCOMPARE(m_backend->get(path + u"?cursor=99999999999999999999.%1"_s.arg(m_person.id.toString()), m_finance)
                         .status,
                     422);
        }
    }

    void a_subscription_tells_its_history_and_the_tier_of_any_day()
    {
        const auto started = send(subscribePath, {{u"tier"_s, u"premium"_s}, {u"provider"_s, u"sandbox"_s}});
        pay(started.json(), "outcome=pay");
        QTRY_COMPARE_WITH_TIMEOUT(tier(), u"premium"_s, 10'000);
        QCOMPARE(send(subscribePath, {{u"tier"_s, u"vip"_s}, {u"provider"_s, u"sandbox"_s}}).status, 201);
        const auto found = m_backend->get(u"/api/v1/admin/subscriptions?q="_s + m_person.id.toString(), m_finance);
        const QString id = found.json()[u"items"_s][0][u"id"].toString();
        const auto history = m_backend->get(u"/api/v1/admin/subscriptions/"_s + id, m_finance);
        QCOMPARE(history.status, 200);
        QStringList tiers;
        for (const auto &event : history.json()[u"events"_s].toArray())
            tiers.prepend(event[u"tier"].toString());
        QCOMPARE(tiers, (QStringList{u"premium"_s, u"vip"_s}));
        QVERIFY(!history.json()[u"payments"_s].toArray().isEmpty());
        const auto tierAt = [&](const QDateTime &at) {
            return m_backend
                ->get(u"/api/v1/admin/users/%1/tier?at=%2"_s.arg(m_person.id.toString(), json::timeText(at)), m_finance)
                .json()[u"tier"_s]
                .toString();
        };
        const QDateTime now = QDateTime::currentDateTimeUtc();
        QCOMPARE(tierAt(now), u"vip"_s);
        QCOMPARE(tierAt(now.addDays(-1)), u"free"_s);
        QCOMPARE(tierAt(now.addDays(40)), u"free"_s);
        QCOMPARE(m_backend->get(u"/api/v1/admin/users/%1/tier?at=soon"_s.arg(m_person.id.toString()), m_finance).status,
                 422);
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
        QVERIFY(report.json()[u"periods"_s].toArray().isEmpty());
        // The parts of a span add up to it, but for what is deferred: that is as of each part's end.
        const QString path = u"/api/v1/admin/books/revenue?interval="_s;
        const QJsonObject weekly = m_backend->get(path + u"week"_s, m_finance).json();
        qint64 received = 0, earned = 0;
        const QJsonArray periods = weekly[u"periods"_s].toArray();
        QVERIFY(periods.size() >= 5);
        for (const auto &period : periods)
            for (const auto &currency : period[u"currencies"].toArray())
                if (currency[u"currency"].toString() == u"USD") {
                    received += Money::parse(currency[u"received"].toString(), u"USD"_s)->minor();
                    earned += Money::parse(currency[u"recognised"].toString(), u"USD"_s)->minor();
                }
        const QJsonObject whole = weekly[u"currencies"_s][0].toObject();
        QCOMPARE(received, Money::parse(whole[u"received"_s].toString(), u"USD"_s)->minor());
        QCOMPARE(earned, Money::parse(whole[u"recognised"_s].toString(), u"USD"_s)->minor());
        QCOMPARE(m_backend->get(path + u"day&from=2020-01-01T00:00:00Z"_s, m_finance).status, 422);
        QCOMPARE(m_backend->get(path + u"hour"_s, m_finance).status, 422);
    }

private:
    // What the sandbox would say of a sale in another shop of ours to the person of this test.
    QByteArray webhook(const QString &id)
    {
        const payments::PaymentFact fact{.references = {id + m_person.id.toString()},
                                         .payment = {},
                                         .user = m_person.id,
                                         .kind = PaidFor::CreditPackage,
                                         .product = u"popular"_s,
                                         .state = payments::PaymentFact::State::Paid,
                                         .amountMinor = 899,
                                         .currency = u"USD"_s,
                                         .version = 1,
                                         .at = QDateTime::currentDateTimeUtc()};
        const QJsonObject event{{u"id"_s, id},
                                {u"type"_s, u"payment.paid"_s},
                                {u"created_at"_s, json::timeText(QDateTime::currentDateTimeUtc())},
                                {u"environment"_s, u"sandbox"_s},
                                {u"facts"_s, toJson(payments::FactList{{}, {fact}, {}})}};
        return QJsonDocument(event).toJson(QJsonDocument::Compact);
    }
    QByteArray signedBy(const QByteArray &body, qint64 time_s)
    {
        return payments::sandboxSignature(payments::SandboxWorld().secret(m_backend->database().operators()), body,
                                          time_s);
    }
    Answer hook(const QByteArray &signature, const QByteArray &body)
    {
        return m_backend->request("POST", hookPath, body, {}, {{"Sandbox-Signature", signature}});
    }
    // All that money is kept in.
    QString money()
    {
        return text(u"SELECT md5(concat_ws('|', (SELECT string_agg(w::text, ';' ORDER BY user_id) FROM user_wallet w),"
                    " (SELECT string_agg(p::text, ';' ORDER BY id) FROM payment_transactions p),"
                    " (SELECT string_agg(r::text, ';' ORDER BY provider, reference) FROM payment_references r),"
                    " (SELECT string_agg(s::text, ';' ORDER BY id) FROM subscriptions s),"
                    " (SELECT string_agg(d::text, ';' ORDER BY id) FROM payment_disputes d),"
                    " (SELECT string_agg(m::text, ';' ORDER BY id) FROM money_entries m),"
                    " (SELECT string_agg(d::text, ';' ORDER BY id) FROM wallet_debts d),"
                    " (SELECT count(*) FROM transaction_history))) AS text"_s);
    }
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
    QJsonObject wallet() { return m_backend->get(u"/api/v1/wallet/balance"_s, m_person).json(); }
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
    QString m_email;
    Person m_person;
    Person m_finance;
    Person m_admin;
    int m_keys = 0;
};

QTEST_GUILESS_MAIN(MoneyOverHttpTest)
#include "tst_MoneyOverHttp.moc"
