#pragma once

#include "common/models/Page.h"
#include "db/Workers.h"
#include "http/RateLimiter.h"
#include "http/Router.h"
#include "identity/AccessTokens.h"
#include "identity/Account.h"

#include <QJsonObject>
#include <functional>

namespace companion::api {

// Who may call. Operator endpoints name their roles (admin may always) and run on the operator lane.
struct Access
{
    enum class Kind { Public, SignedIn, Operator } kind = Kind::SignedIn;
    QList<Role> roles = {};

    static Access everybody() { return {Kind::Public}; }
    static Access signedIn() { return {Kind::SignedIn}; }
    static Access operators(QList<Role> roles) { return {Kind::Operator, std::move(roles)}; }
};

enum class Rate { None, Common, Chat, SignIn };

struct Answer
{
    int status = 200;
    QJsonObject schema = {}; // empty: no body, or one that is not JSON
    const char *contentType = "application/json";
};

template <Described T>
Answer answer(int status = 200)
{
    return {status, schemaOf<T>()};
}

struct QueryParameter
{
    const char *name;
    const char *description;
    QJsonObject schema = {{QStringLiteral("type"), QStringLiteral("string")}};
};

// What an endpoint is, said once: it routes, authorises, limits, checks unknown query parameters, and writes the
// OpenAPI document. A status or code that is not declared here must never be answered; in tests that is a failure.
struct Endpoint
{
    http::Method method = http::Method::Get;
    QString path;
    QString tag;     // group in the document: "Chat"
    QString summary; // one line
    Access access = Access::signedIn();
    QJsonObject body = {};     // JSON Schema of the request body; empty: none is read
    QList<Answer> answers = {};
    QList<ErrorCode> refusals = {}; // beyond those every endpoint may answer (unauthenticated, rate_limited, …)
    QList<QueryParameter> query = {};
    Rate rate = Rate::Common;
    bool idempotencyKeyRequired = false;
    bool paged = false; // takes limit, offset, and where `cursor` is true also cursor
    bool cursor = false;
};

// One authorised request inside an act.
class Call
{
public:
    Call(const http::Request &request, std::optional<identity::Account> account)
        : m_request(request)
        , m_account(std::move(account))
    {
    }
    const http::Request &request() const { return m_request; }
    const identity::Account &account() const; // a Bug on public endpoints
    UserId user() const { return account().id(); }

    // The body as a model: 400 malformed_request, 415, or 422 with every wrong place.
    template <Described T>
    Result<T> body() const
    {
        const auto object = jsonBody();
        if (!object)
            return std::unexpected(object.error());
        return fromJson<T>(*object);
    }
    Result<QJsonObject> jsonBody() const;
    Result<PageRequest> page() const;
    // A path id: not_found for a malformed one.
    template <class IdType>
    Result<IdType> id(const QString &name = QStringLiteral("id")) const
    {
        const auto parsed = IdType::parse(m_request.param(name));
        if (!parsed)
            return refuse(ErrorCode::NotFound, QStringLiteral("There is no such object."));
        return *parsed;
    }
    std::optional<QString> query(const QString &name) const;
    Result<std::optional<QDateTime>> queryTime(const QString &name) const;
    QString idempotencyKey() const; // validated by Api; empty where none was sent

private:
    http::Request m_request;
    std::optional<identity::Account> m_account;
};

using Act = std::function<Result<http::Reply>(const Call &, db::Session &)>;
// On the loop, for what waits (chat turns, streams): only the token has been checked.
using LoopHandler = std::function<void(http::Exchange, identity::TokenClaims)>;

template <Described T>
http::Reply ok(const T &model, int status = 200)
{
    return http::Reply::json(toJson(model), status);
}
template <Described T>
http::Reply created(const T &model)
{
    return ok(model, 201);
}

// The doors. Routes add their endpoints at start; then mount() puts them on the router.
class Api
{
public:
    struct Lanes
    {
        db::Workers &app;      // row-level security by user
        db::Workers &operators;
        db::Workers &bulk;
    };
    Api(http::Router &router, Lanes lanes, const identity::AccessTokens &tokens, http::RateLimiter &limiter);

    // Runs in one transaction: as the caller (row-level security) for signed-in endpoints, as operator for the others.
    // Committed when the act answers, rolled back when it refuses or throws.
    void act(Endpoint endpoint, Act act);
    // Without a transaction of its own: the act decides what commits with what.
    void bareAct(Endpoint endpoint, Act act);
    void onLoop(Endpoint endpoint, LoopHandler handler);

    // Runs first in every signed-in act, after the account was loaded: the lazy daily refresh.
    std::function<void(db::Session &, const identity::Account &)> onSignedIn;

    const QList<Endpoint> &endpoints() const { return m_endpoints; }
    QJsonObject openApi() const;

private:
    http::Router &m_router;
    Lanes m_lanes;
    const identity::AccessTokens &m_tokens;
    http::RateLimiter &m_limiter;
    QList<Endpoint> m_endpoints;
};

} // namespace companion::api
