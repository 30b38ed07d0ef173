#include "console/ui/pages/PaymentsPage.h"

#include "console/models/Place.h"
#include "console/ui/pages/money/DebtsTab.h"
#include "console/ui/pages/money/DisputesTab.h"
#include "console/ui/pages/money/PaymentsTab.h"
#include "console/ui/pages/money/ReconciliationTab.h"
#include "console/ui/pages/money/RevenueTab.h"
#include "console/ui/pages/money/SubscriptionsTab.h"
#include "console/ui/widgets/Look.h"

#include <QStackedWidget>

namespace companion::console {

PaymentsPage::PaymentsPage(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : ConsolePage(parent)
    , m_head(new PageHead(tr("Payments")))
    , m_choice(new ChipGroup(tr("Part of the page"), "tab"))
    , m_stack(new QStackedWidget)
    , m_refused(new StateView(ui.theme, new QWidget, Skeleton::Shape::Block))
{
    addPart(QStringLiteral("payments"), tr("Payments"), MoneyAct::ReadPayments, new PaymentsTab(ui, api));
    addPart(QStringLiteral("subscriptions"), tr("Subscriptions"), MoneyAct::ReadPayments,
            new SubscriptionsTab(ui, api));
    addPart(QStringLiteral("disputes"), tr("Disputes"), MoneyAct::ReadPayments, new DisputesTab(ui, api));
    addPart(QStringLiteral("debts"), tr("Debts"), MoneyAct::Debts, new DebtsTab(ui, api));
    addPart(QStringLiteral("reconciliation"), tr("Reconciliation"), MoneyAct::Reconciliation,
            new ReconciliationTab(ui, api));
    addPart(QStringLiteral("revenue"), tr("Revenue"), MoneyAct::Revenue, new RevenueTab(ui, api));
    m_stack->addWidget(m_refused);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    auto *parts = plain(new QVBoxLayout);
    parts->addWidget(m_choice);
    parts->addWidget(hairline());
    layout->addLayout(parts);
    layout->addWidget(m_stack, 1);
    connect(m_choice, &ChipGroup::changed, this, [this](int index) {
        showPart(index, {});
        Q_EMIT wandered(placeOf(index, {}));
    });
    setRoles({});
}

void PaymentsPage::addPart(const QString &key, const QString &title, MoneyAct act, MoneyTab *tab)
{
    const int index = static_cast<int>(m_parts.size());
    const QByteArray name = "part_" + key.toLatin1();
    m_choice->add(title, index, name.constData());
    m_parts.append({key, act, tab});
    tab->setObjectName(u"tab_" + key);
    m_stack->addWidget(tab);
    connect(tab, &MoneyTab::settled, this, [this] {
        if (isSettled())
            Q_EMIT settled();
    });
    connect(tab, &MoneyTab::contextChanged, this, [this, tab] {
        if (m_stack->currentWidget() == tab)
            m_head->setContext(tab->context());
    });
    connect(tab, &MoneyTab::wandered, this,
            [this, index](const QString &detail) { Q_EMIT wandered(placeOf(index, detail)); });
    connect(tab, &MoneyTab::userWanted, this, &PaymentsPage::userWanted);
    connect(tab, &MoneyTab::paymentWanted, this, [this](const PaymentId &payment) {
        open(payment.toString());
        Q_EMIT wandered(payment.toString());
    });
}

QString PaymentsPage::placeOf(int index, const QString &detail) const
{
    const QString key = index == 0 ? QString() : m_parts.at(index).key;
    return key.isEmpty() || detail.isEmpty() ? QString(key + detail) : QString(key + u'/' + detail);
}

void PaymentsPage::setRoles(const QList<Role> &roles)
{
    m_roles = roles;
    for (int i = 0; i < m_parts.size(); ++i) {
        const QString why = whyNot(roles, m_parts.at(i).act);
        m_choice->setChoosable(i, why.isEmpty(), why);
        m_parts.at(i).tab->setRoles(roles);
    }
}

void PaymentsPage::open(const QString &detail)
{
    const Place place = Place::parse(detail);
    int index = 0;
    for (int i = 0; i < m_parts.size(); ++i)
        if (m_parts.at(i).key == place.page)
            index = i;
    const bool named = m_parts.at(index).key == place.page;
    {
        const QSignalBlocker quiet(m_choice);
        m_choice->choose(index);
    }
    showPart(index, named ? place.detail : detail);
}

void PaymentsPage::showPart(int index, const QString &detail)
{
    const Part &part = m_parts.at(index);
    if (!may(m_roles, part.act)) {
        m_head->setContext({});
        m_refused->setEmpty(tr("Not for your role"), whyNot(m_roles, part.act));
        m_stack->setCurrentWidget(m_refused);
        return;
    }
    m_stack->setCurrentWidget(part.tab);
    m_head->setContext(part.tab->context());
    part.tab->open(detail);
}

bool PaymentsPage::isSettled() const
{
    const auto *tab = qobject_cast<const MoneyTab *>(m_stack->currentWidget());
    return !tab || tab->isSettled();
}

} // namespace companion::console
