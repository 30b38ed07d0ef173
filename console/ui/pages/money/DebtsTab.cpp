#include "console/ui/pages/money/DebtsTab.h"

#include "console/models/Format.h"
#include "console/ui/dialogs/ForgiveDialog.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/Look.h"

namespace companion::console {

DebtsTab::DebtsTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_ui(ui)
    , m_api(api)
    , m_list(new MoneyList(ui, "debtsTable", tr("Debts"),
                           {tr("Nobody owes anything"),
                            tr("A refund or chargeback of credits that are spent already leaves a debt, which the next "
                               "purchase pays first."),
                            tr("No debt matches"), tr("Take a filter away, or search for less.")}))
    , m_state(new FilterChip(ui.theme, tr("Settled"), "debtStateFilter"))
    , m_user(button(tr("Open user"), "debtUser"))
    , m_forgive(button(tr("Let off…"), "forgiveDebt"))
{
    m_list->addSearch("debtSearch", tr("User"));
    m_state->addOption(tr("shown too"), true);
    m_list->addFilter(m_state);
    m_list->addAction(m_user);
    m_list->addAction(m_forgive);
    auto *table = m_list->table();
    table->setModel(&m_model);
    using C = DebtsModel;
    table->setColumn<TimeDelegate>(C::Since, 120);
    table->setColumn<CellDelegate>(C::User, 240);
    table->setColumn<CellDelegate>(C::Cause, 220);
    table->setColumn<MoneyDelegate>(C::Original, 130);
    table->setColumn<MoneyDelegate>(C::Remaining, 130);
    table->setColumn<StatusDelegate>(C::State, 120);
    table->setStretch(C::User);
    m_list->follow(m_model.news(), [this] { return !(m_search == DebtSearch{}); });
    plain(new QVBoxLayout(this))->addWidget(m_list);
    connect(&m_model.news(), &ListNews::loaded, this, [this] {
        showActions();
        Q_EMIT contextChanged();
    });
    connect(table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &DebtsTab::showActions);
    connect(m_list, &MoneyList::searchChanged, this, &DebtsTab::search);
    connect(m_list, &MoneyList::retryRequested, this, &DebtsTab::search);
    connect(m_list, &MoneyList::settled, this, &DebtsTab::settled);
    connect(m_state, &FilterChip::changed, this, &DebtsTab::search);
    connect(m_forgive, &QPushButton::clicked, this, &DebtsTab::forgive);
    connect(m_user, &QPushButton::clicked, this, [this] {
        if (const Debt *debt = m_model.row(m_list->current()))
            Q_EMIT userWanted(debt->userId);
    });
    connect(table, &DataTable::opened, this, [this](const QModelIndex &index) {
        const Debt *debt = m_model.row(index);
        if (debt && debt->paymentId)
            Q_EMIT paymentWanted(*debt->paymentId);
    });
    showActions();
}

bool DebtsTab::isSettled() const
{
    return m_list->view()->isSettled();
}

QString DebtsTab::context() const
{
    if (m_list->view()->state() != StateView::State::Content)
        return {};
    Credits owed;
    for (const Debt &debt : m_model.rows())
        owed += debt.remaining;
    return tr("%1 credits owed here. The next purchase pays them first; Enter opens the payment.")
        .arg(format::credits(owed));
}

void DebtsTab::open(const QString &)
{
    search();
}

void DebtsTab::search()
{
    m_search = {m_list->searched(), m_state->isSet()};
    m_model.load([this, search = m_search](int limit, const std::optional<QString> &cursor) {
        return m_api.debts(search, {limit, cursor});
    });
}

void DebtsTab::showActions()
{
    const Debt *debt = m_model.row(m_list->current());
    m_user->setEnabled(debt);
    m_forgive->setEnabled(debt && !debt->remaining.isZero());
    m_forgive->setToolTip(!debt                          ? tr("Choose a debt first.")
                              : debt->remaining.isZero() ? tr("Nothing of it is owed any more.")
                                                         : QString());
    m_forgive->setAccessibleDescription(m_forgive->toolTip());
}

void DebtsTab::forgive()
{
    const Debt *debt = m_model.row(m_list->current());
    if (!debt)
        return;
    auto *dialog = new ForgiveDialog(m_api, *debt, this);
    connect(dialog, &QDialog::finished, this, [this] { m_model.reload(); });
    m_ui.prompts.show(dialog);
}

} // namespace companion::console
