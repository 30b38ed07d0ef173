#include "console/ui/pages/UsersPage.h"

#include "console/models/Format.h"
#include "console/models/Words.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Look.h"

#include <QLineEdit>
#include <QStackedWidget>

namespace companion::console {

namespace {

constexpr int anyOne = 100; // the chip that filters nothing

template <class E>
std::optional<E> chosen(const ChipGroup &group)
{
    return group.chosen() == anyOne ? std::nullopt : std::optional(static_cast<E>(group.chosen()));
}

} // namespace

UsersPage::UsersPage(const Ui &ui, UsersApi &api, QWidget *parent)
    : ConsolePage(parent)
    , m_ui(ui)
    , m_api(api)
    , m_model(api)
    , m_head(new PageHead(tr("Users")))
    , m_text(new QLineEdit)
    , m_tier(new ChipGroup(tr("Tier")))
    , m_status(new ChipGroup(tr("Status")))
    , m_table(new DataTable(ui, tr("Users")))
    , m_stack(new QStackedWidget)
    , m_user(new UserView(ui, api))
{
    m_stack->addWidget(list());
    m_stack->addWidget(m_user);
    plain(new QVBoxLayout(this))->addWidget(m_stack);
    m_typing.setSingleShot(true);
    connect(&m_typing, &QTimer::timeout, this, &UsersPage::search);
    connect(m_text, &QLineEdit::textChanged, this, [this] { m_typing.start(motion::typeahead_ms); });
    connect(m_tier, &ChipGroup::changed, this, &UsersPage::search);
    connect(m_status, &ChipGroup::changed, this, &UsersPage::search);
    connect(&m_model, &UsersModel::loading, m_view, &StateView::setLoading);
    connect(&m_model, &UsersModel::failed, m_view, &StateView::setFailed);
    connect(&m_model, &UsersModel::loaded, this, &UsersPage::showFound);
    connect(m_view, &StateView::retryRequested, this, &UsersPage::search);
    connect(m_view, &StateView::settled, this, &UsersPage::settled);
    connect(m_user, &UserView::settled, this, &UsersPage::settled);
    connect(m_user, &UserView::left, this, [this] {
        m_stack->setCurrentIndex(0);
        m_model.reload();
        m_table->setFocus();
        Q_EMIT wandered({});
    });
    connect(m_table, &DataTable::opened, this, [this](const QModelIndex &index) {
        if (const AdminUser *user = m_model.row(index))
            showUser(user->id);
    });
}

QWidget *UsersPage::list()
{
    m_text->setObjectName(u"userSearch");
    m_text->setAccessibleName(tr("Search users"));
    m_text->setPlaceholderText(tr("Email, name or id"));
    m_text->setClearButtonEnabled(true);
    m_text->setFixedWidth(280);
    m_tier->add(tr("Any tier"), anyOne, "tierAny");
    for (const Tier tier : {Tier::Free, Tier::Premium, Tier::Vip})
        m_tier->add(words::tier(tier), static_cast<int>(tier), enumName(tier));
    m_status->add(tr("Any status"), anyOne, "statusAny");
    for (const UserStatus status : {UserStatus::Active, UserStatus::Suspended})
        m_status->add(words::userStatus(status), static_cast<int>(status), enumName(status));

    m_table->setObjectName(u"usersTable");
    m_table->setModel(&m_model);
    using C = UsersModel;
    m_table->setColumn<CellDelegate>(C::Email, 260);
    m_table->setColumn<CellDelegate>(C::Name, 180);
    m_table->setColumn<CellDelegate>(C::Tier, 96);
    m_table->setColumn<StatusDelegate>(C::Status, 120);
    m_table->setColumn<MoneyDelegate>(C::Balance, 130);
    m_table->setColumn<TimeDelegate>(C::LastSeen, 120);
    m_table->setColumn<TimeDelegate>(C::Joined, 120);
    m_table->setStretch(C::Email);
    m_view = new StateView(m_ui.theme, m_table, Skeleton::Shape::Rows);
    auto *frame = card("usersCard");
    auto *inside = plain(new QVBoxLayout(frame));
    inside->setContentsMargins(1, space::xs, 1, space::xs);
    inside->addWidget(m_view);

    auto *page = new QWidget;
    auto *layout = new QVBoxLayout(page);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    auto *filters = plain(new QHBoxLayout, space::xl);
    filters->addWidget(m_text);
    filters->addWidget(m_tier);
    filters->addWidget(m_status);
    filters->addStretch();
    layout->addLayout(filters);
    layout->addWidget(frame, 1);
    return page;
}

bool UsersPage::isSettled() const
{
    return m_stack->currentIndex() == 0 ? m_view->isSettled() && m_wanted.isEmpty() : m_user->isSettled();
}

void UsersPage::open(const QString &detail)
{
    m_wanted.clear();
    if (const auto id = UserId::parse(detail))
        return showUser(*id);
    m_stack->setCurrentIndex(0);
    m_wanted = detail;
    if (detail.isEmpty())
        m_text->setFocus();
    else
        m_text->setText(detail);
    search();
}

void UsersPage::search()
{
    m_typing.stop();
    m_model.search({m_text->text().trimmed(), chosen<Tier>(*m_tier), chosen<UserStatus>(*m_status)});
}

void UsersPage::showFound()
{
    m_head->setContext(tr("%1 found", nullptr).arg(format::count(m_model.total())));
    const QString wanted = std::exchange(m_wanted, {});
    for (const AdminUser &user : m_model.rows())
        if (!wanted.isEmpty() && user.email.compare(wanted, Qt::CaseInsensitive) == 0)
            return showUser(user.id);
    if (m_model.rowCount() > 0)
        m_view->setContent();
    else if (m_model.lastSearch() == UserSearch{})
        m_view->setEmpty(tr("No users yet"), tr("Everybody who signs in appears here."));
    else
        m_view->setEmpty(tr("Nobody matches"), tr("Try a part of the email or name, or take a filter away."));
}

void UsersPage::showUser(const UserId &id)
{
    m_stack->setCurrentWidget(m_user);
    m_user->open(id);
    Q_EMIT wandered(id.toString());
}

} // namespace companion::console
