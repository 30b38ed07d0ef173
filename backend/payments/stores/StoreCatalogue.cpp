#include "payments/stores/StoreCatalogue.h"

#include "common/describe/EnumText.h"

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

qint64 pieceOf(qint64 whole, int quantity, int index)
{
    return whole / quantity + (index == 0 ? whole % quantity : 0);
}

} // namespace

std::optional<Tier> StoreProduct::tier() const
{
    return kind == PaidFor::Period ? fromText<Tier>(product) : std::nullopt;
}

StoreCatalogue StoreCatalogue::load(db::Session &db, Provider store)
{
    StoreCatalogue catalogue;
    for (const auto &row : db.rows("payments.store_products", {{"provider", store}}))
        catalogue.add(row.text("reference"),
                      {row.value<PaidFor>("kind"), row.text("product"), row.integer("price_minor"),
                       row.text("currency")});
    return catalogue;
}

std::optional<StoreProduct> StoreCatalogue::find(const QString &storeProductId) const
{
    const auto found = m_products.constFind(storeProductId);
    return found == m_products.constEnd() ? std::nullopt : std::optional(*found);
}

QStringList StoreCatalogue::idsOf(PaidFor kind, const QString &product) const
{
    QStringList ids;
    for (auto it = m_products.begin(); it != m_products.end(); ++it)
        if (it->kind == kind && it->product == product)
            ids.append(it.key());
    ids.sort();
    return ids;
}

QList<PaymentFact> inPieces(const PaymentFact &sale, int quantity)
{
    if (quantity <= 1)
        return {sale};
    QList<PaymentFact> pieces;
    qint64 refunded = sale.refundedMinor.value_or(0);
    for (int index = quantity - 1; index >= 0; --index) {
        PaymentFact piece = sale;
        if (index > 0)
            piece.references = {u"%1#%2"_s.arg(sale.references.first()).arg(index + 1)};
        piece.amountMinor = pieceOf(sale.amountMinor, quantity, index);
        piece.taxMinor = pieceOf(sale.taxMinor, quantity, index);
        if (sale.feeMinor)
            piece.feeMinor = pieceOf(*sale.feeMinor, quantity, index);
        if (sale.refundedMinor) {
            piece.refundedMinor = std::min(refunded, piece.amountMinor);
            refunded -= *piece.refundedMinor;
        }
        pieces.prepend(piece);
    }
    return pieces;
}

} // namespace companion::payments
