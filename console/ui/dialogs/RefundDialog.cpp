#include "console/ui/dialogs/RefundDialog.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/Facts.h"
#include "console/ui/widgets/Look.h"
#include "console/ui/widgets/StateView.h"

#include <QLineEdit>

namespace companion::console {

namespace {

constexpr int wholeChip = 0, partChip = 1;
constexpr int previewHeight = 216;

QString beforeAndAfter(Credits before, Credits after)
{
    return before == after ? format::credits(before)
                           : QString(format::credits(before) + QStringLiteral("  →  ") + format::credits(after));
}

} // namespace

RefundDialog::RefundDialog(const Ui &ui, PaymentsApi &api, const AdminPayment &payment,
                           const std::optional<UnansweredRefund> &unanswered, QWidget *parent)
    : QDialog(parent)
    , m_form(api, payment)
    , m_share(new ChipGroup(tr("How much")))
    , m_amount(new QLineEdit)
    , m_reason(new QLineEdit)
    , m_sentence(label({}))
    , m_problem(label({}, "problem"))
    , m_again(button(tr("Try again"), "previewAgain"))
    , m_cancel(button(tr("Cancel"), "cancel"))
    , m_go(button(tr("Refund"), "confirm", "danger"))
{
    setObjectName(u"refundDialog");
    setWindowTitle(tr("Refund payment"));
    setMinimumWidth(560);
    m_share->add(tr("All that is left: %1").arg(format::money(m_form.left(), payment.currency)), wholeChip,
                 "refundAll");
    m_share->add(tr("A part"), partChip, "refundPart");
    m_amount->setObjectName(u"refundAmount");
    m_amount->setAccessibleName(tr("Amount in %1").arg(payment.currency));
    m_amount->setPlaceholderText(tr("Amount in %1").arg(payment.currency));
    m_amount->setFixedWidth(150);
    m_reason->setObjectName(u"refundReason");
    m_reason->setPlaceholderText(tr("Kept in the audit log"));
    m_sentence->setObjectName(u"refundSentence");
    m_sentence->setWordWrap(true);
    m_problem->setObjectName(u"refundProblem");
    m_problem->setWordWrap(true);

    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::xl, space::xl, space::xl, space::l);
    layout->setSpacing(space::m);
    layout->addWidget(label(tr("Refund payment"), "section"));
    layout->addWidget(label(tr("%1 of %2, %3")
                                .arg(words::paidFor(payment.kind, payment.product), payment.user,
                                     format::money(payment.amount, payment.currency)),
                            "quiet"));
    auto *share = plain(new QHBoxLayout, space::s);
    share->addWidget(m_share);
    share->addWidget(m_amount);
    share->addStretch();
    layout->addLayout(share);
    layout->addWidget(new FormField(tr("Reason"), m_reason));
    layout->addWidget(previewBox(ui));
    layout->addWidget(m_sentence);
    auto *wrong = plain(new QHBoxLayout, space::s);
    wrong->addWidget(m_problem, 1);
    wrong->addWidget(m_again);
    layout->addLayout(wrong);
    layout->addLayout(dialogButtons(m_cancel, m_go));

    connect(m_share, &ChipGroup::changed, this, [this](int chip) {
        if (chip == wholeChip)
            return m_form.setWhole();
        m_form.setAmount(m_amount->text());
        m_amount->setFocus();
    });
    connect(m_amount, &QLineEdit::textChanged, &m_form, &RefundForm::setAmount);
    connect(m_reason, &QLineEdit::textChanged, &m_form, &RefundForm::setReason);
    connect(m_again, &QPushButton::clicked, &m_form, &RefundForm::askAgain);
    connect(m_cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_go, &QPushButton::clicked, &m_form, &RefundForm::confirm);
    connect(&m_form, &RefundForm::changed, this, &RefundDialog::refresh);
    connect(&m_form, &RefundForm::done, this, &QDialog::accept);
    m_cancel->setFocus();
    m_cancel->setDefault(true);
    if (unanswered) {
        m_share->choose(unanswered->request.amount ? partChip : wholeChip);
        m_amount->setText(unanswered->request.amount.value_or(QString()));
        m_reason->setText(unanswered->request.reason);
        m_form.resume(*unanswered);
    } else {
        m_form.setWhole();
    }
    refresh();
}

QWidget *RefundDialog::previewBox(const Ui &ui)
{
    m_lotsTable = new DataTable(ui, tr("Credits taken back, by lot"));
    m_lotsTable->setObjectName(u"refundLots");
    m_lotsTable->setModel(&m_lots);
    m_lotsTable->setCompact();
    m_lotsTable->setFocusPolicy(Qt::NoFocus);
    m_lotsTable->setSelectionMode(QAbstractItemView::NoSelection);
    using C = RefundLotsModel;
    m_lotsTable->setColumn<CellDelegate>(C::Bucket, 110);
    for (const int column : {C::Remaining, C::Taken, C::After, C::Owed})
        m_lotsTable->setColumn<MoneyDelegate>(column, 104);
    m_lotsTable->setStretch(C::Bucket);
    m_lotsBox = card();
    auto *inside = plain(new QVBoxLayout(m_lotsBox));
    inside->setContentsMargins(1, 1, 1, 1);
    inside->addWidget(m_lotsTable);
    m_figures = new Facts(ui);
    m_figures->setObjectName(u"refundFigures");
    auto *content = new QWidget;
    auto *layout = plain(new QVBoxLayout(content), space::m);
    layout->addWidget(m_lotsBox);
    layout->addWidget(m_figures);
    layout->addStretch();
    m_view = new StateView(ui.theme, content, Skeleton::Shape::Rows);
    m_view->setObjectName(u"refundPreview");
    m_view->setFixedHeight(previewHeight);
    return m_view;
}

void RefundDialog::show(const RefundPreview &preview)
{
    m_lots.setRows(preview.lots);
    m_lotsBox->setVisible(!preview.lots.isEmpty());
    fitToRows(m_lotsTable);
    m_figures->clear();
    m_figures->add(tr("Balance"), beforeAndAfter(preview.balanceBefore, preview.balanceAfter));
    m_figures->add(tr("Debt"), beforeAndAfter(preview.debtBefore, preview.debtAfter));
    if (!preview.paidAtOnce.isZero())
        m_figures->add(tr("Paid at once by other lots"), format::credits(preview.paidAtOnce));
    m_figures->add(tr("Left to refund then"), format::money(preview.left, preview.currency));
    if (preview.endsTier)
        m_figures->add(tr("Subscription"), tr("the period's tier ends at once"));
    m_view->setContent();
}

void RefundDialog::refresh()
{
    using State = RefundForm::State;
    const State state = m_form.state();
    const AdminPayment &payment = m_form.payment();
    m_share->setEnabled(m_form.isOpen());
    m_amount->setEnabled(m_form.isOpen());
    m_amount->setVisible(m_share->chosen() == partChip);
    m_reason->setEnabled(m_form.isOpen());
    m_again->setVisible(m_form.canAskAgain());
    m_problem->setText(m_form.problem());
    if (const auto &preview = m_form.preview())
        show(*preview);
    else if (state == State::Previewing)
        m_view->setLoading();
    else
        m_view->setEmpty(tr("No preview"),
                         state == State::Unanswered ? tr("What was sent stands above.")
                                                    : tr("Type an amount to see what refunding it would do."));
    const auto &preview = m_form.preview();
    m_sentence->setVisible(preview.has_value());
    if (preview)
        m_sentence->setText(
            preview->owed.isZero()
                ? tr("%1 gets %2 back. This cannot be taken back.")
                      .arg(payment.user, format::money(preview->amount, payment.currency))
                : tr("%1 gets %2 back, and owes %3 credits that are spent or held. This cannot be taken "
                     "back.")
                      .arg(payment.user, format::money(preview->amount, payment.currency),
                           format::credits(preview->owed)));
    m_go->setEnabled(m_form.canConfirm());
    m_go->setText(state == State::Sending          ? tr("Refunding…")
                      : state == State::Unanswered ? tr("Send again")
                      : preview ? tr("Refund %1").arg(format::money(preview->amount, payment.currency))
                                : tr("Refund"));
    m_go->setAccessibleName(m_go->text());
    m_cancel->setText(m_form.unanswered() ? tr("Close") : tr("Cancel"));
}

} // namespace companion::console
