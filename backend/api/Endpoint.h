#pragma once

#include "common/describe/Json.h"
#include "common/models/Identity.h"
#include "http/Message.h"

#include <QJsonArray>
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
    QJsonObject event = {}; // of an event stream: the schema of each event's data
    QList<const char *> headers = {}; // that it always carries, beyond what follows from the endpoint: "Location"
};

template <Described T>
Answer answer(int status = 200)
{
    return {status, schemaOf<T>()};
}

// In the query, or in the request's head. Api holds query values to the schema's maxLength; the rest is the handler's.
struct Parameter
{
    const char *name;
    const char *description;
    QJsonObject schema = {{QStringLiteral("type"), QStringLiteral("string")},
                          {QStringLiteral("maxLength"), 200},
                          {QStringLiteral("examples"), QJsonArray{QStringLiteral("text")}}};
};
using QueryParameter = Parameter;

// What an endpoint is, said once: it routes, authorises, limits, checks query parameters, and writes the OpenAPI
// document. A status or code that is not declared here must never be answered: Api reports it, and in tests that is a
// failure.
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
    // The rest is for the document, except ifMatchRequired, which also adds its refusals.
    const char *problemSchema = "Problem"; // of `problem`: "Problem" or "OpenAiError"
    QString description = {}; // beyond the summary; who may call and how often is written by the document
    bool etag = false; // 2xx answers carry ETag
    bool ifMatchRequired = false; // the act calls Call::checkIfMatch
    bool bodyOptional = false;
    QStringList bodyTypes = {QStringLiteral("application/json")}; // others are raw bytes; `body` may then be empty
    QList<Parameter> headers = {}; // of the request, beyond Idempotency-Key, If-Match and If-None-Match
    QList<Parameter> segments = {}; // of the path, where they are more than a UUID
    const char *securityScheme = ""; // of a public endpoint that takes a token of its own
};

bool readsBody(const Endpoint &endpoint);
// An Idempotency-Key is understood: required, or optional where its refusals are declared.
bool takesIdempotencyKey(const Endpoint &endpoint);

// Every refusal this endpoint may answer, the common ones included.
QList<ErrorCode> possibleRefusals(const Endpoint &endpoint);
bool declares(const Endpoint &endpoint, int status);
bool declares(const Endpoint &endpoint, ErrorCode code);

// OpenAPI 3.1, from the endpoints alone.
QJsonObject openApiDocument(const QList<Endpoint> &endpoints);

} // namespace companion::api
