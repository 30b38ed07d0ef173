#pragma once

#include "console/client/PaymentsApi.h"
#include "console/models/PagedModel.h"

namespace companion::console {

class PaymentsModel : public PagedModel<AdminPayment>
{
    Q_OBJECT
public:
    enum Column { Time, User, Product, Amount, Refunded, Status, ProviderName };
    explicit PaymentsModel(QObject *parent = nullptr);
};

class SubscriptionsModel : public PagedModel<AdminSubscription>
{
    Q_OBJECT
public:
    enum Column { User, Tier, Status, PeriodEnd, EntitledUntil, ProviderName, Since };
    explicit SubscriptionsModel(QObject *parent = nullptr);
};

class DisputesModel : public PagedModel<AdminDispute>
{
    Q_OBJECT
public:
    enum Column { Opened, User, Amount, State, Reason, Account, ProviderName, Closed };
    explicit DisputesModel(QObject *parent = nullptr);
};

class DebtsModel : public PagedModel<Debt>
{
    Q_OBJECT
public:
    enum Column { Since, User, Cause, Original, Remaining, State };
    explicit DebtsModel(QObject *parent = nullptr);
};

class DifferencesModel : public PagedModel<ReconciliationDifference>
{
    Q_OBJECT
public:
    enum Column { Found, ProviderName, Day, Kind, Ours, Theirs, State };
    explicit DifferencesModel(QObject *parent = nullptr);
};

class RunsModel : public RowsModel<ReconciliationRun>
{
    Q_OBJECT
public:
    enum Column { Day, ProviderName, Outcome, Theirs, Ours, Healed, Run };
    explicit RunsModel(QObject *parent = nullptr);
};

// The lots a payment made.
class PaymentLotsModel : public RowsModel<PaymentLot>
{
    Q_OBJECT
public:
    enum Column { Bucket, Granted, Remaining, Returned, Expires };
    explicit PaymentLotsModel(QObject *parent = nullptr);
};

// What a refund takes out of each lot.
class RefundLotsModel : public RowsModel<RefundLot>
{
    Q_OBJECT
public:
    enum Column { Bucket, Remaining, Taken, After, Owed };
    explicit RefundLotsModel(QObject *parent = nullptr);
};

class SubscriptionEventsModel : public RowsModel<SubscriptionEvent>
{
    Q_OBJECT
public:
    enum Column { Since, What, Tier, PeriodEnd, Heard };
    explicit SubscriptionEventsModel(QObject *parent = nullptr);
};

// One step of what became of a payment, whatever list of its story it comes from.
struct TimelineStep
{
    QDateTime at;
    QString what;
    QString detail = {};
    QString amount = {}; // as it is to be read, with its sign
    Tone tone = Tone::Neutral;
};

// Newest first. Of one moment: money, then credits, then who told.
QList<TimelineStep> timelineOf(const PaymentStory &story);

class TimelineModel : public RowsModel<TimelineStep>
{
    Q_OBJECT
public:
    enum Column { What, Detail, Amount, Time };
    explicit TimelineModel(QObject *parent = nullptr);
};

// A period of the revenue report in one currency.
struct RevenueRow
{
    QDateTime from;
    QDateTime to;
    CurrencyRevenue money;
};

class RevenueModel : public RowsModel<RevenueRow>
{
    Q_OBJECT
public:
    enum Column { Period, Currency, Received, Refunded, ChargedBack, Tax, Fees, Recognised, Breakage, Deferred };
    explicit RevenueModel(QObject *parent = nullptr);
    // Newest period first; a period without money is one row of nothing in the report's currencies.
    void show(const RevenueReport &report, const QString &currency, RevenueInterval interval);

private:
    RevenueInterval m_interval = RevenueInterval::Month;
};

// RFC 4180, a header line first, amounts as the server said them. Every currency and period.
QByteArray revenueCsv(const RevenueReport &report);

} // namespace companion::console
