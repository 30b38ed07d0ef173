#pragma once

#include "console/models/WalletModels.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/StateView.h"

class QGridLayout;
class QPushButton;

namespace companion::console {

// One user: who they are, what they own by bucket and lot, and every movement of it.
class UserView : public QWidget
{
    Q_OBJECT
public:
    UserView(const Ui &ui, UsersApi &api, QWidget *parent = nullptr);
    void open(const UserId &id);
    bool isSettled() const;

Q_SIGNALS:
    void settled();
    void left(); // back to the list

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    QWidget *side();
    QWidget *walletCard();
    QWidget *profileCard();
    QWidget *historyCard();
    void addActions();
    void loadUser();
    void loadWallet();
    void showUser(const AdminUser &user);
    void showWallet(const Balance &balance);
    void adjust();
    void changeTier();
    void changeStatus();
    void note(const QString &what, const ApiResult<AdminUser> &result);

    Ui m_ui;
    UsersApi &m_api;
    UserId m_id;
    std::optional<AdminUser> m_user;
    std::optional<Balance> m_balance;
    TransactionsModel m_transactions;
    LotsModel m_lots;

    PageHead *m_head;
    QPushButton *m_adjust;
    QPushButton *m_more;
    QLabel *m_problem;
    QGridLayout *m_profile = nullptr;
    StateView *m_profileView = nullptr;
    QLabel *m_total = nullptr;
    QLabel *m_walletNote = nullptr;
    QGridLayout *m_buckets = nullptr;
    DataTable *m_lotsTable = nullptr;
    StateView *m_walletView = nullptr;
    DataTable *m_history = nullptr;
    StateView *m_historyView = nullptr;
};

} // namespace companion::console
