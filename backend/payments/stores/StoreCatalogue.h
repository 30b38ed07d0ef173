#pragma once

#include "db/Session.h"
#include "payments/Facts.h"

#include <QHash>

namespace companion::payments {

// What a store's product id stands for with us.
struct StoreProduct
{
    PaidFor kind = PaidFor::CreditPackage;
    QString product; // our package's or tier's code
    qint64 price_minor = 0; // our own price, for where a store does not tell its own
    QString currency;

    std::optional<Tier> tier() const; // of a subscription
};

// The table provider_products of one store, as of one act.
class StoreCatalogue
{
public:
    static StoreCatalogue load(db::Session &db, Provider store);

    std::optional<StoreProduct> find(const QString &storeProductId) const;
    QStringList idsOf(PaidFor kind, const QString &product) const;
    void add(const QString &storeProductId, const StoreProduct &product) { m_products.insert(storeProductId, product); }

private:
    QHash<QString, StoreProduct> m_products;
};

// One sale of several pieces, as several payments of one each: the first keeps the reference, the others are
// "REFERENCE#2" and so on. Amounts are split evenly, what cannot be on the first; a refund takes whole pieces from the
// last on.
QList<PaymentFact> inPieces(const PaymentFact &sale, int quantity);

} // namespace companion::payments
