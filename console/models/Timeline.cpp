// What became of a payment, as one story out of the lists that the server tells.

#include "console/models/Format.h"
#include "console/models/MoneyModels.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"

#include <QCoreApplication>
#include <algorithm>

namespace companion::console {

namespace {

QString step(const char *text)
{
    return QCoreApplication::translate("Timeline", text);
}

QString signedMoney(const QString &amount, const QString &currency)
{
    const QString text = format::money(amount, currency);
    return amount.startsWith(u'-') ? text : QString(u'+' + text);
}

bool isNothing(const QString &amount, const QString &currency)
{
    const auto value = Money::parse(amount, currency);
    return value && value->minor() == 0;
}

TimelineStep moneyStep(const MoneyEntry &entry, const QString &currency)
{
    TimelineStep step{.at = entry.at, .what = {}, .detail = {}, .amount = signedMoney(entry.amount, currency)};
    const bool back = entry.amount.startsWith(u'-');
    switch (entry.kind) {
    case MoneyKind::Payment:
        step.what = console::step(QT_TRANSLATE_NOOP("Timeline", "Paid"));
        step.tone = Tone::Positive;
        break;
    case MoneyKind::Refund:
        step.what = back ? console::step(QT_TRANSLATE_NOOP("Timeline", "Refunded"))
                         : console::step(QT_TRANSLATE_NOOP("Timeline", "Refund reversed"));
        step.tone = Tone::Warning;
        break;
    case MoneyKind::Chargeback:
        step.what = back ? console::step(QT_TRANSLATE_NOOP("Timeline", "Charged back"))
                         : console::step(QT_TRANSLATE_NOOP("Timeline", "Chargeback undone"));
        step.tone = back ? Tone::Danger : Tone::Positive;
        break;
    }
    QStringList details;
    if (!isNothing(entry.tax, currency))
        details.append(console::step(QT_TRANSLATE_NOOP("Timeline", "tax %1")).arg(format::money(entry.tax, currency)));
    if (!isNothing(entry.fee, currency))
        details.append(console::step(QT_TRANSLATE_NOOP("Timeline", "fee %1")).arg(format::money(entry.fee, currency)));
    step.detail = details.join(QStringLiteral(", "));
    if (isNothing(entry.amount, currency)) { // a fee told later
        step.what = console::step(QT_TRANSLATE_NOOP("Timeline", "Fee booked"));
        step.amount.clear();
        step.tone = Tone::Neutral;
    }
    return step;
}

TimelineStep creditStep(const PaymentEntry &entry)
{
    const bool owes = !entry.debt.isZero();
    return {.at = entry.createdAt,
            .what = words::kind(entry.kind),
            .detail = owes
                ? console::step(QT_TRANSLATE_NOOP("Timeline", "%1 credits owed")).arg(format::signedCredits(entry.debt))
                : words::product(entry.description),
            .amount = entry.amount.isZero()
                ? QString()
                : console::step(QT_TRANSLATE_NOOP("Timeline", "%1 cr")).arg(format::signedCredits(entry.amount)),
            .tone = owes ? Tone::Warning : Tone::Neutral};
}

void addRefund(QList<TimelineStep> &steps, const PaymentRefund &refund, const QString &currency)
{
    steps.append({.at = refund.createdAt,
                  .what = step(QT_TRANSLATE_NOOP("Timeline", "Refund ordered")),
                  .detail = QString(refund.actor + QStringLiteral(": ") + refund.reason),
                  .amount = format::money(refund.amount, currency),
                  .tone = refund.state == RefundState::Ordered ? Tone::Warning : Tone::Neutral});
    if (refund.state == RefundState::Failed)
        steps.append({.at = refund.doneAt.value_or(refund.createdAt),
                      .what = step(QT_TRANSLATE_NOOP("Timeline", "Refund failed")),
                      .detail = refund.failure.value_or(QString()),
                      .tone = Tone::Danger});
}

void addDispute(QList<TimelineStep> &steps, const AdminDispute &dispute)
{
    steps.append({.at = dispute.openedAt,
                  .what = step(QT_TRANSLATE_NOOP("Timeline", "Dispute opened")),
                  .detail = dispute.suspends ? step(QT_TRANSLATE_NOOP("Timeline", "account suspended"))
                                             : format::words(dispute.reason),
                  .amount = format::money(dispute.amount, dispute.currency),
                  .tone = Tone::Danger});
    if (dispute.closedAt)
        steps.append({.at = *dispute.closedAt,
                      .what = dispute.state == DisputeState::Won ? step(QT_TRANSLATE_NOOP("Timeline", "Dispute won"))
                                                                 : step(QT_TRANSLATE_NOOP("Timeline", "Dispute lost")),
                      .detail = {},
                      .tone = words::tone(dispute.state)});
}

TimelineStep webhookStep(const AdminWebhook &webhook)
{
    const bool done = webhook.status == QLatin1StringView("processed");
    QString detail = webhook.type;
    if (webhook.deliveries > 1)
        detail += step(QT_TRANSLATE_NOOP("Timeline", ", came %1 times")).arg(webhook.deliveries);
    if (webhook.reason)
        detail += QStringLiteral(": ") + *webhook.reason;
    return {.at = webhook.receivedAt,
            .what = done ? step(QT_TRANSLATE_NOOP("Timeline", "Webhook"))
                         : step(QT_TRANSLATE_NOOP("Timeline", "Webhook %1")).arg(webhook.status),
            .detail = detail,
            .amount = {},
            .tone = done ? Tone::Neutral : Tone::Warning};
}

} // namespace

QList<TimelineStep> timelineOf(const PaymentStory &story)
{
    const QString currency = story.payment.currency;
    QList<TimelineStep> steps{{.at = story.payment.createdAt,
                               .what = step(QT_TRANSLATE_NOOP("Timeline", "Checkout begun")),
                               .detail = words::provider(story.payment.provider)}};
    for (const AdminWebhook &webhook : story.webhooks)
        steps.append(webhookStep(webhook));
    for (const PaymentRefund &refund : story.refunds)
        addRefund(steps, refund, currency);
    for (const AdminDispute &dispute : story.disputes)
        addDispute(steps, dispute);
    for (const PaymentEntry &entry : story.entries)
        steps.append(creditStep(entry));
    for (const MoneyEntry &entry : story.money)
        steps.append(moneyStep(entry, currency));
    if (story.payment.failure)
        steps.append({.at = story.payment.createdAt,
                      .what = step(QT_TRANSLATE_NOOP("Timeline", "Failed")),
                      .detail = *story.payment.failure,
                      .tone = Tone::Danger});
    std::ranges::stable_sort(steps, {}, &TimelineStep::at);
    std::ranges::reverse(steps);
    return steps;
}

TimelineModel::TimelineModel(QObject *parent)
    : RowsModel({{{tr("What")}, [](const TimelineStep &s, int role) { return cells::state(s.what, s.tone, role); }},
                 {{tr("Detail")}, [](const TimelineStep &s, int role) { return cells::quiet(s.detail, role); }},
                 {{tr("Amount"), Align::Right},
                  [](const TimelineStep &s, int role) { return cells::text(s.amount, role); }},
                 {{tr("Time"), Align::Right}, [](const TimelineStep &s, int role) { return cells::time(s.at, role); }}},
                parent)
{
}

} // namespace companion::console
