#include "console/ui/pages/money/SubscriptionsTab.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/models/Words.h"
#include "console/ui/pages/money/SubscriptionPane.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/Look.h"

namespace companion::console {

SubscriptionsTab::SubscriptionsTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_api(api)
    , m_list(new MoneyList(ui, "subscriptionsTable", tr("Subscriptions"),
                           {tr("No subscriptions yet"), tr("Who subscribes to a tier appears here."),
                            tr("No subscription matches"), tr("Take a filter away, or search for less.")}))
    , m_pane(new SubscriptionPane(ui, api))
{
    addFilters(ui.theme);
    auto *table = m_list->table();
    table->setModel(&m_model);
    using C = SubscriptionsModel;
    table->setColumn<CellDelegate>(C::User, 240);
    table->setColumn<CellDelegate>(C::Tier, 140);
    table->setColumn<StatusDelegate>(C::Status, 160);
    table->setColumn<TimeDelegate>(C::PeriodEnd, 116);
    table->setColumn<TimeDelegate>(C::EntitledUntil, 116);
    table->setColumn<CellDelegate>(C::ProviderName, 110);
    table->setColumn<TimeDelegate>(C::Since, 110);
    table->setStretch(C::User);
    m_list->follow(m_model.news(), [this] { return !(m_search == SubscriptionSearch{}); });
    m_list->setPane(m_pane, {C::PeriodEnd, C::EntitledUntil, C::ProviderName, C::Since});
    plain(new QVBoxLayout(this))->addWidget(m_list);
    connect(&m_model.news(), &ListNews::loaded, this, [this] {
        if (m_list->isPaneShown())
            m_list->choose(m_pane->subscription());
        Q_EMIT contextChanged();
    });
    connect(m_list, &MoneyList::searchChanged, this, &SubscriptionsTab::search);
    connect(m_list, &MoneyList::retryRequested, this, &SubscriptionsTab::search);
    connect(m_list, &MoneyList::settled, this, &SubscriptionsTab::settled);
    connect(m_list, &MoneyList::paneClosed, this, [this] { Q_EMIT wandered({}); });
    connect(m_list, &MoneyList::opened, this, [this](const QModelIndex &index) {
        if (const AdminSubscription *subscription = m_model.row(index))
            showSubscription(subscription->id);
    });
    connect(m_pane, &SubscriptionPane::settled, this, &SubscriptionsTab::settled);
    connect(m_pane, &SubscriptionPane::closed, m_list, &MoneyList::hidePane);
    connect(m_pane, &SubscriptionPane::userWanted, this, &SubscriptionsTab::userWanted);
    connect(m_pane, &SubscriptionPane::paymentWanted, this, &SubscriptionsTab::paymentWanted);
}

void SubscriptionsTab::addFilters(Theme &theme)
{
    m_list->addSearch("subscriptionSearch", tr("User, id or reference"));
    m_status = new FilterChip(theme, tr("Status"), "subscriptionStatusFilter");
    for (const auto &[status, name] : EnumNames<SubscriptionStatus>::values)
        m_status->addOption(words::subscriptionStatus(status), static_cast<int>(status));
    m_tier = new FilterChip(theme, tr("Tier"), "subscriptionTierFilter");
    for (const Tier tier : {Tier::Premium, Tier::Vip})
        m_tier->addOption(words::tier(tier), static_cast<int>(tier));
    m_provider = new FilterChip(theme, tr("Provider"), "subscriptionProviderFilter");
    for (const auto &[provider, name] : EnumNames<Provider>::values)
        m_provider->addOption(words::provider(provider), static_cast<int>(provider));
    for (FilterChip *chip : {m_status, m_tier, m_provider}) {
        m_list->addFilter(chip);
        connect(chip, &FilterChip::changed, this, &SubscriptionsTab::search);
    }
}

bool SubscriptionsTab::isSettled() const
{
    return m_list->view()->isSettled() && (!m_list->isPaneShown() || m_pane->isSettled());
}

QString SubscriptionsTab::context() const
{
    return m_list->view()->state() == StateView::State::Content
        ? tr("%1 subscriptions").arg(format::count(m_model.total()))
        : QString();
}

void SubscriptionsTab::open(const QString &detail)
{
    search();
    if (detail.isEmpty())
        m_list->hidePane();
    else
        showSubscription(detail);
}

void SubscriptionsTab::search()
{
    m_search = {m_list->searched(), m_status->chosen<SubscriptionStatus>(), m_tier->chosen<Tier>(),
                m_provider->chosen<Provider>()};
    m_model.load([this, search = m_search](int limit, const std::optional<QString> &cursor) {
        return m_api.subscriptions(search, {limit, cursor});
    });
}

void SubscriptionsTab::showSubscription(const QString &id)
{
    m_pane->open(id);
    m_list->showPane();
    Q_EMIT wandered(id);
}

} // namespace companion::console
