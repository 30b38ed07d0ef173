#include "memory/stores/ChromaStore.h"

#include "memory/stores/StoreJson.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QUuid>

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

constexpr int keptIds = 100'000;
constexpr int listAtOnce = 1'000;

// The default tenant's default database, unless the URL says another.
QUrl databaseOf(QUrl url)
{
    QString path = url.path();
    while (path.endsWith(u'/'))
        path.chop(1);
    if (!path.contains("/databases/"_L1))
        path += u"/api/v2/tenants/default_tenant/databases/default_database"_s;
    url.setPath(path);
    return url;
}

llm::WireClientOptions clientOptions(const ChromaOptions &options)
{
    llm::WireClientOptions client{.baseUrl = databaseOf(options.url)};
    if (!options.token.isEmpty())
        client.headers.append({"Authorization", "Bearer " + options.token});
    client.connections = options.connections;
    client.total = options.total;
    return client;
}

QString collectionOf(const UserId &user, const QString &embedder)
{
    return u"user_"_s + user.toString() + u'.' + markOf(embedder);
}

QByteArray pathOf(const QByteArray &collection, const char *what)
{
    return "/collections/" + collection + '/' + what;
}

QJsonArray idsOf(const QList<MemoryId> &ids)
{
    QJsonArray texts;
    for (const MemoryId &id : ids)
        texts.append(id.toString());
    return texts;
}

std::optional<std::vector<Nearest>> nearestIn(const QByteArray &body)
{
    const QJsonObject answer = QJsonDocument::fromJson(body).object();
    const QJsonArray ids = answer.value(u"ids"_s)[0].toArray();
    const QJsonArray distances = answer.value(u"distances"_s)[0].toArray();
    if (!answer.value(u"ids"_s).isArray() || ids.size() != distances.size())
        return std::nullopt;
    std::vector<Nearest> nearest;
    for (qsizetype i = 0; i < ids.size(); ++i)
        if (const auto id = MemoryId::parse(ids[i].toString()))
            nearest.push_back({*id, float(1 - distances[i].toDouble())});
    return nearest;
}

} // namespace

ChromaStore::ChromaStore(const ChromaOptions &options, QObject *parent)
    : m_client(clientOptions(options))
    , m_health(u"ChromaDB at %1"_s.arg(options.url.host()))
    , m_ids(keptIds)
{
    setParent(parent);
}

Refusal ChromaStore::refusalOf(const llm::WireAnswer &answer) const
{
    return memory::refusalOf(answer, name());
}

void ChromaStore::send(const llm::WireRequest &request, QObject *context, llm::WireClient::Then then)
{
    m_client.send(request, context, [this, then = std::move(then)](const llm::WireAnswer &answer) {
        answer.ok() || answer.status == 404 ? m_health.succeeded() : m_health.failed(answer.problem);
        then(answer);
    });
}

// The collection's id, by which its data are asked for.
void ChromaStore::open(const QString &collection, Missing missing, const Try &how, QObject *context, Opened then)
{
    if (const QByteArray *known = m_ids.object(collection))
        return then(*known);
    llm::WireRequest request{.method = "GET", .path = "/collections/" + collection.toLatin1(), .within = how.within};
    if (missing == Missing::Make) {
        const QJsonObject cosine{{u"hnsw"_s, QJsonObject{{u"space"_s, u"cosine"_s}}}};
        request.method = "POST";
        request.path = "/collections";
        request.body = bodyOf({{u"name"_s, collection}, {u"get_or_create"_s, true}, {u"configuration"_s, cosine}});
    }
    send(request, context, [this, collection, then = std::move(then)](const llm::WireAnswer &answer) {
        if (answer.status == 404)
            return then(QByteArray());
        const QByteArray id = QJsonDocument::fromJson(answer.body).object().value(u"id"_s).toString().toLatin1();
        if (!answer.ok() || QUuid::fromString(QLatin1StringView(id)).isNull())
            return then(std::unexpected(refusalOf(answer)));
        m_ids.insert(collection, new QByteArray(id));
        then(id);
    });
}

void ChromaStore::upsert(const UserId &user, const QString &embedder, const std::vector<StoredVector> &vectors,
                         QObject *context, Done then)
{
    const QString collection = collectionOf(user, embedder);
    QList<MemoryId> ids;
    QByteArray numbers;
    for (const auto &[id, vector] : vectors) {
        ids.append(id);
        numbers += (numbers.isEmpty() ? "" : ",") + numbersOf(vector);
    }
    QByteArray body = bodyOf({{u"ids"_s, idsOf(ids)}});
    body.chop(1);
    body += ",\"embeddings\":[" + numbers + "]}";
    const auto attempt = std::make_shared<std::function<void(bool)>>();
    *attempt = [this, collection, body, context = QPointer<QObject>(context), then = std::move(then),
                weak = std::weak_ptr(attempt)](bool mayReopen) {
        if (!context)
            return;
        open(collection, Missing::Make, {}, context, [=, this, self = weak.lock()](const Result<QByteArray> &id) {
            if (!id)
                return then(std::unexpected(id.error()));
            send({.method = "POST", .path = pathOf(*id, "upsert"), .body = body}, context,
                 [=, this](const llm::WireAnswer &answer) {
                     if (answer.ok())
                         return then(true);
                     m_ids.remove(collection); // it may have been made anew by somebody else
                     if (answer.status == 404 && mayReopen)
                         return (*self)(false);
                     then(std::unexpected(refusalOf(answer)));
                 });
        });
    };
    QMetaObject::invokeMethod(this, [attempt] { (*attempt)(true); }, Qt::QueuedConnection);
}

void ChromaStore::query(const UserId &user, const QString &embedder, const Vector &question, int count,
                        std::chrono::milliseconds within, QObject *context, Found then)
{
    const QString collection = collectionOf(user, embedder);
    QByteArray body = bodyOf({{u"n_results"_s, count}, {u"include"_s, QJsonArray{u"distances"_s}}});
    body.chop(1);
    body += ",\"query_embeddings\":[" + numbersOf(question) + "]}";
    const auto begin = [=, this, context = QPointer<QObject>(context), then = std::move(then)] {
        if (!context)
            return;
        open(collection, Missing::Leave, {.within = within}, context, [=, this](const Result<QByteArray> &id) {
            if (!id)
                return then(std::unexpected(id.error()));
            if (id->isEmpty())
                return then(std::vector<Nearest>());
            send({.method = "POST", .path = pathOf(*id, "query"), .body = body, .within = within}, context,
                 [=, this](const llm::WireAnswer &answer) {
                     if (answer.status == 404) {
                         m_ids.remove(collection);
                         return then(std::vector<Nearest>());
                     }
                     auto nearest = answer.ok() ? nearestIn(answer.body) : std::nullopt;
                     nearest ? then(std::move(*nearest)) : then(std::unexpected(refusalOf(answer)));
                 });
        });
    };
    QMetaObject::invokeMethod(this, begin, Qt::QueuedConnection);
}

void ChromaStore::remove(const UserId &user, const QString &embedder, const QList<MemoryId> &ids, QObject *context,
                         Done then)
{
    const QString collection = collectionOf(user, embedder);
    const QByteArray body = bodyOf({{u"ids"_s, idsOf(ids)}});
    const auto begin = [=, this, context = QPointer<QObject>(context), then = std::move(then)] {
        if (!context)
            return;
        m_ids.remove(collection); // asked for anew: what is told as gone must be gone from what is there now
        open(collection, Missing::Leave, {}, context, [=, this](const Result<QByteArray> &id) {
            if (!id)
                return then(std::unexpected(id.error()));
            if (id->isEmpty())
                return then(true);
            send({.method = "POST", .path = pathOf(*id, "delete"), .body = body}, context,
                 [=, this](const llm::WireAnswer &answer) {
                     answer.ok() || answer.status == 404 ? then(true) : then(std::unexpected(refusalOf(answer)));
                 });
        });
    };
    QMetaObject::invokeMethod(this, begin, Qt::QueuedConnection);
}

void ChromaStore::removeAll(const UserId &user, const QString &embedder, QObject *context, Done then)
{
    const QString collection = collectionOf(user, embedder);
    m_ids.remove(collection);
    send({.method = "DELETE", .path = "/collections/" + collection.toLatin1()}, context,
         [this, collection, then = std::move(then)](const llm::WireAnswer &answer) {
             m_ids.remove(collection);
             answer.ok() || answer.status == 404 ? then(true) : then(std::unexpected(refusalOf(answer)));
         });
}

void ChromaStore::list(const UserId &user, const QString &embedder, QObject *context, Ids then)
{
    const QString collection = collectionOf(user, embedder);
    const auto begin = [=, this, context = QPointer<QObject>(context), then = std::move(then)] {
        if (!context)
            return;
        m_ids.remove(collection);
        open(collection, Missing::Leave, {}, context, [=, this](const Result<QByteArray> &id) {
            if (!id)
                return then(std::unexpected(id.error()));
            if (id->isEmpty())
                return then(QList<MemoryId>());
            listFrom(collection, *id, {}, context, then);
        });
    };
    QMetaObject::invokeMethod(this, begin, Qt::QueuedConnection);
}

void ChromaStore::listFrom(const QString &collection, const QByteArray &id, QList<MemoryId> ids, QObject *context,
                           Ids then)
{
    const QByteArray body = bodyOf({{u"limit"_s, listAtOnce}, {u"offset"_s, ids.size()}, {u"include"_s, QJsonArray()}});
    send({.method = "POST", .path = pathOf(id, "get"), .body = body}, context,
         [=, this, context = QPointer<QObject>(context)](const llm::WireAnswer &answer) mutable {
             if (answer.status == 404)
                 return then(ids);
             const QJsonValue told = QJsonDocument::fromJson(answer.body).object().value(u"ids"_s);
             if (!answer.ok() || !told.isArray())
                 return then(std::unexpected(refusalOf(answer)));
             const QJsonArray found = told.toArray();
             for (const QJsonValue &one : found)
                 if (const auto parsed = MemoryId::parse(one.toString()))
                     ids.append(*parsed);
             if (found.size() < listAtOnce)
                 return then(ids);
             listFrom(collection, id, ids, context, then);
         });
}

} // namespace companion::memory
