#pragma once

#include "console/models/UsersModel.h"
#include "console/ui/pages/ConsolePage.h"
#include "console/ui/pages/UserView.h"
#include "console/ui/widgets/ChipGroup.h"
#include "console/ui/widgets/DataTable.h"
#include "console/ui/widgets/StateView.h"

class QLineEdit;
class QStackedWidget;

namespace companion::console {

// Search as you type; Enter opens a user as a page of their own.
class UsersPage : public ConsolePage
{
    Q_OBJECT
public:
    UsersPage(const Ui &ui, UsersApi &api, QWidget *parent = nullptr);
    void open(const QString &detail) override; // id or email
    bool isSettled() const override;

private:
    QWidget *list();
    void search();
    void showFound();
    void showUser(const UserId &id);

    Ui m_ui;
    UsersApi &m_api;
    UsersModel m_model;
    QTimer m_typing;
    QString m_wanted; // an email to open as soon as it is found
    PageHead *m_head;
    QLineEdit *m_text;
    ChipGroup *m_tier;
    ChipGroup *m_status;
    DataTable *m_table;
    StateView *m_view;
    QStackedWidget *m_stack;
    UserView *m_user;
};

} // namespace companion::console
