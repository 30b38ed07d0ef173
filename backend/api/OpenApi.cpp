#include "api/Endpoint.h"

#include <QJsonArray>

#include <map>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

const char *nameOf(http::Method method)
{
    switch (method) {
    case http::Method::Get:
        return "get";
    case http::Method::Head:
        return "head";
    case http::Method::Post:
        return "post";
    case http::Method::Put:
        return "put";
    case http::Method::Patch:
        return "patch";
    case http::Method::Delete:
        return "delete";
    case http::Method::Options:
        return "options";
    }
    return "";
}

QJsonObject textType()
{
    return {{u"type"_s, u"string"_s}};
}

QJsonObject integerBetween(int low, qint64 high)
{
    return {{u"type"_s, u"integer"_s}, {u"minimum"_s, low}, {u"maximum"_s, high}};
}

QJsonObject parameter(const QString &name, const char *in, const QJsonObject &schema, const QString &description,
                      bool required = false)
{
    QJsonObject object{{u"name"_s, name}, {u"in"_s, QString::fromLatin1(in)}, {u"schema"_s, schema}};
    if (!description.isEmpty())
        object.insert(u"description"_s, description);
    if (required)
        object.insert(u"required"_s, true);
    return object;
}

QJsonArray parametersOf(const Endpoint &endpoint)
{
    QJsonArray parameters;
    for (const QString &segment : endpoint.path.split(u'/'))
        if (segment.startsWith(u'{'))
            parameters.append(parameter(segment.sliced(1).chopped(1), "path", textType(), {}, true));
    for (const QueryParameter &query : endpoint.query)
        parameters.append(
            parameter(QString::fromLatin1(query.name), "query", query.schema, QString::fromUtf8(query.description)));
    if (endpoint.paged || endpoint.cursor)
        parameters.append(parameter(u"limit"_s, "query", integerBetween(1, 100), u"Entries a page, 20 by default"_s));
    if (endpoint.paged)
        parameters.append(parameter(u"offset"_s, "query", integerBetween(0, 1'000'000'000), u"Entries to skip"_s));
    if (endpoint.cursor)
        parameters.append(parameter(u"cursor"_s, "query", textType(), u"next_cursor of the page before"_s));
    if (endpoint.idempotencyKeyRequired)
        parameters.append(parameter(u"Idempotency-Key"_s, "header",
                                    {{u"type"_s, u"string"_s}, {u"minLength"_s, 1}, {u"maxLength"_s, 128}},
                                    u"The same key and body give the first answer again"_s, true));
    return parameters;
}

QJsonObject content(const char *type, const QJsonObject &schema)
{
    return {{QString::fromLatin1(type), QJsonObject{{u"schema"_s, schema}}}};
}

QJsonObject responsesOf(const Endpoint &endpoint)
{
    std::map<int, QStringList> codes;
    for (ErrorCode code : possibleRefusals(endpoint))
        codes[describe(code).status].append(QString::fromLatin1(describe(code).name));

    QJsonObject responses;
    for (const auto &[status, names] : codes)
        responses.insert(QString::number(status),
                         QJsonObject{{u"description"_s, names.join(u", "_s)},
                                     {u"content"_s,
                                      content("application/problem+json",
                                              {{u"$ref"_s, u"#/components/schemas/Problem"_s}})}});
    // A status may have several bodies (JSON, or a stream of events): they stand beside each other.
    for (const Answer &answer : endpoint.answers) {
        const QString status = QString::number(answer.status);
        QJsonObject response = responses.value(status).toObject();
        QJsonObject bodies = response.value(u"content"_s).toObject();
        if (!answer.schema.isEmpty() || QByteArrayView(answer.contentType) != "application/json")
            bodies.insert(QString::fromLatin1(answer.contentType), QJsonObject{{u"schema"_s, answer.schema}});
        if (!bodies.isEmpty())
            response.insert(u"content"_s, bodies);
        response.insert(u"description"_s, answer.status == 204 ? u"Done"_s : u"The answer"_s);
        responses.insert(status, response);
    }
    return responses;
}

QJsonObject operationOf(const Endpoint &endpoint)
{
    QString id = QString::fromLatin1(nameOf(endpoint.method)) + endpoint.path;
    id.replace(u'/', u'_').remove(u'{').remove(u'}').replace(u'-', u'_').replace(u'.', u'_');
    QJsonObject operation{{u"operationId"_s, id},
                          {u"summary"_s, endpoint.summary},
                          {u"tags"_s, QJsonArray{endpoint.tag}},
                          {u"responses"_s, responsesOf(endpoint)}};
    if (const QJsonArray parameters = parametersOf(endpoint); !parameters.isEmpty())
        operation.insert(u"parameters"_s, parameters);
    if (!endpoint.body.isEmpty())
        operation.insert(u"requestBody"_s,
                         QJsonObject{{u"required"_s, true},
                                     {u"content"_s, content("application/json", endpoint.body)}});
    if (endpoint.access.kind == Access::Kind::Public)
        operation.insert(u"security"_s, QJsonArray());
    return operation;
}

QJsonObject problemSchema()
{
    const QJsonObject text = textType();
    const QJsonObject entry{
        {u"type"_s, u"object"_s},
        {u"properties"_s, QJsonObject{{u"pointer"_s, text}, {u"message"_s, text}}},
        {u"required"_s, QJsonArray{u"pointer"_s, u"message"_s}},
    };
    return {{u"type"_s, u"object"_s},
            {u"properties"_s,
             QJsonObject{{u"type"_s, text},
                         {u"title"_s, text},
                         {u"status"_s, QJsonObject{{u"type"_s, u"integer"_s}}},
                         {u"detail"_s, text},
                         {u"code"_s, text},
                         {u"request_id"_s, text},
                         {u"required"_s, text},
                         {u"available"_s, text},
                         {u"retry_after"_s, QJsonObject{{u"type"_s, u"integer"_s}}},
                         {u"errors"_s, QJsonObject{{u"type"_s, u"array"_s}, {u"items"_s, entry}}}}},
            {u"required"_s, QJsonArray{u"type"_s, u"title"_s, u"status"_s, u"code"_s, u"request_id"_s}}};
}

} // namespace

QList<ErrorCode> possibleRefusals(const Endpoint &endpoint)
{
    using enum ErrorCode;
    QList<ErrorCode> codes{Internal,       NotReady,        Overloaded,     ShuttingDown, MalformedRequest,
                           RequestTimeout, PayloadTooLarge, HeaderTooLarge, Invalid};
    if (endpoint.access.kind != Access::Kind::Public)
        codes << Unauthenticated << TokenExpired << AccountSuspended;
    if (endpoint.access.kind == Access::Kind::Operator)
        codes << RoleRequired;
    if (endpoint.rate != Rate::None)
        codes << RateLimited;
    if (!endpoint.body.isEmpty())
        codes << UnsupportedMediaType;
    if (endpoint.path.contains(u'{'))
        codes << NotFound;
    if (endpoint.idempotencyKeyRequired)
        codes << IdempotencyInProgress << IdempotencyKeyReused;
    for (ErrorCode code : endpoint.refusals)
        if (!codes.contains(code))
            codes << code;
    return codes;
}

bool declares(const Endpoint &endpoint, int status)
{
    const auto answers = [status](const Answer &answer) { return answer.status == status; };
    const auto refuses = [status](ErrorCode code) { return describe(code).status == status; };
    return status == 304 || std::ranges::any_of(endpoint.answers, answers)
        || std::ranges::any_of(possibleRefusals(endpoint), refuses);
}

QJsonObject openApiDocument(const QList<Endpoint> &endpoints)
{
    QJsonObject paths;
    for (const Endpoint &endpoint : endpoints) {
        QJsonObject item = paths.value(endpoint.path).toObject();
        item.insert(QString::fromLatin1(nameOf(endpoint.method)), operationOf(endpoint));
        paths.insert(endpoint.path, item);
    }
    const QJsonObject bearer{{u"type"_s, u"http"_s}, {u"scheme"_s, u"bearer"_s}};
    return {{u"openapi"_s, u"3.1.0"_s},
            {u"info"_s,
             QJsonObject{{u"title"_s, u"AI companion platform"_s},
                         {u"version"_s, u"1"_s},
                         {u"license"_s,
                          QJsonObject{{u"name"_s, u"Apache-2.0"_s}, {u"identifier"_s, u"Apache-2.0"_s}}}}},
            {u"servers"_s, QJsonArray{QJsonObject{{u"url"_s, u"/"_s}}}},
            {u"security"_s, QJsonArray{QJsonObject{{u"bearer"_s, QJsonArray()}}}},
            {u"paths"_s, paths},
            {u"components"_s,
             QJsonObject{{u"schemas"_s, QJsonObject{{u"Problem"_s, problemSchema()}}},
                         {u"securitySchemes"_s, QJsonObject{{u"bearer"_s, bearer}}}}}};
}

} // namespace companion::api
