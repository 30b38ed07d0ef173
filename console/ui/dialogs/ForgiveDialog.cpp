#include "console/ui/dialogs/ForgiveDialog.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/ui/widgets/Look.h"

#include <QLineEdit>
#include <QUuid>

namespace companion::console {

namespace {

constexpr int shortestForgiveReason = 3; // ForgiveRequest's own rule

} // namespace

ForgiveDialog::ForgiveDialog(PaymentsApi &api, const Debt &debt, QWidget *parent)
    : QDialog(parent)
    , m_api(api)
    , m_debt(debt)
    , m_key(QUuid::createUuid().toByteArray(QUuid::WithoutBraces))
    , m_amount(new QLineEdit(debt.remaining.toString()))
    , m_reason(new QLineEdit)
    , m_after(label({}, "strong"))
    , m_problem(label({}, "problem"))
    , m_go(button(tr("Let off"), "confirm", "danger"))
{
    setObjectName(u"forgiveDialog");
    setWindowTitle(tr("Let a debt off"));
    setMinimumWidth(420);
    m_amount->setObjectName(u"forgiveAmount");
    m_reason->setObjectName(u"forgiveReason");
    m_reason->setPlaceholderText(tr("Kept in the audit log"));
    m_after->setObjectName(u"forgiveAfter");
    m_problem->setObjectName(u"forgiveProblem");
    m_problem->setWordWrap(true);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("Let a debt off"), "section"));
    layout->addWidget(
        label(tr("%1 owes %2 credits: %3.")
                  .arg(debt.user, format::credits(debt.remaining), words::debtCause(debt.cause).toLower()),
              "quiet"));
    layout->addWidget(new FormField(tr("Credits"), m_amount));
    layout->addWidget(new FormField(tr("Reason"), m_reason));
    auto *row = plain(new QHBoxLayout);
    row->addWidget(label(tr("Owed afterwards"), "quiet"), 1);
    row->addWidget(m_after);
    layout->addLayout(row);
    layout->addWidget(m_problem);
    auto *cancel = button(tr("Cancel"), "cancel");
    layout->addLayout(dialogButtons(cancel, m_go));
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, this, &ForgiveDialog::submit);
    connect(m_amount, &QLineEdit::textChanged, this, &ForgiveDialog::preview);
    connect(m_reason, &QLineEdit::textChanged, this, &ForgiveDialog::preview);
    cancel->setFocus();
    cancel->setDefault(true);
    preview();
}

void ForgiveDialog::preview()
{
    const auto amount = Credits::parse(m_amount->text().trimmed());
    const bool fits = amount && !amount->isZero() && !amount->isNegative() && *amount <= m_debt.remaining;
    m_request.reset();
    if (fits && m_reason->text().trimmed().size() >= shortestForgiveReason)
        m_request = ForgiveRequest{*amount, m_reason->text().trimmed()};
    m_problem->setText(fits ? QString() : tr("At most %1 credits are owed.").arg(format::credits(m_debt.remaining)));
    m_after->setText(format::credits(fits ? m_debt.remaining - *amount : m_debt.remaining));
    m_go->setText(fits ? tr("Let off %1").arg(format::credits(*amount)) : tr("Let off"));
    m_go->setAccessibleName(m_go->text());
    m_go->setEnabled(m_request.has_value());
}

void ForgiveDialog::submit()
{
    if (!m_sent)
        m_sent = m_request;
    if (!m_sent)
        return;
    for (QWidget *control : std::initializer_list<QWidget *>{m_go, m_amount, m_reason})
        control->setEnabled(false);
    m_api.forgive(m_debt.id, *m_sent, m_key).then(this, [this](const ApiResult<Debt> &done) {
        if (done)
            return accept();
        m_problem->setText(done.error().sentence());
        m_go->setEnabled(true);
        // A refusal is final for this key; after silence the same must be sent again.
        if (done.error().kind != Problem::Kind::Refused || done.error().status >= 500)
            return m_go->setText(tr("Send again"));
        m_key = QUuid::createUuid().toByteArray(QUuid::WithoutBraces);
        m_sent.reset();
        m_amount->setEnabled(true);
        m_reason->setEnabled(true);
    });
}

} // namespace companion::console
