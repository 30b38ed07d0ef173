#pragma once

#include "app/DatabaseBoot.h"
#include "app/DemoPlan.h"
#include "app/DemoShop.h"
#include "app/Features.h"
#include "llm/RehearsalModel.h"

#include <QHash>
#include <QObject>

namespace companion::app {

// A clock that its owner sets. Main thread.
class SimulatedClock final : public Clock
{
public:
    QDateTime now() const override { return m_now; }
    void set(const QDateTime &now) { m_now = now; }

private:
    QDateTime m_now;
};

// Lives a plan, event by event, through the services that serve real users; the rehearsal model answers at once.
class DemoRun : public QObject
{
    Q_OBJECT
public:
    DemoRun(const Databases &databases, Features &features, SimulatedClock &clock);

    // The published characters, by name.
    QList<PublicCharacter> characters();
    bool hasUsers();
    void start(
        const DemoPlan &plan); // ended() comes later, or an exception out of the event loop's caller: see error()

    int turns() const { return m_turns; }
    QString error() const { return m_error; }

Q_SIGNALS:
    void progress(int percent);
    void ended();

private:
    void next();
    void live(const DemoEvent &event, const DemoSignUp &);
    void live(const DemoEvent &event, const DemoChat &chat);
    void live(const DemoEvent &event, const DemoPurchase &purchase);
    void live(const DemoEvent &event, const DemoSubscription &subscription);
    void live(const DemoEvent &event, const DemoCancellation &);
    void live(const DemoEvent &event, const DemoRefund &refund);
    void live(const DemoEvent &event, const DemoDispute &dispute);
    void live(const DemoEvent &event, const DemoVerdict &verdict);
    void live(const DemoEvent &event, const DemoSpree &);
    void live(const DemoEvent &event, const DemoMidnight &);
    void later(); // the next event, once the event loop has turned
    std::optional<SessionId> sessionFor(const DemoEvent &event, const DemoChat &chat);
    void settle(const chat::Turn &turn, const Result<llm::Completion> &completion);
    void fail(const QString &why);
    identity::TokenClaims claimsOf(int user) const;

    Features &m_features;
    SimulatedClock &m_clock;
    db::Session m_app;
    db::Session m_operators;
    DemoShop m_shop;
    llm::RehearsalModel m_model{{.pace = std::chrono::milliseconds(0)}};
    DemoPlan m_plan;
    QList<PublicCharacter> m_characters;
    QList<UserId> m_users;
    QHash<QString, SessionId> m_sessions;
    qsizetype m_at = 0;
    int m_turns = 0;
    QString m_error;
};

} // namespace companion::app
