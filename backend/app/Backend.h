#pragma once

#include "app/Configuration.h"
#include "app/DatabaseBoot.h"
#include "app/Features.h"
#include "app/MemoryParts.h"
#include "app/OperationsRoutes.h"
#include "app/Stores.h"
#include "chat/LiveTurns.h"
#include "chat/TurnLane.h"
#include "http/LocalRateLimiter.h"
#include "http/Server.h"
#include "jobs/Schedule.h"
#include "llm/LanguageModel.h"
#include "moderation/RemoteModeration.h"
#include "ops/Metrics.h"
#include "payments/sandbox/SandboxProvider.h"
#include "payments/stripe/StripeProvider.h"

#include <QObject>

namespace companion::app {

// The running server: the only place that knows everybody. Made on the main thread, whose event loop it lives on.
class Backend : public QObject
{
    Q_OBJECT
public:
    // Signing keys are read from the database here; blocks.
    Backend(const Configuration &configuration, const Databases &databases, Features &features, const Clock &clock);
    ~Backend() override;

    std::expected<quint16, QString> listen(); // the port
    // Accepts no more, lets replies end for the configured grace, voids the rest; stopped() when all is done.
    void shutDown();
    // What is really served, for holding the API document against it.
    QList<std::pair<http::Method, QString>> routes() const { return m_router.routes(); }

Q_SIGNALS:
    void stopped();

private:
    std::unique_ptr<db::Workers> workers(const QString &name, const db::Target &target, int threads,
                                         int statementTimeout_ms);
    api::Hooks hooks();
    void addRoutes();
    QList<std::function<SystemComponent()>> otherComponents() const;
    void addPayments(const QByteArray &sandboxSecret);
    void addJobs();
    void reconcileYesterday();
    void catchUpRules();
    void reloadSigningKeys();
    void watch();
    void end();

    const Configuration m_configuration;
    Features &m_features;
    const Clock &m_clock;
    ops::Metrics m_metrics;
    std::unique_ptr<MemoryParts> m_memory; // outlives the workers, whose acts tell it of changes
    std::unique_ptr<db::Workers> m_app;
    std::unique_ptr<db::Workers> m_operators;
    std::unique_ptr<db::Workers> m_bulk;
    std::unique_ptr<db::Workers> m_turns;
    std::unique_ptr<chat::TurnLane> m_turnLane;
    std::unique_ptr<llm::LanguageModel> m_model;
    std::unique_ptr<moderation::RemoteModeration> m_remoteModeration; // where a key is given
    chat::LiveTurns m_live;
    http::LocalRateLimiter m_limiter;
    http::Router m_router;
    std::unique_ptr<api::Api> m_api;
    std::unique_ptr<http::Server> m_server;
    std::unique_ptr<jobs::Schedule> m_schedule;
    std::unique_ptr<payments::SandboxProvider> m_sandbox;
    std::unique_ptr<Stores> m_stores;
    std::unique_ptr<payments::StripeProvider> m_stripe;
    std::unique_ptr<payments::PaymentDesk> m_desk;
    QTimer m_keyTimer;
    QTimer m_reconcileTimer;
    QTimer m_catchUpTimer;
    bool m_shuttingDown = false;
};

} // namespace companion::app
