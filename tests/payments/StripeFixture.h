#pragma once

#include "BooksFixture.h"
#include "fakes/FakeStripe.h"
#include "payments/PaymentDesk.h"
#include "payments/stripe/StripeProvider.h"

#include <QEventLoop>
#include <QJsonDocument>
#include <QTest>
#include <QTimer>

namespace companion::test {

// The whole way but for our own HTTP server: a desk with the real provider, over HTTP to a Stripe of the test's own,
// and that one's webhooks, signed, at the desk's door.
struct StripeFixture : BooksFixture
{
    static StripeOptions optionsFor(const QUrl &url)
    {
        StripeOptions options;
        options.api.base = url;
        options.api.key = FakeStripe::key();
        options.api.http.firstPause = std::chrono::milliseconds(10);
        options.api.http.timeout = std::chrono::milliseconds(1500);
        options.webhookSecrets = {"whsec_new", "whsec_old"};
        options.returnUrl = QStringLiteral("https://app.example.com/back");
        return options;
    }

    FakeStripe world{[this] { return now().toSecsSinceEpoch(); }};
    StripeProvider stripe{db.operatorWorkers(), optionsFor(world.url())};
    Checkouts checkouts{subscriptions};
    PaymentDesk desk{DeskParts{db.operatorWorkers(), books, checkouts, db.clock()}};
    int requests = 0;

    StripeFixture() { desk.add(stripe); }

    // Asks, and waits for the answer.
    template <class T, class Ask>
    static Result<T> answerOf(Ask ask)
    {
        std::optional<Result<T>> got;
        QEventLoop loop;
        ask([&](const Result<T> &answer) {
            got = answer;
            loop.quit();
        });
        QTimer::singleShot(20'000, &loop, &QEventLoop::quit);
        if (!got)
            loop.exec();
        return got ? *got : refuse(ErrorCode::RequestTimeout, QStringLiteral("the test waited in vain"));
    }
    QString newKey() { return QStringLiteral("request-%1").arg(++requests); }
    Buyer buyer() { return {user, QStringLiteral("ada@example.org")}; }

    Result<StartedPayment> buy(const QString &product = QStringLiteral("popular"), const QString &key = {})
    {
        return answerOf<StartedPayment>([&](const auto &then) {
            PurchaseRequest request;
            request.product = product;
            request.provider = Provider::Stripe;
            desk.buy(buyer(), request, key.isEmpty() ? newKey() : key, then);
        });
    }
    Result<StartedPayment> subscribe(Tier tier)
    {
        return answerOf<StartedPayment>([&](const auto &then) {
            SubscribeRequest request;
            request.tier = tier;
            request.provider = Provider::Stripe;
            desk.subscribe(buyer(), request, newKey(), then);
        });
    }
    Result<SubscriptionState> cancel()
    {
        return answerOf<SubscriptionState>([&](const auto &then) { desk.cancel(user, then, subscriptions); });
    }
    Result<RefundDone> refundPayment(const QString &reference, const std::optional<QString> &amount,
                                     const QString &key = {})
    {
        const auto id = PaymentId::parse(text(QStringLiteral("SELECT payment_id::text AS text FROM payment_references"
                                                             " WHERE reference = '%1'")
                                                  .arg(reference)));
        return answerOf<RefundDone>([&](const auto &then) {
            desk.refund({*id, amount, QStringLiteral("asked for"), user, key.isEmpty() ? newKey() : key}, then);
        });
    }
    Result<ReconciliationRun> reconcile(const QDate &day)
    {
        return answerOf<ReconciliationRun>([&](const auto &then) { desk.reconcile(Provider::Stripe, day, then); });
    }

    static QByteArray bodyOf(const QJsonObject &event) { return QJsonDocument(event).toJson(); }
    Webhook signedWebhook(const QByteArray &body, const QByteArray &secret = "whsec_new", qint64 shift_s = 0)
    {
        const QByteArray signature = FakeStripe::signature(secret, body, now().toSecsSinceEpoch() + shift_s);
        return {body, {{"Content-Type", "application/json"}, {"Stripe-Signature", signature}}};
    }
    Result<Taken> deliverRaw(const Webhook &webhook)
    {
        return answerOf<Taken>([&](const auto &then) { desk.webhook(Provider::Stripe, webhook, then); });
    }
    Result<Taken> deliverStripe(const QJsonObject &event) { return deliverRaw(signedWebhook(bodyOf(event))); }
    // All that happened since, in order; what became of each.
    QStringList deliverAll()
    {
        static constexpr std::array words{"applied", "duplicate", "waiting", "unusable"};
        QStringList became;
        for (const QJsonObject &event : world.takeEvents()) {
            const auto taken = deliverStripe(event);
            became.append(taken ? QString::fromLatin1(words[static_cast<size_t>(taken->what)])
                                : QString(QStringLiteral("refused: ") + taken.error().log));
        }
        return became;
    }
    // A checkout that was paid, and its webhooks delivered; its id.
    QString bought(const QString &product = QStringLiteral("popular"))
    {
        if (!buy(product))
            return {};
        const QString session = world.latest(QStringLiteral("checkout.session"));
        world.pay(session);
        deliverAll();
        return session;
    }
    // The subscription's id.
    QString subscribed(Tier tier)
    {
        if (!subscribe(tier))
            return {};
        world.pay(world.latest(QStringLiteral("checkout.session")));
        deliverAll();
        return world.latest(QStringLiteral("subscription"));
    }
    QString subscriptionStatus() { return toText(subscriptions.stateOf(db.operators(), user).subscription->status); }
    QString userStatus()
    {
        return text(QStringLiteral("SELECT status AS text FROM users WHERE id = '%1'").arg(user.toString()));
    }
    // "paid 899 USD, refund -899 USD": what is booked, sums by kind.
    QString booked()
    {
        return text(QStringLiteral(
            "SELECT coalesce(string_agg(line, ', ' ORDER BY line), '') AS text FROM (SELECT concat_ws(' ', kind,"
            " sum(amount_minor), currency) AS line FROM money_entries GROUP BY kind, currency"
            " HAVING sum(amount_minor) <> 0) x"));
    }
};

} // namespace companion::test
