#include "console/ui/pages/money/PaymentsTab.h"

#include "console/models/DayRange.h"
#include "console/models/Format.h"
#include "console/models/MoneyWords.h"
#include "console/ui/pages/money/PaymentPane.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/FilterChip.h"
#include "console/ui/widgets/Look.h"

namespace companion::console {

PaymentsTab::PaymentsTab(const Ui &ui, PaymentsApi &api, QWidget *parent)
    : MoneyTab(parent)
    , m_ui(ui)
    , m_api(api)
    , m_list(new MoneyList(ui, "paymentsTable", tr("Payments"),
                           {tr("No payments yet"), tr("Every checkout that a customer begins appears here."),
                            tr("No payment matches"), tr("Take a filter away, or search for less.")}))
    , m_status(new FilterChip(ui.theme, tr("Status"), "paymentStatusFilter"))
    , m_provider(new FilterChip(ui.theme, tr("Provider"), "paymentProviderFilter"))
    , m_currency(new FilterChip(ui.theme, tr("Currency"), "paymentCurrencyFilter"))
    , m_period(new FilterChip(ui.theme, tr("Date"), "paymentPeriodFilter"))
    , m_pane(new PaymentPane(ui, api))
{
    addFilters();
    auto *table = m_list->table();
    table->setModel(&m_model);
    using C = PaymentsModel;
    table->setColumn<TimeDelegate>(C::Time, 108);
    table->setColumn<CellDelegate>(C::User, 220);
    table->setColumn<CellDelegate>(C::Product, 190);
    table->setColumn<MoneyDelegate>(C::Amount, 104);
    table->setColumn<MoneyDelegate>(C::Refunded, 104);
    table->setColumn<StatusDelegate>(C::Status, 144);
    table->setColumn<CellDelegate>(C::ProviderName, 104);
    table->setStretch(C::User);
    m_list->follow(m_model.news(), [this] { return !(m_search == PaymentSearch{}); });
    m_list->setPane(m_pane, {C::Product, C::Refunded, C::ProviderName});
    plain(new QVBoxLayout(this))->addWidget(m_list);
    connect(&m_model.news(), &ListNews::loaded, this, [this] {
        if (m_list->isPaneShown())
            m_list->choose(m_pane->payment().toString());
        Q_EMIT contextChanged();
    });
    connect(m_list, &MoneyList::searchChanged, this, &PaymentsTab::search);
    connect(m_list, &MoneyList::retryRequested, this, &PaymentsTab::search);
    connect(m_list, &MoneyList::settled, this, &PaymentsTab::settled);
    connect(m_list, &MoneyList::paneClosed, this, [this] { Q_EMIT wandered({}); });
    connect(m_list, &MoneyList::opened, this, [this](const QModelIndex &index) {
        if (const AdminPayment *payment = m_model.row(index))
            showPayment(payment->id);
    });
    connect(m_pane, &PaymentPane::settled, this, &PaymentsTab::settled);
    connect(m_pane, &PaymentPane::closed, m_list, &MoneyList::hidePane);
    connect(m_pane, &PaymentPane::userWanted, this, &PaymentsTab::userWanted);
    connect(m_pane, &PaymentPane::changed, this, [this] { m_model.reload(); });
}

void PaymentsTab::addFilters()
{
    m_list->addSearch("paymentSearch", tr("User, id or reference"));
    for (const auto &[status, name] : EnumNames<PaymentStatus>::values)
        m_status->addOption(words::paymentStatus(status), static_cast<int>(status));
    for (const auto &[provider, name] : EnumNames<Provider>::values)
        m_provider->addOption(words::provider(provider), static_cast<int>(provider));
    for (const char *currency : {"USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "BRL", "INR"})
        m_currency->addOption(QString::fromLatin1(currency), QString::fromLatin1(currency));
    for (const int days : {1, 7, 30, 90, 365})
        m_period->addOption(days == 1 ? tr("Today") : tr("Last %1 days").arg(days), days);
    for (FilterChip *chip : {m_status, m_provider, m_currency, m_period}) {
        m_list->addFilter(chip);
        connect(chip, &FilterChip::changed, this, &PaymentsTab::search);
    }
}

bool PaymentsTab::isSettled() const
{
    return m_list->view()->isSettled() && (!m_list->isPaneShown() || m_pane->isSettled());
}

void PaymentsTab::setRoles(const QList<Role> &roles)
{
    m_pane->setRoles(roles);
}

QString PaymentsTab::context() const
{
    return m_list->view()->state() == StateView::State::Content ? tr("%1 payments").arg(format::count(m_model.total()))
                                                                : QString();
}

void PaymentsTab::open(const QString &detail)
{
    search();
    if (const auto id = PaymentId::parse(detail))
        showPayment(*id);
    else
        m_list->hidePane();
}

void PaymentsTab::search()
{
    m_search = {.text = m_list->searched(),
                .status = m_status->chosen<PaymentStatus>(),
                .provider = m_provider->chosen<Provider>(),
                .currency = m_currency->isSet() ? std::optional(m_currency->value().toString()) : std::nullopt,
                .from = m_period->isSet()
                    ? std::optional(DayRange::lastDays(m_period->value().toInt(), m_ui.clock.now()).from)
                    : std::nullopt};
    m_model.load([this, search = m_search](int limit, const std::optional<QString> &cursor) {
        return m_api.payments(search, {limit, cursor});
    });
}

void PaymentsTab::showPayment(const PaymentId &id)
{
    m_pane->open(id);
    m_list->showPane();
    Q_EMIT wandered(id.toString());
}

} // namespace companion::console
