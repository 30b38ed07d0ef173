#include "billing/Subscriptions.h"

namespace companion::billing {

using namespace Qt::StringLiterals;

namespace {

const char *kindOf(PeriodPayment::Fate fate)
{
    switch (fate) {
    case PeriodPayment::Fate::Restored:
        return "payment_restored";
    case PeriodPayment::Fate::Refunded:
        return "payment_refunded";
    case PeriodPayment::Fate::Disputed:
        return "payment_disputed";
    }
    return "";
}

KnownSubscription subscriptionIn(const db::Row &row)
{
    Subscription state{.provider = row.value<Provider>("provider"),
                       .tier = row.value<Tier>("tier"),
                       .status = row.value<SubscriptionStatus>("status_now"),
                       .periodStart = row.time("period_start"),
                       .periodEnd = row.time("period_end"),
                       .entitledUntil = row.time("entitled_until"),
                       .nextTier = {},
                       .createdAt = row.time("created_at")};
    if (!row.isNull("next_tier"))
        state.nextTier = row.value<Tier>("next_tier");
    return {row.id<SubscriptionId>("id"), row.id<UserId>("user_id"), row.text("reference"), row.text("customer"),
            state};
}

} // namespace

// Paid up to here whatever happens; where the provider goes on trying, or its word may be under way, a little longer.
QDateTime SubscriptionService::entitledUntil(const ToldSubscription &told) const
{
    switch (told.status) {
    case SubscriptionStatus::Trialing:
    case SubscriptionStatus::Active:
        return told.periodEnd.addSecs(m_terms.renewalLeeway_s);
    case SubscriptionStatus::PastDue:
        return told.graceUntil.value_or(told.periodEnd.addDays(m_terms.grace_days));
    default:
        return told.periodEnd;
    }
}

Result<SubscriptionId> SubscriptionService::told(db::Session &db, const ToldSubscription &told) const
{
    ensure(told.status != SubscriptionStatus::Refunded, "that follows from the payments");
    const auto row =
        db.one("billing.subscription_told",
               {{"user_id", told.user},
                {"provider", told.provider},
                {"reference", told.reference},
                {"customer", told.customer.isEmpty() ? std::nullopt : std::optional(told.customer)},
                {"status", told.status},
                {"tier", told.tier},
                {"next_tier", told.nextTier},
                {"period_start", told.periodStart},
                {"period_end", told.periodEnd},
                {"entitled_until", entitledUntil(told)},
                {"version", told.version},
                {"effective_at", told.at},
                {"event", told.event ? std::optional(told.event->toString(QUuid::WithoutBraces)) : std::nullopt},
                {"now", db.now()}});
    if (row.text("code") == "not_found"_L1)
        return refuse(ErrorCode::NotFound, u"There is no such user."_s);
    if (row.text("code") == "other_user"_L1)
        return refuse(ErrorCode::Conflict, u"This subscription belongs to another account."_s);
    if (row.boolean("raised"))
        topUp(db, told.user);
    return row.id<SubscriptionId>("subscription_id");
}

void SubscriptionService::paymentChanged(db::Session &db, const UserId &user, const PeriodPayment &payment) const
{
    const auto row =
        db.one("billing.subscription_payment",
               {{"subscription_id", payment.subscription},
                {"payment_id", payment.payment},
                {"kind", kindOf(payment.fate)},
                {"version", payment.version},
                {"effective_at", payment.at},
                {"period_start", payment.periodStart},
                {"period_end", payment.periodEnd},
                {"event", payment.event ? std::optional(payment.event->toString(QUuid::WithoutBraces)) : std::nullopt},
                {"now", db.now()}});
    if (row.boolean("raised"))
        topUp(db, user);
}

void SubscriptionService::topUp(db::Session &db, const UserId &user) const
{
    if (const auto terms = m_tiers.termsOf(db, user))
        (void)m_ledger.refresh(db, user, terms->dailyCredits);
}

std::optional<KnownSubscription> SubscriptionService::find(db::Session &db, Provider provider,
                                                           const QString &reference) const
{
    const auto row =
        db.first("billing.find_subscription", {{"provider", provider}, {"reference", reference}, {"now", db.now()}});
    return row ? std::optional(subscriptionIn(*row)) : std::nullopt;
}

std::optional<KnownSubscription> SubscriptionService::ofUser(db::Session &db, const UserId &user) const
{
    const auto row = db.first("billing.subscription_of_user", {{"user_id", user}, {"now", db.now()}});
    return row ? std::optional(subscriptionIn(*row)) : std::nullopt;
}

SubscriptionState SubscriptionService::stateOf(db::Session &db, const UserId &user) const
{
    const auto row = db.one("billing.tier_now", {{"user_id", user}, {"now", db.now()}});
    SubscriptionState state{.tier = row.value<Tier>("tier"),
                            .tierExpiresAt = row.maybeTime("until"),
                            .subscription = {}};
    if (const auto known = ofUser(db, user))
        state.subscription = known->state;
    return state;
}

Tier SubscriptionService::tierAt(db::Session &db, const UserId &user, const QDateTime &at) const
{
    return db.one("billing.tier_at", {{"user_id", user}, {"at", at}}).value<Tier>("tier");
}

} // namespace companion::billing
