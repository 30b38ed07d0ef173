#pragma once

#include "api/Call.h"
#include "api/Endpoint.h"
#include "db/Workers.h"
#include "http/RateLimiter.h"
#include "http/Router.h"
#include "identity/AccessTokens.h"

#include <QElapsedTimer>
#include <QHash>
#include <QObject>
#include <functional>

namespace companion::api {

using Act = std::function<Result<http::Reply>(const Call &, db::Session &)>;

// What a loop handler is given: who asks (the token has been checked, the database not yet asked), and the rate limit's
// headers for whatever it answers.
struct Entry
{
    identity::TokenClaims claims;
    http::Headers headers;
};
using LoopHandler = std::function<void(http::Exchange, Entry)>;
// Answers once, later, on the loop.
using OnceHandler = std::function<void(const Call &, const std::function<void(Result<http::Reply>)> &)>;

// The worker pools: row-level security by user, operators, and slow work in bulk.
struct Lanes
{
    db::Workers &app;
    db::Workers &operators;
    db::Workers &bulk;
};

struct RateLimits
{
    int common_perMinute = 600;
    int signIn_perMinute = 20; // by address
};

// What the features tell the doors; set by the composition before the server listens. All run inside acts.
struct Hooks
{
    // Status and roles as the database says now, narrowed to the token's (identity::AccountStore::account):
    // unauthenticated (the device was signed out, too) or account_suspended.
    std::function<Result<identity::Account>(db::Session &, const identity::TokenClaims &)> account;
    // Requests a minute that the user's tier allows on chat routes; answered from a cache for 30 s.
    std::function<Result<int>(db::Session &, const UserId &)> chatQuota;
    // An API key's owner: unauthenticated, account_suspended.
    std::function<Result<identity::TokenClaims>(db::Session &, const QString &)> apiKey;
    // After the account was loaded in a signed-in act: the lazy daily refresh.
    std::function<void(db::Session &, const identity::Account &)> signedIn = {};
    // A status or code that the endpoint did not declare was answered. Tests fail here.
    std::function<void(const Endpoint &, int status)> undeclared = {};
};

// The doors. Routes add their endpoints at start, before the server listens. Loop thread.
class Api : public QObject
{
    Q_OBJECT
public:
    Api(http::Router &router, Lanes lanes, const identity::AccessTokens &tokens, http::RateLimiter &limiter,
        Hooks hooks, RateLimits limits = {});

    // Runs in one transaction: as the caller (row-level security) for signed-in endpoints, as operator for the others.
    // Committed when the act answers, rolled back when it refuses or throws. Where the endpoint requires an
    // Idempotency-Key, a repeated request gets the first answer again.
    void act(const Endpoint &endpoint, Act act);
    // The same, when `before` has called what it is given: on the loop, for what the act needs from the network. It
    // must call within bounded time.
    using Before = std::function<void(const http::Request &, std::function<void()> then)>;
    void actAfter(const Endpoint &endpoint, Before before, Act act);
    // Without a transaction of its own: the act decides what commits with what.
    void bareAct(const Endpoint &endpoint, Act act);
    // On the bulk lane, for what takes long; one transaction, operators only.
    void bulkAct(const Endpoint &endpoint, Act act);
    // For what waits (chat turns, streams): called on the loop. Operators' roles have been checked by then; a signed-in
    // user's account is for the handler's own act to load.
    void onLoop(const Endpoint &endpoint, LoopHandler handler);

    // For what waits, and moves money: the account has been loaded as in an act, the Idempotency-Key is required, and a
    // repeated request gets the first answer (2xx) again. Two at the same moment may both run: what the handler does
    // must bear the key itself.
    void onLoopOnce(const Endpoint &endpoint, OnceHandler handler);

    const QList<Endpoint> &endpoints() const { return m_endpoints; }
    // Answers with the endpoint's error form and the rate limit's headers.
    void refuse(const http::Exchange &exchange, const Endpoint &endpoint, const Refusal &refusal,
                const http::Headers &headers) const;
    void answer(const http::Exchange &exchange, const Endpoint &endpoint, Result<http::Reply> reply,
                const http::Headers &headers) const;

private:
    enum class Scope { Transaction, Bare, Bulk };
    using Identified = std::function<void(identity::TokenClaims)>;
    using Admitted = std::function<void(http::Headers)>;
    struct Entered
    {
        Call call;
        std::optional<http::Reply> earlier;
    };
    struct CachedQuota
    {
        int perMinute = 0;
        qint64 since_ms = 0;
    };

    void add(const Endpoint &endpoint, LoopHandler handler);
    void addAct(const Endpoint &endpoint, Act act, Scope scope, const Before &before = {});
    std::optional<Refusal> problemWith(const http::Request &request, const Endpoint &endpoint) const;
    void identify(const http::Exchange &exchange, const Endpoint &endpoint, const Identified &then);
    void limit(const http::Exchange &exchange, const Endpoint &endpoint, const identity::TokenClaims &claims,
               const Admitted &then);
    void take(const http::Exchange &exchange, const Endpoint &endpoint, const QString &bucket, int perMinute,
              const Admitted &then);
    void withChatQuota(const http::Exchange &exchange, const Endpoint &endpoint, const UserId &user,
                       std::function<void(int perMinute)> then);
    db::Workers &laneOf(const Endpoint &endpoint, Scope scope) const;
    Result<http::Reply> perform(db::Session &db, const Endpoint &endpoint, const Act &act, Scope scope,
                                const http::Request &request, const identity::TokenClaims &claims) const;
    Result<Entered> enter(db::Session &db, const Endpoint &endpoint, const http::Request &request,
                          const identity::TokenClaims &claims) const;
    void keep(const Endpoint &endpoint, const Call &call, const http::Reply &reply, std::function<void()> then);
    Result<Call> authorise(db::Session &db, const Endpoint &endpoint, const http::Request &request,
                           const identity::TokenClaims &claims) const;

    http::Router &m_router;
    Lanes m_lanes;
    const identity::AccessTokens &m_tokens;
    http::RateLimiter &m_limiter;
    Hooks m_hooks;
    RateLimits m_limits;
    QList<Endpoint> m_endpoints;
    QHash<UserId, CachedQuota> m_quotas;
    QElapsedTimer m_uptime;
};

} // namespace companion::api
