#include "console/client/PaymentsApi.h"

#include "common/describe/EnumText.h"

namespace companion::console {

namespace {

// QUrlQuery leaves a plus as it is, and servers read it as a blank.
void add(QUrlQuery &query, const char *name, const QString &text)
{
    if (!text.isEmpty())
        query.addQueryItem(QString::fromLatin1(name), QString::fromLatin1(QUrl::toPercentEncoding(text)));
}

template <NamedEnum E>
void add(QUrlQuery &query, const char *name, const std::optional<E> &value)
{
    if (value)
        add(query, name, toText(*value));
}

QUrlQuery queryOf(const ListPart &part)
{
    QUrlQuery query;
    add(query, "limit", QString::number(part.limit));
    add(query, "cursor", part.cursor.value_or(QString()));
    return query;
}

QString paymentPath(const PaymentId &id, const char *below)
{
    return QStringLiteral("/admin/payments/") + id.toString() + QString::fromLatin1(below);
}

} // namespace

ApiCall<Page<AdminPayment>> PaymentsApi::payments(const PaymentSearch &search, const ListPart &part)
{
    QUrlQuery query = queryOf(part);
    add(query, "q", search.text);
    add(query, "status", search.status);
    add(query, "provider", search.provider);
    add(query, "currency", search.currency.value_or(QString()));
    add(query, "from", search.from ? json::timeText(*search.from) : QString());
    return m_client.call<Page<AdminPayment>>({.path = QStringLiteral("/admin/payments"), .query = query});
}

ApiCall<PaymentStory> PaymentsApi::story(const PaymentId &id)
{
    return m_client.call<PaymentStory>({.path = paymentPath(id, "/story")});
}

ApiCall<RefundPreview> PaymentsApi::refundPreview(const PaymentId &id, const std::optional<QString> &amount)
{
    QUrlQuery query;
    add(query, "amount", amount.value_or(QString()));
    return m_client.call<RefundPreview>({.path = paymentPath(id, "/refund"), .query = query});
}

ApiCall<RefundDone> PaymentsApi::refund(const PaymentId &id, const RefundRequest &refund,
                                        const QByteArray &idempotencyKey)
{
    return m_client.call<RefundDone>({.method = "POST",
                                      .path = paymentPath(id, "/refund"),
                                      .body = toJson(refund),
                                      .idempotencyKey = idempotencyKey});
}

ApiCall<Page<AdminSubscription>> PaymentsApi::subscriptions(const SubscriptionSearch &search, const ListPart &part)
{
    QUrlQuery query = queryOf(part);
    add(query, "q", search.text);
    add(query, "status", search.status);
    add(query, "tier", search.tier);
    add(query, "provider", search.provider);
    return m_client.call<Page<AdminSubscription>>({.path = QStringLiteral("/admin/subscriptions"), .query = query});
}

ApiCall<SubscriptionHistory> PaymentsApi::subscription(const QString &id)
{
    return m_client.call<SubscriptionHistory>({.path = QStringLiteral("/admin/subscriptions/") + id});
}

ApiCall<TierAt> PaymentsApi::tierAt(const UserId &user, const QDateTime &at)
{
    QUrlQuery query;
    add(query, "at", json::timeText(at));
    return m_client.call<TierAt>({.path = QStringLiteral("/admin/users/%1/tier").arg(user.toString()), .query = query});
}

ApiCall<Page<AdminDispute>> PaymentsApi::disputes(const DisputeSearch &search, const ListPart &part)
{
    QUrlQuery query = queryOf(part);
    add(query, "q", search.text);
    add(query, "state", search.state);
    add(query, "provider", search.provider);
    return m_client.call<Page<AdminDispute>>({.path = QStringLiteral("/admin/disputes"), .query = query});
}

ApiCall<Page<Debt>> PaymentsApi::debts(const DebtSearch &search, const ListPart &part)
{
    QUrlQuery query = queryOf(part);
    add(query, "q", search.text);
    add(query, "all", search.paidToo ? QStringLiteral("true") : QString());
    return m_client.call<Page<Debt>>({.path = QStringLiteral("/admin/debts"), .query = query});
}

ApiCall<Debt> PaymentsApi::forgive(const QString &id, const ForgiveRequest &request, const QByteArray &idempotencyKey)
{
    return m_client.call<Debt>({.method = "POST",
                                .path = QStringLiteral("/admin/debts/%1/forgive").arg(id),
                                .body = toJson(request),
                                .idempotencyKey = idempotencyKey});
}

ApiCall<Page<ReconciliationDifference>> PaymentsApi::differences(const DifferenceSearch &search, const ListPart &part)
{
    QUrlQuery query = queryOf(part);
    add(query, "all", search.resolvedToo ? QStringLiteral("true") : QString());
    add(query, "provider", search.provider);
    add(query, "kind", search.kind);
    return m_client.call<Page<ReconciliationDifference>>(
        {.path = QStringLiteral("/admin/reconciliation"), .query = query});
}

ApiCall<RunList> PaymentsApi::runs()
{
    return m_client.call<RunList>({.path = QStringLiteral("/admin/reconciliation/runs")});
}

ApiCall<ReconciliationRun> PaymentsApi::reconcile(const ReconcileRequest &request)
{
    return m_client.call<ReconciliationRun>(
        {.method = "POST", .path = QStringLiteral("/admin/reconciliation/run"), .body = toJson(request)});
}

ApiCall<ReconciliationDifference> PaymentsApi::resolve(const QString &id, const QString &note)
{
    return m_client.call<ReconciliationDifference>({.method = "POST",
                                                    .path = QStringLiteral("/admin/reconciliation/%1/resolve").arg(id),
                                                    .body = toJson(ResolveRequest{note})});
}

ApiCall<Page<AdminWebhook>> PaymentsApi::webhook(Provider provider, const QString &eventId)
{
    QUrlQuery query;
    add(query, "provider", toText(provider));
    add(query, "event", eventId);
    return m_client.call<Page<AdminWebhook>>({.path = QStringLiteral("/admin/webhooks"), .query = query});
}

ApiCall<AdminWebhook> PaymentsApi::applyWebhook(const QString &id)
{
    return m_client.call<AdminWebhook>(
        {.method = "POST", .path = QStringLiteral("/admin/webhooks/%1/apply").arg(id), .body = QJsonObject()});
}

ApiCall<RevenueReport> PaymentsApi::revenue(const QDateTime &from, const QDateTime &to, RevenueInterval interval)
{
    QUrlQuery query;
    add(query, "from", json::timeText(from));
    add(query, "to", json::timeText(to));
    add(query, "interval", toText(interval));
    return m_client.call<RevenueReport>({.path = QStringLiteral("/admin/books/revenue"), .query = query});
}

} // namespace companion::console
