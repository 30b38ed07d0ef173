#include "memory/embedders/WireEmbedder.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLoggingCategory>
#include <QtEndian>
#include <cmath>

namespace companion::memory {

using namespace Qt::StringLiterals;

Q_LOGGING_CATEGORY(embedderLog, "companion.memory.embedder", QtInfoMsg)

namespace {

constexpr qsizetype longestVector = 16'384;

QString nameOf(const WireEmbedderOptions &options)
{
    const bool openAi = options.baseUrl.host().endsWith("openai.com"_L1);
    return (openAi ? u"openai/"_s : u"compatible/"_s) + options.model;
}

// Known before the first answer, of OpenAI's own models.
int dimensionOf(const QString &model)
{
    if (model == "text-embedding-3-large"_L1)
        return 3072;
    return model == "text-embedding-3-small"_L1 || model == "text-embedding-ada-002"_L1 ? 1536 : 0;
}

llm::WireClientOptions clientOptions(const WireEmbedderOptions &options)
{
    llm::WireClientOptions client{.baseUrl = options.baseUrl};
    if (!options.apiKey.isEmpty())
        client.headers.append({"Authorization", "Bearer " + options.apiKey});
    client.connections = options.connections;
    client.attempts = options.attempts;
    client.total = options.total;
    client.backoff = options.backoff;
    return client;
}

std::optional<Vector> vectorIn(const QJsonValue &told)
{
    Vector vector;
    if (told.isString()) { // base64 of little-endian floats
        const auto bytes =
            QByteArray::fromBase64Encoding(told.toString().toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
        if (!bytes || (*bytes).isEmpty() || (*bytes).size() % 4 != 0 || (*bytes).size() / 4 > longestVector)
            return std::nullopt;
        vector.resize(size_t((*bytes).size()) / 4);
        for (size_t i = 0; i < vector.size(); ++i)
            vector[i] = qFromLittleEndian<float>((*bytes).constData() + i * 4);
    } else {
        const QJsonArray numbers = told.toArray();
        if (numbers.isEmpty() || numbers.size() > longestVector)
            return std::nullopt;
        for (const QJsonValue &number : numbers) {
            if (!number.isDouble())
                return std::nullopt;
            vector.push_back(float(number.toDouble()));
        }
    }
    return vector;
}

bool normalise(Vector &vector)
{
    double sum = 0;
    for (const float x : vector)
        sum += double(x) * double(x);
    if (!std::isfinite(sum))
        return false;
    const auto scale = sum > 0 ? float(1 / std::sqrt(sum)) : 0.F;
    for (float &x : vector)
        x *= scale;
    return true;
}

} // namespace

std::optional<Vectors> readEmbeddings(const QByteArray &body, qsizetype texts)
{
    const QJsonArray data = QJsonDocument::fromJson(body).object().value(u"data"_s).toArray();
    if (data.size() != texts)
        return std::nullopt;
    Vectors vectors(static_cast<size_t>(texts));
    for (qsizetype i = 0; i < texts; ++i) {
        const QJsonObject one = data[i].toObject();
        const auto index = one.value(u"index"_s).toInteger(i);
        auto vector = vectorIn(one.value(u"embedding"_s));
        if (!vector || index < 0 || index >= texts || !vectors[size_t(index)].empty() || !normalise(*vector)
            || vector->size() != vectorIn(data[0].toObject().value(u"embedding"_s))->size())
            return std::nullopt;
        vectors[size_t(index)] = std::move(*vector);
    }
    return vectors;
}

WireEmbedder::WireEmbedder(const WireEmbedderOptions &options, QObject *parent)
    : m_options(options)
    , m_name(nameOf(options))
    , m_dimension(dimensionOf(options.model))
    , m_client(clientOptions(options))
    , m_health(u"%1 at %2"_s.arg(options.model, options.baseUrl.host()))
{
    setParent(parent);
}

WireEmbedder::~WireEmbedder()
{
    qDeleteAll(findChildren<WireEmbedding *>(QString(), Qt::FindDirectChildrenOnly));
}

Embedding *WireEmbedder::start(const QStringList &texts)
{
    return new WireEmbedding(*this, texts);
}

WireEmbedding::WireEmbedding(WireEmbedder &embedder, const QStringList &texts)
    : m_embedder(embedder)
    , m_texts(texts)
{
    setParent(&embedder);
    QMetaObject::invokeMethod(this, &WireEmbedding::ask, Qt::QueuedConnection);
}

void WireEmbedding::stop()
{
    QMetaObject::invokeMethod(this, [this] { refuse(ErrorCode::ModelFailed, u"stopped"_s); }, Qt::QueuedConnection);
}

void WireEmbedding::ask()
{
    if (m_finished)
        return;
    if (m_texts.isEmpty())
        return finish(m_vectors);
    const qsizetype count = std::min<qsizetype>(m_texts.size(), m_embedder.m_options.texts);
    QJsonArray input;
    for (const QString &text : m_texts.first(count))
        input.append(text.trimmed().isEmpty() ? u"-"_s : text); // an empty one is refused
    const QJsonObject body{{u"model"_s, m_embedder.m_options.model},
                           {u"input"_s, input},
                           {u"encoding_format"_s, u"base64"_s}};
    m_embedder.m_client.send({.method = "POST",
                              .path = "/embeddings",
                              .body = QJsonDocument(body).toJson(QJsonDocument::Compact)},
                             this, [this, count](const llm::WireAnswer &answer) { answered(answer, count); });
}

void WireEmbedding::answered(const llm::WireAnswer &answer, qsizetype asked)
{
    if (m_finished)
        return;
    if (!answer.ok()) {
        m_embedder.m_health.failed(answer.problem);
        const bool busy = answer.status == 429 || answer.status == 503 || answer.status == 529;
        return refuse(answer.timedOut ? ErrorCode::ModelTimeout
                          : busy      ? ErrorCode::Overloaded
                                      : ErrorCode::ModelFailed,
                      answer.problem);
    }
    auto vectors = readEmbeddings(answer.body, asked);
    const auto dimension = vectors ? int(vectors->front().size()) : 0;
    if (!vectors || (m_embedder.m_dimension != 0 && dimension != m_embedder.m_dimension)) {
        const QString why = vectors
            ? u"vectors of %1 numbers instead of %2"_s.arg(dimension).arg(m_embedder.m_dimension)
            : u"an answer that is no list of embeddings"_s;
        m_embedder.m_health.failed(why);
        return refuse(ErrorCode::ModelFailed, why);
    }
    m_embedder.m_dimension = dimension;
    m_embedder.m_health.succeeded();
    for (Vector &vector : *vectors)
        m_vectors.push_back(std::move(vector));
    m_texts.remove(0, asked);
    ask();
}

void WireEmbedding::refuse(ErrorCode code, const QString &why)
{
    if (m_finished)
        return;
    qCInfo(embedderLog).noquote() << m_embedder.m_name << "gave no vectors:" << why;
    finish(std::unexpected(Refusal{.code = code, .detail = u"The embedder failed to answer."_s, .log = why}));
}

void WireEmbedding::finish(const Result<Vectors> &vectors)
{
    if (m_finished)
        return;
    m_finished = true;
    deleteLater();
    Q_EMIT finished(vectors);
}

} // namespace companion::memory
