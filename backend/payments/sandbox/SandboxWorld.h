#pragma once

#include "db/Session.h"
#include "payments/PaymentProvider.h"

namespace companion::payments {

// How the sandbox sends the webhooks of one act.
struct SandboxConduct
{
    int delay_s = 0;
    int copies = 1; // 0: lost
    bool shuffle = false; // each up to 3 s later, by chance
    bool renewalsFail = false;
};

struct SandboxCheckout
{
    QString id;
    PaymentId payment;
    UserId user;
    PaidFor kind = PaidFor::CreditPackage;
    QString product;
    QString title;
    Money price;
    int trialDays = 0;
    QString returnUrl;
    QString status; // open, paid, failed
};

struct DueWebhook
{
    qint64 id = 0;
    QByteArray body;
    int attempts = 0;
};

// The sandbox as the other company would have it: its own customers' payments, subscriptions and disputes, and an
// outbox of webhooks. Acts on the operator lane, each a transaction of its own. It reads nothing of our books.
class SandboxWorld
{
public:
    // Of this installation, made at the first call.
    QByteArray secret(db::Session &db) const;
    SandboxConduct conduct(db::Session &db) const;
    void setConduct(db::Session &db, const SandboxConduct &conduct) const;

    QString openCheckout(db::Session &db, const CheckoutOrder &order) const; // its id; the same for the same payment
    std::optional<SandboxCheckout> checkout(db::Session &db, const QString &id) const;
    // The customer's click. conflict: it was paid or declined before.
    Result<SandboxCheckout> pay(db::Session &db, const QString &id, const SandboxConduct &conduct) const;
    Result<SandboxCheckout> decline(db::Session &db, const QString &id, const SandboxConduct &conduct) const;

    Result<FactList> refund(db::Session &db, const RefundOrder &order) const; // conflict: more than is left
    Result<FactList> cancel(db::Session &db, const SubscriptionOrder &order) const;
    Result<FactList> upgrade(db::Session &db, const SubscriptionOrder &order) const;
    Result<FactList> downgrade(db::Session &db, const SubscriptionOrder &order) const;
    // The customer's bank, as a test has it act. not_found, conflict.
    Result<QString> dispute(db::Session &db, const QString &paymentReference) const; // the dispute's reference
    Result<void> closeDispute(db::Session &db, const QString &reference, bool won) const;
    // Job: charges the periods that have ended; how many.
    int renewDue(db::Session &db, int batch) const;
    Result<FactList> renew(db::Session &db, const QString &subscription) const; // before its time, for tests

    FactList payments(db::Session &db, const QDateTime &from, const QDateTime &to) const;
    Result<FactList> subscription(db::Session &db, const QString &reference) const;

    QList<DueWebhook> takeDue(db::Session &db, int batch) const; // and says that they are under way for 30 s
    void delivered(db::Session &db, qint64 webhook) const;
    void failed(db::Session &db, qint64 webhook, int attempts, const QString &error) const;

private:
    void announce(db::Session &db, const QString &type, const FactList &facts, const SandboxConduct &conduct) const;
    PaymentFact charge(db::Session &db, const SandboxCheckout &checkout, qint64 amount_minor, bool works,
                       const QString &subscription, const QDateTime &from, const QDateTime &to) const;
    Result<FactList> change(db::Session &db, const QString &reference, const char *statement,
                            const std::function<void()> &step, const QString &type) const;
    bool renewOne(db::Session &db, const db::Row &subscription, bool works) const;
};

} // namespace companion::payments
