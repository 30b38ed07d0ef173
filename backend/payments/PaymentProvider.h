#pragma once

#include "common/Result.h"
#include "payments/Facts.h"

#include <QObject>
#include <functional>

namespace companion::payments {

// What a customer is sent to pay. The price and the product are as offered; nothing of it comes from the client.
struct CheckoutOrder
{
    PaymentId
        payment; // hand it over as the client's reference: it comes back in the webhooks. Also the Idempotency-Key
    UserId user;       // likewise
    QString email;     // may be empty
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // our code
    QString providerProduct; // the provider's id of it where one is set (table provider_products); else empty
    QString title;           // "Popular: 100 credits and 10 bonus"
    Money price;
    int trialDays = 0;
    QString customer;  // the provider's id of this user where we know one
    QString returnUrl; // where the customer goes after; may be empty
};

struct Checkout
{
    QStringList references; // the provider's ids of it
    QString url;
};

// A purchase made in a store's own app: the client hands in what the store gave it.
struct Receipt
{
    UserId user;
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // our code: what the client says it bought; the store's word counts
    QString text;
};

struct RefundOrder
{
    QString idempotencyKey;
    QStringList references; // of the payment
    qint64 amountMinor = 0;
    QString currency;
    bool whole = true; // all that is left of it
    QString reason;
};

struct SubscriptionOrder
{
    QString idempotencyKey;
    QString reference;
    Tier tier = Tier::Premium; // of a change: the new one
    QString providerProduct;
    Money price; // of the new tier, a month
};

// A raw webhook as it came in.
struct Webhook
{
    QByteArray body;
    QList<std::pair<QByteArray, QByteArray>> headers;
    QByteArray header(const QByteArray &name) const; // any case; the first; empty where there is none
};

struct PortalOrder
{
    UserId user;
    QString customer; // the provider's id of this user where we know one
    QString returnUrl; // may be empty
};

struct Abilities
{
    bool checkout = false;  // createCheckout
    bool receipts = false;  // redeem
    bool refunds = false;   // refund
    bool changesTier = false; // changeTier (stores let their own customer change)
    bool cancels = false;
    bool portal = false; // openPortal
};

// One payment provider. Lives on the event-loop thread: every call returns at once and calls `then` there later,
// exactly once (from within the call, too, where the answer is at hand). Nothing here touches our books: what a
// provider says comes back as facts, and PaymentBooks applies them in one act. Calls that move money carry an
// Idempotency-Key, so that a repeated one is the same; ProviderHttp repeats them.
//
// To add one: a folder backend/payments/<name>/ with a class …Provider, made in app/Backend.cpp where its configuration
// is given. Refusals: provider_failed (its log says why; no secrets), not_implemented for what it cannot do.
class PaymentProvider : public QObject
{
    Q_OBJECT
public:
    template <class T>
    using Then = std::function<void(const Result<T> &)>;

    using QObject::QObject;
    virtual Provider kind() const = 0;
    virtual Abilities abilities() const = 0;

    // Checks the signature on the raw body, the times against `now`, the environment; then reads it. A refusal
    // (malformed_request) says in its log why: forged, stale, of another environment, unreadable. The webhook is kept
    // either way.
    virtual void verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) = 0;
    // For a verified event with `lookUp`: asks for the truth and fills in the facts. provider_failed, not_ready,
    // overloaded, shutting_down: asked again later; any other refusal is the last word on the event.
    virtual void complete(const ProviderEvent &event, const Then<ProviderEvent> &then);

    virtual void createCheckout(const CheckoutOrder &order, const Then<Checkout> &then);
    virtual void redeem(const Receipt &receipt, const Then<FactList> &then); // invalid: no receipt of this user's

    // At the period's end. The answer's facts are applied at once; the webhook that follows says the same.
    virtual void cancel(const SubscriptionOrder &order, const Then<FactList> &then);
    virtual void upgrade(const SubscriptionOrder &order, const Then<FactList> &then); // at once, the difference is paid
    virtual void downgrade(const SubscriptionOrder &order, const Then<FactList> &then); // at the period's end
    virtual void refund(const RefundOrder &order, const Then<FactList> &then);

    // For the reconciliation: all payments that were made, refunded or disputed in [from, to), paid ones with their
    // refunds; asked for pages by itself.
    virtual void listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then) = 0;
    virtual void fetchSubscription(const QString &reference, const Then<FactList> &then) = 0;
    // One payment as it stands, by any of its references. not_found: the provider does not know it.
    virtual void fetchPayment(const QStringList &references, const Then<FactList> &then);

    // A page of the provider's where customers see to their cards, bills and subscription themselves: its address.
    // not_found: this user never bought anything there.
    virtual void openPortal(const PortalOrder &order, const Then<QString> &then);

    // After a payment's credits or tier have been granted and committed: the place to acknowledge (Google, within 3
    // days). Called again by the reconciliation for a payment of the last days, so that a lost call heals.
    virtual void acknowledge(const QStringList &references, PaidFor kind, const QString &product);

protected:
    static Refusal cannot(const QString &what);
};

} // namespace companion::payments
