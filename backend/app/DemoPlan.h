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
struct DemoPurchase
{
    QString product;
};
struct DemoSubscription
{
    Tier tier = Tier::Premium;
};

struct DemoEvent
{
    QDateTime at;
    int user = 0; // index into the plan's users
    std::variant<DemoSignUp, DemoChat, DemoPurchase, DemoSubscription> what;
};

struct DemoPlan
{
    QList<DemoUser> users;
    QList<DemoEvent> events; // in the order of time; every user's sign-up comes first
};

// The same seed and day give the same plan. Ends shortly before `now`.
DemoPlan makeDemoPlan(quint32 seed, const QDateTime &now, int days, int characters);

} // namespace companion::app
