#include "app/OperationsRoutes.h"

#include "app/ApiPage.h"
#include "common/models/Admin.h"
#include "http/ClientAddress.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QJsonDocument>

namespace companion::app {

using namespace Qt::StringLiterals;

namespace {

// The model's health and each lane's load, beside what the database said.
QList<SystemComponent> componentsOf(const OperationsParts &parts, const Result<bool> &database)
{
    QList<SystemComponent> components;
    components.append({u"database"_s, database ? u"ok"_s : u"down"_s, database ? QString() : database.error().detail});
    const auto [status, detail] = parts.model.health();
    components.append(
        {u"model"_s, status, parts.model.isRehearsal() ? u"rehearsal: answers are not a language model's"_s : detail});
    for (const db::Workers *lane : parts.lanes) {
        const auto load = lane->load();
        const bool full = load.queued > lane->options().queueLimit / 2;
        components.append({u"database lane "_s + lane->options().name, full ? u"degraded"_s : u"ok"_s,
                           u"%1 of %2 busy, %3 waiting"_s.arg(load.running).arg(load.threads).arg(load.queued)});
    }
    for (const auto &other : parts.others)
        components.append(other());
    return components;
}

QStringList degradedOf(const QList<SystemComponent> &components)
{
    QStringList degraded;
    for (const SystemComponent &component : components)
        if (component.status != u"ok")
            degraded.append(component.name);
    return degraded;
}

void askDatabase(QObject *context, const OperationsParts &parts, std::function<void(Result<bool>)> then)
{
    parts.lanes.at(1)->act(
        context, [](db::Session &db) { return db.one("app.ping").boolean("there"); }, std::move(then));
}

bool sameSecret(const QByteArray &a, const QByteArray &b)
{
    // Digests of equal length, compared without leaving early.
    const QByteArray x = QCryptographicHash::hash(a, QCryptographicHash::Sha256);
    const QByteArray y = QCryptographicHash::hash(b, QCryptographicHash::Sha256);
    int difference = 0;
    for (qsizetype i = 0; i < x.size(); ++i)
        difference |= x[i] ^ y[i];
    return difference == 0;
}

bool maySeeMetrics(const http::Request &request, const QString &token)
{
    if (token.isEmpty()) // a proxy on this machine connects from loopback, too
        return request.peer.isLoopback() && !http::saysForwarded(request.headers);
    return sameSecret(request.headers.value("Authorization"), "Bearer " + token.toUtf8());
}

// Probes and scrapers are not limited.
api::Endpoint operation(const QString &path, const QString &summary)
{
    return {.path = path,
            .tag = u"Operations"_s,
            .summary = summary,
            .access = api::Access::everybody(),
            .rate = api::Rate::None};
}

struct Health
{
    QString status = u"ok"_s;

    static constexpr const char *modelName = "Health";
    static constexpr auto fields()
    {
        return std::tuple(field("status", &Health::status, {.pattern = "ok", .example = "ok"}));
    }
};

struct Readiness
{
    QString status = u"ok"_s;
    QString model;
    bool rehearsal = false;
    QStringList degraded;

    static constexpr const char *modelName = "Readiness";
    static constexpr auto fields()
    {
        using R = Readiness;
        return std::tuple(field("status", &R::status, {.pattern = "ok", .example = "ok"}),
                          field("model", &R::model, {.description = "The language model's name", .example = "grok-4"}),
                          field("rehearsal", &R::rehearsal,
                                {.description = "The built-in rehearsal model answers, which is no language model"}),
                          field("degraded", &R::degraded, {.description = "The parts that are not well"}));
    }
};

// Registers a loop handler that answers by `reply`, which is given the exchange and what answers it.
using Answering = std::function<void(Result<http::Reply>)>;
void addOperation(api::Api &api, const api::Endpoint &endpoint,
                  const std::function<void(const http::Request &, Answering)> &handler)
{
    api.onLoop(endpoint, [&api, endpoint, handler](http::Exchange exchange, api::Entry entry) {
        handler(exchange.request(), [&api, endpoint, exchange, entry](Result<http::Reply> reply) {
            api.answer(exchange, endpoint, std::move(reply), entry.headers);
        });
    });
}

void addHealth(api::Api &api, const OperationsParts &parts)
{
    auto live = operation(u"/health/live"_s, u"The process answers"_s);
    live.answers = {api::answer<Health>()};
    addOperation(api, live, [](const http::Request &, const Answering &answer) { answer(api::ok(Health())); });

    auto ready = operation(u"/health/ready"_s, u"The database answers too; what is degraded"_s);
    ready.answers = {api::answer<Readiness>()};
    addOperation(api, ready, [&api, parts](const http::Request &, const Answering &answer) {
        if (parts.isShuttingDown())
            return answer(refuse(ErrorCode::ShuttingDown, u"The server is shutting down."_s));
        askDatabase(&api, parts, [parts, answer](const Result<bool> &database) {
            if (!database)
                return answer(refuse(ErrorCode::NotReady, u"The database does not answer."_s));
            answer(api::ok(Readiness{.model = parts.model.name(),
                                     .rehearsal = parts.model.isRehearsal(),
                                     .degraded = degradedOf(componentsOf(parts, database))}));
        });
    });
}

void addMetrics(api::Api &api, const OperationsParts &parts)
{
    for (db::Workers *lane : parts.lanes) {
        const QByteArray name = lane->options().name.toLatin1();
        parts.metrics.gaugeFunction("companion_db_" + name + "_queue", "Acts waiting for the " + name + " lane",
                                    [lane] { return lane->load().queued; });
        parts.metrics.gaugeFunction("companion_db_" + name + "_busy", "Acts running on the " + name + " lane",
                                    [lane] { return lane->load().running; });
    }
    auto endpoint = operation(u"/metrics"_s, u"Figures for Prometheus"_s);
    endpoint.answers = {{200, {{u"type"_s, u"string"_s}}, ops::Metrics::contentType()}};
    endpoint.refusals = {ErrorCode::NotFound};
    endpoint.description = u"From the loopback, or with the token where one is configured; for everybody else there is "
                           "nothing here."_s;
    endpoint.securityScheme = "metricsToken";
    addOperation(api, endpoint, [parts](const http::Request &request, const Answering &answer) {
        if (!maySeeMetrics(request, parts.metricsToken))
            return answer(refuse(ErrorCode::NotFound, {}));
        answer(http::Reply::text(parts.metrics.exposition(), ops::Metrics::contentType()));
    });
}

void addDocuments(api::Api &api)
{
    // Routes are all known before the server listens, so both are made at the first request and kept.
    const auto document = std::make_shared<QByteArray>();
    const auto whole = [&api, document] {
        if (document->isEmpty())
            *document = QJsonDocument(api::openApiDocument(api.endpoints())).toJson(QJsonDocument::Compact);
        return *document;
    };
    auto openApi = operation(u"/api/v1/openapi.json"_s, u"This document"_s);
    openApi.answers = {{.schema = {{u"type"_s, u"object"_s}}, .headers = {"Cache-Control"}}};
    addOperation(api, openApi, [whole](const http::Request &, const Answering &answer) {
        answer(http::Reply::text(whole(), "application/json").with("Cache-Control", "public, max-age=60"));
    });
    auto docs = operation(u"/docs"_s, u"The same, to read"_s);
    docs.answers = {{200, {{u"type"_s, u"string"_s}}, "text/html; charset=utf-8"}};
    addOperation(api, docs, [page = apiPage()](const http::Request &, const Answering &answer) {
        answer(http::Reply::text(page.html, "text/html; charset=utf-8").with("Content-Security-Policy", page.policy));
    });
}

void addSystem(api::Api &api, const OperationsParts &parts)
{
    const auto endpoint = std::make_shared<api::Endpoint>(api::Endpoint{
        .path = u"/api/v1/admin/system"_s,
        .tag = u"Admin"_s,
        .summary = u"Version, environment, and how each part is"_s,
        .access = api::Access::operators({Role::Finance, Role::Support, Role::Qa, Role::Viewer}),
        .answers = {api::answer<SystemInfo>()},
    });
    const QDateTime startedAt = QDateTime::currentDateTimeUtc();
    api.onLoop(*endpoint, [&api, endpoint, parts, startedAt](http::Exchange exchange, api::Entry entry) {
        askDatabase(&api, parts, [&api, endpoint, parts, startedAt, exchange, entry](const Result<bool> &database) {
            const SystemInfo info{.version = QCoreApplication::applicationVersion(),
                                  .environment = parts.production ? u"production"_s : u"development"_s,
                                  .model = parts.model.name(),
                                  .rehearsal = parts.model.isRehearsal(),
                                  .startedAt = startedAt,
                                  .components = componentsOf(parts, database)};
            api.answer(exchange, *endpoint, api::ok(info), entry.headers);
        });
    });
}

} // namespace

void addOperationsRoutes(api::Api &api, const OperationsParts &parts)
{
    addHealth(api, parts);
    addMetrics(api, parts);
    addDocuments(api);
    addSystem(api, parts);
}

} // namespace companion::app
