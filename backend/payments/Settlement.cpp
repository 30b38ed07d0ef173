// What follows from a payment's state: credits granted, taken back or given back, money booked, the period's tier.

#include "common/money/Int128.h"
#include "payments/PaymentBooks.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

qint64 shareOfMinor(qint64 of, qint64 part, qint64 whole)
{
    return whole == 0 ? 0 : static_cast<qint64>((2 * Int128(of) * part + whole) / (2 * Int128(whole)));
}

PaymentStatus statusOf(const db::Row &payment, qint64 disputed_minor)
{
    if (payment.isNull("paid_at"))
        return payment.value<PaymentStatus>("status");
    if (disputed_minor > 0)
        return PaymentStatus::Disputed;
    const qint64 refunded = payment.integer("refunded_minor");
    if (refunded == 0)
        return PaymentStatus::Paid;
    return refunded >= payment.integer("amount_minor") ? PaymentStatus::Refunded : PaymentStatus::PartiallyRefunded;
}

QJsonObject metadataOf(const db::Row &payment)
{
    return {{u"payment_id"_s, payment.text("id")}, {u"product"_s, payment.text("product")}};
}

QString keyOf(const db::Row &payment)
{
    return u"payment:"_s + payment.text("id");
}

} // namespace

Credits shareOf(Credits credits, qint64 part_minor, qint64 whole_minor)
{
    if (whole_minor <= 0) // an offer code, a promotion: nothing was paid, so nothing can go back
        return {};
    if (part_minor >= whole_minor)
        return credits;
    return Credits::fromUnits(shareOfMinor(credits.units(), part_minor, whole_minor));
}

PaymentBooks::Step<void> PaymentBooks::settle(db::Session &db, const PaymentId &id, TransactionKind cause, Done &) const
{
    auto payment = db.one("payments.payment", {{"id", id}});
    if (payment.isNull("paid_at"))
        return {};
    const auto disputes = db.one("payments.disputed", {{"payment_id", id}});
    const qint64 amount = payment.integer("amount_minor");
    const qint64 disputed = std::min(disputes.integer("amount_minor"), amount);
    const qint64 back = std::min(amount, payment.integer("refunded_minor") + disputed);
    int settlements = static_cast<int>(payment.integer("settlements"));
    if (payment.value<PaidFor>("kind") == PaidFor::CreditPackage) {
        if (payment.isNull("purchase_entry")) {
            if (const auto granted = grant(db, payment); !granted)
                return granted;
            payment = db.one("payments.payment", {{"id", id}});
        }
        for (const auto &[entry, granted] : {std::pair("purchase_entry", payment.credits("credits")),
                                             std::pair("bonus_entry", payment.credits("bonus_credits"))}) {
            const auto driven = drive(db, payment, entry, granted, back, cause, settlements);
            if (!driven)
                return std::unexpected(driven.error());
            settlements = *driven;
        }
    } else if (!payment.isNull("subscription_id")) {
        tellSubscription(db, payment, back, disputes);
    }
    book(db, payment, disputed);
    db.execute("payments.set_status",
               {{"id", id}, {"status", statusOf(payment, disputed)}, {"settlements", settlements}, {"now", db.now()}});
    return {};
}

PaymentBooks::Step<void> PaymentBooks::grant(db::Session &db, const db::Row &payment) const
{
    const auto user = payment.id<UserId>("user_id");
    const auto bought = m_ledger.grant(db,
                                       {.user = user,
                                        .key = keyOf(payment),
                                        .bucket = Bucket::Purchased,
                                        .amount = payment.credits("credits"),
                                        .kind = TransactionKind::Purchase,
                                        .description = payment.text("product"),
                                        .metadata = metadataOf(payment)});
    if (!bought)
        return std::unexpected(Obstacle{{}, u"The credits cannot be granted: "_s + bought.error().detail});
    std::optional<TransactionId> bonus;
    if (!payment.credits("bonus_credits").isZero()) {
        const auto days = payment.maybeInteger("bonus_days");
        const auto given = m_ledger.grant(db,
                                          {.user = user,
                                           .key = QString(keyOf(payment) + u":bonus"_s),
                                           .bucket = Bucket::Bonus,
                                           .amount = payment.credits("bonus_credits"),
                                           .kind = TransactionKind::BonusGrant,
                                           .expiresAt = days ? std::optional(db.now().addDays(*days)) : std::nullopt,
                                           .description = payment.text("product"),
                                           .metadata = metadataOf(payment)});
        if (!given)
            return std::unexpected(Obstacle{{}, u"The bonus cannot be granted: "_s + given.error().detail});
        bonus = given->id;
    }
    db.execute("payments.set_entries", {{"id", payment.text("id")}, {"purchase", bought->id}, {"bonus", bonus}});
    db.execute("payments.name_rail",
               {{"purchase", bought->id}, {"bonus", bonus}, {"user_id", user}, {"rail", payment.text("provider")}});
    (void)m_ledger.collectDebts(db, user); // a debt is paid first
    return {};
}

// Takes back or gives back of one grant what its share of `back` lacks or exceeds.
PaymentBooks::Step<int> PaymentBooks::drive(db::Session &db, const db::Row &payment, const char *entry, Credits granted,
                                            qint64 back_minor, TransactionKind cause, int settlements) const
{
    const auto purchase = payment.maybeId<TransactionId>(entry);
    if (!purchase)
        return settlements;
    const Credits wanted = shareOf(granted, back_minor, payment.integer("amount_minor"));
    const Credits returned = db.one("payments.returned", {{"purchase", *purchase}}).credits("amount");
    if (wanted == returned)
        return settlements;
    const QString key = u"%1:back:%2"_s.arg(keyOf(payment)).arg(settlements + 1);
    const auto user = payment.id<UserId>("user_id");
    std::optional<Refusal> refusal;
    if (wanted > returned) {
        const auto taken =
            m_ledger.takeBack(db,
                              {.user = user,
                               .key = key,
                               .purchase = *purchase,
                               .amount = wanted - returned,
                               .kind = cause,
                               .description =
                                   cause == TransactionKind::Chargeback ? u"Payment disputed"_s : u"Payment refunded"_s,
                               .metadata = metadataOf(payment)});
        if (!taken)
            refusal = taken.error();
    } else {
        const auto given = m_ledger.giveBack(db,
                                             {.user = user,
                                              .key = key,
                                              .purchase = *purchase,
                                              .amount = returned - wanted,
                                              .description = u"Refund or dispute undone"_s,
                                              .metadata = metadataOf(payment)});
        if (!given)
            refusal = given.error();
    }
    if (refusal)
        return std::unexpected(Obstacle{{}, u"The ledger refused: "_s + refusal->log});
    return settlements + 1;
}

// The money's own history: what is missing between what is booked and what the provider says.
void PaymentBooks::book(db::Session &db, const db::Row &payment, qint64 disputed_minor) const
{
    const auto booked = db.one("payments.booked", {{"payment_id", payment.text("id")}});
    const qint64 amount = payment.integer("amount_minor");
    const qint64 tax = payment.integer("tax_minor");
    const auto write = [&](const char *kind, qint64 amount_minor, qint64 tax_minor, qint64 fee_minor,
                           const QDateTime &at) {
        db.execute("payments.book",
                   {{"payment_id", payment.text("id")},
                    {"user_id", payment.text("user_id")},
                    {"kind", kind},
                    {"currency", payment.text("currency")},
                    {"amount_minor", amount_minor},
                    {"tax_minor", tax_minor},
                    {"fee_minor", fee_minor},
                    {"at", at}});
    };
    const qint64 fee = payment.integer("fee_minor") - booked.integer("fee");
    if (booked.integer("payments") == 0)
        write("payment", amount, tax, payment.integer("fee_minor"), payment.time("paid_at"));
    else if (fee > 0)
        write("payment", 0, 0, fee, db.now());
    const qint64 refunded = payment.integer("refunded_minor") - booked.integer("refunded");
    const qint64 charged = disputed_minor - booked.integer("charged_back");
    qint64 taxBack = booked.integer("tax_back");
    qint64 allBack = booked.integer("refunded") + booked.integer("charged_back");
    for (const auto &[kind, moved] : {std::pair("refund", refunded), std::pair("chargeback", charged)}) {
        if (moved == 0)
            continue;
        allBack += moved;
        const qint64 wanted = shareOfMinor(tax, std::clamp<qint64>(allBack, 0, amount), amount);
        write(kind, -moved, -(wanted - taxBack), 0, db.now());
        taxBack = wanted;
    }
}

// A period whose payment went back wholly gives no tier any more.
void PaymentBooks::tellSubscription(db::Session &db, const db::Row &payment, qint64 back_minor,
                                    const db::Row &disputes) const
{
    using Fate = billing::PeriodPayment::Fate;
    const qint64 amount = payment.integer("amount_minor");
    const bool isBack = amount > 0 && back_minor >= amount;
    const QDateTime paidAt = payment.time("paid_at");
    m_subscriptions.paymentChanged(db, payment.id<UserId>("user_id"),
                                   {.subscription = payment.id<billing::SubscriptionId>("subscription_id"),
                                    .payment = payment.id<PaymentId>("id"),
                                    .fate = !isBack                            ? Fate::Restored
                                        : disputes.integer("amount_minor") > 0 ? Fate::Disputed
                                                                               : Fate::Refunded,
                                    .version = std::max(payment.integer("refund_version"), disputes.integer("version")),
                                    .at = db.now(),
                                    .periodStart = payment.maybeTime("period_start").value_or(paidAt),
                                    .periodEnd = payment.maybeTime("period_end").value_or(paidAt.addMonths(1))});
}

} // namespace companion::payments
