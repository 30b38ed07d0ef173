#pragma once

#include "billing/Subscriptions.h"
#include "common/models/Page.h"
#include "payments/PaymentProvider.h"

#include <variant>

namespace companion::payments {

struct Buyer
{
    UserId id;
    QString email;
};

// What a purchase begins with: a payment of ours that waits for its provider.
struct Begun
{
    Payment payment;
    CheckoutOrder order;
    bool repeated = false; // the same request came before
};

// Or, where a subscription runs already, a change of it.
struct TierChange
{
    SubscriptionOrder order;
    bool isUpgrade = false; // at once; also takes a cancellation back
};

// The acts around a purchase, each in the caller's transaction. Operator lane.
class Checkouts
{
public:
    explicit Checkouts(const billing::SubscriptionService &subscriptions)
        : m_subscriptions(subscriptions)
    {
    }

    // not_found: no such package; idempotency_key_reused: the key belongs to another request.
    Result<Begun> beginPackage(db::Session &db, const Buyer &buyer, const PurchaseRequest &wanted,
                               const QString &key) const;
    // conflict: the tier runs already, or a subscription at another provider does. invalid: free is not for sale.
    Result<std::variant<Begun, TierChange>> beginTier(db::Session &db, const Buyer &buyer,
                                                      const SubscribeRequest &wanted, const QString &key) const;
    Result<SubscriptionOrder> cancellation(db::Session &db, const UserId &user, Provider &provider) const;

    Payment attach(db::Session &db, Provider provider, const Begun &begun, const Checkout &checkout) const;
    void fail(db::Session &db, const PaymentId &payment, const QString &why) const;

    Page<Payment> ofUser(db::Session &db, const UserId &user, const PageRequest &page) const;
    std::optional<Payment> find(db::Session &db, const PaymentId &id) const;

private:
    Result<Begun> begin(db::Session &db, const Buyer &buyer, CheckoutOrder order, Provider provider,
                        const db::Row &offer, const QString &key, const QByteArray &print) const;

    const billing::SubscriptionService &m_subscriptions;
};

Payment paymentIn(const db::Row &row);

} // namespace companion::payments
