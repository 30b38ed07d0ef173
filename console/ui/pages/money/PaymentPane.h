#pragma once

#include "console/models/MoneyModels.h"
#include "console/models/RefundForm.h"
#include "console/ui/Ui.h"

#include <QFrame>
#include <QHash>

class QLabel;
class QPushButton;

namespace companion::console {

class DataTable;
class Facts;
class StateView;
class StateWord;

// One payment with all that came of it, and its refund.
class PaymentPane : public QFrame
{
    Q_OBJECT
public:
    PaymentPane(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const PaymentId &id);
    PaymentId payment() const { return m_id; }
    bool isSettled() const;
    void setRoles(const QList<Role> &roles);

Q_SIGNALS:
    void settled();
    void closed();
    void userWanted(const companion::UserId &user);
    void changed(); // a refund was made

private:
    QWidget *head();
    QWidget *body();
    void load();
    void show(const PaymentStory &story);
    void showRefundability();
    void refund();

    Ui m_ui;
    PaymentsApi &m_api;
    PaymentId m_id;
    std::optional<PaymentStory> m_story;
    QList<Role> m_roles;
    // Refunds whose dialog was closed before an answer came: opened again it goes on with the same key.
    QHash<QString, UnansweredRefund> m_unanswered;
    TimelineModel m_timeline;
    PaymentLotsModel m_lots;
    QLabel *m_amount;
    StateWord *m_status;
    QLabel *m_what;
    QPushButton *m_user;
    QPushButton *m_refund;
    QLabel *m_note;
    Facts *m_facts;
    Facts *m_ids;
    DataTable *m_timelineTable;
    QLabel *m_lotsTitle;
    DataTable *m_lotsTable;
    StateView *m_view;
};

} // namespace companion::console
