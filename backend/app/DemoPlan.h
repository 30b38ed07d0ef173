#pragma once

#include "common/models/Chat.h"

#include <QDateTime>
#include <QList>
#include <variant>

namespace companion::app {

// Somebody who is made up. All addresses are in example.com.
struct DemoUser
{
    QString name;
    QString email;
    QString region;
    QString locale;
    bool ageVerified = false;
};

struct DemoSignUp
{
};
struct DemoChat
{
    int character = 0; // of the published ones, by name
    Mode mode = Mode::Normal;
    QString text;
};
// A checkout at the sandbox, told to us by its webhooks.
struct DemoPurchase
{
    int number = 0; // what a later event calls it by
    QString product;
    enum class Fate { Paid, Declined, WebhookLost } fate = Fate::Paid;
};
struct DemoSubscription
{
    Tier tier = Tier::Premium; // a running one is changed
};
struct DemoCancellation
{
};
// By the operator who cares for money.
struct DemoRefund
{
    int purchase = 0;
    QString amount; // all that is left where empty
    QString reason;
};
// The customer's bank takes it back; later it is told who was right.
struct DemoDispute
{
    int purchase = 0;
};
struct DemoVerdict
{
    int purchase = 0;
    bool won = true;
};
// The user's purchased credits are used up at once: a refund of them leaves a debt.
struct DemoSpree
{
};
// The day has ended: renewals that are due, and its comparison with the sandbox.
struct DemoMidnight
{
};

struct DemoEvent
{
    QDateTime at;
    int user = 0; // index into the plan's users; of no meaning to a midnight
    std::variant<DemoSignUp, DemoChat, DemoPurchase, DemoSubscription, DemoCancellation, DemoRefund, DemoDispute,
                 DemoVerdict, DemoSpree, DemoMidnight>
        what;
};

struct DemoPlan
{
    QList<DemoUser> users;
    QList<DemoEvent> events; // in the order of time; every user's sign-up comes first
};

// The same seed and day give the same plan. Ends shortly before `now`.
DemoPlan makeDemoPlan(quint32 seed, const QDateTime &now, int days, int characters);

} // namespace companion::app
