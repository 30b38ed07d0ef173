#include "console/ui/pages/UserView.h"

#include "console/models/Format.h"
#include "console/models/Words.h"
#include "console/ui/dialogs/AdjustDialog.h"
#include "console/ui/dialogs/ReasonDialog.h"
#include "console/ui/widgets/CellDelegate.h"
#include "console/ui/widgets/Look.h"

#include <QGridLayout>
#include <QKeyEvent>
#include <QMenu>

namespace companion::console {

namespace {

constexpr int sideWidth = 340;

void clearGrid(QGridLayout &grid)
{
    while (QLayoutItem *item = grid.takeAt(0)) {
        delete item->widget();
        delete item;
    }
}

void addLine(QGridLayout &grid, const QString &name, const QString &value, const QString &exact = {})
{
    const int row = grid.rowCount();
    auto *text = label(value);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    text->setToolTip(exact);
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignRight);
    grid.addWidget(label(name, "quiet"), row, 0, Qt::AlignTop);
    grid.addWidget(text, row, 1);
}

QFrame *sectionCard(const char *name, const QString &title, QWidget *content)
{
    QFrame *frame = card(name);
    auto *layout = new QVBoxLayout(frame);
    layout->setContentsMargins(space::card, space::m, space::card, space::m);
    layout->setSpacing(space::s);
    layout->addWidget(label(title, "section"));
    layout->addWidget(content, 1);
    return frame;
}

} // namespace

UserView::UserView(const Ui &ui, UsersApi &api, QWidget *parent)
    : QWidget(parent)
    , m_ui(ui)
    , m_api(api)
    , m_transactions(api)
    , m_head(new PageHead({}))
    , m_adjust(button(tr("Adjust credits…"), "adjustCredits", "primary"))
    , m_more(button(tr("More"), "userMore"))
    , m_problem(label({}, "problem"))
{
    setObjectName(u"userView");
    m_problem->setObjectName(u"userProblem");
    m_problem->setWordWrap(true);
    m_problem->hide();
    m_adjust->setEnabled(false); // until there is a wallet
    m_more->setEnabled(false);
    addActions();
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(space::page, space::page, space::page, space::page);
    layout->setSpacing(space::gap);
    layout->addWidget(m_head);
    layout->addWidget(m_problem);
    auto *content = plain(new QHBoxLayout, space::gap);
    content->addWidget(side());
    content->addWidget(historyCard(), 1);
    layout->addLayout(content, 1);
    for (StateView *view : {m_profileView, m_walletView, m_historyView})
        connect(view, &StateView::settled, this, [this] {
            if (isSettled())
                Q_EMIT settled();
        });
}

void UserView::addActions()
{
    auto *back = button(tr("Users"), "backToUsers");
    back->setIcon(m_ui.theme.icon(QStringLiteral("back")));
    connect(&m_ui.theme, &Theme::changed, back, [=, this] { back->setIcon(m_ui.theme.icon(QStringLiteral("back"))); });
    connect(back, &QPushButton::clicked, this, &UserView::left);
    m_head->addLeading(back);
    auto *menu = new QMenu(m_more);
    menu->addAction(tr("Change tier…"), this, &UserView::changeTier)->setObjectName(u"changeTier");
    menu->addAction(tr("Suspend or restore…"), this, &UserView::changeStatus)->setObjectName(u"changeStatus");
    m_more->setMenu(menu);
    m_head->addAction(m_more);
    m_head->addAction(m_adjust);
    connect(m_adjust, &QPushButton::clicked, this, &UserView::adjust);
}

QWidget *UserView::side()
{
    auto *column = new QWidget;
    column->setFixedWidth(sideWidth);
    auto *layout = plain(new QVBoxLayout(column), space::gap);
    layout->addWidget(walletCard(), 1);
    layout->addWidget(profileCard());
    return column;
}

QWidget *UserView::walletCard()
{
    auto *content = new QWidget;
    auto *layout = plain(new QVBoxLayout(content), space::s);
    m_total = label({}, "figure");
    m_total->setObjectName(u"walletTotal");
    m_total->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_walletNote = label({}, "small");
    m_walletNote->setObjectName(u"walletNote");
    m_walletNote->setWordWrap(true);
    m_buckets = plain(new QGridLayout, space::xs);
    m_buckets->setColumnStretch(1, 1);
    m_lotsTable = new DataTable(m_ui, tr("Lots"));
    m_lotsTable->setObjectName(u"lotsTable");
    m_lotsTable->setModel(&m_lots);
    m_lotsTable->setCompact();
    m_lotsTable->setColumn<CellDelegate>(LotsModel::Bucket, 110);
    m_lotsTable->setColumn<MoneyDelegate>(LotsModel::Remaining, 96);
    m_lotsTable->setColumn<TimeDelegate>(LotsModel::Expires, 108);
    m_lotsTable->setStretch(LotsModel::Bucket);
    layout->addWidget(m_total);
    layout->addWidget(m_walletNote);
    layout->addSpacing(space::xs);
    layout->addLayout(m_buckets);
    layout->addSpacing(space::s);
    layout->addWidget(m_lotsTable, 1);
    m_walletView = new StateView(m_ui.theme, content, Skeleton::Shape::Rows);
    connect(m_walletView, &StateView::retryRequested, this, &UserView::loadWallet);
    return sectionCard("walletCard", tr("Wallet"), m_walletView);
}

QWidget *UserView::profileCard()
{
    auto *content = new QWidget;
    m_profile = plain(new QGridLayout(content), space::xs);
    m_profile->setColumnStretch(1, 1);
    m_profileView = new StateView(m_ui.theme, content, Skeleton::Shape::Rows);
    m_profileView->setMinimumHeight(190);
    connect(m_profileView, &StateView::retryRequested, this, &UserView::loadUser);
    return sectionCard("profileCard", tr("Profile"), m_profileView);
}

QWidget *UserView::historyCard()
{
    m_history = new DataTable(m_ui, tr("Transactions"));
    m_history->setObjectName(u"transactionsTable");
    m_history->setModel(&m_transactions);
    using C = TransactionsModel;
    m_history->setColumn<TimeDelegate>(C::Time, 104);
    m_history->setColumn<CellDelegate>(C::Kind, 120);
    m_history->setColumn<CellDelegate>(C::Description, 140);
    m_history->setColumn<CellDelegate>(C::Buckets, 120);
    m_history->setColumn<MoneyDelegate>(C::Amount, 104);
    m_history->setColumn<MoneyDelegate>(C::BalanceAfter, 104);
    for (const int column : {C::DailyFree, C::Purchased, C::Bonus}) {
        m_history->setColumn<MoneyDelegate>(column, 100);
        m_history->hideColumn(column); // the header's menu brings them out
    }
    m_history->setStretch(C::Description);
    m_historyView = new StateView(m_ui.theme, m_history, Skeleton::Shape::Rows);
    connect(m_historyView, &StateView::retryRequested, this, [this] { m_transactions.load(m_id); });
    connect(&m_transactions, &TransactionsModel::failed, m_historyView, &StateView::setFailed);
    connect(&m_transactions, &TransactionsModel::loaded, this, [this] {
        if (m_transactions.rowCount() > 0)
            m_historyView->setContent();
        else
            m_historyView->setEmpty(tr("No transactions yet"), tr("The first refresh or purchase begins the history."));
    });
    QFrame *frame = sectionCard("historyCard", tr("Transactions"), m_historyView);
    frame->layout()->setContentsMargins(1, space::m, 1, space::xs);
    frame->layout()->itemAt(0)->widget()->setContentsMargins(space::m, 0, 0, 0);
    return frame;
}

bool UserView::isSettled() const
{
    return m_profileView->isSettled() && m_walletView->isSettled() && m_historyView->isSettled();
}

void UserView::open(const UserId &id)
{
    if (m_id != id) {
        m_id = id;
        m_user.reset();
        m_balance.reset();
        m_head->setTitle(tr("User"));
        m_head->setContext({});
        m_adjust->setEnabled(false);
        m_more->setEnabled(false);
    }
    m_problem->hide();
    loadUser();
    loadWallet();
    m_historyView->setLoading();
    m_transactions.load(id);
}

void UserView::loadUser()
{
    m_profileView->setLoading();
    m_api.one(m_id).then(this, [this, id = m_id](const ApiResult<AdminUser> &user) {
        if (id != m_id)
            return;
        if (!user)
            return m_profileView->setFailed(user.error());
        showUser(*user);
        m_profileView->setContent();
    });
}

void UserView::loadWallet()
{
    m_walletView->setLoading();
    m_api.wallet(m_id).then(this, [this, id = m_id](const ApiResult<Balance> &balance) {
        if (id != m_id)
            return;
        if (!balance)
            return m_walletView->setFailed(balance.error());
        showWallet(*balance);
        m_walletView->setContent();
    });
}

void UserView::showUser(const AdminUser &user)
{
    m_user = user;
    m_more->setEnabled(true);
    m_head->setTitle(user.displayName.isEmpty() ? user.email : user.displayName);
    m_head->setContext(QStringList{user.email, words::tier(user.tier), words::userStatus(user.status)}.join(u" · "));
    QStringList roles;
    for (const Role role : user.roles)
        roles.append(words::role(role));
    const auto timeLine = [&](const QString &name, const std::optional<QDateTime> &time, const QString &none) {
        addLine(*m_profile, name, time ? format::relativeTime(*time, m_ui.clock.now()) : none,
                time ? format::exactTime(*time) : QString());
    };
    clearGrid(*m_profile);
    addLine(*m_profile, words::title(&AdminUser::roles), roles.join(QStringLiteral(", ")));
    timeLine(words::title(&AdminUser::tierExpiresAt), user.tierExpiresAt, tr("no end"));
    addLine(*m_profile, words::title(&AdminUser::ageVerified), user.ageVerified ? tr("Yes") : tr("No"));
    addLine(*m_profile, words::title(&AdminUser::region), user.region.value_or(tr("unknown")));
    timeLine(words::title(&AdminUser::lastSeenAt), user.lastSeenAt, tr("never"));
    timeLine(words::title(&AdminUser::createdAt), user.createdAt, {});
    auto *id = label(user.id.toString(), "small");
    id->setObjectName(u"userId");
    id->setAccessibleName(tr("Id"));
    id->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_profile->addWidget(id, m_profile->rowCount(), 0, 1, 2);
}

void UserView::showWallet(const Balance &balance)
{
    m_balance = balance;
    m_adjust->setEnabled(true);
    m_total->setText(format::credits(balance.total));
    QStringList notes{tr("%1 available").arg(format::credits(balance.available))};
    if (!balance.held.isZero())
        notes.append(tr("%1 held").arg(format::credits(balance.held)));
    if (!balance.debt.isZero())
        notes.append(tr("%1 owed").arg(format::credits(balance.debt)));
    m_walletNote->setText(notes.join(QStringLiteral(" · ")));
    clearGrid(*m_buckets);
    addLine(*m_buckets, words::bucket(Bucket::DailyFree),
            tr("%1 of %2").arg(format::credits(balance.dailyFree), format::credits(balance.dailyLimit)),
            tr("Refreshed %1").arg(format::exactTime(balance.refreshesAt)));
    addLine(*m_buckets, words::bucket(Bucket::Purchased), format::credits(balance.purchased));
    addLine(*m_buckets, words::bucket(Bucket::Bonus), format::credits(balance.bonus));
    m_lots.setRows(balance.lots);
    m_lotsTable->setVisible(!balance.lots.isEmpty());
}

void UserView::adjust()
{
    if (!m_balance || !m_user)
        return;
    auto *dialog = new AdjustDialog(m_api, *m_user, *m_balance, this);
    connect(dialog, &QDialog::accepted, this, [this] { open(m_id); });
    m_ui.prompts.show(dialog);
}

void UserView::changeTier()
{
    auto *dialog = new ReasonDialog(tr("Change tier"),
                                    tr("%1 is on %2. The new tier holds at once; nothing is charged or refunded.")
                                        .arg(m_user->email, words::tier(m_user->tier)),
                                    tr("Change tier"), this);
    for (const Tier tier : {Tier::Free, Tier::Premium, Tier::Vip})
        dialog->addChoice(words::tier(tier), static_cast<int>(tier), tier == m_user->tier);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        m_api.changeTier(m_id, {static_cast<Tier>(dialog->choice()), dialog->reason()})
            .then(this, [this](const ApiResult<AdminUser> &user) { note(tr("The tier was not changed."), user); });
    });
    m_ui.prompts.show(dialog);
}

void UserView::changeStatus()
{
    const bool suspended = m_user->status == UserStatus::Suspended;
    auto *dialog = suspended
        ? new ReasonDialog(tr("Restore user"), tr("%1 can sign in and chat again at once.").arg(m_user->email),
                           tr("Restore"), this)
        : new ReasonDialog(
              tr("Suspend user"),
              tr("%1 is signed out everywhere and cannot chat until restored. Their credits stay.").arg(m_user->email),
              tr("Suspend"), this);
    dialog->setDangerous(!suspended);
    connect(dialog, &QDialog::accepted, this, [this, dialog, suspended] {
        const auto call = suspended ? m_api.restore(m_id, dialog->reason()) : m_api.suspend(m_id, dialog->reason());
        call.then(this, [this](const ApiResult<AdminUser> &user) { note(tr("The status was not changed."), user); });
    });
    m_ui.prompts.show(dialog);
}

void UserView::note(const QString &what, const ApiResult<AdminUser> &result)
{
    m_problem->setVisible(!result);
    if (result)
        return open(m_id);
    m_problem->setText(what + u' ' + result.error().sentence());
}

void UserView::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape)
        Q_EMIT left();
    else
        QWidget::keyPressEvent(event);
}

} // namespace companion::console
