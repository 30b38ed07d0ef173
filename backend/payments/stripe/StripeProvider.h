#pragma once

#include "db/Workers.h"
#include "payments/PaymentProvider.h"
#include "payments/stripe/StripeApi.h"

#include <QHash>

namespace companion::payments {

struct StripeOptions
{
    stripe::StripeApi::Options api;
    QByteArrayList webhookSecrets; // any of them signs: two while the endpoint's is rolled
    bool live = false; // of the key: events and objects of the other mode are refused
    QString returnUrl; // where a customer goes after a checkout that names no address
    QString portalConfiguration; // "bpc_…"; empty: the account's default
    bool automaticTax = false; // Stripe Tax computes and collects
};

// Stripe (docs/payments.md). Packages are sold by Checkout Sessions in mode payment, tiers in mode subscription; the
// customer's own page is the billing portal. What a tier costs is a Price that is made when first needed, found again
// by its lookup_key. Customers are kept in provider_customers.
class StripeProvider final : public PaymentProvider
{
    Q_OBJECT
public:
    StripeProvider(db::Workers &operators, const StripeOptions &options, QObject *parent = nullptr);

    Provider kind() const override { return Provider::Stripe; }
    Abilities abilities() const override
    {
        return {
            .checkout = true, .receipts = false, .refunds = true, .changesTier = true, .cancels = true, .portal = true};
    }

    void verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) override;
    void complete(const ProviderEvent &event, const Then<ProviderEvent> &then) override;

    void createCheckout(const CheckoutOrder &order, const Then<Checkout> &then) override;
    void openPortal(const PortalOrder &order, const Then<QString> &then) override;
    void cancel(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void upgrade(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void downgrade(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void refund(const RefundOrder &order, const Then<FactList> &then) override;

    void listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then) override;
    void fetchSubscription(const QString &reference, const Then<FactList> &then) override;
    void fetchPayment(const QStringList &references, const Then<FactList> &then) override;

    void setReturnUrl(const QString &url) { m_options.returnUrl = url; }
    bool isLive() const { return m_options.live; }
    QString lastProblem() const { return m_api.lastProblem(); }

    // Live or not, by what the key begins with; nullopt: no secret or restricted key of Stripe's.
    static std::optional<bool> isLiveKey(const QString &key);

private:
    using Form = stripe::Form;
    using Answer = stripe::Answer;

    Result<ProviderEvent> verified(const Webhook &webhook, const QDateTime &now) const;

    // StripeSales.cpp
    void withCustomer(const UserId &user, const QString &known, const QString &email, const Then<QString> &then);
    void createCustomer(const UserId &user, const QString &email, const QString &instead, const Then<QString> &then);
    void withPrice(Tier tier, const Money &price, const QString &own, const QString &title, const Then<QString> &then);
    void createPrice(Tier tier, const Money &price, const QString &lookupKey, const QString &title,
                     const Then<QString> &then);
    void openSession(const CheckoutOrder &order, const QString &customer, const QString &price, bool isSecond,
                     const Then<Checkout> &then);
    Result<Form> sessionForm(const CheckoutOrder &order, const QString &customer, const QString &price) const;

    // StripeChanges.cpp
    void changePrice(const SubscriptionOrder &order, bool up, const Then<FactList> &then);
    void putPrice(const SubscriptionOrder &order, bool up, const QString &price, const Answer &before,
                  const Then<FactList> &then);
    void answerWithSubscription(const Result<Answer> &answer, const QString &reference, const Then<FactList> &then);
    void withIntent(const QStringList &references, const Then<Form> &then);
    void askRefund(const RefundOrder &order, qint64 amount, const Form &target, const Then<FactList> &then);
    void fetchCharge(const QString &charge, const Then<Answer> &then);

    // StripeLookUps.cpp
    struct Owner // whose a charge is
    {
        QString invoice; // of ours; empty: the charge tells by itself
        QJsonObject object; // that invoice
    };
    // nullopt: nobody's here.
    void findOwner(const QJsonObject &charge, const Then<std::optional<Owner>> &then);
    void factsOfCharge(const QJsonObject &charge, qint64 version, bool asPayment, const Then<FactList> &then);
    void factsOfDispute(const QJsonObject &dispute, qint64 version, const QDateTime &at, const Then<FactList> &then);

    friend class StripeListing;

    db::Workers &m_operators;
    StripeOptions m_options;
    stripe::StripeApi m_api;
    QHash<QString, QString> m_prices; // Stripe's ids by lookup_key
};

} // namespace companion::payments
