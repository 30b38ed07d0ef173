#include "console/models/RefundForm.h"

#include "common/money/Money.h"
#include "console/models/Format.h"

#include <QUuid>

namespace companion::console {

namespace {

constexpr int typing_ms = 250;
constexpr int shortestRefundReason = 3; // RefundRequest's own rule

QByteArray newKey()
{
    return QUuid::createUuid().toByteArray(QUuid::WithoutBraces);
}

// It may have been made, or be under way still.
bool leavesOpen(const Problem &problem)
{
    return problem.kind != Problem::Kind::Refused || problem.status >= 500
        || problem.is(ErrorCode::IdempotencyInProgress);
}

} // namespace

RefundForm::RefundForm(PaymentsApi &api, const AdminPayment &payment, QObject *parent)
    : QObject(parent)
    , m_api(api)
    , m_payment(payment)
    , m_key(newKey())
{
    m_typing.setSingleShot(true);
    m_typing.setInterval(typing_ms);
    connect(&m_typing, &QTimer::timeout, this, &RefundForm::ask);
}

void RefundForm::resume(const UnansweredRefund &unanswered)
{
    m_asking.abort();
    m_typing.stop();
    m_sent = unanswered.request;
    m_key = unanswered.key;
    m_amount = unanswered.request.amount;
    m_reason = unanswered.request.reason;
    set(State::Unanswered, tr("An earlier try was not answered, so it may have been made. Trying again refunds once."));
}

QString RefundForm::left() const
{
    const auto paid = Money::parse(m_payment.amount, m_payment.currency);
    const auto back = Money::parse(m_payment.refunded, m_payment.currency);
    return paid && back ? Money::fromMinor(paid->minor() - back->minor(), m_payment.currency).amount() : QString();
}

void RefundForm::setWhole()
{
    if (!isOpen())
        return;
    m_amount.reset();
    consider();
}

void RefundForm::setAmount(const QString &typed)
{
    if (!isOpen())
        return;
    m_amount = typed.trimmed();
    consider();
}

void RefundForm::setReason(const QString &typed)
{
    if (!isOpen())
        return;
    m_reason = typed.trimmed();
    Q_EMIT changed();
}

// The amount, held against what is left here already: the server is asked only what it can answer.
void RefundForm::consider()
{
    m_asking.abort();
    m_typing.stop();
    m_preview.reset();
    m_previewFailed = false;
    if (m_amount) {
        const auto amount = Money::parse(*m_amount, m_payment.currency);
        const auto most = Money::parse(left(), m_payment.currency);
        if (m_amount->isEmpty())
            return set(State::Editing);
        if (!amount || amount->minor() <= 0)
            return set(State::Editing,
                       tr("An amount in %1 is like %2.")
                           .arg(m_payment.currency, Money::fromMinor(123, m_payment.currency).amount()));
        if (most && amount->minor() > most->minor())
            return set(State::Editing,
                       tr("At most %1 is left to refund.").arg(format::money(left(), m_payment.currency)));
    }
    set(State::Previewing);
    m_typing.start();
}

void RefundForm::askAgain()
{
    if (isOpen())
        consider();
}

void RefundForm::ask()
{
    m_asking = m_api.refundPreview(m_payment.id, m_amount);
    m_asking.then(this, [this](const ApiResult<RefundPreview> &preview) { takePreview(preview); });
}

void RefundForm::takePreview(const ApiResult<RefundPreview> &preview)
{
    if (!preview) {
        if (preview.error().kind == Problem::Kind::Cancelled)
            return;
        m_previewFailed = true;
        return set(State::Editing, preview.error().sentence());
    }
    m_preview = *preview;
    set(State::Ready);
}

bool RefundForm::canConfirm() const
{
    if (m_state == State::Unanswered)
        return true;
    return m_state == State::Ready && m_preview && m_reason.size() >= shortestRefundReason;
}

void RefundForm::confirm()
{
    if (!canConfirm())
        return;
    if (!m_sent)
        m_sent = RefundRequest{m_preview->amount, m_reason}; // what was previewed, also where all was meant
    set(State::Sending);
    m_api.refund(m_payment.id, *m_sent, m_key).then(this, [this](const ApiResult<RefundDone> &answer) {
        takeAnswer(answer);
    });
}

void RefundForm::takeAnswer(const ApiResult<RefundDone> &answer)
{
    if (!answer)
        return refuse(answer.error());
    set(State::Done);
    Q_EMIT done(*answer);
}

void RefundForm::refuse(const Problem &problem)
{
    if (leavesOpen(problem))
        return set(State::Unanswered,
                   tr("%1 The refund may have been made: trying again refunds once.").arg(problem.sentence()));
    // Final for this key: what follows is another refund, of a payment that may have changed.
    m_key = newKey();
    m_sent.reset();
    m_preview.reset();
    m_previewFailed = true;
    set(State::Editing, problem.sentence());
}

std::optional<UnansweredRefund> RefundForm::unanswered() const
{
    const bool open = m_state == State::Unanswered || m_state == State::Sending;
    return open && m_sent ? std::optional(UnansweredRefund{*m_sent, m_key}) : std::nullopt;
}

void RefundForm::set(State state, const QString &problem)
{
    m_state = state;
    m_problem = problem;
    Q_EMIT changed();
}

} // namespace companion::console
