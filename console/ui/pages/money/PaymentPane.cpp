#include "console/ui/pages/money/PaymentPane.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Rights.h"
#include "console/models/Words.h"
#include "console/ui/dialogs/RefundDialog.h"
#include "console/ui/pages/money/MoneyTab.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Facts.h"
#include "console/ui/widgets/Look.h"
#include "console/ui/widgets/StateWord.h"

namespace companion::console {

PaymentPane::PaymentPane(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : QFrame(parent)
    , m_ui(ui)
    , m_api(api)
    , m_amount(label({}, "figure"))
    , m_status(new StateWord(ui.theme))
    , m_what(label({}, "quiet"))
    , m_user(button({}, "paymentUser", "link"))
    , m_refund(button(tr("Refund…"), "refundPayment"))
    , m_note(label({}, "problem"))
    , m_facts(new Facts(ui))
    , m_ids(new Facts(ui))
{
    setObjectName(u"paymentPane");
    setProperty("look", QStringLiteral("card"));
    auto *content = new QWidget;
    auto *inside = plain(new QVBoxLayout(content), space::l);
    inside->setContentsMargins(space::card, 0, space::card, space::card);
    inside->addWidget(body());
    inside->addStretch();
    m_view = new StateView(ui.theme, scrolled(content), Skeleton::Shape::Rows);
    auto *layout = plain(new QVBoxLayout(this));
    layout->setContentsMargins(1, space::m, 1, space::s);
    layout->addWidget(head());
    layout->addWidget(m_view, 1);
    connect(m_view, &StateView::retryRequested, this, &PaymentPane::load);
    connect(m_view, &StateView::settled, this, &PaymentPane::settled);
    connect(m_refund, &QPushButton::clicked, this, &PaymentPane::refund);
    connect(m_user, &QPushButton::clicked, this, [this] {
        if (m_story)
            Q_EMIT userWanted(m_story->payment.userId);
    });
}

QWidget *PaymentPane::head()
{
    m_amount->setObjectName(u"paymentAmount");
    m_amount->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_status->setObjectName(u"paymentStatus");
    m_note->setObjectName(u"paymentNote");
    m_note->setWordWrap(true);
    m_note->hide();
    auto *close = button({}, "closePane", "");
    close->setAccessibleName(tr("Close"));
    close->setToolTip(tr("Close (Esc)"));
    close->setFixedWidth(size::control);
    close->setIcon(m_ui.theme.icon(QStringLiteral("close")));
    connect(&m_ui.theme, &Theme::changed, close,
            [=, this] { close->setIcon(m_ui.theme.icon(QStringLiteral("close"))); });
    connect(close, &QPushButton::clicked, this, &PaymentPane::closed);
    auto *head = new QWidget;
    auto *layout = plain(new QVBoxLayout(head), space::xs);
    layout->setContentsMargins(space::card, 0, space::m, space::m);
    auto *first = plain(new QHBoxLayout, space::s);
    first->addWidget(m_amount);
    first->addStretch();
    first->addWidget(m_refund);
    first->addWidget(close);
    auto *second = plain(new QHBoxLayout, space::m);
    second->addWidget(m_status);
    second->addWidget(m_what);
    second->addStretch();
    layout->addLayout(first);
    layout->addLayout(second);
    layout->addWidget(m_user, 0, Qt::AlignLeft);
    layout->addWidget(m_note);
    return head;
}

QWidget *PaymentPane::body()
{
    m_facts->setObjectName(u"paymentFacts");
    m_ids->setObjectName(u"paymentIds");
    m_timelineTable = new DataTable(m_ui, tr("What became of the payment"));
    m_timelineTable->setObjectName(u"paymentTimeline");
    m_timelineTable->setModel(&m_timeline);
    m_timelineTable->setCompact();
    using T = TimelineModel;
    m_timelineTable->setColumn<StatusDelegate>(T::What, 150);
    m_timelineTable->setColumn<CellDelegate>(T::Detail, 120);
    m_timelineTable->setColumn<MoneyDelegate>(T::Amount, 108);
    m_timelineTable->setColumn<TimeDelegate>(T::Time, 76);
    m_timelineTable->setStretch(T::Detail);
    m_lotsTable = new DataTable(m_ui, tr("Credits of the payment, by lot"));
    m_lotsTable->setObjectName(u"paymentLots");
    m_lotsTable->setModel(&m_lots);
    m_lotsTable->setCompact();
    using L = PaymentLotsModel;
    m_lotsTable->setColumn<CellDelegate>(L::Bucket, 96);
    for (const int column : {L::Granted, L::Remaining, L::Returned})
        m_lotsTable->setColumn<MoneyDelegate>(column, 92);
    m_lotsTable->setColumn<TimeDelegate>(L::Expires, 74);
    m_lotsTable->setStretch(L::Bucket);
    m_lotsTitle = label(tr("Credits"), "section");

    auto *body = new QWidget;
    auto *layout = plain(new QVBoxLayout(body), space::s);
    layout->addWidget(m_facts);
    layout->addSpacing(space::s);
    layout->addWidget(label(tr("Timeline"), "section"));
    layout->addWidget(m_timelineTable);
    layout->addSpacing(space::s);
    layout->addWidget(m_lotsTitle);
    layout->addWidget(m_lotsTable);
    layout->addSpacing(space::s);
    layout->addWidget(label(tr("Identifiers"), "section"));
    layout->addWidget(m_ids);
    return body;
}

bool PaymentPane::isSettled() const
{
    return m_view->isSettled();
}

void PaymentPane::setRoles(const QList<Role> &roles)
{
    m_roles = roles;
    showRefundability();
}

void PaymentPane::open(const PaymentId &id)
{
    if (m_id != id) {
        m_id = id;
        m_story.reset();
        m_amount->clear();
        m_what->clear();
        m_user->setText({});
        m_status->show({}, Tone::Neutral);
        m_note->hide();
    }
    showRefundability();
    load();
}

void PaymentPane::load()
{
    m_view->setLoading();
    m_api.story(m_id).then(this, [this, id = m_id](const ApiResult<PaymentStory> &story) {
        if (id != m_id)
            return;
        if (!story)
            return m_view->setFailed(story.error());
        show(*story);
        m_view->setContent();
    });
}

void PaymentPane::show(const PaymentStory &story)
{
    m_story = story;
    const AdminPayment &p = story.payment;
    const auto money = [&](const QString &amount) { return format::money(amount, p.currency); };
    m_amount->setText(money(p.amount));
    m_amount->setAccessibleName(tr("Payment of %1").arg(m_amount->text()));
    m_status->show(words::paymentStatus(p.status), words::tone(p.status));
    m_what->setText(words::paidFor(p.kind, p.product));
    m_user->setText(p.user);
    m_user->setAccessibleName(tr("Open user %1").arg(p.user));
    m_facts->clear();
    m_facts->add(tr("Provider"), words::provider(p.provider));
    if (p.paidAt)
        m_facts->add(words::title(&AdminPayment::paidAt), *p.paidAt);
    else
        m_facts->add(tr("Begun"), p.createdAt);
    m_facts->add(tr("Tax · fee"), QString(money(p.tax) + QStringLiteral(" · ") + money(p.fee)));
    m_facts->add(words::title(&AdminPayment::refunded), money(p.refunded));
    if (p.failure)
        m_facts->add(words::title(&AdminPayment::failure), *p.failure);
    for (const Debt &debt : story.debts)
        if (!debt.remaining.isZero())
            m_facts->add(tr("Owed for it"), tr("%1 credits").arg(format::credits(debt.remaining)));
    m_timeline.setRows(timelineOf(story));
    m_lots.setRows(story.lots);
    m_lotsTitle->setVisible(!story.lots.isEmpty());
    m_lotsTable->setVisible(!story.lots.isEmpty());
    fitToRows(m_timelineTable);
    fitToRows(m_lotsTable);
    m_ids->clear();
    m_ids->addId(tr("Payment"), p.id.toString(), tr("Copy the payment's id"));
    for (const QString &reference : p.references)
        m_ids->addId(words::provider(p.provider), reference, tr("Copy %1").arg(reference));
    m_ids->addId(tr("User"), p.userId.toString(), tr("Copy the user's id"));
    showRefundability();
}

// The button tells why it cannot be used.
void PaymentPane::showRefundability()
{
    QString why = whyNot(m_roles, MoneyAct::Refund);
    if (why.isEmpty() && m_story) {
        const PaymentStatus status = m_story->payment.status;
        const auto amount = Money::parse(m_story->payment.amount, m_story->payment.currency);
        if (status != PaymentStatus::Paid && status != PaymentStatus::PartiallyRefunded)
            why = tr("This payment is %1: there is nothing to refund.").arg(words::paymentStatus(status).toLower());
        else if (amount && amount->minor() == 0)
            why = tr("Nothing was paid for it.");
    }
    m_refund->setEnabled(m_story.has_value() && why.isEmpty());
    m_refund->setToolTip(why);
    m_refund->setAccessibleDescription(why);
}

void PaymentPane::refund()
{
    if (!m_story)
        return;
    const QString id = m_id.toString();
    const auto unanswered = m_unanswered.contains(id) ? std::optional(m_unanswered.value(id)) : std::nullopt;
    auto *dialog = new RefundDialog(m_ui, m_api, m_story->payment, unanswered, this);
    connect(dialog, &QDialog::finished, this, [this, dialog, id](int result) {
        m_unanswered.remove(id);
        if (const auto open = dialog->form().unanswered())
            m_unanswered.insert(id, *open);
        m_note->setVisible(m_unanswered.contains(id));
        m_note->setText(tr("A refund of this payment was not answered. Refund… goes on with it."));
        if (result == QDialog::Accepted)
            Q_EMIT changed();
        load();
    });
    m_ui.prompts.show(dialog);
}

} // namespace companion::console
