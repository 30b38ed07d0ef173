#include "console/models/MoneyModels.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"

namespace companion::console {

namespace {

using Align = TableModel::Align;

// A whole row's key is its first column's.
template <class Row>
auto keyed(QString (*text)(const Row &), QString (*key)(const Row &))
{
    return
        [=](const Row &row, int role) { return role == KeyRole ? QVariant(key(row)) : cells::text(text(row), role); };
}

QVariant maybeTime(const std::optional<QDateTime> &time, const QString &none, int role)
{
    return time ? cells::time(*time, role) : cells::quiet(none, role);
}

QVariant creditsCell(Credits amount, int role)
{
    return role == SecondaryRole ? QVariant(amount.isZero()) : cells::text(format::credits(amount), role);
}

// A zero would only be noise between the figures.
QVariant moneyCell(const QString &amount, const QString &currency, int role)
{
    const auto value = Money::parse(amount, currency);
    const bool nothing = value && value->minor() == 0;
    if (role == SecondaryRole)
        return nothing;
    return cells::text(nothing ? QString(QChar(0x2013)) : format::money(amount, currency), role);
}

QString paymentUser(const AdminPayment &p)
{
    return p.user;
}

QString tierText(const AdminSubscription &s)
{
    return s.nextTier ? QString(words::tier(s.tier) + QStringLiteral(" → ") + words::tier(*s.nextTier))
                      : words::tier(s.tier);
}

} // namespace

PaymentsModel::PaymentsModel(QObject *parent)
    : PagedModel(
          {{{words::title(&AdminPayment::createdAt)},
            [](const AdminPayment &p, int role) {
                return role == KeyRole ? QVariant(p.id.toString()) : cells::time(p.createdAt, role);
            }},
           {{words::title(&AdminPayment::user)},
            [](const AdminPayment &p, int role) { return cells::text(paymentUser(p), role); }},
           {{words::title(&AdminPayment::kind)},
            [](const AdminPayment &p, int role) { return cells::quiet(words::paidFor(p.kind, p.product), role); }},
           {{words::title(&AdminPayment::amount), Align::Right},
            [](const AdminPayment &p, int role) { return cells::text(format::money(p.amount, p.currency), role); }},
           {{words::title(&AdminPayment::refunded), Align::Right},
            [](const AdminPayment &p, int role) { return moneyCell(p.refunded, p.currency, role); }},
           {{words::title(&AdminPayment::status)},
            [](const AdminPayment &p, int role) {
                return role == Qt::ToolTipRole && p.failure
                    ? QVariant(*p.failure)
                    : cells::state(words::paymentStatus(p.status), words::tone(p.status), role);
            }},
           {{words::title(&AdminPayment::provider)},
            [](const AdminPayment &p, int role) { return cells::quiet(words::provider(p.provider), role); }}},
          parent)
{
}

SubscriptionsModel::SubscriptionsModel(QObject *parent)
    : PagedModel({{{words::title(&AdminSubscription::user)},
                   keyed<AdminSubscription>([](const AdminSubscription &s) { return s.user; },
                                            [](const AdminSubscription &s) { return s.id; })},
                  {{words::title(&AdminSubscription::tier)},
                   [](const AdminSubscription &s, int role) { return cells::text(tierText(s), role); }},
                  {{words::title(&AdminSubscription::status)},
                   [](const AdminSubscription &s, int role) {
                       return cells::state(words::subscriptionStatus(s.status), words::tone(s.status), role);
                   }},
                  {{words::title(&AdminSubscription::periodEnd), Align::Right},
                   [](const AdminSubscription &s, int role) { return cells::time(s.periodEnd, role); }},
                  {{words::title(&AdminSubscription::entitledUntil), Align::Right},
                   [](const AdminSubscription &s, int role) { return cells::time(s.entitledUntil, role); }},
                  {{words::title(&AdminSubscription::provider)},
                   [](const AdminSubscription &s, int role) {
                       return cells::quiet(words::provider(s.provider), role);
                   }},
                  {{words::title(&AdminSubscription::createdAt), Align::Right},
                   [](const AdminSubscription &s, int role) { return cells::time(s.createdAt, role); }}},
                 parent)
{
}

DisputesModel::DisputesModel(QObject *parent)
    : PagedModel(
          {{{words::title(&AdminDispute::openedAt)},
            [](const AdminDispute &d, int role) {
                return role == KeyRole ? QVariant(d.paymentId.toString()) : cells::time(d.openedAt, role);
            }},
           {{words::title(&AdminDispute::user)},
            [](const AdminDispute &d, int role) { return cells::text(d.user, role); }},
           {{words::title(&AdminDispute::amount), Align::Right},
            [](const AdminDispute &d, int role) { return cells::text(format::money(d.amount, d.currency), role); }},
           {{words::title(&AdminDispute::state)},
            [](const AdminDispute &d, int role) {
                return cells::state(words::disputeState(d.state), words::tone(d.state), role);
            }},
           {{words::title(&AdminDispute::reason)},
            [](const AdminDispute &d, int role) {
                return cells::quiet(d.reason.isEmpty() ? tr("not said") : format::words(d.reason), role);
            }},
           {{tr("Account")},
            [](const AdminDispute &d, int role) {
                return cells::quiet(!d.suspends                        ? tr("untouched")
                                        : d.state == DisputeState::Won ? tr("was suspended")
                                                                       : tr("suspended"),
                                    role);
            }},
           {{words::title(&AdminDispute::provider)},
            [](const AdminDispute &d, int role) { return cells::quiet(words::provider(d.provider), role); }},
           {{words::title(&AdminDispute::closedAt), Align::Right},
            [](const AdminDispute &d, int role) { return maybeTime(d.closedAt, QString(QChar(0x2013)), role); }}},
          parent)
{
}

DebtsModel::DebtsModel(QObject *parent)
    : PagedModel({{{words::title(&Debt::createdAt)},
                   [](const Debt &d, int role) {
                       return role == KeyRole ? QVariant(d.id) : cells::time(d.createdAt, role);
                   }},
                  {{words::title(&Debt::user)}, [](const Debt &d, int role) { return cells::text(d.user, role); }},
                  {{words::title(&Debt::cause)},
                   [](const Debt &d, int role) { return cells::quiet(words::debtCause(d.cause), role); }},
                  {{words::title(&Debt::original), Align::Right},
                   [](const Debt &d, int role) { return cells::quiet(format::credits(d.original), role); }},
                  {{words::title(&Debt::remaining), Align::Right},
                   [](const Debt &d, int role) { return creditsCell(d.remaining, role); }},
                  {{tr("State")},
                   [](const Debt &d, int role) {
                       return d.remaining.isZero() ? cells::state(tr("Settled"), Tone::Positive, role)
                                                   : cells::state(tr("Owed"), Tone::Warning, role);
                   }}},
                 parent)
{
}

DifferencesModel::DifferencesModel(QObject *parent)
    : PagedModel({{{words::title(&ReconciliationDifference::foundAt)},
                   [](const ReconciliationDifference &d, int role) {
                       return role == KeyRole ? QVariant(d.id) : cells::time(d.foundAt, role);
                   }},
                  {{words::title(&ReconciliationDifference::provider)},
                   [](const ReconciliationDifference &d, int role) {
                       return cells::text(words::provider(d.provider), role);
                   }},
                  {{words::title(&ReconciliationDifference::day)},
                   [](const ReconciliationDifference &d, int role) { return cells::quiet(d.day, role); }},
                  {{words::title(&ReconciliationDifference::kind)},
                   [](const ReconciliationDifference &d, int role) {
                       return cells::text(words::differenceKind(d.kind), role);
                   }},
                  {{words::title(&ReconciliationDifference::ours)},
                   [](const ReconciliationDifference &d, int role) { return cells::quiet(d.ours, role); }},
                  {{words::title(&ReconciliationDifference::theirs)},
                   [](const ReconciliationDifference &d, int role) { return cells::quiet(d.theirs, role); }},
                  {{tr("State")},
                   [](const ReconciliationDifference &d, int role) {
                       return role == Qt::ToolTipRole && d.note
                           ? QVariant(*d.note)
                           : cells::state(words::differenceState(d), words::tone(d), role);
                   }}},
                 parent)
{
}

RunsModel::RunsModel(QObject *parent)
    : RowsModel({{{words::title(&ReconciliationRun::day)},
                  [](const ReconciliationRun &r, int role) { return cells::text(r.day, role); }},
                 {{words::title(&ReconciliationRun::provider)},
                  [](const ReconciliationRun &r, int role) { return cells::text(words::provider(r.provider), role); }},
                 {{tr("Outcome")},
                  [](const ReconciliationRun &r, int role) {
                      if (role == Qt::ToolTipRole && r.error)
                          return QVariant(*r.error);
                      return r.error           ? cells::state(tr("Failed"), Tone::Danger, role)
                          : r.differences == 0 ? cells::state(tr("Agrees"), Tone::Positive, role)
                          : r.healed == r.differences
                          ? cells::state(tr("Healed"), Tone::Positive, role)
                          : cells::state(tr("%1 differed").arg(format::count(r.differences - r.healed)), Tone::Warning,
                                         role);
                  }},
                 {{words::title(&ReconciliationRun::theirs), Align::Right},
                  [](const ReconciliationRun &r, int role) { return cells::text(format::count(r.theirs), role); }},
                 {{words::title(&ReconciliationRun::ours), Align::Right},
                  [](const ReconciliationRun &r, int role) { return cells::text(format::count(r.ours), role); }},
                 {{words::title(&ReconciliationRun::healed), Align::Right},
                  [](const ReconciliationRun &r, int role) { return cells::text(format::count(r.healed), role); }},
                 {{words::title(&ReconciliationRun::runAt), Align::Right},
                  [](const ReconciliationRun &r, int role) { return cells::time(r.runAt, role); }}},
                parent)
{
}

PaymentLotsModel::PaymentLotsModel(QObject *parent)
    : RowsModel({{{words::title(&PaymentLot::bucket)},
                  [](const PaymentLot &l, int role) { return cells::text(words::bucket(l.bucket), role); }},
                 {{words::title(&PaymentLot::granted), Align::Right},
                  [](const PaymentLot &l, int role) { return creditsCell(l.granted, role); }},
                 {{words::title(&PaymentLot::remaining), Align::Right},
                  [](const PaymentLot &l, int role) { return creditsCell(l.remaining, role); }},
                 {{words::title(&PaymentLot::returned), Align::Right},
                  [](const PaymentLot &l, int role) { return creditsCell(l.returned, role); }},
                 {{words::title(&PaymentLot::expiresAt), Align::Right},
                  [](const PaymentLot &l, int role) { return maybeTime(l.expiresAt, tr("never"), role); }}},
                parent)
{
}

RefundLotsModel::RefundLotsModel(QObject *parent)
    : RowsModel({{{tr("Lot")}, [](const RefundLot &l, int role) { return cells::text(words::bucket(l.bucket), role); }},
                 {{tr("Before"), Align::Right},
                  [](const RefundLot &l, int role) { return creditsCell(l.remaining, role); }},
                 {{words::title(&RefundLot::taken), Align::Right},
                  [](const RefundLot &l, int role) {
                      return l.taken.isZero() ? creditsCell(l.taken, role)
                                              : cells::text(format::signedCredits(-l.taken), role);
                  }},
                 {{tr("After"), Align::Right},
                  [](const RefundLot &l, int role) { return creditsCell(l.remaining - l.taken, role); }},
                 {{words::title(&RefundLot::owed), Align::Right},
                  [](const RefundLot &l, int role) { return creditsCell(l.owed, role); }}},
                parent)
{
}

SubscriptionEventsModel::SubscriptionEventsModel(QObject *parent)
    : RowsModel({{{words::title(&SubscriptionEvent::effectiveAt)},
                  [](const SubscriptionEvent &e, int role) { return cells::time(e.effectiveAt, role); }},
                 {{words::title(&SubscriptionEvent::kind)},
                  [](const SubscriptionEvent &e, int role) {
                      const Tone tone = e.status                             ? words::tone(*e.status)
                          : e.kind == SubscriptionEventKind::PaymentRestored ? Tone::Positive
                                                                             : Tone::Danger;
                      return cells::state(words::subscriptionEvent(e), tone, role);
                  }},
                 {{words::title(&SubscriptionEvent::tier)},
                  [](const SubscriptionEvent &e, int role) {
                      QString text = e.tier ? words::tier(*e.tier) : QString();
                      if (e.nextTier)
                          text += QStringLiteral(" → ") + words::tier(*e.nextTier);
                      return cells::text(text, role);
                  }},
                 {{words::title(&SubscriptionEvent::periodEnd), Align::Right},
                  [](const SubscriptionEvent &e, int role) { return cells::time(e.periodEnd, role); }},
                 {{words::title(&SubscriptionEvent::recordedAt), Align::Right},
                  [](const SubscriptionEvent &e, int role) { return cells::time(e.recordedAt, role); }}},
                parent)
{
}

RevenueModel::RevenueModel(QObject *parent)
    : RowsModel({{{tr("Period")},
                  [this](const RevenueRow &r, int role) {
                      if (role == Qt::ToolTipRole)
                          return QVariant(format::exactTime(r.from) + QStringLiteral(" – ") + format::exactTime(r.to));
                      const QDate day = r.from.toUTC().date();
                      const QString text = m_interval == RevenueInterval::Month
                          ? QLocale().toString(day, QStringLiteral("MMMM yyyy"))
                          : m_interval == RevenueInterval::Week
                          ? tr("Week of %1").arg(QLocale().toString(day, QStringLiteral("d MMM yyyy")))
                          : QLocale().toString(day, QStringLiteral("ddd d MMM yyyy"));
                      return cells::text(text, role);
                  }},
                 {{words::title(&CurrencyRevenue::currency)},
                  [](const RevenueRow &r, int role) { return cells::quiet(r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::received), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.received, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::refunded), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.refunded, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::chargedBack), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.chargedBack, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::tax), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.tax, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::fees), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.fees, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::recognised), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.recognised, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::breakage), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.breakage, r.money.currency, role); }},
                 {{words::title(&CurrencyRevenue::deferred), Align::Right},
                  [](const RevenueRow &r, int role) { return moneyCell(r.money.deferred, r.money.currency, role); }}},
                parent)
{
}

void RevenueModel::show(const RevenueReport &report, const QString &currency, RevenueInterval interval)
{
    m_interval = interval;
    QList<RevenueRow> rows;
    for (const RevenuePeriod &period : report.periods)
        for (const CurrencyRevenue &money : period.currencies)
            if (money.currency == currency)
                rows.prepend({period.from, period.to, money});
    setRows(rows);
}

QByteArray revenueCsv(const RevenueReport &report)
{
    QByteArray text("from,to,currency,received,refunded,charged_back,tax,fees,recognised,breakage,deferred\r\n");
    for (const RevenuePeriod &period : report.periods)
        for (const CurrencyRevenue &m : period.currencies)
            text += QStringList{json::timeText(period.from),
                                json::timeText(period.to),
                                m.currency,
                                m.received,
                                m.refunded,
                                m.chargedBack,
                                m.tax,
                                m.fees,
                                m.recognised,
                                m.breakage,
                                m.deferred}
                        .join(u',')
                        .toUtf8()
                + "\r\n";
    return text;
}

} // namespace companion::console
