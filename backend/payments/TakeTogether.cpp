// Webhooks that come at the same moment, in one statement (migration 0022).

#include "payments/EventKeys.h"
#include "payments/PaymentBooks.h"

#include <QJsonArray>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

bool isPlainSale(const PaymentFact &fact)
{
    return fact.state == PaymentFact::State::Paid && fact.kind == PaidFor::CreditPackage && fact.subscription.isEmpty()
        && fact.refundedMinor.value_or(0) == 0 && !fact.references.isEmpty();
}

QJsonObject orderOf(const Delivery &delivery, int n)
{
    const ProviderEvent &event = delivery.event;
    return {{u"n"_s, n},
            {u"id"_s, QUuid::createUuid().toString(QUuid::WithoutBraces)},
            {u"provider"_s, toText(delivery.provider)},
            {u"event_id"_s, event.id},
            {u"type"_s, event.type.left(120)},
            {u"created_at"_s, json::timeText(event.createdAt)},
            {u"signature"_s, signatureOf(delivery.raw)},
            {u"keys"_s, QJsonArray::fromStringList(keysOf(event))},
            {u"facts"_s, toJson(event.facts)},
            {u"own_prices"_s, sellsAtOurPrices(delivery.provider)},
            {u"payment_id"_s, PaymentId::create().toString()}};
}

Taken takenAs(const db::Row &row, const Delivery &delivery)
{
    if (row.text("what") == "duplicate"_L1)
        return {Taken::What::Duplicate, {}, {}};
    if (row.isNull("kind"))
        return {};
    return {Taken::What::Applied,
            {},
            {{delivery.provider, delivery.event.facts.payments.first().references, row.value<PaidFor>("kind"),
              row.text("product")}}};
}

} // namespace

bool PaymentBooks::mayBePlain(const ProviderEvent &event, const Webhook &raw)
{
    const FactList &facts = event.facts;
    if (event.lookUp || raw.body.size() > mostBytesTogether || !facts.subscriptions.isEmpty()
        || !facts.disputes.isEmpty())
        return false;
    return facts.payments.isEmpty() || (facts.payments.size() == 1 && isPlainSale(facts.payments.first()));
}

std::vector<std::optional<Taken>> PaymentBooks::takeTogether(db::Session &db,
                                                             const std::vector<Delivery> &deliveries) const
{
    QJsonArray orders;
    QStringList bodies;
    for (const Delivery &delivery : deliveries) {
        orders.append(orderOf(delivery, static_cast<int>(bodies.size())));
        bodies.append(u"\\x"_s + QString::fromLatin1(delivery.raw.body.toHex()));
    }
    std::vector<std::optional<Taken>> answers(deliveries.size());
    const auto rows = db.rows("payments.take_plain", {{"orders", orders}, {"bodies", bodies}, {"now", db.now()}});
    for (const auto &row : rows) {
        const auto n = static_cast<size_t>(row.integer("n"));
        answers[n] = takenAs(row, deliveries[n]);
        if (row.boolean("wanted"))
            wake(db, deliveries[n].provider, keysOf(deliveries[n].event.facts), answers[n]->granted);
    }
    return answers;
}

} // namespace companion::payments
