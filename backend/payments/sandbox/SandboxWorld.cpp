#include "payments/sandbox/SandboxWorld.h"

#include <QJsonDocument>
#include <QRandomGenerator>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

QString newReference(const char *kind)
{
    quint32 bits[4];
    QRandomGenerator::system()->fillRange(bits);
    const QByteArray hex = QByteArray::fromRawData(reinterpret_cast<const char *>(bits), sizeof bits).toHex();
    return QString::fromLatin1("sbx_" + QByteArray(kind) + '_' + hex);
}

// What it keeps for itself: 2.9 % and 30 minor units, as card processors do; never more than the amount.
qint64 feeOf(qint64 amount_minor)
{
    return std::min(amount_minor, (amount_minor * 29 + 999) / 1000 + (amount_minor > 0 ? 30 : 0));
}

PaymentFact paymentFactIn(const db::Row &row)
{
    PaymentFact fact{.references = {row.text("reference")},
                     .payment = row.maybeId<PaymentId>("payment_id"),
                     .user = row.id<UserId>("user_id"),
                     .kind = row.value<PaidFor>("kind"),
                     .product = row.text("product"),
                     .state = row.value<PaymentFact::State>("status"),
                     .amountMinor = row.integer("amount_minor"),
                     .taxMinor = row.integer("tax_minor"),
                     .feeMinor = row.integer("fee_minor"),
                     .currency = row.text("currency"),
                     .refundedMinor = row.integer("refunded_minor"),
                     .version = row.integer("version"),
                     .at = row.time("created_at"),
                     .subscription = row.text("subscription_reference"),
                     .periodStart = row.maybeTime("period_start"),
                     .periodEnd = row.maybeTime("period_end"),
                     .failure = {}};
    if (fact.state == PaymentFact::State::Failed)
        fact.failure = u"The card was declined."_s;
    return fact;
}

SubscriptionFact subscriptionFactIn(const db::Row &row)
{
    SubscriptionFact fact{.reference = row.text("reference"),
                          .user = row.id<UserId>("user_id"),
                          .customer = u"sbx_cus_"_s + row.text("user_id"),
                          .tier = row.value<Tier>("tier"),
                          .nextTier = {},
                          .status = row.value<SubscriptionStatus>("status"),
                          .periodStart = row.time("period_start"),
                          .periodEnd = row.time("period_end"),
                          .graceUntil = {},
                          .version = row.integer("version"),
                          .at = row.time("changed_at")};
    if (!row.isNull("next_tier"))
        fact.nextTier = row.value<Tier>("next_tier");
    return fact;
}

DisputeFact disputeFactIn(const db::Row &row)
{
    return {.reference = row.text("reference"),
            .payment = {row.text("payment_reference")},
            .state = row.value<DisputeState>("state"),
            .amountMinor = row.integer("amount_minor"),
            .currency = row.text("currency"),
            .reason = u"fraudulent"_s,
            .version = row.integer("version"),
            .at = row.time("changed_at")};
}

SandboxCheckout checkoutIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .payment = row.id<PaymentId>("payment_id"),
            .user = row.id<UserId>("user_id"),
            .kind = row.value<PaidFor>("kind"),
            .product = row.text("product"),
            .title = row.text("title"),
            .price = Money::fromMinor(row.integer("amount_minor"), row.text("currency")),
            .trialDays = static_cast<int>(row.integer("trial_days")),
            .returnUrl = row.text("return_url"),
            .status = row.text("status")};
}

} // namespace

QByteArray SandboxWorld::secret(db::Session &db) const
{
    QByteArray fresh(32, 0);
    QRandomGenerator::system()->generate(reinterpret_cast<quint32 *>(fresh.data()),
                                         reinterpret_cast<quint32 *>(fresh.data() + fresh.size()));
    db.execute("payments.sandbox_make_settings", {{"secret", fresh}});
    return db.one("payments.sandbox_settings").bytes("secret");
}

SandboxConduct SandboxWorld::conduct(db::Session &db) const
{
    const auto row = db.one("payments.sandbox_settings");
    return {static_cast<int>(row.integer("delay_s")), static_cast<int>(row.integer("copies")), row.boolean("shuffle"),
            row.boolean("renewals_fail")};
}

void SandboxWorld::setConduct(db::Session &db, const SandboxConduct &conduct) const
{
    db.execute("payments.sandbox_set_conduct",
               {{"delay_s", conduct.delay_s},
                {"copies", conduct.copies},
                {"shuffle", conduct.shuffle},
                {"renewals_fail", conduct.renewalsFail}});
}

// An event is what it says, in our own words, signed when it is sent.
void SandboxWorld::announce(db::Session &db, const QString &type, const FactList &facts,
                            const SandboxConduct &conduct) const
{
    const QString id = newReference("evt");
    const QJsonObject event{{u"id"_s, id},
                            {u"type"_s, type},
                            {u"created_at"_s, json::timeText(db.now())},
                            {u"environment"_s, u"sandbox"_s},
                            {u"facts"_s, toJson(facts)}};
    const QByteArray body = QJsonDocument(event).toJson(QJsonDocument::Compact);
    for (int copy = 0; copy < conduct.copies; ++copy) {
        const int chance_ms = conduct.shuffle ? static_cast<int>(QRandomGenerator::global()->bounded(3000)) : 0;
        db.execute("payments.sandbox_queue",
                   {{"event_id", id},
                    {"body", body},
                    {"due_at", db.now().addSecs(conduct.delay_s).addMSecs(chance_ms)}});
    }
}

QString SandboxWorld::openCheckout(db::Session &db, const CheckoutOrder &order) const
{
    return db
        .one("payments.sandbox_open_checkout",
             {{"id", newReference("co")},
              {"payment_id", order.payment},
              {"user_id", order.user},
              {"kind", order.kind},
              {"product", order.product},
              {"title", order.title},
              {"amount_minor", static_cast<qint64>(order.price.minor())},
              {"currency", order.price.currency()},
              {"trial_days", order.trialDays},
              {"return_url", order.returnUrl},
              {"now", db.now()}})
        .text("id");
}

std::optional<SandboxCheckout> SandboxWorld::checkout(db::Session &db, const QString &id) const
{
    const auto row = db.first("payments.sandbox_checkout", {{"id", id}});
    return row ? std::optional(checkoutIn(*row)) : std::nullopt;
}

PaymentFact SandboxWorld::charge(db::Session &db, const SandboxCheckout &checkout, qint64 amount_minor, bool works,
                                 const QString &subscription, const QDateTime &from, const QDateTime &to) const
{
    const bool ofPeriod = !subscription.isEmpty();
    const auto row = db.one("payments.sandbox_charge",
                            {{"reference", newReference("pay")},
                             {"payment_id", checkout.payment.isNull() ? std::nullopt : std::optional(checkout.payment)},
                             {"user_id", checkout.user},
                             {"kind", checkout.kind},
                             {"product", checkout.product},
                             {"amount_minor", amount_minor},
                             {"fee_minor", works ? feeOf(amount_minor) : 0},
                             {"currency", checkout.price.currency()},
                             {"status", works ? "paid" : "failed"},
                             {"subscription", ofPeriod ? std::optional(subscription) : std::nullopt},
                             {"period_start", ofPeriod ? std::optional(from) : std::nullopt},
                             {"period_end", ofPeriod ? std::optional(to) : std::nullopt},
                             {"now", db.now()}});
    return paymentFactIn(row);
}

Result<SandboxCheckout> SandboxWorld::pay(db::Session &db, const QString &id, const SandboxConduct &conduct) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_close_checkout", {{"id", id}, {"status", "paid"}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"This checkout is closed."_s);
    const SandboxCheckout checkout = checkoutIn(*row);
    const QDateTime now = db.now();
    if (checkout.kind == PaidFor::CreditPackage) {
        const auto paid = charge(db, checkout, checkout.price.minor(), true, {}, {}, {});
        announce(db, u"payment.paid"_s, {{}, {paid}, {}}, conduct);
    } else {
        const bool trial = checkout.trialDays > 0;
        const QDateTime end = trial ? now.addDays(checkout.trialDays) : now.addMonths(1);
        const auto subscription = db.one("payments.sandbox_subscribe",
                                         {{"reference", newReference("sub")},
                                          {"user_id", checkout.user},
                                          {"tier", checkout.product},
                                          {"status", trial ? "trialing" : "active"},
                                          {"amount_minor", static_cast<qint64>(checkout.price.minor())},
                                          {"currency", checkout.price.currency()},
                                          {"period_start", now},
                                          {"period_end", end},
                                          {"now", now}});
        const auto paid =
            charge(db, checkout, trial ? 0 : checkout.price.minor(), true, subscription.text("reference"), now, end);
        announce(db, u"subscription.created"_s, {{subscriptionFactIn(subscription)}, {}, {}}, conduct);
        announce(db, u"payment.paid"_s, {{}, {paid}, {}}, conduct);
    }
    transaction.commit();
    return checkout;
}

Result<SandboxCheckout> SandboxWorld::decline(db::Session &db, const QString &id, const SandboxConduct &conduct) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_close_checkout", {{"id", id}, {"status", "failed"}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"This checkout is closed."_s);
    const SandboxCheckout checkout = checkoutIn(*row);
    auto failed = charge(db, checkout, checkout.price.minor(), false, {}, {}, {});
    announce(db, u"payment.failed"_s, {{}, {failed}, {}}, conduct);
    transaction.commit();
    return checkout;
}

Result<FactList> SandboxWorld::refund(db::Session &db, const RefundOrder &order) const
{
    db::Transaction transaction(db);
    if (const auto earlier = db.first("payments.sandbox_key", {{"key", order.idempotencyKey}})) {
        const auto row = db.one("payments.sandbox_payment", {{"references", QStringList{earlier->text("result")}}});
        return FactList{{}, {paymentFactIn(row)}, {}};
    }
    const auto row =
        db.first("payments.sandbox_refund",
                 {{"references", order.references}, {"amount_minor", order.amountMinor}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"The payment has not that much left to refund."_s);
    db.execute("payments.sandbox_keep_key",
               {{"key", order.idempotencyKey}, {"result", row->text("reference")}, {"now", db.now()}});
    const FactList facts{{}, {paymentFactIn(*row)}, {}};
    announce(db, u"payment.refunded"_s, facts, conduct(db));
    transaction.commit();
    return facts;
}

Result<FactList> SandboxWorld::cancel(db::Session &db, const SubscriptionOrder &order) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_cancel", {{"reference", order.reference}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"No such subscription runs."_s);
    const FactList facts{{subscriptionFactIn(*row)}, {}, {}};
    announce(db, u"subscription.canceled"_s, facts, conduct(db));
    transaction.commit();
    return facts;
}

// At once: the new tier for the rest of the period, and the difference for that rest is charged.
Result<FactList> SandboxWorld::upgrade(db::Session &db, const SubscriptionOrder &order) const
{
    db::Transaction transaction(db);
    const auto before = db.first("payments.sandbox_lock_subscription", {{"reference", order.reference}});
    if (!before || before->text("status") == "expired"_L1 || before->time("period_end") <= db.now())
        return refuse(ErrorCode::Conflict, u"No such subscription runs."_s);
    const auto row = db.one("payments.sandbox_upgrade",
                            {{"reference", order.reference},
                             {"tier", order.tier},
                             {"amount_minor", static_cast<qint64>(order.price.minor())},
                             {"now", db.now()}});
    FactList facts{{subscriptionFactIn(row)}, {}, {}};
    const qint64 whole_s = before->time("period_start").secsTo(before->time("period_end"));
    const qint64 left_s = db.now().secsTo(before->time("period_end"));
    const qint64 more = order.price.minor() - before->integer("amount_minor");
    if (more > 0 && whole_s > 0) {
        const SandboxCheckout terms{.id = {},
                                    .payment = {},
                                    .user = before->id<UserId>("user_id"),
                                    .kind = PaidFor::Period,
                                    .product = toText(order.tier),
                                    .title = {},
                                    .price = order.price,
                                    .trialDays = 0,
                                    .returnUrl = {},
                                    .status = {}};
        facts.payments.append(charge(db, terms, (more * left_s + whole_s / 2) / whole_s, true, order.reference,
                                     db.now(), before->time("period_end")));
    }
    announce(db, u"subscription.updated"_s, facts, conduct(db));
    transaction.commit();
    return facts;
}

Result<FactList> SandboxWorld::downgrade(db::Session &db, const SubscriptionOrder &order) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_downgrade",
                              {{"reference", order.reference},
                               {"tier", order.tier},
                               {"amount_minor", static_cast<qint64>(order.price.minor())},
                               {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"No such subscription runs."_s);
    const FactList facts{{subscriptionFactIn(*row)}, {}, {}};
    announce(db, u"subscription.updated"_s, facts, conduct(db));
    transaction.commit();
    return facts;
}

Result<QString> SandboxWorld::dispute(db::Session &db, const QString &paymentReference) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_dispute",
                              {{"reference", newReference("dp")}, {"payment", paymentReference}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"There is no such paid payment."_s);
    announce(db, u"dispute.opened"_s, {{}, {}, {disputeFactIn(*row)}}, conduct(db));
    transaction.commit();
    return row->text("reference");
}

Result<void> SandboxWorld::closeDispute(db::Session &db, const QString &reference, bool won) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_close_dispute",
                              {{"reference", reference}, {"state", won ? "won" : "lost"}, {"now", db.now()}});
    if (!row)
        return refuse(ErrorCode::Conflict, u"There is no such open dispute."_s);
    announce(db, u"dispute.closed"_s, {{}, {}, {disputeFactIn(*row)}}, conduct(db));
    transaction.commit();
    return {};
}

int SandboxWorld::renewDue(db::Session &db, int batch) const
{
    db::Transaction transaction(db);
    const auto rows = db.rows("payments.sandbox_due_renewals", {{"now", db.now()}, {"batch", batch}});
    const bool works = rows.isEmpty() || !conduct(db).renewalsFail;
    for (const auto &row : rows)
        renewOne(db, row, works);
    transaction.commit();
    return static_cast<int>(rows.size());
}

Result<FactList> SandboxWorld::renew(db::Session &db, const QString &reference) const
{
    db::Transaction transaction(db);
    const auto row = db.first("payments.sandbox_lock_subscription", {{"reference", reference}});
    if (!row || row->text("status") == "expired"_L1)
        return refuse(ErrorCode::Conflict, u"No such subscription runs."_s);
    renewOne(db, *row, !conduct(db).renewalsFail);
    const FactList facts{{subscriptionFactIn(db.one("payments.sandbox_lock_subscription", {{"reference", reference}}))},
                         {},
                         {}};
    transaction.commit();
    return facts;
}

// The period that ended: canceled ones expire, the others are charged again. A charge that fails is tried for three
// days, then the subscription ends.
bool SandboxWorld::renewOne(db::Session &db, const db::Row &subscription, bool works) const
{
    const QString reference = subscription.text("reference");
    const QDateTime from = subscription.time("period_end");
    const bool over = subscription.text("status") == "canceled"_L1
        || (subscription.text("status") == "past_due"_L1 && !works && from.addDays(3) <= db.now());
    if (over) {
        const auto row = db.one("payments.sandbox_expire", {{"reference", reference}, {"now", db.now()}});
        announce(db, u"subscription.expired"_s, {{subscriptionFactIn(row)}, {}, {}}, conduct(db));
        return false;
    }
    const bool changes = !subscription.isNull("next_tier");
    const qint64 amount = subscription.integer(changes ? "next_amount_minor" : "amount_minor");
    const QDateTime to = from.addMonths(1);
    const SandboxCheckout terms{.id = {},
                                .payment = {},
                                .user = subscription.id<UserId>("user_id"),
                                .kind = PaidFor::Period,
                                .product = subscription.text(changes ? "next_tier" : "tier"),
                                .title = {},
                                .price = Money::fromMinor(amount, subscription.text("currency")),
                                .trialDays = 0,
                                .returnUrl = {},
                                .status = {}};
    const auto row = db.one(works ? "payments.sandbox_renew" : "payments.sandbox_past_due",
                            {{"reference", reference}, {"period_end", to}, {"now", db.now()}});
    const auto paid = charge(db, terms, amount, works, reference, from, to);
    announce(db, works ? u"subscription.renewed"_s : u"subscription.past_due"_s, {{subscriptionFactIn(row)}, {}, {}},
             conduct(db));
    announce(db, works ? u"payment.paid"_s : u"payment.failed"_s, {{}, {paid}, {}}, conduct(db));
    return works;
}

FactList SandboxWorld::payments(db::Session &db, const QDateTime &from, const QDateTime &to) const
{
    FactList facts;
    for (const auto &row : db.rows("payments.sandbox_payments", {{"from", from}, {"to", to}}))
        facts.payments.append(paymentFactIn(row));
    for (const auto &row : db.rows("payments.sandbox_disputes", {{"from", from}, {"to", to}}))
        facts.disputes.append(disputeFactIn(row));
    return facts;
}

Result<FactList> SandboxWorld::subscription(db::Session &db, const QString &reference) const
{
    const auto row = db.first("payments.sandbox_find_subscription", {{"reference", reference}});
    if (!row)
        return refuse(ErrorCode::NotFound, u"There is no such subscription."_s);
    return FactList{{subscriptionFactIn(*row)}, {}, {}};
}

QList<DueWebhook> SandboxWorld::takeDue(db::Session &db, int batch) const
{
    QList<DueWebhook> due;
    for (const auto &row :
         db.rows("payments.sandbox_take_due", {{"now", db.now()}, {"again", db.now().addSecs(30)}, {"batch", batch}}))
        due.append({row.integer("id"), row.bytes("body"), static_cast<int>(row.integer("attempts"))});
    return due;
}

void SandboxWorld::delivered(db::Session &db, qint64 webhook) const
{
    db.execute("payments.sandbox_delivered", {{"id", webhook}, {"now", db.now()}});
}

// Again after 2, 4, 8 … seconds, for about nine hours.
void SandboxWorld::failed(db::Session &db, qint64 webhook, int attempts, const QString &error) const
{
    const int pause_s = 1 << std::min(attempts + 1, 12);
    db.execute("payments.sandbox_failed",
               {{"id", webhook}, {"due_at", db.now().addSecs(pause_s)}, {"error", error.left(200)}});
}

} // namespace companion::payments
