#pragma once

#include "app/DemoPlan.h"
#include "app/Features.h"
#include "payments/sandbox/SandboxWorld.h"

#include <QHash>

namespace companion::app {

// The demo's customers at the sandbox's till, and the operator who cares for money: checkouts, the sandbox's own acts,
// its webhooks taken into the books, refunds, each by the same services as over HTTP and without the wire. Blocking;
// throws DatabaseError. Refusals are lived with, as users do.
class DemoShop
{
public:
    DemoShop(Features &features, db::Session &operators);

    void employ(const QDateTime &now); // the operator; once
    void buy(const UserId &user, const DemoPurchase &purchase);
    void subscribe(const UserId &user, Tier tier);
    void cancel(const UserId &user);
    void refund(const DemoRefund &refund);
    void dispute(const DemoDispute &dispute);
    void close(const DemoVerdict &verdict);
    void spree(const UserId &user);
    // Renewals that are due, and yesterday compared with the sandbox.
    void midnight();
    // What people have to look at: a sale the sandbox knows nothing of, and a webhook that cannot be applied.
    void leaveTrouble(const UserId &user);

private:
    void checkOut(const payments::Begun &begun, DemoPurchase::Fate fate);
    void deliver();
    void take(const payments::DueWebhook &webhook);
    std::optional<QString> saleOf(int purchase); // the sandbox's reference of it

    Features &m_features;
    db::Session &m_db;
    payments::SandboxWorld m_world;
    QByteArray m_secret;
    UserId m_operator;
    QHash<int, PaymentId> m_payments;
    QHash<int, QString> m_disputes;
    int m_keys = 0;
};

} // namespace companion::app
