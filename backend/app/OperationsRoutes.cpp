#include "app/OperationsRoutes.h"

#include "app/ApiPage.h"
#include "common/models/Admin.h"
#include "http/ClientAddress.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QJsonArray>

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
    return components;
}

QJsonArray degradedOf(const QList<SystemComponent> &components)
{
    QJsonArray degraded;
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

void addHealth(http::Router &router, api::Api &api, const OperationsParts &parts)
{
    router.add(http::Method::Get, u"/health/live"_s,
               [](http::Exchange exchange) { exchange.send(http::Reply::json({{u"status"_s, u"ok"_s}})); });
    router.add(http::Method::Get, u"/health/ready"_s, [&api, parts](http::Exchange exchange) {
        if (parts.isShuttingDown())
            return exchange.send(http::Reply::problem({ErrorCode::ShuttingDown, u"The server is shutting down."_s},
                                                      exchange.request().id));
        askDatabase(&api, parts, [parts, exchange](const Result<bool> &database) mutable {
            if (!database)
                return exchange.send(http::Reply::problem({ErrorCode::NotReady, u"The database does not answer."_s},
                                                          exchange.request().id));
            const auto components = componentsOf(parts, database);
            exchange.send(http::Reply::json({{u"status"_s, u"ok"_s},
                                             {u"model"_s, parts.model.name()},
                                             {u"rehearsal"_s, parts.model.isRehearsal()},
                                             {u"degraded"_s, degradedOf(components)}}));
        });
    });
}

void addMetrics(http::Router &router, const OperationsParts &parts)
{
    for (db::Workers *lane : parts.lanes) {
        const QByteArray name = lane->options().name.toLatin1();
        parts.metrics.gaugeFunction("companion_db_" + name + "_queue", "Acts waiting for the " + name + " lane",
                                    [lane] { return lane->load().queued; });
        parts.metrics.gaugeFunction("companion_db_" + name + "_busy", "Acts running on the " + name + " lane",
                                    [lane] { return lane->load().running; });
    }
    router.add(http::Method::Get, u"/metrics"_s, [parts](http::Exchange exchange) {
        if (!maySeeMetrics(exchange.request(), parts.metricsToken))
            return exchange.send(http::Reply::problem({ErrorCode::NotFound, {}}, exchange.request().id));
        exchange.send(http::Reply::text(parts.metrics.exposition(), ops::Metrics::contentType()));
    });
}

void addDocuments(http::Router &router, api::Api &api)
{
    // Routes are all known before the server listens, so both are made at the first request and kept.
    const auto document = std::make_shared<QJsonObject>();
    const auto page = std::make_shared<QByteArray>();
    const auto whole = [&api, document] {
        if (document->isEmpty())
            *document = api::openApiDocument(api.endpoints());
        return *document;
    };
    router.add(http::Method::Get, u"/api/v1/openapi.json"_s, [whole](http::Exchange exchange) {
        exchange.send(http::Reply::json(whole()).with("Cache-Control", "public, max-age=60"));
    });
    router.add(http::Method::Get, u"/docs"_s, [whole, page](http::Exchange exchange) {
        if (page->isEmpty())
            *page = apiPage(whole());
        exchange.send(http::Reply::text(*page, "text/html; charset=utf-8")
                          .with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"));
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

void addOperationsRoutes(http::Router &router, api::Api &api, const OperationsParts &parts)
{
    addHealth(router, api, parts);
    addMetrics(router, parts);
    addDocuments(router, api);
    addSystem(api, parts);
}

} // namespace companion::app
