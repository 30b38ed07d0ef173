#pragma once

#include "common/models/PaymentAdmin.h"
#include "ledger/Ledger.h"
#include "payments/PaymentProvider.h"

namespace companion::payments {

// What an operator orders.
struct RefundWish
{
    PaymentId payment;
    std::optional<QString> amount; // decimal text in the payment's currency; unset: all that is left
    QString reason;
    UserId actor;
    QString key; // the request's Idempotency-Key
};

struct OrderedRefund
{
    QUuid id;
    Provider provider = Provider::Sandbox;
    RefundOrder order;
    bool done = false; // the same request was done before
};

// The acts around a refund, each in the caller's transaction. Operator lane.
class Refunds
{
public:
    // What a refund would do, from the ledger's lots as they stand now. not_found, conflict, invalid.
    Result<RefundPreview> preview(db::Session &db, const PaymentId &payment,
                                  const std::optional<QString> &amount) const;
    // Writes the order down. not_found; conflict: not paid, nothing left, another refund under way; invalid: the
    // amount.
    Result<OrderedRefund> order(db::Session &db, const RefundWish &wish) const;
    void done(db::Session &db, const QUuid &refund) const;
    void failed(db::Session &db, const QUuid &refund, const QString &why) const;

private:
    Result<qint64> amountOf(const db::Row &payment, const std::optional<QString> &amount) const;
    void tellWallet(db::Session &db, const db::Row &payment, RefundPreview &preview) const;
};

} // namespace companion::payments
