#pragma once

#include "console/client/PaymentsApi.h"

#include <QTimer>

namespace companion::console {

// A refund that was sent and never answered: it may have been made. Sent again with the same key it is made once.
struct UnansweredRefund
{
    RefundRequest request;
    QByteArray key;
};

// Refunding one payment, from what is typed to the server's word, without a window. What is confirmed is always what
// was previewed: the preview is the server's, of this very amount, and confirm() does nothing without it.
class RefundForm : public QObject
{
    Q_OBJECT
public:
    enum class State {
        Editing,    // what is typed is no refund yet: problem() says why, or is empty
        Previewing, // the server is asked what it would do
        Ready,      // preview() stands; with a reason it can be confirmed
        Sending,
        Unanswered, // no answer came: only sending the same again is possible
        Done
    };
    Q_ENUM(State)

    RefundForm(PaymentsApi &api, const AdminPayment &payment, QObject *parent = nullptr);

    // Goes on where an earlier form ended without an answer.
    void resume(const UnansweredRefund &unanswered);
    void setWhole();
    void setAmount(const QString &typed);
    void setReason(const QString &typed);
    void askAgain(); // the preview, after it failed or is out of date
    void confirm();

    State state() const { return m_state; }
    const AdminPayment &payment() const { return m_payment; }
    QString left() const; // to refund, as the payment says: decimal text
    bool isWhole() const { return !m_amount; }
    QString amount() const { return m_amount.value_or(QString()); }
    QString reason() const { return m_reason; }
    const std::optional<RefundPreview> &preview() const { return m_preview; }
    QString problem() const { return m_problem; }
    bool canConfirm() const;
    bool canAskAgain() const { return m_previewFailed; }
    // Fields may be changed: not while a refund is under way or may be.
    bool isOpen() const { return m_state != State::Sending && m_state != State::Unanswered && m_state != State::Done; }
    std::optional<UnansweredRefund> unanswered() const;

Q_SIGNALS:
    void changed();
    void done(const companion::RefundDone &done);

private:
    void consider();
    void ask();
    void takePreview(const ApiResult<RefundPreview> &preview);
    void takeAnswer(const ApiResult<RefundDone> &answer);
    void refuse(const Problem &problem);
    void set(State state, const QString &problem = {});

    PaymentsApi &m_api;
    AdminPayment m_payment;
    std::optional<QString> m_amount; // none: all that is left
    QString m_reason;
    QByteArray m_key;
    std::optional<RefundPreview> m_preview;
    std::optional<RefundRequest> m_sent;
    ApiCall<RefundPreview> m_asking;
    QTimer m_typing;
    State m_state = State::Editing;
    QString m_problem;
    bool m_previewFailed = false;
};

} // namespace companion::console
