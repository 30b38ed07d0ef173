#include "console/ui/pages/money/DisputesTab.h"

#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/Look.h"

namespace companion::console {

DisputesTab::DisputesTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_api(api)
    , m_list(new MoneyList(ui, "disputesTable", tr("Disputes"),
                           {tr("No disputes"), tr("A payment that a customer disputes with their bank appears here."),
                            tr("No dispute matches"), tr("Take a filter away, or search for less.")}))
    , m_state(new FilterChip(ui.theme, tr("State"), "disputeStateFilter"))
    , m_provider(new FilterChip(ui.theme, tr("Provider"), "disputeProviderFilter"))
{
    m_list->addSearch("disputeSearch", tr("User, id or reference"));
    for (const auto &[state, name] : EnumNames<DisputeState>::values)
        m_state->addOption(words::disputeState(state), static_cast<int>(state));
    for (const auto &[provider, name] : EnumNames<Provider>::values)
        m_provider->addOption(words::provider(provider), static_cast<int>(provider));
    for (FilterChip *chip : {m_state, m_provider}) {
        m_list->addFilter(chip);
        connect(chip, &FilterChip::changed, this, &DisputesTab::search);
    }
    auto *table = m_list->table();
    table->setModel(&m_model);
    using C = DisputesModel;
    table->setColumn<TimeDelegate>(C::Opened, 108);
    table->setColumn<CellDelegate>(C::User, 220);
    table->setColumn<MoneyDelegate>(C::Amount, 110);
    table->setColumn<StatusDelegate>(C::State, 110);
    table->setColumn<CellDelegate>(C::Reason, 150);
    table->setColumn<CellDelegate>(C::Account, 124);
    table->setColumn<CellDelegate>(C::ProviderName, 104);
    table->setColumn<TimeDelegate>(C::Closed, 104);
    table->setStretch(C::User);
    m_list->follow(m_model.news(), [this] { return !(m_search == DisputeSearch{}); });
    plain(new QVBoxLayout(this))->addWidget(m_list);
    connect(&m_model.news(), &ListNews::loaded, this, &DisputesTab::contextChanged);
    connect(m_list, &MoneyList::searchChanged, this, &DisputesTab::search);
    connect(m_list, &MoneyList::retryRequested, this, &DisputesTab::search);
    connect(m_list, &MoneyList::settled, this, &DisputesTab::settled);
    connect(table, &DataTable::opened, this, [this](const QModelIndex &index) {
        if (const AdminDispute *dispute = m_model.row(index))
            Q_EMIT paymentWanted(dispute->paymentId);
    });
}

bool DisputesTab::isSettled() const
{
    return m_list->view()->isSettled();
}

QString DisputesTab::context() const
{
    qint64 open = 0;
    for (const AdminDispute &dispute : m_model.rows())
        open += dispute.state == DisputeState::Open ? 1 : 0;
    if (m_list->view()->state() != StateView::State::Content)
        return {};
    return open > 0
        ? tr("%1 disputes, %2 open. Enter opens the payment.").arg(format::count(m_model.total()), format::count(open))
        : tr("%1 disputes. Enter opens the payment.").arg(format::count(m_model.total()));
}

void DisputesTab::open(const QString &)
{
    search();
}

void DisputesTab::search()
{
    m_search = {m_list->searched(), m_state->chosen<DisputeState>(), m_provider->chosen<Provider>()};
    m_model.load([this, search = m_search](int limit, const std::optional<QString> &cursor) {
        return m_api.disputes(search, {limit, cursor});
    });
}

} // namespace companion::console
