#pragma once

#include "common/describe/Json.h"
#include "common/models/Identity.h"
#include "http/Message.h"

#include <QJsonObject>

namespace companion::api {

// Who may call. Operator endpoints name their roles (admin may always) and run on the operator lane.
struct Access
{
    enum class Kind { Public, SignedIn, Operator } kind = Kind::SignedIn;
    QList<Role> roles = {};

    static Access everybody() { return {Kind::Public, {}}; }
    static Access signedIn() { return {Kind::SignedIn, {}}; }
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

// What an endpoint is, said once: it routes, authorises, limits, checks query parameters, and writes the OpenAPI
// document. A status that is not declared here must never be answered: Api reports it, and in tests that is a failure.
struct Endpoint
{
    http::Method method = http::Method::Get;
    QString path;
    QString tag; // group in the document: "Chat"
    QString summary; // one line
    Access access = Access::signedIn();
    QJsonObject body = {}; // JSON Schema of the request body; empty: none is read
    QList<Answer> answers = {};
    QList<ErrorCode> refusals = {}; // beyond those every endpoint of its kind may answer
    QList<QueryParameter> query = {};
    Rate rate = Rate::Common;
    bool idempotencyKeyRequired = false;
    bool paged = false; // takes limit and offset
    bool cursor = false; // takes cursor as well
    bool acceptsApiKey = false; // sk-companion-… beside access tokens: the /v1 door
    http::Reply (*problem)(const Refusal &, const QByteArray &requestId) = &http::Reply::problem;
};

// Every refusal this endpoint may answer, the common ones included.
QList<ErrorCode> possibleRefusals(const Endpoint &endpoint);
bool declares(const Endpoint &endpoint, int status);

// OpenAPI 3.1, from the endpoints alone.
QJsonObject openApiDocument(const QList<Endpoint> &endpoints);

} // namespace companion::api
