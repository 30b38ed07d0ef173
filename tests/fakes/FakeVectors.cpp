#include "fakes/FakeVectors.h"

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QtEndian>
#include <algorithm>
#include <cmath>

namespace companion::test {

using namespace Qt::StringLiterals;

namespace {

FakeWire::Answer json(const QJsonObject &object, int status = 200)
{
    return {status, QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

FakeWire::Answer problem(int status, const QString &message)
{
    return json({{u"code"_s, status}, {u"message"_s, message}, {u"details"_s, QJsonArray()}}, status);
}

double cosine(const std::vector<float> &a, const std::vector<float> &b)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        dot += double(a[i]) * b[i];
        aa += double(a[i]) * a[i];
        bb += double(b[i]) * b[i];
    }
    return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

std::vector<float> numbersIn(const QJsonValue &told)
{
    std::vector<float> numbers;
    for (const QJsonValue &number : told.toArray())
        numbers.push_back(float(number.toDouble()));
    return numbers;
}

bool matches(const QJsonObject &metadata, const QJsonObject &filter)
{
    for (auto it = filter.begin(); it != filter.end(); ++it)
        if (metadata.value(it.key()) != it.value().toObject().value(u"$eq"_s))
            return false;
    return true;
}

} // namespace

FakeEmbeddings::FakeEmbeddings(int vectorLength)
    : dimension(vectorLength)
    , wire([this](const FakeWire::Request &request) { return answer(request); })
{
}

std::vector<float> FakeEmbeddings::vectorOf(const QString &text, const QString &model, int dimension)
{
    static const QRegularExpression border(u"\\W+"_s, QRegularExpression::UseUnicodePropertiesOption);
    std::vector<float> vector(size_t(dimension), 0.F);
    for (const QString &word : text.toLower().split(border, Qt::SkipEmptyParts)) {
        const auto hash = QCryptographicHash::hash((model + u' ' + word).toUtf8(), QCryptographicHash::Sha256);
        for (int i = 0; i < 8; ++i)
            vector[qFromBigEndian<quint32>(hash.constData() + i * 4) % quint32(dimension)] += i % 2 ? -1.F : 1.F;
    }
    return vector;
}

FakeWire::Answer FakeEmbeddings::answer(const FakeWire::Request &request)
{
    if (request.method != "POST" || request.path != u"/embeddings"_s)
        return problem(404, u"no such path"_s);
    if (down)
        return problem(500, u"down"_s);
    if (nextStatus != 0)
        return problem(std::exchange(nextStatus, 0), u"once"_s);
    if (!spoiled.isEmpty())
        return {200, spoiled};
    const QJsonObject body = QJsonDocument::fromJson(request.body).object();
    const QJsonArray input = body.value(u"input"_s).toArray();
    largestRequest = std::max(largestRequest, int(input.size()));
    texts += int(input.size());
    QJsonArray data;
    for (qsizetype i = 0; i < input.size(); ++i) {
        if (input[i].toString().isEmpty())
            return problem(400, u"'$.input' is invalid"_s);
        const auto vector = vectorOf(input[i].toString(), body.value(u"model"_s).toString(), dimension);
        QJsonValue embedding;
        if (floats || body.value(u"encoding_format"_s) != u"base64"_s) {
            QJsonArray numbers;
            for (const float x : vector)
                numbers.append(double(x));
            embedding = numbers;
        } else {
            embedding = QString::fromLatin1(
                QByteArray(reinterpret_cast<const char *>(vector.data()), qsizetype(vector.size() * 4)).toBase64());
        }
        const QJsonObject one{{u"object"_s, u"embedding"_s}, {u"index"_s, i}, {u"embedding"_s, embedding}};
        shuffled ? data.prepend(one) : data.append(one);
    }
    return json({{u"object"_s, u"list"_s},
                 {u"data"_s, data},
                 {u"model"_s, body.value(u"model"_s)},
                 {u"usage"_s, QJsonObject{{u"prompt_tokens"_s, 1}, {u"total_tokens"_s, 1}}}});
}

FakePinecone::FakePinecone(int vectorLength)
    : dimension(vectorLength)
    , wire([this](const FakeWire::Request &request) { return answer(request); })
{
}

int FakePinecone::records() const
{
    int count = 0;
    for (const auto &one : namespaces)
        count += int(one.size());
    return count;
}

FakeWire::Answer FakePinecone::answer(const FakeWire::Request &request)
{
    if (request.headers.value("api-key") != apiKey)
        return problem(401, u"Invalid API Key"_s);
    const QJsonObject body = QJsonDocument::fromJson(request.body).object();
    if (request.method == "POST" && request.path == u"/vectors/upsert"_s)
        return upsert(body);
    if (request.method == "POST" && request.path == u"/query"_s)
        return query(body);
    if (request.method == "POST" && request.path == u"/vectors/delete"_s)
        return remove(body);
    if (request.method == "GET" && request.path == u"/vectors/list"_s)
        return list(request.query);
    if (request.method == "GET" && request.path == u"/vectors/fetch"_s)
        return fetch(request.query);
    if (request.path == u"/describe_index_stats"_s)
        return statistics();
    return problem(404, u"no such path"_s);
}

FakeWire::Answer FakePinecone::upsert(const QJsonObject &body)
{
    const QJsonArray vectors = body.value(u"vectors"_s).toArray();
    for (const QJsonValue &one : vectors) {
        const auto values = numbersIn(one[u"values"_s]);
        if (one[u"id"_s].toString().isEmpty())
            return problem(400, u"Vector ID must be a non-empty string"_s);
        if (int(values.size()) != dimension)
            return problem(400,
                           u"Vector dimension %1 does not match the dimension of the index %2"_s.arg(values.size())
                               .arg(dimension));
        if (std::ranges::all_of(values, [](float x) { return x == 0; }))
            return problem(400, u"Dense vectors must contain at least one non-zero value"_s);
    }
    auto &place = namespaces[body.value(u"namespace"_s).toString()];
    for (const QJsonValue &one : vectors)
        place[one[u"id"_s].toString()] = {numbersIn(one[u"values"_s]), one[u"metadata"_s].toObject()};
    return json({{u"upsertedCount"_s, vectors.size()}});
}

FakeWire::Answer FakePinecone::query(const QJsonObject &body) const
{
    const QString space = body.value(u"namespace"_s).toString();
    const auto question = numbersIn(body.value(u"vector"_s));
    if (int(question.size()) != dimension)
        return problem(400, u"Query vector dimension does not match"_s);
    const auto place = namespaces.value(space);
    std::vector<std::pair<double, QString>> found;
    for (auto it = place.begin(); it != place.end(); ++it)
        if (matches(it->metadata, body.value(u"filter"_s).toObject()))
            found.emplace_back(-cosine(question, it->values), it.key());
    std::ranges::sort(found);
    QJsonArray told;
    for (const auto &[score, id] : found)
        if (told.size() < body.value(u"topK"_s).toInt(10))
            told.append(QJsonObject{{u"id"_s, id}, {u"score"_s, -score}, {u"values"_s, QJsonArray()}});
    return json({{u"matches"_s, told}, {u"namespace"_s, space}, {u"usage"_s, QJsonObject{{u"readUnits"_s, 1}}}});
}

FakeWire::Answer FakePinecone::remove(const QJsonObject &body)
{
    const QString space = body.value(u"namespace"_s).toString();
    if (!namespaces.contains(space))
        return problem(404, u"Namespace not found"_s);
    if (body.value(u"deleteAll"_s).toBool())
        namespaces.remove(space);
    else if (body.value(u"ids"_s).toArray().size() > 1000)
        return problem(400, u"too many ids"_s);
    else
        for (const QJsonValue &id : body.value(u"ids"_s).toArray())
            namespaces[space].remove(id.toString());
    return json({});
}

FakeWire::Answer FakePinecone::list(const QUrlQuery &query) const
{
    const QString space = query.queryItemValue(u"namespace"_s, QUrl::FullyDecoded);
    const QString prefix = query.queryItemValue(u"prefix"_s, QUrl::FullyDecoded);
    const QString after = query.queryItemValue(u"paginationToken"_s, QUrl::FullyDecoded);
    const int limit = qBound(1, query.queryItemValue(u"limit"_s).toInt(), 100);
    const auto place = namespaces.value(space);
    QJsonArray vectors;
    for (auto it = after.isEmpty() ? place.begin() : place.upperBound(after); it != place.end(); ++it)
        if (it.key().startsWith(prefix) && vectors.size() < limit)
            vectors.append(QJsonObject{{u"id"_s, it.key()}});
    QJsonObject told{{u"vectors"_s, vectors}, {u"namespace"_s, space}, {u"usage"_s, QJsonObject{{u"readUnits"_s, 1}}}};
    if (vectors.size() == limit)
        told.insert(u"pagination"_s, QJsonObject{{u"next"_s, vectors.last()[u"id"_s]}});
    return json(told);
}

FakeWire::Answer FakePinecone::fetch(const QUrlQuery &query) const
{
    const QString space = query.queryItemValue(u"namespace"_s, QUrl::FullyDecoded);
    QJsonObject vectors;
    for (const QString &id : query.allQueryItemValues(u"ids"_s, QUrl::FullyDecoded))
        if (const auto place = namespaces.value(space); place.contains(id)) {
            QJsonArray values;
            for (const float x : place[id].values)
                values.append(double(x));
            vectors.insert(id, QJsonObject{{u"id"_s, id}, {u"values"_s, values}, {u"metadata"_s, place[id].metadata}});
        }
    return json({{u"vectors"_s, vectors}, {u"namespace"_s, space}, {u"usage"_s, QJsonObject{{u"readUnits"_s, 1}}}});
}

FakeWire::Answer FakePinecone::statistics() const
{
    QJsonObject told;
    for (auto it = namespaces.begin(); it != namespaces.end(); ++it)
        told.insert(it.key(), QJsonObject{{u"vectorCount"_s, it->size()}});
    return json({{u"namespaces"_s, told},
                 {u"dimension"_s, dimension},
                 {u"indexFullness"_s, 0},
                 {u"totalVectorCount"_s, records()}});
}

} // namespace companion::test
