#pragma once

#include "console/models/MoneyModels.h"
#include "console/ui/Ui.h"

#include <QFrame>

class QDateEdit;
class QLabel;
class QPushButton;

namespace companion::console {

class DataTable;
class Facts;
class StateView;
class StateWord;

// One subscription: how it stands, what was told of it, what was paid for it, and its user's tier on any day.
class SubscriptionPane : public QFrame
{
    Q_OBJECT
public:
    SubscriptionPane(const Ui &ui, PaymentsApi &api, QWidget *parent = nullptr);
    void open(const QString &id);
    QString subscription() const { return m_id; }
    bool isSettled() const;

Q_SIGNALS:
    void settled();
    void closed();
    void userWanted(const companion::UserId &user);
    void paymentWanted(const companion::PaymentId &payment);

private:
    QWidget *head();
    QWidget *body();
    QWidget *tierThen();
    void load();
    void show(const SubscriptionHistory &history);
    void askTier();

    Ui m_ui;
    PaymentsApi &m_api;
    QString m_id;
    std::optional<SubscriptionHistory> m_history;
    SubscriptionEventsModel m_events;
    PaymentsModel m_payments;
    ApiCall<TierAt> m_tierCall;
    QLabel *m_title;
    StateWord *m_status;
    QPushButton *m_user;
    Facts *m_facts;
    QDateEdit *m_day;
    QLabel *m_tier;
    DataTable *m_eventsTable;
    DataTable *m_paymentsTable;
    QLabel *m_paymentsTitle;
    StateView *m_view;
};

} // namespace companion::console
