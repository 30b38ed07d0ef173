#pragma once

#include "common/models/Payments.h"
#include "common/models/Wallet.h"
#include "common/money/Money.h"
#include "ledger/Ledger.h"

namespace companion::billing {

// price / credits, rounded half up to 4 places: "0.0817". credits > 0.
QString effectivePrice(const Money &price, Credits credits);

// What is on sale, and the books of a sale.
class Market
{
public:
    explicit Market(const ledger::Ledger &ledger)
        : m_ledger(ledger)
    {
    }

    ProductList products(db::Session &db) const;

    // A package that a provider says was paid: the payment's row, one purchased lot and, where the package has a bonus,
    // one bonus lot, in the caller's transaction. The same provider reference again gives the first payment's id and
    // changes nothing. not_found: no such package.
    struct PaidPackage
    {
        UserId user;
        QString product;
        QString provider; // "sandbox", "stripe", …
        QString reference; // the provider's own id of the payment
        Credits dailyLimit;
    };
    Result<PaymentId> recordPackage(db::Session &db, const PaidPackage &paid) const;

    // A month of a tier that was paid once: the payment's row and a subscription that ends after it.
    struct PaidTier
    {
        UserId user;
        Tier tier = Tier::Premium;
        QString provider;
        QString reference;
    };
    Result<PaymentId> recordTier(db::Session &db, const PaidTier &paid) const;

    static constexpr int bonusLifetime_days = 90;

private:
    struct Payment;
    std::pair<PaymentId, bool> insertPayment(db::Session &db, const Payment &payment) const;
    void finish(db::Session &db, const PaymentId &payment, const db::Row &offer,
                const std::optional<TransactionId> &purchase, const std::optional<TransactionId> &bonus,
                const std::optional<QString> &subscription) const;

    const ledger::Ledger &m_ledger;
};

} // namespace companion::billing
