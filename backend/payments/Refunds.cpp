#include "payments/Refunds.h"

#include "payments/PaymentBooks.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

Refusal noPayment()
{
    return {ErrorCode::NotFound, u"There is no such payment."_s};
}

} // namespace

Result<qint64> Refunds::amountOf(const db::Row &payment, const std::optional<QString> &amount) const
{
    const qint64 left = payment.integer("amount_minor") - payment.integer("refunded_minor");
    const auto status = payment.value<PaymentStatus>("status");
    if (status != PaymentStatus::Paid && status != PaymentStatus::PartiallyRefunded)
        return refuse(ErrorCode::Conflict, u"The payment is %1."_s.arg(toText(status)));
    if (left <= 0)
        return refuse(ErrorCode::Conflict, u"Nothing of the payment is left to refund."_s);
    if (!amount)
        return left;
    const auto money = Money::parse(*amount, payment.text("currency"));
    if (!money || money->minor() <= 0 || money->minor() > left)
        return std::unexpected(
            Refusal{.code = ErrorCode::Invalid,
                    .detail = u"At most %1 %2 can be refunded."_s.arg(
                        Money::fromMinor(left, payment.text("currency")).amount(), payment.text("currency")),
                    .errors = {{u"/amount"_s, u"must be more than 0 and at most what is left"_s}}});
    return money->minor();
}

Result<RefundPreview> Refunds::preview(db::Session &db, const PaymentId &id, const std::optional<QString> &amount) const
{
    const auto payment = db.first("payments.payment", {{"id", id}});
    if (!payment)
        return std::unexpected(noPayment());
    const auto minor = amountOf(*payment, amount);
    if (!minor)
        return std::unexpected(minor.error());
    const QString currency = payment->text("currency");
    const qint64 whole = payment->integer("amount_minor");
    const qint64 after = payment->integer("refunded_minor") + *minor;
    RefundPreview preview{.amount = Money::fromMinor(*minor, currency).amount(),
                          .left = Money::fromMinor(whole - after, currency).amount(),
                          .currency = currency,
                          .purchased = {},
                          .bonus = {},
                          .owed = {},
                          .endsTier = payment->value<PaidFor>("kind") == PaidFor::Period && after >= whole,
                          .lots = {},
                          .paidAtOnce = {},
                          .balanceBefore = {},
                          .balanceAfter = {},
                          .debtBefore = {},
                          .debtAfter = {}};
    if (!payment->isNull("purchase_entry")) {
        const auto part = [&](Bucket bucket, const char *entry, const char *credits, Credits &taken) {
            if (payment->isNull(entry))
                return;
            const auto lot = db.one("payments.lot_of_entry", {{"entry", payment->text(entry)}});
            const Credits granted = payment->credits(credits);
            const Credits more = shareOf(granted, after, whole) - lot.credits("returned");
            taken = std::min(more, lot.credits("unheld"));
            const Credits owed = std::max(Credits(), more - taken - lot.credits("lapsed"));
            preview.owed += owed;
            preview.lots.append({bucket, granted, lot.credits("remaining"), lot.credits("reserved"), taken, owed});
        };
        part(Bucket::Purchased, "purchase_entry", "credits", preview.purchased);
        part(Bucket::Bonus, "bonus_entry", "bonus_credits", preview.bonus);
    }
    tellWallet(db, *payment, preview);
    return preview;
}

// What the wallet will be: purchased credit of other lots pays what is owed at once.
void Refunds::tellWallet(db::Session &db, const db::Row &payment, RefundPreview &preview) const
{
    const auto wallet = db.first("payments.wallet_to_refund", {{"user_id", payment.id<UserId>("user_id")}});
    if (!wallet)
        return;
    preview.balanceBefore = wallet->credits("balance");
    preview.debtBefore = wallet->credits("debt");
    const Credits owed = preview.debtBefore + preview.owed;
    preview.paidAtOnce = std::min(owed, wallet->credits("unheld") - preview.purchased);
    preview.balanceAfter = preview.balanceBefore - preview.purchased - preview.bonus - preview.paidAtOnce;
    preview.debtAfter = owed - preview.paidAtOnce;
}

Result<OrderedRefund> Refunds::order(db::Session &db, const RefundWish &wish) const
{
    const auto payment = db.first("payments.lock_payment", {{"id", wish.payment}});
    if (!payment)
        return std::unexpected(noPayment());
    const QString currency = payment->text("currency");
    OrderedRefund ordered{.id = QUuid::createUuid(),
                          .provider = payment->value<Provider>("provider"),
                          .order = {.idempotencyKey = {},
                                    .references = {},
                                    .amountMinor = 0,
                                    .currency = currency,
                                    .whole = false,
                                    .reason = wish.reason}};
    for (const auto &row : db.rows("payments.references_of", {{"payment_id", wish.payment}}))
        ordered.order.references.append(row.text("reference"));
    const auto earlier = db.first("payments.refund_of_request", {{"actor_id", wish.actor}, {"request_key", wish.key}});
    if (earlier) {
        if (earlier->id<PaymentId>("payment_id") != wish.payment)
            return refuse(ErrorCode::IdempotencyKeyReused, u"This Idempotency-Key was used for another request."_s);
        if (earlier->text("status") == "failed"_L1)
            return refuse(ErrorCode::Conflict, u"This refund failed: "_s + earlier->text("failure"));
        ordered.id = QUuid(earlier->text("id"));
        ordered.done = earlier->text("status") == "done"_L1;
        ordered.order.amountMinor = earlier->integer("amount_minor");
    } else {
        const auto minor = amountOf(*payment, wish.amount);
        if (!minor)
            return std::unexpected(minor.error());
        if (db.first("payments.refund_under_way", {{"payment_id", wish.payment}}))
            return refuse(ErrorCode::Conflict, u"Another refund of this payment is under way."_s);
        ordered.order.amountMinor = *minor;
        db.execute("payments.insert_refund",
                   {{"id", ordered.id.toString(QUuid::WithoutBraces)},
                    {"payment_id", wish.payment},
                    {"user_id", payment->id<UserId>("user_id")},
                    {"amount_minor", *minor},
                    {"reason", wish.reason},
                    {"actor_id", wish.actor},
                    {"request_key", wish.key},
                    {"now", db.now()}});
    }
    ordered.order.idempotencyKey = ordered.id.toString(QUuid::WithoutBraces);
    ordered.order.whole =
        ordered.order.amountMinor >= payment->integer("amount_minor") - payment->integer("refunded_minor");
    return ordered;
}

void Refunds::done(db::Session &db, const QUuid &refund) const
{
    db.execute("payments.end_refund",
               {{"id", refund.toString(QUuid::WithoutBraces)},
                {"status", "done"},
                {"failure", std::nullopt},
                {"now", db.now()}});
}

void Refunds::failed(db::Session &db, const QUuid &refund, const QString &why) const
{
    db.execute("payments.end_refund",
               {{"id", refund.toString(QUuid::WithoutBraces)},
                {"status", "failed"},
                {"failure", std::optional(why.left(300))},
                {"now", db.now()}});
}

} // namespace companion::payments
