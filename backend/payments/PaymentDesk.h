#pragma once

#include "common/Clock.h"
#include "db/Workers.h"
#include "payments/Checkouts.h"
#include "payments/PaymentBooks.h"
#include "payments/Reconciliation.h"
#include "payments/Refunds.h"
#include "payments/WebhookLane.h"

namespace companion::payments {

struct DeskParts
{
    db::Workers &operators;
    const PaymentBooks &books;
    const Checkouts &checkouts;
    const Clock &clock;
};

// What takes a database and a provider in turn: each story is an act, a call to the provider, and an act that applies
// what it said. Event-loop thread; every call answers later through `then`, once.
class PaymentDesk : public QObject
{
    Q_OBJECT
public:
    template <class T>
    using Then = std::function<void(const Result<T> &)>;

    explicit PaymentDesk(const DeskParts &parts, QObject *parent = nullptr);

    // Providers that are configured; they live as long as the desk.
    void add(PaymentProvider &provider);
    PaymentProvider *provider(Provider kind) const; // null: not configured here
    QList<Provider> providers() const { return m_providers.keys(); }

    // invalid: the provider is not configured; what Checkouts refuses; provider_failed.
    void buy(const Buyer &buyer, const PurchaseRequest &wanted, const QString &key, const Then<StartedPayment> &then);
    void subscribe(const Buyer &buyer, const SubscribeRequest &wanted, const QString &key,
                   const Then<StartedPayment> &then);
    // At the period's end. conflict: nothing to cancel.
    void cancel(const UserId &user, const Then<SubscriptionState> &then,
                const billing::SubscriptionService &subscriptions);

    // The provider's own page for this customer. invalid: not configured; not_implemented; not_found: never bought
    // there.
    void openPortal(const UserId &user, const PortalRequest &wanted, const Then<PortalLink> &then);

    // A raw webhook: believed or not, kept, and applied. malformed_request: not believed. payload_too_large.
    // A 503 refusal: send it again.
    void webhook(Provider provider, const Webhook &raw, const Then<Taken> &then);

    // What was kept and is not applied: lookups that failed are done again, events that wait are looked at. To be
    // called every few seconds; several instances share the work.
    void catchUp();

    // An operator's refund, written down first, then asked of the provider, then applied.
    void refund(const RefundWish &wish, const Then<RefundDone> &then);

    // Asks the provider for one day's payments (UTC) and compares both ways; not_found: not configured.
    void reconcile(Provider provider, const QDate &day, const Then<ReconciliationRun> &then);

private:
    void checkOut(const Begun &begun, PaymentProvider &provider, const Then<StartedPayment> &then);
    void redeem(const Receipt &receipt, PaymentProvider &provider, const Then<StartedPayment> &then);
    void changeTier(const TierChange &change, PaymentProvider &provider, const Then<StartedPayment> &then);
    void apply(Provider provider, const FactList &facts, const Then<Taken> &then);
    void acknowledge(const QList<Granted> &granted);
    void lookUp(const KeptEvent &kept);
    void takeVerified(Provider provider, const ProviderEvent &event, const Webhook &raw, const Then<Taken> &then);
    void take(const Delivery &delivery, const Then<Taken> &then);
    void takeAlone(const Delivery &delivery, const Then<Taken> &then);
    void taken(const Result<Taken> &taken, const Then<Taken> &then);
    void refuse(Provider provider, const Webhook &raw, const Refusal &refusal, const Then<Taken> &then);
    template <class T>
    PaymentProvider *wanted(Provider kind, const Then<T> &then) const;

    DeskParts m_;
    QMap<Provider, PaymentProvider *> m_providers;
    Refunds m_refunds;
    Reconciliation m_reconciliation;
    WebhookLane m_lane;
};

} // namespace companion::payments
