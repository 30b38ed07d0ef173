#include "api/Endpoint.h"

#include "api/OpenApiParts.h"
#include "api/OpenApiSchemas.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>
#include <map>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

// What the gate answers before any endpoint is known: always as a problem.
const QList<ErrorCode> &gateRefusals()
{
    using enum ErrorCode;
    static const QList<ErrorCode> codes{MalformedRequest, RequestTimeout, PayloadTooLarge, HeaderTooLarge, Overloaded};
    return codes;
}

QString wordsFor(const std::vector<ErrorCode> &codes)
{
    QStringList words;
    for (ErrorCode code : codes)
        words.append(
            u"`%1`: %2"_s.arg(QLatin1StringView(describe(code).name), QLatin1StringView(describe(code).title)));
    return words.join(u"; "_s);
}

// The document as it grows. Refusals and models that are the same in many operations stand in one place.
class Document
{
public:
    QJsonObject write(const QList<Endpoint> &endpoints);

private:
    QJsonObject operationOf(const Endpoint &endpoint);
    QJsonObject responsesOf(const Endpoint &endpoint);
    QJsonObject answerOf(const Endpoint &endpoint, int status);
    QJsonObject refusalOf(const Endpoint &endpoint, int status, const std::vector<ErrorCode> &codes);
    QJsonObject bodyOf(const Endpoint &endpoint);

    SchemaPlaces m_schemas;
    QJsonObject m_responses;
};

QJsonObject problemContent(int status, const std::vector<ErrorCode> &codes)
{
    QJsonArray names;
    for (ErrorCode code : codes)
        names.append(QString::fromLatin1(describe(code).name));
    const QJsonObject narrowed{{u"type"_s, u"object"_s},
                               {u"properties"_s,
                                QJsonObject{{u"status"_s, QJsonObject{{u"const"_s, status}}},
                                            {u"code"_s, QJsonObject{{u"enum"_s, names}}}}}};
    const ErrorDescription &first = describe(codes.front());
    const QString name = QString::fromLatin1(first.name);
    const QJsonObject example{{u"type"_s, QString(u"urn:companion:problem:"_s + name)},
                              {u"title"_s, QString::fromLatin1(first.title)},
                              {u"status"_s, status},
                              {u"detail"_s, QString(QString::fromLatin1(first.title) + u'.')},
                              {u"code"_s, name},
                              {u"request_id"_s, u"0f3a7c1e9b"_s}};
    return {{u"schema"_s, QJsonObject{{u"allOf"_s, QJsonArray{componentReference("schemas", u"Problem"_s), narrowed}}}},
            {u"example"_s, example}};
}

QJsonObject openAiContent(const std::vector<ErrorCode> &codes)
{
    QJsonArray names;
    for (ErrorCode code : codes)
        names.append(QString::fromLatin1(describe(code).name));
    const QJsonObject codeOnly{{u"type"_s, u"object"_s},
                               {u"properties"_s, QJsonObject{{u"code"_s, QJsonObject{{u"enum"_s, names}}}}}};
    const QJsonObject both{{u"allOf"_s, QJsonArray{componentReference("schemas", u"OpenAiErrorBody"_s), codeOnly}}};
    const QJsonObject schema{{u"type"_s, u"object"_s},
                             {u"properties"_s, QJsonObject{{u"error"_s, both}}},
                             {u"required"_s, QJsonArray{u"error"_s}}};
    const QJsonObject error{{u"message"_s, QString(QString::fromLatin1(describe(codes.front()).title) + u'.')},
                            {u"type"_s, u"invalid_request_error"_s},
                            {u"param"_s, QJsonValue::Null},
                            {u"code"_s, names.first()}};
    return {{u"schema"_s, schema}, {u"example"_s, QJsonObject{{u"error"_s, error}}}};
}

// One response in components/responses for each set of codes and form.
QJsonObject Document::refusalOf(const Endpoint &endpoint, int status, const std::vector<ErrorCode> &codes)
{
    const bool openAi = QByteArrayView(endpoint.problemSchema) == "OpenAiError";
    QStringList name{QString::number(status)};
    for (ErrorCode code : codes)
        name.append(QString::fromLatin1(describe(code).name));
    if (openAi)
        name.append(u"openai"_s);
    const QString key = name.join(u'.');
    if (m_responses.contains(key))
        return componentReference("responses", key);

    QJsonObject headers;
    addHeaders(headers, {"X-Request-Id"});
    if (status == 401)
        addHeaders(headers, {"WWW-Authenticate"});
    if (status == 429)
        addHeaders(headers,
                   {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit",
                    "RateLimit-Policy"});
    if (status == 429 || status == 503 || status == 409)
        addHeaders(headers, {"Retry-After"});
    if (takesIdempotencyKey(endpoint) && (status == 402 || status == 451))
        addHeaders(headers, {"Idempotency-Replayed"});
    std::vector<ErrorCode> early;
    std::ranges::copy_if(codes, std::back_inserter(early),
                         [](ErrorCode code) { return gateRefusals().contains(code); });
    QJsonObject content;
    if (!openAi || !early.empty())
        content.insert(u"application/problem+json"_s, problemContent(status, openAi ? early : codes));
    if (openAi)
        content.insert(u"application/json"_s, openAiContent(codes));
    m_responses.insert(
        key, QJsonObject{{u"description"_s, wordsFor(codes)}, {u"headers"_s, headers}, {u"content"_s, content}});
    return componentReference("responses", key);
}

const char *wordFor(int status)
{
    switch (status) {
    case 201:
        return "Made";
    case 202:
        return "Accepted";
    case 204:
        return "Done; there is no body";
    case 304:
        return "Not changed since; there is no body";
    default:
        return "The answer";
    }
}

// A status may have several bodies (JSON, or a stream of events): they stand beside each other.
QJsonObject Document::answerOf(const Endpoint &endpoint, int status)
{
    QJsonObject headers;
    addHeaders(headers, {"X-Request-Id"});
    if (endpoint.rate != Rate::None)
        addHeaders(headers,
                   {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit",
                    "RateLimit-Policy"});
    if (endpoint.etag)
        addHeaders(headers, {"ETag"});
    if (takesIdempotencyKey(endpoint))
        addHeaders(headers, {"Idempotency-Replayed"});
    QJsonObject content;
    for (const Answer &answer : endpoint.answers) {
        if (answer.status != status)
            continue;
        for (const char *name : answer.headers)
            addHeaders(headers, {name});
        const bool isJson = QByteArrayView(answer.contentType) == "application/json";
        if (isJson && answer.schema.isEmpty())
            continue;
        QJsonObject schema = m_schemas.ofAnswer(answer.schema);
        if (!answer.event.isEmpty())
            schema.insert(u"contentSchema"_s, m_schemas.ofAnswer(answer.event));
        QJsonObject body{{u"schema"_s, schema}};
        if (isJson)
            body.insert(u"example"_s, exampleOf(answer.schema));
        content.insert(QString::fromLatin1(answer.contentType), body);
    }
    QJsonObject response{{u"description"_s, QString::fromLatin1(wordFor(status))}, {u"headers"_s, headers}};
    if (!content.isEmpty())
        response.insert(u"content"_s, content);
    return response;
}

QJsonObject Document::responsesOf(const Endpoint &endpoint)
{
    QJsonObject responses;
    std::map<int, std::vector<ErrorCode>> refusals;
    for (ErrorCode code : possibleRefusals(endpoint))
        refusals[describe(code).status].push_back(code);
    for (auto &[status, codes] : refusals) {
        std::ranges::sort(codes);
        responses.insert(QString::number(status), refusalOf(endpoint, status, codes));
    }
    for (const Answer &answer : endpoint.answers)
        responses.insert(QString::number(answer.status), answerOf(endpoint, answer.status));
    return responses;
}

QJsonObject Document::bodyOf(const Endpoint &endpoint)
{
    QJsonObject content;
    for (const QString &type : endpoint.bodyTypes) {
        QJsonObject body;
        if (endpoint.body.isEmpty()) {
            body.insert(u"schema"_s, QJsonObject{{u"contentMediaType"_s, type}});
        } else {
            body.insert(u"schema"_s, m_schemas.ofBody(endpoint.body));
            body.insert(u"example"_s, exampleOf(endpoint.body));
        }
        content.insert(type, body);
    }
    return {{u"required"_s, !endpoint.bodyOptional}, {u"content"_s, content}};
}

QJsonObject Document::operationOf(const Endpoint &endpoint)
{
    QString id = QString::fromLatin1(http::methodName(endpoint.method).toLower()) + endpoint.path;
    id.replace(u'/', u'_').remove(u'{').remove(u'}').replace(u'-', u'_').replace(u'.', u'_');
    QJsonObject operation{{u"operationId"_s, id},
                          {u"summary"_s, endpoint.summary},
                          {u"description"_s, descriptionOf(endpoint)},
                          {u"tags"_s, QJsonArray{endpoint.tag}},
                          {u"security"_s, securityOf(endpoint)},
                          {u"responses"_s, responsesOf(endpoint)}};
    if (const QJsonArray parameters = parametersOf(endpoint); !parameters.isEmpty())
        operation.insert(u"parameters"_s, parameters);
    if (endpoint.access.kind == Access::Kind::Operator)
        operation.insert(u"x-roles"_s, QJsonArray::fromStringList(rolesOf(endpoint)));
    return operation;
}

QJsonObject Document::write(const QList<Endpoint> &endpoints)
{
    QJsonObject paths;
    const auto change = [&paths](const Endpoint &endpoint, auto edit) {
        const QString method = QString::fromLatin1(http::methodName(endpoint.method).toLower());
        QJsonObject item = paths.value(endpoint.path).toObject();
        item.insert(method, edit(item.value(method).toObject()));
        paths.insert(endpoint.path, item);
    };
    for (const Endpoint &endpoint : endpoints)
        change(endpoint, [&](const QJsonObject &) { return operationOf(endpoint); });
    for (const Endpoint &endpoint : endpoints) // after all answers: see SchemaPlaces
        if (readsBody(endpoint))
            change(endpoint, [&](QJsonObject operation) {
                operation.insert(u"requestBody"_s, bodyOf(endpoint));
                return operation;
            });
    QJsonObject schemas = m_schemas.places();
    schemas.insert(u"Problem"_s, problemSchema());
    const auto isOpenAi = [](const Endpoint &one) { return QByteArrayView(one.problemSchema) == "OpenAiError"; };
    if (std::ranges::any_of(endpoints, isOpenAi)) {
        schemas.insert(u"OpenAiErrorBody"_s, openAiErrorBodySchema());
        schemas.insert(u"OpenAiError"_s, openAiErrorSchema());
    }
    return {{u"openapi"_s, u"3.1.0"_s},
            {u"info"_s, information()},
            {u"servers"_s, QJsonArray{QJsonObject{{u"url"_s, u"/"_s}, {u"description"_s, u"This server"_s}}}},
            {u"tags"_s, tagsOf(endpoints)},
            {u"security"_s, QJsonArray{QJsonObject{{u"accessToken"_s, QJsonArray()}}}},
            {u"paths"_s, paths},
            {u"components"_s,
             QJsonObject{{u"schemas"_s, schemas},
                         {u"responses"_s, m_responses},
                         {u"headers"_s, usedHeaders(paths, m_responses)},
                         {u"securitySchemes"_s, securitySchemes()}}}};
}

} // namespace

bool readsBody(const Endpoint &endpoint)
{
    return !endpoint.body.isEmpty() || endpoint.bodyTypes != QStringList{u"application/json"_s};
}

bool takesIdempotencyKey(const Endpoint &endpoint)
{
    return endpoint.idempotencyKeyRequired || endpoint.refusals.contains(ErrorCode::IdempotencyKeyReused);
}

QList<ErrorCode> possibleRefusals(const Endpoint &endpoint)
{
    using enum ErrorCode;
    QList<ErrorCode> codes = gateRefusals();
    codes << Internal << NotReady << ShuttingDown << Invalid;
    if (endpoint.access.kind != Access::Kind::Public)
        codes << Unauthenticated << TokenExpired << AccountSuspended;
    if (endpoint.access.kind == Access::Kind::Operator)
        codes << RoleRequired;
    if (endpoint.rate != Rate::None)
        codes << RateLimited;
    if (readsBody(endpoint))
        codes << UnsupportedMediaType;
    if (endpoint.path.contains(u'{'))
        codes << NotFound;
    if (endpoint.idempotencyKeyRequired)
        codes << IdempotencyInProgress << IdempotencyKeyReused;
    if (endpoint.ifMatchRequired)
        codes << PreconditionRequired << PreconditionFailed;
    for (ErrorCode code : endpoint.refusals)
        if (!codes.contains(code))
            codes << code;
    return codes;
}

bool declares(const Endpoint &endpoint, int status)
{
    const auto answers = [status](const Answer &answer) { return answer.status == status; };
    const auto refuses = [status](ErrorCode code) { return describe(code).status == status; };
    return std::ranges::any_of(endpoint.answers, answers) || std::ranges::any_of(possibleRefusals(endpoint), refuses);
}

bool declares(const Endpoint &endpoint, ErrorCode code)
{
    return possibleRefusals(endpoint).contains(code);
}

QJsonObject openApiDocument(const QList<Endpoint> &endpoints)
{
    return Document().write(endpoints);
}

} // namespace companion::api
