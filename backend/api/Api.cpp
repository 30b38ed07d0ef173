#include "api/Api.h"

#include "api/Idempotency.h"
#include "http/ClientAddress.h"

#include <algorithm>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 quotaCache_ms = 30'000;
constexpr qsizetype quotaCacheSize = 50'000;

// Of two headers a proxy may have read the other one: then there is none.
QByteArray bearerOf(const http::Request &request)
{
    const auto given = request.headers.values("Authorization");
    const QByteArray header = given.size() == 1 ? given.first() : QByteArray();
    return header.size() > 7 && header.first(7).toLower() == "bearer " ? header.sliced(7).trimmed() : QByteArray();
}

http::Headers rateHeaders(const http::RateVerdict &verdict)
{
    http::Headers headers;
    const auto number = [](int value) { return QByteArray::number(value); };
    headers.set("X-RateLimit-Limit", number(verdict.limit));
    headers.set("X-RateLimit-Remaining", number(verdict.remaining));
    headers.set("X-RateLimit-Reset", number(verdict.reset_s));
    headers.set("RateLimit", "\"default\";r=" + number(verdict.remaining) + ";t=" + number(verdict.reset_s));
    headers.set("RateLimit-Policy", "\"default\";q=" + number(verdict.limit) + ";w=60");
    return headers;
}

bool isPrintableKey(const QByteArray &key)
{
    return key.size() >= 1 && key.size() <= 128
        && std::ranges::all_of(key, [](char c) { return c >= 0x21 && c <= 0x7e; });
}

// The longest value of a parameter, by its schema; nothing for one that the endpoint does not know.
std::optional<qsizetype> longestOf(const Endpoint &endpoint, const QString &name)
{
    const bool isPaging = (name == u"limit" && (endpoint.paged || endpoint.cursor))
        || (name == u"offset" && endpoint.paged) || (name == u"cursor" && endpoint.cursor);
    if (isPaging)
        return 1000;
    for (const Parameter &parameter : endpoint.query)
        if (name == QLatin1StringView(parameter.name))
            return parameter.schema[u"maxLength"_s].toInt(1000);
    return std::nullopt;
}

QList<FieldError> queryErrors(const http::Request &request, const Endpoint &endpoint)
{
    QList<FieldError> errors;
    QStringList seen;
    for (const auto &[name, value] : request.query.queryItems(QUrl::FullyDecoded)) {
        const QString pointer = json::childPointer(u"/query"_s, name);
        const auto longest = longestOf(endpoint, name);
        if (!longest)
            errors.append({pointer, u"is not a known parameter"_s});
        else if (value.toUcs4().size() > *longest)
            errors.append({pointer, u"must have at most %1 characters"_s.arg(*longest)});
        else if (seen.contains(name))
            errors.append({pointer, u"is given more than once"_s});
        seen.append(name);
    }
    return errors;
}

} // namespace

Api::Api(http::Router &router, Lanes lanes, const identity::AccessTokens &tokens, http::RateLimiter &limiter,
         Hooks hooks, RateLimits limits)
    : m_router(router)
    , m_lanes(lanes)
    , m_tokens(tokens)
    , m_limiter(limiter)
    , m_hooks(std::move(hooks))
    , m_limits(limits)
{
    m_uptime.start();
}

void Api::act(const Endpoint &endpoint, Act act)
{
    addAct(endpoint, std::move(act), Scope::Transaction);
}

void Api::actAfter(const Endpoint &endpoint, Before before, Act act)
{
    addAct(endpoint, std::move(act), Scope::Transaction, before);
}

void Api::bareAct(const Endpoint &endpoint, Act act)
{
    addAct(endpoint, std::move(act), Scope::Bare);
}

void Api::bulkAct(const Endpoint &endpoint, Act act)
{
    ensure(endpoint.access.kind == Access::Kind::Operator, "the bulk lane is for operators");
    addAct(endpoint, std::move(act), Scope::Bulk);
}

void Api::onLoop(const Endpoint &endpoint, LoopHandler handler)
{
    if (endpoint.access.kind != Access::Kind::Operator)
        return add(endpoint, std::move(handler));
    add(endpoint, [this, endpoint, handler = std::move(handler)](http::Exchange exchange, Entry entry) {
        m_lanes.operators.act(
            this,
            [this, endpoint, request = exchange.request(), claims = entry.claims](db::Session &db) -> Result<bool> {
                const auto call = authorise(db, endpoint, request, claims);
                return call ? Result<bool>(true) : std::unexpected(call.error());
            },
            [this, endpoint, handler, exchange, entry](const Result<bool> &allowed) {
                allowed ? handler(exchange, entry) : refuse(exchange, endpoint, allowed.error(), entry.headers);
            });
    });
}

void Api::onLoopOnce(const Endpoint &endpoint, OnceHandler handler)
{
    ensure(endpoint.idempotencyKeyRequired, "what is answered once has a key");
    add(endpoint, [this, endpoint, handler = std::move(handler)](http::Exchange exchange, Entry entry) {
        const auto say = [this, endpoint, exchange, headers = entry.headers](const Result<http::Reply> &reply) {
            answer(exchange, endpoint, reply, headers);
        };
        laneOf(endpoint, Scope::Transaction)
            .act(
                this,
                [this, endpoint, request = exchange.request(), claims = entry.claims](db::Session &db) {
                    return enter(db, endpoint, request, claims);
                },
                [this, endpoint, handler, say](const Result<Entered> &entered) {
                    if (!entered)
                        return say(std::unexpected(entered.error()));
                    if (entered->earlier)
                        return say(*entered->earlier);
                    handler(entered->call, [=, this, call = entered->call](const Result<http::Reply> &reply) {
                        reply ? keep(endpoint, call, *reply, [=] { say(reply); }) : say(reply);
                    });
                });
    });
}

void Api::keep(const Endpoint &endpoint, const Call &call, const http::Reply &reply, std::function<void()> then)
{
    laneOf(endpoint, Scope::Transaction)
        .act(
            this,
            [call, reply](db::Session &db) {
                db::Transaction transaction(db, call.user());
                keepAnswer(db, call, reply);
                transaction.commit();
            },
            [then = std::move(then)](const auto &) { then(); }); // not kept: the same key does the same again
}

void Api::addAct(const Endpoint &endpoint, Act act, Scope scope, const Before &before)
{
    const LoopHandler run = [this, endpoint, act = std::move(act), scope](http::Exchange exchange, Entry entry) {
        laneOf(endpoint, scope)
            .act(
                this,
                [this, endpoint, act, scope, request = exchange.request(), claims = entry.claims](db::Session &db) {
                    return perform(db, endpoint, act, scope, request, claims);
                },
                [this, endpoint, exchange, headers = entry.headers](Result<http::Reply> reply) {
                    answer(exchange, endpoint, std::move(reply), headers);
                });
    };
    if (!before)
        return add(endpoint, run);
    add(endpoint, [before, run](http::Exchange exchange, Entry entry) {
        before(exchange.request(), [run, exchange, entry] { run(exchange, entry); });
    });
}

// Every request's way in: is it well formed, who asks, may they ask so often; then the handler.
void Api::add(const Endpoint &endpoint, LoopHandler handler)
{
    m_endpoints.append(endpoint);
    m_router.add(endpoint.method, endpoint.path, [this, endpoint, handler](http::Exchange exchange) {
        if (const auto problem = problemWith(exchange.request(), endpoint))
            return refuse(exchange, endpoint, *problem, {});
        identify(exchange, endpoint, [=, this](identity::TokenClaims claims) {
            limit(exchange, endpoint, claims, [=](http::Headers headers) { handler(exchange, {claims, headers}); });
        });
    });
}

std::optional<Refusal> Api::problemWith(const http::Request &request, const Endpoint &endpoint) const
{
    const QByteArray key = request.headers.value("Idempotency-Key");
    const bool hasKey = request.headers.contains("Idempotency-Key");
    if (!hasKey && endpoint.idempotencyKeyRequired)
        return Refusal{ErrorCode::MalformedRequest, u"Send an Idempotency-Key: this request moves money."_s};
    if (hasKey && !isPrintableKey(key))
        return Refusal{ErrorCode::MalformedRequest,
                       u"The Idempotency-Key must be 1 to 128 printable ASCII characters."_s};

    if (const auto errors = queryErrors(request, endpoint); !errors.isEmpty())
        return Call::invalidQuery(errors);
    return std::nullopt;
}

void Api::identify(const http::Exchange &exchange, const Endpoint &endpoint, const Identified &then)
{
    if (endpoint.access.kind == Access::Kind::Public)
        return then({});
    const QByteArray token = bearerOf(exchange.request());
    if (token.isEmpty())
        return refuse(exchange, endpoint,
                      {ErrorCode::Unauthenticated, u"Send Authorization: Bearer with an access token."_s}, {});
    if (endpoint.acceptsApiKey && token.startsWith("sk-companion-")) {
        m_lanes.operators.act(
            this, [this, key = QString::fromLatin1(token)](db::Session &db) { return m_hooks.apiKey(db, key); },
            [=, this](Result<identity::TokenClaims> claims) {
                return claims ? then(*claims) : refuse(exchange, endpoint, claims.error(), {});
            });
        return;
    }
    const auto claims = m_tokens.verify(token);
    return claims ? then(*claims) : refuse(exchange, endpoint, claims.error(), {});
}

void Api::limit(const http::Exchange &exchange, const Endpoint &endpoint, const identity::TokenClaims &claims,
                const Admitted &then)
{
    const QString address = http::networkOf(exchange.request().peer);
    const QString who = claims.user.isNull() ? address : claims.user.toString();
    switch (endpoint.rate) {
    case Rate::None:
        return then({});
    case Rate::Common:
        return take(exchange, endpoint, u"common:"_s + who, m_limits.common_perMinute, then);
    case Rate::SignIn:
        return take(exchange, endpoint, u"signin:"_s + address, m_limits.signIn_perMinute, then);
    case Rate::Chat:
        return withChatQuota(exchange, endpoint, claims.user,
                             [=, this](int perMinute) { take(exchange, endpoint, u"chat:"_s + who, perMinute, then); });
    }
}

void Api::take(const http::Exchange &exchange, const Endpoint &endpoint, const QString &bucket, int perMinute,
               const Admitted &then)
{
    m_limiter.take(bucket, {perMinute}, this, [=, this](http::RateVerdict verdict) {
        const http::Headers headers = rateHeaders(verdict);
        if (verdict.allowed)
            return then(headers);
        refuse(exchange, endpoint,
               {.code = ErrorCode::RateLimited,
                .detail = u"At most %1 requests a minute; wait %2 s."_s.arg(verdict.limit).arg(verdict.retryAfter_s),
                .retryAfter_s = verdict.retryAfter_s},
               headers);
    });
}

void Api::withChatQuota(const http::Exchange &exchange, const Endpoint &endpoint, const UserId &user,
                        std::function<void(int perMinute)> then)
{
    const qint64 now_ms = m_uptime.elapsed();
    if (const auto known = m_quotas.constFind(user);
        known != m_quotas.constEnd() && now_ms - known->since_ms < quotaCache_ms)
        return then(known->perMinute);
    m_lanes.operators.act(
        this, [this, user](db::Session &db) { return m_hooks.chatQuota(db, user); },
        [=, this](Result<int> perMinute) {
            if (!perMinute)
                return refuse(exchange, endpoint, perMinute.error(), {});
            if (m_quotas.size() >= quotaCacheSize)
                m_quotas.clear();
            m_quotas.insert(user, {*perMinute, now_ms});
            then(*perMinute);
        });
}

db::Workers &Api::laneOf(const Endpoint &endpoint, Scope scope) const
{
    if (scope == Scope::Bulk)
        return m_lanes.bulk;
    return endpoint.access.kind == Access::Kind::SignedIn ? m_lanes.app : m_lanes.operators;
}

Result<http::Reply> Api::perform(db::Session &db, const Endpoint &endpoint, const Act &act, Scope scope,
                                 const http::Request &request, const identity::TokenClaims &claims) const
{
    std::optional<db::Transaction> transaction;
    if (endpoint.access.kind == Access::Kind::SignedIn)
        transaction.emplace(db, claims.user);
    else
        transaction.emplace(db);
    const auto call = authorise(db, endpoint, request, claims);
    if (!call)
        return std::unexpected(call.error());
    if (scope == Scope::Bare) { // even then the account is loaded as the caller: others' rows are not to be seen
        transaction->commit();
        transaction.reset();
        return act(*call, db);
    }
    if (m_hooks.signedIn && endpoint.access.kind == Access::Kind::SignedIn)
        m_hooks.signedIn(db, call->account());
    if (endpoint.idempotencyKeyRequired)
        return actOnce(db, *transaction, endpoint, *call, act);
    const auto reply = act(*call, db);
    if (reply)
        transaction->commit();
    return reply;
}

Result<Api::Entered> Api::enter(db::Session &db, const Endpoint &endpoint, const http::Request &request,
                                const identity::TokenClaims &claims) const
{
    db::Transaction transaction(db, claims.user);
    const auto call = authorise(db, endpoint, request, claims);
    if (!call)
        return std::unexpected(call.error());
    if (m_hooks.signedIn && endpoint.access.kind == Access::Kind::SignedIn)
        m_hooks.signedIn(db, call->account());
    auto earlier = earlierAnswer(db, *call);
    if (!earlier)
        return std::unexpected(earlier.error());
    transaction.commit();
    return Entered{*call, std::move(*earlier)};
}

Result<Call> Api::authorise(db::Session &db, const Endpoint &endpoint, const http::Request &request,
                            const identity::TokenClaims &claims) const
{
    if (endpoint.access.kind == Access::Kind::Public)
        return Call(request, std::nullopt);
    const auto account = m_hooks.account(db, claims);
    if (!account)
        return std::unexpected(account.error());
    if (endpoint.access.kind == Access::Kind::Operator && !account->hasAny(endpoint.access.roles))
        return companion::refuse(ErrorCode::RoleRequired, u"Your role does not allow this."_s);
    return Call(request, *account, claims);
}

void Api::refuse(const http::Exchange &exchange, const Endpoint &endpoint, const Refusal &refusal,
                 const http::Headers &headers) const
{
    answer(exchange, endpoint, std::unexpected(refusal), headers);
}

void Api::answer(const http::Exchange &exchange, const Endpoint &endpoint, Result<http::Reply> reply,
                 const http::Headers &headers) const
{
    const bool isDeclared = reply ? declares(endpoint, reply->status) : declares(endpoint, reply.error().code);
    if (!reply) {
        const Refusal refusal = reply.error();
        reply = endpoint.problem(refusal, exchange.request().id);
        if (describe(refusal.code).status == 401)
            reply->with("WWW-Authenticate", "Bearer");
    }
    for (const auto &[name, value] : headers.all())
        reply->with(name, value);
    if (m_hooks.undeclared && !isDeclared)
        m_hooks.undeclared(endpoint, reply->status);
    http::Exchange(exchange).send(std::move(*reply));
}

} // namespace companion::api
