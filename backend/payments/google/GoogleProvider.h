#pragma once

#include "db/Workers.h"
#include "jose/PublishedCertificates.h"
#include "payments/PaymentProvider.h"
#include "payments/google/GoogleApi.h"
#include "payments/google/GoogleFacts.h"
#include "payments/google/GooglePush.h"

#include <QTimer>

namespace companion::payments {

// Purchases on Google Play. A notification only says where to look: the truth is fetched by its purchase token, and the
// order by the id that this tells. What was granted is acknowledged (a subscription) or consumed (credits); until that
// has succeeded it is tried again, by whichever instance comes to it, for Google pays back after three days.
class GoogleProvider final : public PaymentProvider
{
    Q_OBJECT
public:
    struct Options
    {
        QString packageName;
        GooglePushToken::Expected push;
        bool acceptsTests = false; // testers' purchases, which cost nothing; never in production
    };

    // `certificates` are Google's, started by their owner.
    GoogleProvider(db::Workers &operators, const Clock &clock, Options options, const GoogleApi::Options &api,
                   const GoogleAccount &account, jose::PublishedCertificates &certificates, QObject *parent = nullptr);

    void open(); // starts looking for what is to be acknowledged
    void close();
    void settleDue(); // looks at once

    Provider kind() const override { return Provider::Google; }
    Abilities abilities() const override { return {.receipts = true, .refunds = true, .cancels = true}; }
    // A push of Cloud Pub/Sub. not_ready: its key is not known and cannot be had.
    void verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) override;
    void complete(const ProviderEvent &event, const Then<ProviderEvent> &then) override;
    // The receipt: the purchase token, or the purchase's JSON as the Play Billing Library has it (getOriginalJson).
    void redeem(const Receipt &receipt, const Then<FactList> &then) override;
    void cancel(const SubscriptionOrder &order, const Then<FactList> &then) override;
    void refund(const RefundOrder &order, const Then<FactList> &then) override; // whole orders only
    // Google has no list of sales: what is known of that day is asked for anew, and all that was voided then.
    void listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then) override;
    void fetchSubscription(const QString &reference, const Then<FactList> &then) override;
    void acknowledge(const QStringList &references, PaidFor kind, const QString &product) override;

    static constexpr int settleEvery_ms = 30'000;
    static constexpr int settleBatch = 50;
    static constexpr int unknownFor_s = 3600; // a purchase that Google does not know yet may still come

private:
    struct Look;
    using Looking = std::shared_ptr<Look>;
    struct Day;

    void verifyWithKeys(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) const;
    void look(const Looking &looking);
    void lookAtSubscription(const Looking &looking);
    void lookAtSale(const Looking &looking);
    void lookAtOrder(const Looking &looking, const QString &id);
    void lookAtLinked(const Looking &looking);
    void readOut(const Looking &looking);
    // On workers: they may outlive this object, and are given what they read.
    static Result<FactList> factsOf(db::Session &db, const Look &seen, bool acceptsTests);
    static void addSubscription(db::Session &db, const Look &seen, const std::optional<UserId> &user,
                                const StoreCatalogue &catalogue, FactList &facts);
    static void remember(db::Session &db, const Look &seen, const UserId &user);
    void lookByReference(const QString &reference, const Then<FactList> &then);
    void nextOfDay(const std::shared_ptr<Day> &day);
    void settle(const QString &token, PaidFor kind, const QString &product);

    db::Workers &m_operators;
    const Clock &m_clock;
    const Options m_options;
    jose::PublishedCertificates &m_certificates;
    GooglePushToken m_push;
    GoogleApi m_api;
    QTimer m_timer;
    bool m_settling = false;
};

} // namespace companion::payments
