#pragma once

#include "db/Workers.h"
#include "payments/PaymentProvider.h"
#include "payments/ProviderHttp.h"
#include "payments/sandbox/SandboxWorld.h"

#include <QTimer>

namespace companion::payments {

// "Sandbox-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>"
QByteArray sandboxSignature(const QByteArray &secret, const QByteArray &body, qint64 time_s);

// The embedded provider: no money moves, and all else goes the way of a real one. Its checkout is a page of the
// backend's, its webhooks are signed and come in over HTTP at the same door as everybody's.
class SandboxProvider final : public PaymentProvider
{
    Q_OBJECT
public:
    // `secret` is SandboxWorld::secret of this database.
    SandboxProvider(db::Workers &operators, const QByteArray &secret, QObject *parent = nullptr);

    // Where we are reached: the checkout's links begin with `publicUrl`, the webhooks go to `ownUrl`. Starts sending.
    void open(const QString &publicUrl, const QUrl &ownUrl);
    void close();
    const SandboxWorld &world() const { return m_world; }
    void sendNow(); // looks into the outbox at once

    Provider kind() const override { return Provider::Sandbox; }
    Abilities abilities() const override
    {
        return {.checkout = true, .receipts = false, .refunds = true, .changesTier = true, .cancels = true};
    }
    void verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) override;
    void createCheckout(const CheckoutOrder &order, const Then<Checkout> &then) override;
    void cancel(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void upgrade(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void downgrade(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void refund(const RefundOrder &order, const Then<FactList> &then) override;
    void listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then) override;
    void fetchSubscription(const QString &reference, const Then<FactList> &then) override;

    static constexpr int tolerance_s = 300; // of a webhook's time, both ways

private:
    void send(const DueWebhook &webhook);
    Result<ProviderEvent> verified(const Webhook &webhook, const QDateTime &now) const;
    template <class Work>
    void ask(const Then<FactList> &then, Work work);

    db::Workers &m_operators;
    QByteArray m_secret;
    SandboxWorld m_world;
    ProviderHttp m_http;
    QTimer m_timer;
    QString m_publicUrl;
    QUrl m_webhooks;
    bool m_looking = false;
};

} // namespace companion::payments
