#include "console/ui/pages/money/SubscriptionPane.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"
#include "console/ui/pages/money/MoneyTab.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Facts.h"
#include "console/ui/widgets/Look.h"
#include "console/ui/widgets/StateWord.h"

#include <QDateEdit>

namespace companion::console {

SubscriptionPane::SubscriptionPane(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : QFrame(parent)
    , m_ui(ui)
    , m_api(api)
    , m_title(label({}, "page-title"))
    , m_status(new StateWord(ui.theme))
    , m_user(button({}, "subscriptionUser", "link"))
    , m_facts(new Facts(ui))
    , m_day(new QDateEdit)
    , m_tier(label({}, "strong"))
    , m_paymentsTitle(label(tr("Payments"), "section"))
{
    setObjectName(u"subscriptionPane");
    setProperty("look", QStringLiteral("card"));
    auto *content = new QWidget;
    auto *inside = plain(new QVBoxLayout(content));
    inside->setContentsMargins(space::card, 0, space::card, space::card);
    inside->addWidget(body());
    inside->addStretch();
    m_view = new StateView(ui.theme, scrolled(content), Skeleton::Shape::Rows);
    auto *layout = plain(new QVBoxLayout(this));
    layout->setContentsMargins(1, space::m, 1, space::s);
    layout->addWidget(head());
    layout->addWidget(m_view, 1);
    connect(m_view, &StateView::retryRequested, this, &SubscriptionPane::load);
    connect(m_view, &StateView::settled, this, &SubscriptionPane::settled);
    connect(m_day, &QDateEdit::dateChanged, this, &SubscriptionPane::askTier);
    connect(m_paymentsTable, &DataTable::opened, this, [this](const QModelIndex &index) {
        if (const AdminPayment *payment = m_payments.row(index))
            Q_EMIT paymentWanted(payment->id);
    });
    connect(m_user, &QPushButton::clicked, this, [this] {
        if (m_history)
            Q_EMIT userWanted(m_history->subscription.userId);
    });
}

QWidget *SubscriptionPane::head()
{
    m_title->setObjectName(u"subscriptionTitle");
    m_status->setObjectName(u"subscriptionStatus");
    auto *close = button({}, "closeSubscription", "");
    close->setAccessibleName(tr("Close"));
    close->setToolTip(tr("Close (Esc)"));
    close->setFixedWidth(size::control);
    close->setIcon(m_ui.theme.icon(QStringLiteral("close")));
    connect(&m_ui.theme, &Theme::changed, close,
            [=, this] { close->setIcon(m_ui.theme.icon(QStringLiteral("close"))); });
    connect(close, &QPushButton::clicked, this, &SubscriptionPane::closed);
    auto *head = new QWidget;
    auto *layout = plain(new QVBoxLayout(head), space::xs);
    layout->setContentsMargins(space::card, 0, space::m, space::m);
    auto *first = plain(new QHBoxLayout, space::s);
    first->addWidget(m_title);
    first->addStretch();
    first->addWidget(close);
    layout->addLayout(first);
    layout->addWidget(m_status);
    layout->addWidget(m_user, 0, Qt::AlignLeft);
    return head;
}

QWidget *SubscriptionPane::tierThen()
{
    m_day->setObjectName(u"tierDay");
    m_day->setAccessibleName(tr("Day whose tier is asked"));
    m_day->setDisplayFormat(QStringLiteral("d MMM yyyy"));
    m_day->setCalendarPopup(true);
    m_day->setFixedWidth(140);
    m_tier->setObjectName(u"tierThen");
    auto *row = new QWidget;
    auto *layout = plain(new QHBoxLayout(row), space::s);
    layout->addWidget(label(tr("Tier on"), "quiet"));
    layout->addWidget(m_day);
    layout->addStretch();
    layout->addWidget(m_tier);
    return row;
}

QWidget *SubscriptionPane::body()
{
    m_facts->setObjectName(u"subscriptionFacts");
    m_eventsTable = new DataTable(m_ui, tr("What was told of the subscription"));
    m_eventsTable->setObjectName(u"subscriptionEvents");
    m_eventsTable->setModel(&m_events);
    m_eventsTable->setCompact();
    using E = SubscriptionEventsModel;
    m_eventsTable->setColumn<TimeDelegate>(E::Since, 88);
    m_eventsTable->setColumn<StatusDelegate>(E::What, 150);
    m_eventsTable->setColumn<CellDelegate>(E::Tier, 100);
    m_eventsTable->setColumn<TimeDelegate>(E::PeriodEnd, 84);
    m_eventsTable->setColumn<TimeDelegate>(E::Heard, 84);
    m_eventsTable->setStretch(E::What);
    m_eventsTable->setColumnHidden(E::Heard, true); // nearly always the same; the header's menu shows it
    m_paymentsTable = new DataTable(m_ui, tr("Payments of the subscription"));
    m_paymentsTable->setObjectName(u"subscriptionPayments");
    m_paymentsTable->setModel(&m_payments);
    m_paymentsTable->setCompact();
    using C = PaymentsModel;
    m_paymentsTable->setColumn<TimeDelegate>(C::Time, 88);
    m_paymentsTable->setColumn<MoneyDelegate>(C::Amount, 92);
    m_paymentsTable->setColumn<MoneyDelegate>(C::Refunded, 92);
    m_paymentsTable->setColumn<StatusDelegate>(C::Status, 120);
    for (const int column : {C::User, C::Product, C::ProviderName})
        m_paymentsTable->setColumnHidden(column, true);
    m_paymentsTable->setStretch(C::Status);
    auto *body = new QWidget;
    auto *layout = plain(new QVBoxLayout(body), space::s);
    layout->addWidget(m_facts);
    layout->addSpacing(space::s);
    layout->addWidget(tierThen());
    layout->addSpacing(space::s);
    layout->addWidget(label(tr("History"), "section"));
    layout->addWidget(m_eventsTable);
    layout->addSpacing(space::s);
    layout->addWidget(m_paymentsTitle);
    layout->addWidget(m_paymentsTable);
    return body;
}

bool SubscriptionPane::isSettled() const
{
    return m_view->isSettled();
}

void SubscriptionPane::open(const QString &id)
{
    if (m_id != id) {
        m_id = id;
        m_history.reset();
        m_title->clear();
        m_user->setText({});
        m_status->show({}, Tone::Neutral);
    }
    load();
}

void SubscriptionPane::load()
{
    m_view->setLoading();
    m_api.subscription(m_id).then(this, [this, id = m_id](const ApiResult<SubscriptionHistory> &history) {
        if (id != m_id)
            return;
        if (!history)
            return m_view->setFailed(history.error());
        show(*history);
        m_view->setContent();
    });
}

void SubscriptionPane::show(const SubscriptionHistory &history)
{
    m_history = history;
    const AdminSubscription &s = history.subscription;
    m_title->setText(words::tier(s.tier));
    m_status->show(words::subscriptionStatus(s.status), words::tone(s.status));
    m_user->setText(s.user);
    m_user->setAccessibleName(tr("Open user %1").arg(s.user));
    m_facts->clear();
    m_facts->add(words::title(&AdminSubscription::provider), words::provider(s.provider));
    m_facts->add(tr("Period"),
                 QString(QLocale().toString(s.periodStart.toUTC().date(), QStringLiteral("d MMM yyyy"))
                         + QStringLiteral(" – ")
                         + QLocale().toString(s.periodEnd.toUTC().date(), QStringLiteral("d MMM yyyy"))),
                 format::exactTime(s.periodEnd));
    m_facts->add(words::title(&AdminSubscription::entitledUntil), s.entitledUntil);
    if (s.nextTier)
        m_facts->add(words::title(&AdminSubscription::nextTier), words::tier(*s.nextTier));
    m_facts->add(words::title(&AdminSubscription::createdAt), s.createdAt);
    m_facts->addId(words::title(&AdminSubscription::reference), s.reference, tr("Copy %1").arg(s.reference));
    m_events.setRows(history.events);
    m_payments.setRows(history.payments);
    m_paymentsTitle->setVisible(!history.payments.isEmpty());
    m_paymentsTable->setVisible(!history.payments.isEmpty());
    fitToRows(m_eventsTable);
    fitToRows(m_paymentsTable);
    const QSignalBlocker quiet(m_day);
    m_day->setMaximumDate(m_ui.clock.now().toUTC().date());
    m_day->setDate(m_ui.clock.now().toUTC().date());
    askTier();
}

// As of the end of that day, UTC; of today, as of now.
void SubscriptionPane::askTier()
{
    if (!m_history)
        return;
    m_tierCall.abort();
    const QDateTime end = m_day->date().addDays(1).startOfDay(Qt::UTC).addMSecs(-1);
    m_tierCall = m_api.tierAt(m_history->subscription.userId, std::min(end, m_ui.clock.now()));
    m_tierCall.then(this, [this](const ApiResult<TierAt> &then) {
        if (!then && then.error().kind == Problem::Kind::Cancelled)
            return;
        m_tier->setText(then ? words::tier(then->tier) : tr("not known"));
        m_tier->setToolTip(then ? format::exactTime(then->at) : then.error().sentence());
    });
}

} // namespace companion::console
