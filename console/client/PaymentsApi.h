#pragma once

#include "common/models/PaymentStory.h"
#include "console/client/ApiClient.h"

namespace companion::console {

struct PaymentSearch
{
    QString text; // an id, a provider's reference, or part of an email or name
    std::optional<PaymentStatus> status;
    std::optional<Provider> provider;
    std::optional<QString> currency;
    std::optional<QDateTime> from;
    bool operator==(const PaymentSearch &) const = default;
};

struct SubscriptionSearch
{
    QString text;
    std::optional<SubscriptionStatus> status;
    std::optional<Tier> tier;
    std::optional<Provider> provider;
    bool operator==(const SubscriptionSearch &) const = default;
};

struct DisputeSearch
{
    QString text;
    std::optional<DisputeState> state;
    std::optional<Provider> provider;
    bool operator==(const DisputeSearch &) const = default;
};

struct DebtSearch
{
    QString text;
    bool paidToo = false;
    bool operator==(const DebtSearch &) const = default;
};

struct DifferenceSearch
{
    bool resolvedToo = false;
    std::optional<Provider> provider;
    std::optional<DifferenceKind> kind;
    bool operator==(const DifferenceSearch &) const = default;
};

// A page of a list: how many rows, and next_cursor of the page before (none for the first).
struct ListPart
{
    int limit = 50;
    std::optional<QString> cursor = {};
};

class PaymentsApi
{
public:
    explicit PaymentsApi(ApiClient &client)
        : m_client(client)
    {
    }
    ApiCall<Page<AdminPayment>> payments(const PaymentSearch &search, const ListPart &part);
    ApiCall<PaymentStory> story(const PaymentId &id);
    // Changes nothing: what refunding `amount` (all that is left without) would do now.
    ApiCall<RefundPreview> refundPreview(const PaymentId &id, const std::optional<QString> &amount);
    // The same key sent twice refunds once; keep it until the answer is known.
    ApiCall<RefundDone> refund(const PaymentId &id, const RefundRequest &refund, const QByteArray &idempotencyKey);

    ApiCall<Page<AdminSubscription>> subscriptions(const SubscriptionSearch &search, const ListPart &part);
    ApiCall<SubscriptionHistory> subscription(const QString &id);
    ApiCall<TierAt> tierAt(const UserId &user, const QDateTime &at);

    ApiCall<Page<AdminDispute>> disputes(const DisputeSearch &search, const ListPart &part);

    ApiCall<Page<Debt>> debts(const DebtSearch &search, const ListPart &part);
    ApiCall<Debt> forgive(const QString &id, const ForgiveRequest &request, const QByteArray &idempotencyKey);

    ApiCall<Page<ReconciliationDifference>> differences(const DifferenceSearch &search, const ListPart &part);
    ApiCall<RunList> runs();
    ApiCall<ReconciliationRun> reconcile(const ReconcileRequest &request);
    ApiCall<ReconciliationDifference> resolve(const QString &id, const QString &note);

    // The webhook that the provider calls `eventId`; applied once more.
    ApiCall<Page<AdminWebhook>> webhook(Provider provider, const QString &eventId);
    ApiCall<AdminWebhook> applyWebhook(const QString &id);

    ApiCall<RevenueReport> revenue(const QDateTime &from, const QDateTime &to, RevenueInterval interval);

private:
    ApiClient &m_client;
};

} // namespace companion::console
