#include "api/OpenApiParts.h"

#include <QHash>
#include <QJsonDocument>

#include <algorithm>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

QJsonObject textType(const char *example)
{
    return {{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{QString::fromLatin1(example)}}};
}

QJsonObject integerBetween(int low, qint64 high, int fallback)
{
    return {{u"type"_s, u"integer"_s}, {u"minimum"_s, low}, {u"maximum"_s, high}, {u"default"_s, fallback}};
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
        {u"Content-Disposition"_s, header("Under which name a browser keeps it", {{u"type"_s, u"string"_s}}, false)},
        {u"Deletion-Receipt"_s,
         header("The receipt of what was forgotten, see /memory-receipts",
                {{u"type"_s, u"string"_s}, {u"format"_s, u"uuid"_s}}, true)},
        {u"X-Message-Id"_s,
         header("The reply's id, to come back to it", {{u"type"_s, u"string"_s}, {u"format"_s, u"uuid"_s}}, true)},
    };
}

} // namespace

QJsonObject componentReference(const char *kind, const QString &name)
{
    return {{u"$ref"_s, QString(u"#/components/"_s + QLatin1StringView(kind) + u'/' + name)}};
}

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
        headers.insert(QString::fromLatin1(name), componentReference("headers", QString::fromLatin1(name)));
}

namespace {

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

} // namespace

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

QStringList rolesOf(const Endpoint &endpoint)
{
    QStringList names{QString::fromLatin1(enumName(Role::Admin))};
    for (Role role : endpoint.access.roles)
        names.append(QString::fromLatin1(enumName(role)));
    return names;
}

namespace {

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

} // namespace

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

namespace {

QJsonObject bearer(const char *description)
{
    return {{u"type"_s, u"http"_s}, {u"scheme"_s, u"bearer"_s}, {u"description"_s, QString::fromUtf8(description)}};
}

} // namespace

QJsonObject securitySchemes()
{
    return {
        {u"accessToken"_s, bearer("The access token of POST /api/v1/auth/login; it lives 15 minutes")},
        {u"apiKey"_s, bearer("One's own key (sk-companion-…), for the /v1 door only")},
        {u"metricsToken"_s, bearer("COMPANION_METRICS_TOKEN, where the server is configured with one")},
    };
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

} // namespace companion::api
