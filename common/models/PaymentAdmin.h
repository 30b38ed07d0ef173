#pragma once

#include "common/models/Payments.h"

namespace companion {

// A payment as operators see it.
struct AdminPayment
{
    PaymentId id;
    UserId userId;
    QString user; // email or name
    Provider provider = Provider::Sandbox;
    PaidFor kind = PaidFor::CreditPackage;
    QString product;
    QString amount;
    QString tax;
    QString fee; // what the provider keeps
    QString refunded;
    QString currency;
    PaymentStatus status = PaymentStatus::Pending;
    std::optional<QString> failure;
    QStringList references; // the provider's ids
    QDateTime createdAt;
    std::optional<QDateTime> paidAt;

    static constexpr const char *modelName = "AdminPayment";
    static constexpr auto fields()
    {
        using P = AdminPayment;
        return std::tuple(field("id", &P::id), field("user_id", &P::userId), field("user", &P::user, {.title = "User"}),
                          field("provider", &P::provider, {.title = "Provider"}),
                          field("kind", &P::kind, {.title = "For"}),
                          field("product", &P::product, {.title = "Product"}),
                          field("amount", &P::amount, {.title = "Amount"}), field("tax", &P::tax, {.title = "Tax"}),
                          field("fee", &P::fee, {.title = "Fee"}),
                          field("refunded", &P::refunded, {.title = "Refunded"}),
                          field("currency", &P::currency, {.title = "Currency"}),
                          field("status", &P::status, {.title = "Status"}),
                          field("failure", &P::failure, {.title = "Why it failed", .nullable = true}),
                          field("references", &P::references, {.title = "References"}),
                          field("created_at", &P::createdAt, {.title = "Time"}),
                          field("paid_at", &P::paidAt, {.title = "Paid", .nullable = true}));
    }
};

// POST /admin/payments/{id}/refund; without an amount all that is left.
struct RefundRequest
{
    std::optional<QString> amount;
    QString reason;

    static constexpr const char *modelName = "RefundRequest";
    static constexpr auto fields()
    {
        using R = RefundRequest;
        return std::tuple(field("amount", &R::amount, {.maxLength = 20, .pattern = "[0-9]+(\\.[0-9]+)?"}),
                          field("reason", &R::reason, {.minLength = 3, .maxLength = 500}));
    }
};

// One of the lots a payment made, as it stands, and what a refund would take out of it.
struct RefundLot
{
    Bucket bucket = Bucket::Purchased;
    Credits granted;
    Credits remaining; // held credit included
    Credits held;
    Credits taken;
    Credits owed; // what of the refund's share is spent or held

    static constexpr const char *modelName = "RefundLot";
    static constexpr auto fields()
    {
        using L = RefundLot;
        return std::tuple(field("bucket", &L::bucket, {.title = "Bucket"}),
                          field("granted", &L::granted, {.title = "Granted"}),
                          field("remaining", &L::remaining, {.title = "Remaining"}),
                          field("held", &L::held, {.title = "Held"}),
                          field("taken", &L::taken, {.title = "Taken back"}),
                          field("owed", &L::owed, {.title = "Spent or held"}));
    }
};

// What a refund would take, as the lots stand now: out of the very lots, and as a debt what of them is spent or held.
struct RefundPreview
{
    QString amount;
    QString left; // to refund after it
    QString currency;
    Credits purchased; // out of the purchased lot
    Credits bonus;     // out of the bonus lot
    Credits owed;      // becomes a debt
    bool endsTier = false; // of a subscription's period
    QList<RefundLot> lots;
    Credits paidAtOnce; // of what is owed then, out of other purchased lots
    Credits balanceBefore;
    Credits balanceAfter;
    Credits debtBefore;
    Credits debtAfter;

    static constexpr const char *modelName = "RefundPreview";
    static constexpr auto fields()
    {
        using P = RefundPreview;
        return std::tuple(field("amount", &P::amount), field("left", &P::left), field("currency", &P::currency),
                          field("purchased", &P::purchased), field("bonus", &P::bonus), field("owed", &P::owed),
                          field("ends_tier", &P::endsTier), field("lots", &P::lots),
                          field("paid_at_once", &P::paidAtOnce), field("balance_before", &P::balanceBefore),
                          field("balance_after", &P::balanceAfter), field("debt_before", &P::debtBefore),
                          field("debt_after", &P::debtAfter));
    }
};

struct RefundDone
{
    QString refundId;
    Payment payment;

    static constexpr const char *modelName = "RefundDone";
    static constexpr auto fields()
    {
        return std::tuple(field("refund_id", &RefundDone::refundId), field("payment", &RefundDone::payment));
    }
};

struct Debt
{
    QString id;
    UserId userId;
    QString user;
    QString cause; // payment_refund or chargeback
    Credits original;
    Credits remaining;
    QDateTime createdAt;
    std::optional<PaymentId> paymentId; // whose credits were refunded

    static constexpr const char *modelName = "Debt";
    static constexpr auto fields()
    {
        using D = Debt;
        return std::tuple(field("id", &D::id), field("user_id", &D::userId), field("user", &D::user, {.title = "User"}),
                          field("cause", &D::cause, {.title = "Cause"}),
                          field("original", &D::original, {.title = "Was"}),
                          field("remaining", &D::remaining, {.title = "Owed"}),
                          field("created_at", &D::createdAt, {.title = "Since"}),
                          field("payment_id", &D::paymentId, {.title = "Payment", .nullable = true}));
    }
};

struct ForgiveRequest
{
    Credits amount;
    QString reason;

    static constexpr const char *modelName = "ForgiveRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("amount", &ForgiveRequest::amount),
                          field("reason", &ForgiveRequest::reason, {.minLength = 3, .maxLength = 500}));
    }
};

struct ReconciliationRun
{
    Provider provider = Provider::Sandbox;
    QString day; // YYYY-MM-DD, UTC
    QDateTime runAt;
    int theirs = 0;
    int ours = 0;
    int healed = 0;
    int differences = 0;
    std::optional<QString> error;

    static constexpr const char *modelName = "ReconciliationRun";
    static constexpr auto fields()
    {
        using R = ReconciliationRun;
        return std::tuple(field("provider", &R::provider, {.title = "Provider"}),
                          field("day", &R::day, {.title = "Day"}), field("run_at", &R::runAt, {.title = "Run"}),
                          field("theirs", &R::theirs, {.title = "Theirs"}), field("ours", &R::ours, {.title = "Ours"}),
                          field("healed", &R::healed, {.title = "Healed"}),
                          field("differences", &R::differences, {.title = "Differences"}),
                          field("error", &R::error, {.title = "Error", .nullable = true}));
    }
};

enum class DifferenceKind { MissingHere, MissingThere, Amount, Refunded, Status, UnusableEvent };
template <>
struct EnumNames<DifferenceKind>
{
    using K = DifferenceKind;
    static constexpr std::array values{std::pair{K::MissingHere, "missing_here"},
                                       std::pair{K::MissingThere, "missing_there"},
                                       std::pair{K::Amount, "amount"},
                                       std::pair{K::Refunded, "refunded"},
                                       std::pair{K::Status, "status"},
                                       std::pair{K::UnusableEvent, "unusable_event"}};
};

struct ReconciliationDifference
{
    QString id;
    Provider provider = Provider::Sandbox;
    QString day;
    DifferenceKind kind = DifferenceKind::MissingHere;
    QString reference;
    QString ours;
    QString theirs;
    bool healed = false;
    QDateTime foundAt;
    std::optional<QDateTime> resolvedAt;
    std::optional<QString> note;
    std::optional<PaymentId> paymentId;

    static constexpr const char *modelName = "ReconciliationDifference";
    static constexpr auto fields()
    {
        using D = ReconciliationDifference;
        return std::tuple(field("id", &D::id), field("provider", &D::provider, {.title = "Provider"}),
                          field("day", &D::day, {.title = "Day"}), field("kind", &D::kind, {.title = "Difference"}),
                          field("reference", &D::reference, {.title = "Reference"}),
                          field("ours", &D::ours, {.title = "Ours"}), field("theirs", &D::theirs, {.title = "Theirs"}),
                          field("healed", &D::healed, {.title = "Healed"}),
                          field("found_at", &D::foundAt, {.title = "Found"}),
                          field("resolved_at", &D::resolvedAt, {.title = "Resolved", .nullable = true}),
                          field("note", &D::note, {.title = "Note", .nullable = true}),
                          field("payment_id", &D::paymentId, {.title = "Payment", .nullable = true}));
    }
};

// POST /admin/reconciliation/run
struct ReconcileRequest
{
    Provider provider = Provider::Sandbox;
    QString day;

    static constexpr const char *modelName = "ReconcileRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("provider", &ReconcileRequest::provider),
                          field("day", &ReconcileRequest::day,
                                {.pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}", .example = "2026-03-01"}));
    }
};

// POST /admin/reconciliation/{id}/resolve
struct ResolveRequest
{
    QString note;

    static constexpr const char *modelName = "ResolveRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("note", &ResolveRequest::note, {.minLength = 3, .maxLength = 500}));
    }
};

// GET /admin/reconciliation/runs: the last sixty.
struct RunList
{
    QList<ReconciliationRun> runs;

    static constexpr const char *modelName = "RunList";
    static constexpr auto fields() { return std::tuple(field("runs", &RunList::runs)); }
};

// Money by currency over [from, to), from the books alone; `deferred` as it stands at `to`.
struct CurrencyRevenue
{
    QString currency;
    QString received;
    QString refunded;
    QString chargedBack;
    QString tax;        // in what was received, less what went back
    QString fees;       // what the providers kept
    QString recognised; // earned by usage, and by the days of subscriptions
    QString breakage;   // earned by bonus credit that expired unused
    QString deferred;   // paid for and still to be given

    static constexpr const char *modelName = "CurrencyRevenue";
    static constexpr auto fields()
    {
        using R = CurrencyRevenue;
        return std::tuple(field("currency", &R::currency, {.title = "Currency"}),
                          field("received", &R::received, {.title = "Received"}),
                          field("refunded", &R::refunded, {.title = "Refunded"}),
                          field("charged_back", &R::chargedBack, {.title = "Charged back"}),
                          field("tax", &R::tax, {.title = "Tax"}), field("fees", &R::fees, {.title = "Fees"}),
                          field("recognised", &R::recognised, {.title = "Recognised"}),
                          field("breakage", &R::breakage, {.title = "Breakage"}),
                          field("deferred", &R::deferred, {.title = "Deferred"}));
    }
};

enum class RevenueInterval { Day, Week, Month };
template <>
struct EnumNames<RevenueInterval>
{
    using I = RevenueInterval;
    static constexpr std::array values{std::pair{I::Day, "day"}, std::pair{I::Week, "week"},
                                       std::pair{I::Month, "month"}};
};

// The same for a part of the span: a day, a week or a month of it, UTC.
struct RevenuePeriod
{
    QDateTime from;
    QDateTime to;
    QList<CurrencyRevenue> currencies;

    static constexpr const char *modelName = "RevenuePeriod";
    static constexpr auto fields()
    {
        using P = RevenuePeriod;
        return std::tuple(field("from", &P::from, {.title = "From"}), field("to", &P::to, {.title = "To"}),
                          field("currencies", &P::currencies));
    }
};

struct RevenueReport
{
    QDateTime from;
    QDateTime to;
    QList<CurrencyRevenue> currencies;
    QList<RevenuePeriod> periods; // oldest first; empty without an interval

    static constexpr const char *modelName = "RevenueReport";
    static constexpr auto fields()
    {
        using R = RevenueReport;
        return std::tuple(field("from", &R::from), field("to", &R::to), field("currencies", &R::currencies),
                          field("periods", &R::periods));
    }
};

// A webhook as it was kept. No event_id: it was not believed.
struct AdminWebhook
{
    QString id;
    Provider provider = Provider::Sandbox;
    std::optional<QString> eventId;
    QString type;
    QString status; // received, processed, waiting, failed, refused
    std::optional<QString> reason; // why it waits, failed or was refused
    int deliveries = 1;
    std::optional<PaymentId> paymentId;
    QDateTime createdAt; // as the provider says
    QDateTime receivedAt;
    QDateTime lastAt;
    std::optional<QDateTime> processedAt;

    static constexpr const char *modelName = "AdminWebhook";
    static constexpr auto fields()
    {
        using W = AdminWebhook;
        return std::tuple(field("id", &W::id), field("provider", &W::provider, {.title = "Provider"}),
                          field("event_id", &W::eventId, {.title = "Event", .nullable = true}),
                          field("type", &W::type, {.title = "Type"}), field("status", &W::status, {.title = "Status"}),
                          field("reason", &W::reason, {.title = "Why", .nullable = true}),
                          field("deliveries", &W::deliveries, {.title = "Deliveries"}),
                          field("payment_id", &W::paymentId, {.title = "Payment", .nullable = true}),
                          field("created_at", &W::createdAt, {.title = "Told"}),
                          field("received_at", &W::receivedAt, {.title = "Received"}),
                          field("last_at", &W::lastAt, {.title = "Last"}),
                          field("processed_at", &W::processedAt, {.title = "Applied", .nullable = true}));
    }
};

struct AdminDispute
{
    QString id;
    PaymentId paymentId;
    UserId userId;
    QString user;
    Provider provider = Provider::Sandbox;
    QString reference; // the provider's id of it
    DisputeState state = DisputeState::Open;
    QString amount;
    QString currency;
    QString reason;
    bool suspends = false; // the account is suspended for it
    QDateTime openedAt;
    std::optional<QDateTime> closedAt;

    static constexpr const char *modelName = "AdminDispute";
    static constexpr auto fields()
    {
        using D = AdminDispute;
        return std::tuple(
            field("id", &D::id), field("payment_id", &D::paymentId), field("user_id", &D::userId),
            field("user", &D::user, {.title = "User"}), field("provider", &D::provider, {.title = "Provider"}),
            field("reference", &D::reference, {.title = "Reference"}), field("state", &D::state, {.title = "State"}),
            field("amount", &D::amount, {.title = "Amount"}), field("currency", &D::currency, {.title = "Currency"}),
            field("reason", &D::reason, {.title = "Reason"}), field("suspends", &D::suspends, {.title = "Suspended"}),
            field("opened_at", &D::openedAt, {.title = "Opened"}),
            field("closed_at", &D::closedAt, {.title = "Closed", .nullable = true}));
    }
};

struct AdminSubscription
{
    QString id;
    UserId userId;
    QString user;
    Provider provider = Provider::Sandbox;
    QString reference; // the provider's id of it
    Tier tier = Tier::Premium;
    std::optional<Tier> nextTier; // from the period's end on
    SubscriptionStatus status = SubscriptionStatus::Expired; // as of now
    QDateTime periodStart;
    QDateTime periodEnd;
    QDateTime entitledUntil;
    QDateTime createdAt;

    static constexpr const char *modelName = "AdminSubscription";
    static constexpr auto fields()
    {
        using S = AdminSubscription;
        return std::tuple(field("id", &S::id), field("user_id", &S::userId), field("user", &S::user, {.title = "User"}),
                          field("provider", &S::provider, {.title = "Provider"}),
                          field("reference", &S::reference, {.title = "Reference"}),
                          field("tier", &S::tier, {.title = "Tier"}),
                          field("next_tier", &S::nextTier, {.title = "Then", .nullable = true}),
                          field("status", &S::status, {.title = "Status"}),
                          field("period_start", &S::periodStart, {.title = "Period from"}),
                          field("period_end", &S::periodEnd, {.title = "Period to"}),
                          field("entitled_until", &S::entitledUntil, {.title = "Entitled until"}),
                          field("created_at", &S::createdAt, {.title = "Since"}));
    }
};

} // namespace companion
