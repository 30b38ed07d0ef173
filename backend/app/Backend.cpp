#include "app/Backend.h"

#include "admin/AdminRoutes.h"
#include "admin/PersonaTestRoutes.h"
#include "billing/MarketRoutes.h"
#include "characters/CharacterRoutes.h"
#include "chat/ChatRoutes.h"
#include "identity/IdentityRoutes.h"
#include "identity/SigningKeys.h"
#include "llm/RehearsalModel.h"
#include "llm/WireModel.h"
#include "memory/MemoryRoutes.h"
#include "moderation/ModerationRoutes.h"
#include "ops/FileLimit.h"
#include "ops/Log.h"
#include "payments/PaymentRoutes.h"
#include "rights/Retention.h"
#include "rights/RightsRoutes.h"

#include <algorithm>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

constexpr int appStatementTimeout_ms = 30'000;
constexpr int bulkStatementTimeout_ms = 120'000;
constexpr int sweepBatch = 200;
constexpr int reconcileEvery_ms = 600'000;
constexpr int catchUpEvery_ms = 10'000;
constexpr int rulesSettle_ms = 200; // from a request that published rules to its commit, generously

// How this instance reaches itself.
QString ownUrl(const QString &address, quint16 port)
{
    const QHostAddress listens(address);
    const bool any =
        listens == QHostAddress::Any || listens == QHostAddress::AnyIPv4 || listens == QHostAddress::AnyIPv6;
    const QString host = any                               ? u"127.0.0.1"_s
        : listens.protocol() == QHostAddress::IPv6Protocol ? u"[%1]"_s.arg(address)
                                                           : address;
    return u"http://%1:%2"_s.arg(host).arg(port);
}

// A quarter of the file descriptors is for everything else: who comes beyond the cap can then still be told so.
http::Limits httpLimits()
{
    http::Limits limits;
    limits.connections = std::min(limits.connections, ops::fileLimit() / 4 * 3);
    return limits;
}

std::unique_ptr<llm::LanguageModel> modelFor(const Configuration &configuration)
{
    if (configuration.usesRehearsalModel())
        return std::make_unique<llm::RehearsalModel>(
            llm::RehearsalOptions{.pace = std::chrono::milliseconds(configuration.rehearsalPace_ms),
                                  .triggers = !configuration.isProduction()});
    return std::make_unique<llm::WireModel>(
        llm::WireOptions{.baseUrl = QUrl(configuration.llmBaseUrl),
                         .apiKey = configuration.llmApiKey.toLatin1(),
                         .model = configuration.llmModel,
                         .fallbackModels = configuration.llmFallbackModels,
                         .connections = std::min(configuration.llmConnections, ops::fileLimit() / 5),
                         .total = std::chrono::seconds(configuration.billingGenerationLimit_s)});
}

std::unique_ptr<moderation::RemoteModeration> remoteModerationFor(const Configuration &configuration)
{
    if (configuration.openaiModerationKey.isEmpty())
        return nullptr;
    moderation::RemoteOptions options;
    options.apiKey = configuration.openaiModerationKey.toLatin1();
    options.baseUrl = QUrl(configuration.openaiModerationUrl);
    options.timeout = std::chrono::milliseconds(configuration.openaiModerationTimeout_ms);
    options.failClosed = configuration.openaiModerationFailClosed;
    return std::make_unique<moderation::RemoteModeration>(std::move(options));
}

QList<SignInOffer> offersOf(const Configuration &configuration)
{
    const auto orNothing = [](const QString &text) { return text.isEmpty() ? std::nullopt : std::optional(text); };
    QList<SignInOffer> offers{{.provider = LoginProvider::AccessKey}};
    if (!configuration.firebaseProjectId.isEmpty())
        offers.append({.provider = LoginProvider::Firebase,
                       .projectId = configuration.firebaseProjectId,
                       .apiKey = orNothing(configuration.firebaseWebApiKey),
                       .emulatorHost = orNothing(configuration.firebaseAuthEmulatorHost)});
    return offers;
}

// What /health/ready and /admin/system say of Google's certificates.
SystemComponent certificatesHealth(const QString &name, const jose::PublishedCertificates &certificates)
{
    const auto state = certificates.state();
    const QString status = state.fresh ? u"ok"_s : state.keys > 0 ? u"degraded"_s : u"down"_s;
    return {name, status,
            state.lastProblem.isEmpty() ? u"%1 keys"_s.arg(state.keys)
                                        : u"%1 keys; the last fetch: %2"_s.arg(state.keys).arg(state.lastProblem)};
}

payments::StripeOptions stripeOptions(const Configuration &configuration)
{
    payments::StripeOptions options;
    options.api.base = QUrl(configuration.stripeApiBase);
    options.api.key = configuration.stripeSecretKey.toUtf8();
    options.api.http.limit_bytes = 32 * 1024 * 1024; // a page of a hundred expanded invoices
    for (const QString &secret : configuration.stripeWebhookSecrets)
        options.webhookSecrets.append(secret.toUtf8());
    options.live = payments::StripeProvider::isLiveKey(configuration.stripeSecretKey).value_or(false);
    options.portalConfiguration = configuration.stripePortalConfiguration;
    options.automaticTax = configuration.stripeAutomaticTax;
    return options;
}

SystemComponent stripeHealth(const payments::StripeProvider &stripe)
{
    const QString mode = stripe.isLive() ? u"live mode"_s : u"test mode"_s;
    const QString problem = stripe.lastProblem();
    return {u"Stripe"_s, problem.isEmpty() ? u"ok"_s : u"degraded"_s,
            problem.isEmpty() ? mode : u"%1; the last call: %2"_s.arg(mode, problem)};
}

} // namespace

Backend::Backend(const Configuration &configuration, const Databases &databases, Features &features, const Clock &clock)
    : m_configuration(configuration)
    , m_features(features)
    , m_clock(clock)
    , m_model(modelFor(configuration))
    , m_remoteModeration(remoteModerationFor(configuration))
{
    m_app = workers(u"app"_s, databases.app, configuration.databaseAppWorkers, appStatementTimeout_ms);
    m_operators =
        workers(u"operator"_s, databases.operators, configuration.databaseOperatorWorkers, appStatementTimeout_ms);
    m_bulk = workers(u"bulk"_s, databases.operators, configuration.databaseBulkWorkers, bulkStatementTimeout_ms);
    m_turns = workers(u"turns"_s, databases.operators, configuration.databaseTurnWorkers, appStatementTimeout_ms);
    m_turnLane = std::make_unique<chat::TurnLane>(*m_features.chat, *m_turns);
    m_memory = std::make_unique<MemoryParts>(m_configuration, m_features, *m_bulk);
    QByteArray sandboxSecret;
    {
        db::Session session(databases.operators, clock);
        m_features.tokens.setKeys(identity::SigningKeys().load(session));
        if (configuration.usesSandboxPayments())
            sandboxSecret = payments::SandboxWorld().secret(session);
    }
    m_api = std::make_unique<api::Api>(m_router, api::Lanes{*m_app, *m_operators, *m_bulk}, m_features.tokens,
                                       m_limiter, hooks(),
                                       api::RateLimits{configuration.rateLimitCommon, configuration.rateLimitSignIn});
    m_stores = std::make_unique<Stores>(m_configuration, *m_operators, m_clock);
    addRoutes();
    addPayments(sandboxSecret);
    m_server = std::make_unique<http::Server>(m_router, httpLimits());
    m_server->allowOrigins(configuration.corsOrigins);
    if (auto proxies = http::TrustedProxies::parse(configuration.trustedProxies, configuration.forwardedHeader))
        m_server->trustProxies(std::move(*proxies)); // loadConfiguration() has told of mistakes
    m_schedule = std::make_unique<jobs::Schedule>(*m_bulk);
    addJobs();
    watch();
}

Backend::~Backend() = default;

std::unique_ptr<db::Workers> Backend::workers(const QString &name, const db::Target &target, int threads,
                                              int statementTimeout_ms)
{
    return std::make_unique<db::Workers>(target, m_clock,
                                         db::Workers::Options{.name = name,
                                                              .threads = threads,
                                                              .queueLimit = m_configuration.databaseQueue,
                                                              .statementTimeout_ms = statementTimeout_ms});
}

api::Hooks Backend::hooks()
{
    return {
        .account =
            [accounts = &m_features.accounts](db::Session &db, const identity::TokenClaims &claims) {
                return accounts->account(db, claims, db.now());
            },
        .chatQuota = [tiers = &m_features.tiers](db::Session &db, const UserId &user) -> Result<int> {
            const auto terms = tiers->termsOf(db, user);
            return terms ? Result<int>(terms->requestsPerMinute)
                         : refuse(ErrorCode::Unauthenticated, u"There is no such account."_s);
        },
        .apiKey = [keys = &m_features.apiKeys](db::Session &db, const QString &key) { return keys->claims(db, key); },
        .signedIn =
            [this](db::Session &db, const identity::Account &account) {
                (void)m_features.ledger.refresh(db, account.id(),
                                                m_features.tiers.terms(db, account.tier()).dailyCredits);
            },
        .undeclared =
            [this](const api::Endpoint &endpoint, int status) {
                m_metrics.counter("companion_undeclared_answers_total", "Answers that the API document does not name")
                    .add();
                ops::log(ops::Level::Error, "undeclared_answer", {{"route", endpoint.path}, {"status", status}});
            },
    };
}

void Backend::addRoutes()
{
    const chat::ChatTurn::Surroundings turns{.chat = *m_features.chat,
                                             .workers = *m_app,
                                             .lane = *m_turnLane,
                                             .model = *m_model,
                                             .live = m_live,
                                             .gatherer = &m_memory->gatherer(),
                                             .remembered = m_memory->nudge(),
                                             .remote = m_remoteModeration.get(),
                                             .spicyModel = m_configuration.llmSpicyModel};
    identity::addIdentityRoutes(*m_api, m_features.signIn,
                                {.developmentAgeVerification = !m_configuration.isProduction(),
                                 .offers = offersOf(m_configuration)});
    characters::addCharacterRoutes(*m_api, m_features.characters, m_features.audit);
    billing::addMarketRoutes(*m_api, m_features.market);
    billing::addProductRoutes(*m_api, m_features.audit);
    billing::addPolicyRoutes(*m_api, m_features.audit);
    billing::addWalletRoutes(*m_api, m_features.ledger, m_features.tiers);
    chat::addSessionRoutes(*m_api, *m_features.chat, m_features.moderation);
    chat::addTurnRoutes(*m_api, turns);
    chat::addOpenAiRoutes(*m_api, turns, m_features.characters);
    memory::addMemoryRoutes(*m_api, *m_features.memory, m_memory->nudge());
    admin::addUserMemoryRoutes(*m_api, *m_features.memory, m_features.audit);
    moderation::addModerationRoutes(*m_api,
                                    {.store = m_features.moderation,
                                     .rules = *m_features.rules,
                                     .accounts = m_features.accounts,
                                     .audit = m_features.audit,
                                     .published = [this] {
                                         QMetaObject::invokeMethod(
                                             this,
                                             [this] {
                                                 QTimer::singleShot(rulesSettle_ms, this, &Backend::catchUpRules);
                                             },
                                             Qt::QueuedConnection);
                                     }});
    admin::addStatsRoutes(*m_api);
    admin::addUserRoutes(*m_api, m_features.ledger, m_features.tiers, *m_features.subscriptions, m_features.accounts,
                         m_features.audit);
    admin::addAuditRoutes(*m_api, m_features.audit);
    admin::addPersonaTestRoutes(*m_api,
                                {.operators = *m_operators,
                                 .characters = m_features.characters,
                                 .model = *m_model,
                                 .screen = m_features.screen,
                                 .helpLines = m_features.helpLines,
                                 .price = {.ratePer1k = m_configuration.billingRatePer1k,
                                           .minimumCharge = m_configuration.billingMinimumCharge},
                                 .spicyModel = m_configuration.llmSpicyModel});
    addOperationsRoutes(*m_api,
                        {.metrics = m_metrics,
                         .lanes = {m_app.get(), m_operators.get(), m_bulk.get(), m_turns.get()},
                         .model = *m_model,
                         .live = m_live,
                         .metricsToken = m_configuration.metricsToken,
                         .production = m_configuration.isProduction(),
                         .isShuttingDown = [this] { return m_shuttingDown; },
                         .others = otherComponents()});
}

QList<std::function<SystemComponent()>> Backend::otherComponents() const
{
    QList<std::function<SystemComponent()>> others;
    const auto add = [&others](const QString &name, const jose::PublishedCertificates *certificates) {
        if (certificates)
            others.append([name, certificates] { return certificatesHealth(name, *certificates); });
    };
    add(u"Firebase certificates"_s, m_features.firebaseCertificates.get());
    add(u"Google Play's certificates"_s, m_stores->googleCertificates());
    others.append([this] { return m_memory->health(); });
    if (m_remoteModeration)
        others.append([this] {
            const auto [state, detail] = m_remoteModeration->health();
            return SystemComponent{u"OpenAI moderation"_s, state, detail};
        });
    if (m_configuration.usesStripe())
        others.append([this] { return stripeHealth(*m_stripe); });
    return others;
}

void Backend::addPayments(const QByteArray &sandboxSecret)
{
    m_desk = std::make_unique<payments::PaymentDesk>(
        payments::DeskParts{*m_operators, *m_features.paymentBooks, *m_features.checkouts, m_clock});
    if (m_configuration.usesSandboxPayments()) {
        m_sandbox = std::make_unique<payments::SandboxProvider>(*m_operators, sandboxSecret);
        m_desk->add(*m_sandbox);
    }
    m_stores->addTo(*m_desk);
    if (m_configuration.usesStripe()) {
        m_stripe = std::make_unique<payments::StripeProvider>(*m_operators, stripeOptions(m_configuration));
        m_desk->add(*m_stripe);
    }
    const payments::PaymentParts parts{.desk = *m_desk,
                                       .operators = *m_operators,
                                       .checkouts = *m_features.checkouts,
                                       .subscriptions = *m_features.subscriptions,
                                       .ledger = m_features.ledger,
                                       .books = *m_features.paymentBooks,
                                       .audit = m_features.audit,
                                       .account = [accounts =
                                                       &m_features.accounts](db::Session &db,
                                                                             const identity::TokenClaims &claims) {
                                           return accounts->account(db, claims, db.now());
                                       }};
    payments::addMarketRoutes(*m_api, parts);
    payments::addStoreRoutes(*m_api);
    payments::addWebhookRoutes(*m_api, parts);
    payments::addPaymentAdminRoutes(*m_api, parts);
    payments::addPaymentListRoutes(*m_api, parts);
    rights::addRightsRoutes(*m_api,
                            {.bulk = *m_bulk,
                             .accounts = m_features.accounts,
                             .exports = m_features.exports,
                             .erasures = m_features.erasures,
                             .cancelSubscription = [this](const UserId &user, const auto &then) {
                                 m_desk->cancel(
                                     user,
                                     [then](const Result<SubscriptionState> &state) {
                                         then(state ? Result<void>() : std::unexpected(state.error()));
                                     },
                                     *m_features.subscriptions);
                             }});
    if (m_sandbox)
        payments::addSandboxRoutes(*m_api, *m_sandbox, *m_operators);
    connect(&m_reconcileTimer, &QTimer::timeout, this, &Backend::reconcileYesterday);
    connect(&m_catchUpTimer, &QTimer::timeout, m_desk.get(), &payments::PaymentDesk::catchUp);
    connect(&m_catchUpTimer, &QTimer::timeout, this, &Backend::catchUpRules);
}

// Rules that were published here or by another instance; what does not compile leaves the running ones.
void Backend::catchUpRules()
{
    m_operators->act(
        this,
        [rules = m_features.rules.get()](db::Session &db) -> Result<bool> {
            const auto caughtUp = rules->catchUp(db);
            if (!caughtUp)
                ops::log(ops::Level::Error, "moderation_rules_unusable",
                         {{"mistakes", caughtUp.error().join(u"; "_s)}});
            else if (*caughtUp)
                ops::log(ops::Level::Info, "moderation_rules_live", {{"version", rules->liveVersion()}});
            return caughtUp.value_or(false);
        },
        [](const Result<bool> &) {});
}

// Looked at every ten minutes; whichever instance finds a provider's yesterday not yet compared asks for it.
void Backend::reconcileYesterday()
{
    const QDate yesterday = m_clock.now().toUTC().date().addDays(-1);
    m_operators->act(
        this,
        [books = m_features.paymentBooks.get(), kinds = m_desk->providers(), yesterday](db::Session &db) {
            return payments::Reconciliation(*books).due(db, kinds, yesterday);
        },
        [this, yesterday](const Result<QList<Provider>> &due) {
            for (const Provider kind : due.value_or(QList<Provider>()))
                m_desk->reconcile(kind, yesterday, [](const auto &) { });
        });
}

void Backend::addJobs()
{
    const auto *books = m_features.paymentBooks.get();
    m_schedule->add(u"list_overdue_webhooks"_s, 3600, [books](db::Session &db) { return books->listOverdue(db); });
    if (m_sandbox)
        m_schedule->add(u"sandbox_renewals"_s, 60,
                        [](db::Session &db) { return payments::SandboxWorld().renewDue(db, sweepBatch); });
    const auto &ledger = m_features.ledger;
    m_schedule->add(u"sweep_holds"_s, 30, [&ledger](db::Session &db) { return ledger.sweepHolds(db, sweepBatch); });
    m_schedule->add(u"sweep_lots"_s, 60, [&ledger](db::Session &db) { return ledger.sweepLots(db, sweepBatch); });
    m_schedule->add(u"daily_refresh"_s, 300, [&ledger, &tiers = m_features.tiers](db::Session &db) {
        return ledger.sweepRefresh(db, sweepBatch, [&tiers](db::Session &same, const UserId &user) {
            const auto terms = tiers.termsOf(same, user);
            return terms ? terms->dailyCredits : Credits();
        });
    });
    m_schedule->add(u"make_partitions"_s, 86'400, [&ledger](db::Session &db) { return ledger.makePartitions(db); });
    m_schedule->add(u"make_chat_partitions"_s, 86'400,
                    [chat = m_features.chat.get()](db::Session &db) { return chat->makePartitions(db); });
    m_schedule->add(u"close_days"_s, 900, [&ledger](db::Session &db) { return ledger.closeDays(db); });
    m_schedule->add(u"give_up_turns"_s, 30,
                    [chat = m_features.chat.get()](db::Session &db) { return chat->sweepOverdue(db, sweepBatch); });
    m_schedule->add(u"move_memories"_s, 3600, [memories = m_features.memory.get()](db::Session &db) {
        return memory::MemoryKeeper::orderMoves(db, *memories);
    });
    m_schedule->add(u"enforce_retention"_s, 900,
                    [](db::Session &db) { return rights::enforceRetention(db, sweepBatch); });
    m_schedule->add(u"sweep_erased"_s, 300,
                    [erasures = &m_features.erasures](db::Session &db) { return erasures->sweep(db, sweepBatch); });
    connect(&m_keyTimer, &QTimer::timeout, this, &Backend::reloadSigningKeys);
    m_keyTimer.start(std::chrono::seconds(identity::SigningKeys::reload_s));
}

void Backend::reloadSigningKeys()
{
    m_operators->act(
        this, [](db::Session &db) { return identity::SigningKeys().load(db); },
        [this](const Result<QList<identity::AccessTokens::Key>> &keys) {
            if (keys)
                m_features.tokens.setKeys(*keys);
        });
}

void Backend::watch()
{
    m_server->onAnswered = [this](const http::Request &request, int status, qint64 duration_ns, qint64 bytesOut) {
        const QByteArray route = request.route.isEmpty() ? QByteArray("none") : request.route.toUtf8();
        m_metrics
            .counter("companion_http_requests_total", "Answered requests",
                     {{"route", route}, {"status", QByteArray::number(status)}})
            .add();
        m_metrics.histogram("companion_http_request_seconds", "From the head to the answer's end", {{"route", route}})
            .observe(static_cast<double>(duration_ns) / 1e9);
        const qint64 duration_us = duration_ns / 1000; // three decimals of a millisecond are enough
        ops::log(ops::Level::Info, "request", request.id,
                 {{"route", QString::fromUtf8(route)},
                  {"status", status},
                  {"duration_ms", static_cast<double>(duration_us) / 1000},
                  {"bytes", bytesOut}});
    };
    m_metrics.gaugeFunction("companion_http_connections", "Open connections",
                            [this] { return m_server->openConnections(); });
    m_metrics.gaugeFunction("companion_chat_turns_running", "Turns under way", [this] { return m_live.underWay(); });
}

std::expected<quint16, QString> Backend::listen()
{
    const auto port = m_server->listen(QHostAddress(m_configuration.listenAddress), m_configuration.listenPort);
    if (port) {
        m_schedule->start();
        if (m_features.firebaseCertificates)
            m_features.firebaseCertificates->start();
        m_reconcileTimer.start(reconcileEvery_ms);
        m_catchUpTimer.start(catchUpEvery_ms);
        catchUpRules();
        m_stores->open();
        m_memory->start();
        const QString own = ownUrl(m_configuration.listenAddress, *port);
        const QString reached = m_configuration.publicUrl.isEmpty() ? own : m_configuration.publicUrl;
        if (m_sandbox)
            m_sandbox->open(reached, QUrl(own));
        if (m_stripe)
            m_stripe->setReturnUrl(m_configuration.stripeReturnUrl.isEmpty() ? reached
                                                                             : m_configuration.stripeReturnUrl);
    }
    return port;
}

void Backend::shutDown()
{
    if (m_shuttingDown)
        return;
    m_shuttingDown = true;
    m_schedule->stop();
    m_reconcileTimer.stop();
    m_catchUpTimer.stop();
    m_stores->close();
    m_memory->stop();
    if (m_sandbox)
        m_sandbox->close();
    // The turns end or are given up within the grace, which ends their clients' exchanges; both must be through before
    // the workers stop.
    const int grace_ms = m_configuration.shutdownGrace_s * 1000;
    const auto waitingFor = std::make_shared<int>(2);
    const auto one = [this, waitingFor] {
        if (--*waitingFor == 0)
            end();
    };
    connect(&m_live, &chat::LiveTurns::drained, this, one);
    connect(m_server.get(), &http::Server::drained, this, one);
    m_live.drain(grace_ms);
    m_server->drain(grace_ms + 5'000);
}

void Backend::end()
{
    m_app->stop();
    m_operators->stop();
    m_bulk->stop();
    m_turns->stop();
    Q_EMIT stopped();
}

} // namespace companion::app
