#include "payments/PaymentStories.h"

#include "payments/PaymentLists.h"

namespace companion::payments {

namespace {

PaymentLot lotIn(const db::Row &row)
{
    return {row.value<Bucket>("bucket"), row.credits("original"), row.credits("remaining"),
            row.credits("reserved"),     row.credits("returned"), row.maybeTime("expires_at")};
}

PaymentEntry entryIn(const db::Row &row)
{
    return {row.id<TransactionId>("id"), row.value<TransactionKind>("kind"),
            row.credits("amount"),       row.credits("debt"),
            row.text("description"),     row.time("created_at")};
}

MoneyEntry moneyIn(const db::Row &row)
{
    const auto money = [&](const char *column) {
        return Money::fromMinor(row.integer(column), row.text("currency")).amount();
    };
    return {row.value<MoneyKind>("kind"), money("amount_minor"), money("tax_minor"), money("fee_minor"),
            row.time("at_time")};
}

SubscriptionEvent eventIn(const db::Row &row)
{
    SubscriptionEvent event{.sequence = static_cast<int>(row.integer("sequence")),
                            .kind = row.value<SubscriptionEventKind>("kind"),
                            .status = {},
                            .tier = {},
                            .nextTier = {},
                            .periodStart = row.time("period_start"),
                            .periodEnd = row.time("period_end"),
                            .entitledUntil = row.maybeTime("entitled_until"),
                            .paymentId = row.maybeId<PaymentId>("payment_id"),
                            .effectiveAt = row.time("effective_at"),
                            .recordedAt = row.time("recorded_at")};
    if (!row.isNull("status"))
        event.status = row.value<SubscriptionStatus>("status");
    if (!row.isNull("tier"))
        event.tier = row.value<Tier>("tier");
    if (!row.isNull("next_tier"))
        event.nextTier = row.value<Tier>("next_tier");
    return event;
}

template <class T>
QList<T> listOf(const db::Rows &rows, T (*read)(const db::Row &))
{
    QList<T> list;
    for (const auto &row : rows)
        list.append(read(row));
    return list;
}

} // namespace

std::optional<AdminPayment> PaymentStories::payment(db::Session &db, const PaymentId &id) const
{
    const auto row = db.first("payments.find_payments",
                              {{"id", id},
                               {"user_id", std::nullopt},
                               {"status", std::nullopt},
                               {"provider", std::nullopt},
                               {"currency", std::nullopt},
                               {"reference", std::nullopt},
                               {"from", std::nullopt},
                               {"to", std::nullopt},
                               {"q", std::nullopt},
                               {"q_id", std::nullopt},
                               {"q_users", std::nullopt},
                               {"before_us", std::nullopt},
                               {"before_id", std::nullopt},
                               {"limit", 1},
                               {"offset", 0}});
    return row ? std::optional(adminPaymentIn(*row)) : std::nullopt;
}

std::optional<PaymentStory> PaymentStories::story(db::Session &db, const PaymentId &id) const
{
    const auto about = payment(db, id);
    if (!about)
        return std::nullopt;
    const auto terms = db.one("payments.story_terms", {{"id", id}});
    PaymentStory story{.payment = *about,
                       .credits = terms.maybeCredits("credits"),
                       .bonusCredits = terms.maybeCredits("bonus_credits"),
                       .subscriptionId = terms.maybeText("subscription_id"),
                       .lots = listOf(db.rows("payments.story_lots", {{"id", id}}), &lotIn),
                       .entries = listOf(db.rows("payments.story_entries", {{"id", id}}), &entryIn),
                       .money = listOf(db.rows("payments.story_money", {{"id", id}}), &moneyIn),
                       .refunds = {},
                       .disputes = listOf(db.rows("payments.story_disputes", {{"id", id}}), &adminDisputeIn),
                       .debts = listOf(db.rows("payments.story_debts", {{"id", id}}), &debtIn),
                       .webhooks = listOf(db.rows("payments.story_webhooks", {{"id", id}}), &adminWebhookIn)};
    for (const auto &row : db.rows("payments.story_refunds", {{"id", id}}))
        story.refunds.append({.id = row.text("id"),
                              .amount = Money::fromMinor(row.integer("amount_minor"), about->currency).amount(),
                              .state = row.value<RefundState>("status"),
                              .reason = row.text("reason"),
                              .failure = row.maybeText("failure"),
                              .actor = row.text("actor"),
                              .createdAt = row.time("created_at"),
                              .doneAt = row.maybeTime("done_at")});
    return story;
}

std::optional<SubscriptionHistory> PaymentStories::history(db::Session &db, const SubscriptionKey &id) const
{
    const auto row = db.first("payments.find_subscriptions",
                              {{"id", id},
                               {"user_id", std::nullopt},
                               {"provider", std::nullopt},
                               {"status", std::nullopt},
                               {"tier", std::nullopt},
                               {"now", db.now()},
                               {"q", std::nullopt},
                               {"q_id", std::nullopt},
                               {"q_users", std::nullopt},
                               {"before_us", std::nullopt},
                               {"before_id", std::nullopt},
                               {"limit", 1},
                               {"offset", 0}});
    if (!row)
        return std::nullopt;
    return SubscriptionHistory{.subscription = adminSubscriptionIn(*row),
                               .events = listOf(db.rows("payments.subscription_events", {{"id", id}}), &eventIn),
                               .payments =
                                   listOf(db.rows("payments.subscription_payments", {{"id", id}}), &adminPaymentIn)};
}

} // namespace companion::payments
