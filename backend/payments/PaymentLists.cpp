#include "payments/PaymentLists.h"

#include "payments/Checkouts.h"

namespace companion::payments {

using namespace Qt::StringLiterals;

AdminPayment adminPaymentIn(const db::Row &row)
{
    const Payment own = paymentIn(row);
    return {.id = own.id,
            .userId = row.id<UserId>("user_id"),
            .user = row.text("who"),
            .provider = own.provider,
            .kind = own.kind,
            .product = own.product,
            .amount = own.amount,
            .tax = own.tax,
            .fee = Money::fromMinor(row.integer("fee_minor"), own.currency).amount(),
            .refunded = own.refunded,
            .currency = own.currency,
            .status = own.status,
            .failure = own.failure,
            .references = row.texts("refs"),
            .createdAt = own.createdAt,
            .paidAt = own.paidAt};
}

AdminSubscription adminSubscriptionIn(const db::Row &row)
{
    AdminSubscription subscription{.id = row.text("id"),
                                   .userId = row.id<UserId>("user_id"),
                                   .user = row.text("who"),
                                   .provider = row.value<Provider>("provider"),
                                   .reference = row.text("reference"),
                                   .tier = row.value<Tier>("tier"),
                                   .nextTier = {},
                                   .status = row.value<SubscriptionStatus>("status"),
                                   .periodStart = row.time("period_start"),
                                   .periodEnd = row.time("period_end"),
                                   .entitledUntil = row.time("entitled_until"),
                                   .createdAt = row.time("created_at")};
    if (!row.isNull("next_tier"))
        subscription.nextTier = row.value<Tier>("next_tier");
    return subscription;
}

AdminDispute adminDisputeIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .paymentId = row.id<PaymentId>("payment_id"),
            .userId = row.id<UserId>("user_id"),
            .user = row.text("who"),
            .provider = row.value<Provider>("provider"),
            .reference = row.text("reference"),
            .state = row.value<DisputeState>("state"),
            .amount = Money::fromMinor(row.integer("amount_minor"), row.text("currency")).amount(),
            .currency = row.text("currency"),
            .reason = row.text("reason"),
            .suspends = !row.isNull("suspended_at"),
            .openedAt = row.time("opened_at"),
            .closedAt = row.maybeTime("closed_at")};
}

AdminWebhook adminWebhookIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .provider = row.value<Provider>("provider"),
            .eventId = row.maybeText("event_id"),
            .type = row.text("type"),
            .status = row.text("status"),
            .reason = row.maybeText("reason"),
            .deliveries = static_cast<int>(row.integer("deliveries")),
            .paymentId = row.maybeId<PaymentId>("payment_id"),
            .createdAt = row.time("created_at"),
            .receivedAt = row.time("received_at"),
            .lastAt = row.time("last_at"),
            .processedAt = row.maybeTime("processed_at")};
}

Debt debtIn(const db::Row &row)
{
    return {.id = row.text("id"),
            .userId = row.id<UserId>("user_id"),
            .user = row.text("who"),
            .cause = row.text("cause"),
            .original = row.credits("original"),
            .remaining = row.credits("remaining"),
            .createdAt = row.time("created_at"),
            .paymentId = row.maybeId<PaymentId>("payment_id")};
}

Result<ListPlace> ListPlace::of(const PageRequest &request)
{
    if (!request.cursor || request.cursor->isEmpty())
        return ListPlace{};
    const qsizetype point = request.cursor->indexOf(u'.');
    bool isNumber = false;
    const qint64 us = request.cursor->left(std::max<qsizetype>(point, 0)).toLongLong(&isNumber);
    const auto id = PaymentId::parse(request.cursor->mid(point + 1));
    constexpr qint64 year9999_us = 253'402'300'799'999'999;
    if (!isNumber || !id || us < 0 || us > year9999_us)
        return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                       .detail = u"The cursor is not one of ours."_s,
                                       .errors = {{u"/query/cursor"_s, u"is not a cursor"_s}}});
    return ListPlace{us, id->toString()};
}

ListSearch ListSearch::of(db::Session &db, const std::optional<QString> &typed)
{
    if (!typed || typed->trimmed().isEmpty())
        return {};
    ListSearch search{.text = typed->trimmed()};
    if (const auto id = PaymentId::parse(*search.text)) {
        search.id = id->toString();
        return search;
    }
    QString literal = *search.text;
    literal.replace(u'\\', u"\\\\"_s).replace(u'%', u"\\%"_s).replace(u'_', u"\\_"_s);
    QStringList users;
    for (const auto &row : db.rows("payments.users_matching", {{"pattern", QString(u'%' + literal + u'%')}}))
        users.append(row.text("id"));
    search.users = users;
    return search;
}

} // namespace companion::payments
