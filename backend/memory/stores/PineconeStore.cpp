#include "memory/stores/PineconeStore.h"

#include "memory/stores/StoreJson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QUrlQuery>
#include <algorithm>

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

constexpr size_t upsertAtOnce = 100;
constexpr qsizetype removeAtOnce = 1'000;
constexpr auto apiVersion = "2025-04";

llm::WireClientOptions clientOptions(const PineconeOptions &options)
{
    llm::WireClientOptions client{.baseUrl = options.host};
    client.headers = {{"Api-Key", options.apiKey}, {"X-Pinecone-API-Version", apiVersion}};
    client.connections = options.connections;
    client.total = options.total;
    return client;
}

QString namespaceOf(const UserId &user)
{
    return u"user_"_s + user.toString();
}

QString idOf(const QString &mark, const MemoryId &memory)
{
    return mark + u':' + memory.toString();
}

std::optional<MemoryId> memoryOf(const QString &mark, const QString &id)
{
    return id.startsWith(mark + u':') ? MemoryId::parse(QStringView(id).sliced(mark.size() + 1)) : std::nullopt;
}

std::vector<Nearest> nearestIn(const QJsonArray &matches, const QString &mark)
{
    std::vector<Nearest> nearest;
    for (const QJsonValue &match : matches)
        if (const auto id = memoryOf(mark, match[u"id"_s].toString()))
            nearest.push_back({*id, float(match[u"score"_s].toDouble())});
    return nearest;
}

} // namespace

PineconeStore::PineconeStore(const PineconeOptions &options, QObject *parent)
    : m_client(clientOptions(options))
    , m_health(u"Pinecone at %1"_s.arg(options.host.host()))
{
    setParent(parent);
}

Refusal PineconeStore::refusalOf(const llm::WireAnswer &answer) const
{
    return memory::refusalOf(answer, name());
}

void PineconeStore::send(const llm::WireRequest &request, QObject *context, llm::WireClient::Then then)
{
    m_client.send(request, context, [this, then = std::move(then)](const llm::WireAnswer &answer) {
        answer.ok() || answer.status == 404 ? m_health.succeeded() : m_health.failed(answer.problem);
        then(answer);
    });
}

void PineconeStore::upsert(const UserId &user, const QString &embedder, const std::vector<StoredVector> &vectors,
                           QObject *context, Done then)
{
    upsertFrom(user, markOf(embedder), vectors, 0, context, std::move(then));
}

void PineconeStore::upsertFrom(const UserId &user, const QString &mark, std::vector<StoredVector> vectors, size_t from,
                               QObject *context, Done then)
{
    const size_t to = std::min(from + upsertAtOnce, vectors.size());
    QByteArray body = R"({"namespace":")" + namespaceOf(user).toLatin1() + R"(","vectors":[)";
    for (size_t i = from; i < to; ++i)
        body += (i > from ? R"(,{"id":")" : R"({"id":")") + idOf(mark, vectors[i].id).toLatin1() + R"(","values":)"
            + numbersOf(vectors[i].vector) + R"(,"metadata":{"embedder":")" + mark.toLatin1() + R"("}})";
    body += "]}";
    send({.method = "POST", .path = "/vectors/upsert", .body = body}, context,
         [=, this, context = QPointer<QObject>(context), vectors = std::move(vectors),
          then = std::move(then)](const llm::WireAnswer &answer) {
             if (!answer.ok())
                 return then(std::unexpected(refusalOf(answer)));
             if (to >= vectors.size())
                 return then(true);
             upsertFrom(user, mark, vectors, to, context, then);
         });
}

void PineconeStore::query(const UserId &user, const QString &embedder, const Vector &question, int count,
                          std::chrono::milliseconds within, QObject *context, Found then)
{
    const QString mark = markOf(embedder);
    const QJsonObject filter{{u"embedder"_s, QJsonObject{{u"$eq"_s, mark}}}};
    QByteArray body = bodyOf({{u"namespace"_s, namespaceOf(user)},
                              {u"topK"_s, count},
                              {u"filter"_s, filter},
                              {u"includeValues"_s, false},
                              {u"includeMetadata"_s, false}});
    body.chop(1);
    body += ",\"vector\":" + numbersOf(question) + '}';
    send({.method = "POST", .path = "/query", .body = body, .within = within}, context,
         [this, mark, then = std::move(then)](const llm::WireAnswer &answer) {
             const QJsonValue matches = QJsonDocument::fromJson(answer.body).object().value(u"matches"_s);
             if (answer.status == 404) // there is no such namespace
                 return then(std::vector<Nearest>());
             if (!answer.ok() || !(matches.isArray() || matches.isUndefined()))
                 return then(std::unexpected(refusalOf(answer)));
             then(nearestIn(matches.toArray(), mark));
         });
}

void PineconeStore::remove(const UserId &user, const QString &embedder, const QList<MemoryId> &ids, QObject *context,
                           Done then)
{
    removeFrom(user, markOf(embedder), ids, context, std::move(then));
}

void PineconeStore::removeFrom(const UserId &user, const QString &mark, QList<MemoryId> ids, QObject *context,
                               Done then)
{
    QJsonArray texts;
    for (const MemoryId &id : ids.first(std::min(ids.size(), removeAtOnce)))
        texts.append(idOf(mark, id));
    ids.remove(0, texts.size());
    send({.method = "POST",
          .path = "/vectors/delete",
          .body = bodyOf({{u"namespace"_s, namespaceOf(user)}, {u"ids"_s, texts}})},
         context,
         [=, this, context = QPointer<QObject>(context), then = std::move(then)](const llm::WireAnswer &answer) {
             if (!answer.ok() && answer.status != 404)
                 return then(std::unexpected(refusalOf(answer)));
             if (ids.isEmpty())
                 return then(true);
             removeFrom(user, mark, ids, context, then);
         });
}

// By their ids, and not the namespace with all that is in it: another embedder's vectors have a place in it too.
void PineconeStore::removeAll(const UserId &user, const QString &embedder, QObject *context, Done then)
{
    list(user, embedder, context,
         [=, this, context = QPointer<QObject>(context), then = std::move(then)](const Result<QList<MemoryId>> &ids) {
             if (!ids)
                 return then(std::unexpected(ids.error()));
             if (ids->isEmpty())
                 return then(true);
             remove(user, embedder, *ids, context, then);
         });
}

void PineconeStore::list(const UserId &user, const QString &embedder, QObject *context, Ids then)
{
    listFrom(user, markOf(embedder), {}, {}, context, std::move(then));
}

void PineconeStore::listFrom(const UserId &user, const QString &mark, const QString &token, QList<MemoryId> ids,
                             QObject *context, Ids then)
{
    QUrlQuery query{{u"namespace"_s, namespaceOf(user)}, {u"prefix"_s, QString(mark + u':')}, {u"limit"_s, u"100"_s}};
    if (!token.isEmpty())
        query.addQueryItem(u"paginationToken"_s, QString::fromLatin1(QUrl::toPercentEncoding(token)));
    send({.method = "GET", .path = "/vectors/list?" + query.toString(QUrl::FullyEncoded).toLatin1()}, context,
         [=, this, context = QPointer<QObject>(context),
          then = std::move(then)](const llm::WireAnswer &answer) mutable {
             const QJsonObject told = QJsonDocument::fromJson(answer.body).object();
             if (answer.status == 404)
                 return then(ids);
             if (!answer.ok())
                 return then(std::unexpected(refusalOf(answer)));
             for (const QJsonValue &one : told.value(u"vectors"_s).toArray())
                 if (const auto id = memoryOf(mark, one[u"id"_s].toString()))
                     ids.append(*id);
             const QString next = told.value(u"pagination"_s)[u"next"_s].toString();
             if (next.isEmpty())
                 return then(ids);
             listFrom(user, mark, next, ids, context, then);
         });
}

} // namespace companion::memory
