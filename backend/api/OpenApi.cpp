#include "api/Endpoint.h"

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

QJsonObject textType(const char *example)
{
    return {{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{QString::fromLatin1(example)}}};
}

QJsonObject integerBetween(int low, qint64 high, int fallback)
{
    return {{u"type"_s, u"integer"_s}, {u"minimum"_s, low}, {u"maximum"_s, high}, {u"default"_s, fallback}};
}

QJsonObject reference(const char *kind, const QString &name)
{
    return {{u"$ref"_s, QString(u"#/components/"_s + QLatin1StringView(kind) + u'/' + name)}};
}

QJsonObject header(const char *description, const QJsonObject &schema, bool required)
{
    QJsonObject object{{u"description"_s, QString::fromUtf8(description)}, {u"schema"_s, schema}};
    if (required)
        object.insert(u"required"_s, true);
    return object;
}

QJsonObject headerComponents()
{
    const QJsonObject count{{u"type"_s, u"integer"_s}, {u"minimum"_s, 0}, {u"examples"_s, QJsonArray{42}}};
    const QJsonObject flag{{u"type"_s, u"string"_s}, {u"enum"_s, QJsonArray{u"true"_s}}};
    const QJsonObject id{{u"type"_s, u"string"_s}, {u"pattern"_s, u"^[A-Za-z0-9._-]{1,128}$"_s}};
    return {
        {u"X-Request-Id"_s, header("The caller's, if it sent a sane one; quote it to support", id, true)},
        {u"X-RateLimit-Limit"_s, header("Requests a minute", count, true)},
        {u"X-RateLimit-Remaining"_s, header("Requests left now", count, true)},
        {u"X-RateLimit-Reset"_s, header("Seconds until the limit is whole again", count, true)},
        {u"RateLimit"_s, header("The same in the form of the IETF draft", textType("\"default\";r=42;t=9"), true)},
        {u"RateLimit-Policy"_s, header("The policy, same draft", textType("\"default\";q=600;w=60"), true)},
        {u"Retry-After"_s, header("Seconds to wait before the request is sent again", count, false)},
        {u"WWW-Authenticate"_s, header("How to authenticate", textType("Bearer"), true)},
        {u"ETag"_s, header("The object's state, for If-Match or If-None-Match", textType("\"7\""), true)},
        {u"Idempotency-Replayed"_s, header("This is the first answer, given again", flag, false)},
        {u"Location"_s, header("Where the new object is", textType("/api/v1/chat/sessions/7f0c1b1e"), true)},
        {u"Cache-Control"_s, header("How long the answer may be kept", textType("public, max-age=60"), true)},
        {u"X-Message-Id"_s,
         header("The reply's id, to come back to it", {{u"type"_s, u"string"_s}, {u"format"_s, u"uuid"_s}}, true)},
    };
}

// Only those that are used: a component that nobody refers to is a mistake to the document's linters.
QJsonObject usedHeaders(const QJsonObject &paths, const QJsonObject &responses)
{
    const QByteArray text = QJsonDocument(QJsonObject{{u"p"_s, paths}, {u"r"_s, responses}}).toJson();
    QJsonObject used = headerComponents();
    for (const QString &name : used.keys())
        if (!text.contains(QByteArray("#/components/headers/" + name.toLatin1() + '"')))
            used.remove(name);
    return used;
}

void addHeaders(QJsonObject &headers, std::initializer_list<const char *> names)
{
    for (const char *name : names)
        headers.insert(QString::fromLatin1(name), reference("headers", QString::fromLatin1(name)));
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

QJsonObject declared(const Parameter &one, const char *in, bool required = false)
{
    return parameter(QString::fromLatin1(one.name), in, one.schema, QString::fromUtf8(one.description), required);
}

QJsonObject pathParameter(const Endpoint &endpoint, const QString &name)
{
    for (const Parameter &segment : endpoint.segments)
        if (name == QLatin1StringView(segment.name))
            return declared(segment, "path", true);
    return parameter(name, "path", {{u"type"_s, u"string"_s}, {u"format"_s, u"uuid"_s}},
                     u"An id; anything else is answered 404"_s, true);
}

void addPathAndQuery(const Endpoint &endpoint, QJsonArray &parameters)
{
    for (const QString &segment : endpoint.path.split(u'/'))
        if (segment.startsWith(u'{'))
            parameters.append(pathParameter(endpoint, segment.sliced(1).chopped(1)));
    for (const Parameter &query : endpoint.query)
        parameters.append(declared(query, "query"));
    if (endpoint.paged || endpoint.cursor)
        parameters.append(parameter(u"limit"_s, "query", integerBetween(1, 100, 20), u"Entries a page"_s));
    if (endpoint.paged)
        parameters.append(parameter(u"offset"_s, "query", integerBetween(0, 1'000'000'000, 0),
                                    endpoint.cursor ? u"Entries to skip; not with cursor"_s : u"Entries to skip"_s));
    if (endpoint.cursor)
        parameters.append(
            parameter(u"cursor"_s, "query", textType("next_cursor"), u"next_cursor of the page before"_s));
}

bool mayAnswer(const Endpoint &endpoint, int status)
{
    return std::ranges::any_of(endpoint.answers, [status](const Answer &answer) { return answer.status == status; });
}

QJsonArray parametersOf(const Endpoint &endpoint)
{
    QJsonArray parameters;
    addPathAndQuery(endpoint, parameters);
    if (takesIdempotencyKey(endpoint))
        parameters.append(parameter(u"Idempotency-Key"_s, "header",
                                    {{u"type"_s, u"string"_s},
                                     {u"pattern"_s, u"^[!-~]{1,128}$"_s},
                                     {u"examples"_s, QJsonArray{u"order-2026-03-01-0001"_s}}},
                                    u"The same key and body give the first answer again, for 24 h"_s,
                                    endpoint.idempotencyKeyRequired));
    if (endpoint.ifMatchRequired)
        parameters.append(parameter(u"If-Match"_s, "header", textType("\"7\""),
                                    u"The object's ETag as it was read: 428 without, 412 when it is stale"_s));
    if (mayAnswer(endpoint, 304))
        parameters.append(parameter(u"If-None-Match"_s, "header", textType("\"7\""),
                                    u"An ETag that is at hand: 304 where it is still the present one"_s));
    for (const Parameter &one : endpoint.headers)
        parameters.append(declared(one, "header"));
    return parameters;
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
    return {{u"schema"_s, QJsonObject{{u"allOf"_s, QJsonArray{reference("schemas", u"Problem"_s), narrowed}}}},
            {u"example"_s, example}};
}

QJsonObject openAiContent(const std::vector<ErrorCode> &codes)
{
    QJsonArray names;
    for (ErrorCode code : codes)
        names.append(QString::fromLatin1(describe(code).name));
    const QJsonObject codeOnly{{u"type"_s, u"object"_s},
                               {u"properties"_s, QJsonObject{{u"code"_s, QJsonObject{{u"enum"_s, names}}}}}};
    const QJsonObject both{{u"allOf"_s, QJsonArray{reference("schemas", u"OpenAiErrorBody"_s), codeOnly}}};
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
        return reference("responses", key);

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
    return reference("responses", key);
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

QStringList rolesOf(const Endpoint &endpoint)
{
    QStringList names{QString::fromLatin1(enumName(Role::Admin))};
    for (Role role : endpoint.access.roles)
        names.append(QString::fromLatin1(enumName(role)));
    return names;
}

QString accessSentence(const Endpoint &endpoint)
{
    if (endpoint.access.kind == Access::Kind::Public)
        return u"Open to everybody."_s;
    if (endpoint.access.kind == Access::Kind::Operator)
        return u"For the roles %1."_s.arg(rolesOf(endpoint).join(u", "_s));
    return endpoint.acceptsApiKey ? u"For everybody who is signed in; an API key works too."_s
                                  : u"For everybody who is signed in."_s;
}

QString rateSentence(Rate rate)
{
    switch (rate) {
    case Rate::None:
        return u"Not rate limited."_s;
    case Rate::Common:
        return u"Counts against the common rate limit."_s;
    case Rate::Chat:
        return u"Counts against the tier's rate of chat requests."_s;
    case Rate::SignIn:
        return u"Counts against the strict rate limit of sign-in, by address."_s;
    }
    return {};
}

QString descriptionOf(const Endpoint &endpoint)
{
    QStringList sentences;
    if (!endpoint.description.isEmpty())
        sentences.append(endpoint.description);
    sentences << accessSentence(endpoint) << rateSentence(endpoint.rate);
    return sentences.join(u' ');
}

QJsonArray securityOf(const Endpoint &endpoint)
{
    const auto scheme = [](const char *name) { return QJsonObject{{QString::fromLatin1(name), QJsonArray()}}; };
    if (*endpoint.securityScheme)
        return {QJsonObject(), scheme(endpoint.securityScheme)};
    if (endpoint.access.kind == Access::Kind::Public)
        return {};
    return endpoint.acceptsApiKey ? QJsonArray{scheme("accessToken"), scheme("apiKey")}
                                  : QJsonArray{scheme("accessToken")};
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

QJsonArray tagsOf(const QList<Endpoint> &endpoints)
{
    static const QHash<QString, QString> words{
        {u"Sign-in"_s, u"Access tokens, refresh tokens and the signed-in devices"_s},
        {u"Profile"_s, u"One's own account"_s},
        {u"API keys"_s, u"One's own keys for the /v1 door"_s},
        {u"Chat"_s, u"Sessions, replies, and what was said"_s},
        {u"Characters"_s, u"The published characters"_s},
        {u"Wallet"_s, u"Credits: what there is, and every change of it"_s},
        {u"Market"_s, u"Tiers, credit packages and payments"_s},
        {u"OpenAI"_s, u"The OpenAI-compatible door"_s},
        {u"Admin"_s, u"The operator's figures, users and system"_s},
        {u"Admin: characters"_s, u"Drafts, versions, publishing"_s},
        {u"Operations"_s, u"Health, metrics and this document"_s},
    };
    QStringList names;
    for (const Endpoint &endpoint : endpoints)
        if (!names.contains(endpoint.tag))
            names.append(endpoint.tag);
    std::ranges::stable_partition(names, [](const QString &name) { return !name.startsWith(u"Admin"); });
    QJsonArray tags;
    for (const QString &name : names)
        tags.append(QJsonObject{{u"name"_s, name}, {u"description"_s, words.value(name, name)}});
    return tags;
}

QJsonObject bearer(const char *description)
{
    return {{u"type"_s, u"http"_s}, {u"scheme"_s, u"bearer"_s}, {u"description"_s, QString::fromUtf8(description)}};
}

QJsonObject information()
{
    return {
        {u"title"_s, u"AI companion platform"_s},
        {u"version"_s, u"1.0.0"_s},
        {u"description"_s,
         u"Adults chat with AI characters and pay by credits. Credits and money are decimal strings, times RFC 3339 "
         "UTC, ids UUIDs. Refusals are application/problem+json with a stable `code`; under /v1 they have OpenAI's "
         "shape. Every answer carries X-Request-Id. Beside what each route declares: a path that is not there is "
         "404, a method that it does not take 405 with Allow, OPTIONS is answered on every path, HEAD wherever GET "
         "is. Fields may be added to answers; unknown fields in a request are 422."_s},
        {u"contact"_s, QJsonObject{{u"name"_s, u"The operator of this server"_s}}},
        {u"license"_s, QJsonObject{{u"name"_s, u"Apache-2.0"_s}, {u"identifier"_s, u"Apache-2.0"_s}}}};
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
    const QJsonObject security{
        {u"accessToken"_s, bearer("The access token of POST /api/v1/auth/login; it lives 15 minutes")},
        {u"apiKey"_s, bearer("One's own key (sk-companion-…), for the /v1 door only")},
        {u"metricsToken"_s, bearer("COMPANION_METRICS_TOKEN, where the server is configured with one")},
    };
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
                         {u"securitySchemes"_s, security}}}};
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
