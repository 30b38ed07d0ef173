#pragma once

#include "llm/wire/WireClient.h"
#include "llm/wire/WireHealth.h"
#include "memory/Embedder.h"

namespace companion::memory {

struct WireEmbedderOptions
{
    QUrl baseUrl{QStringLiteral("https://api.openai.com/v1")}; // "/embeddings" is appended
    QByteArray apiKey = {};                                     // empty: none is sent. Never logged
    QString model = QStringLiteral("text-embedding-3-small");
    int texts = 96; // in one request
    int connections = 16;
    int attempts = 3;
    std::chrono::milliseconds total{60'000};
    std::chrono::milliseconds backoff{200};
};

// The embedder of everything that speaks OpenAI's embeddings: OpenAI, Ollama, llama.cpp, vLLM, LiteLLM. Asks for base64
// and takes floats as well. Retries as WireClient does; more texts than fit into a request go in several.
class WireEmbedder final : public Embedder
{
    Q_OBJECT
public:
    explicit WireEmbedder(const WireEmbedderOptions &options, QObject *parent = nullptr);
    ~WireEmbedder() override;

    // "openai/MODEL", or "compatible/MODEL" of another's server. The dimension is 0 until it is known.
    EmbedderIdentity identity() const override { return {m_name, m_dimension}; }
    Embedding *start(const QStringList &texts) override;
    std::pair<QString, QString> health() const override { return m_health.state(); }

private:
    friend class WireEmbedding;
    WireEmbedderOptions m_options;
    QString m_name;
    int m_dimension = 0;
    llm::WireClient m_client;
    llm::WireHealth m_health;
};

// The vectors of an answer, in the order of its texts; each of length 1. nullopt where it is no such answer.
std::optional<Vectors> readEmbeddings(const QByteArray &body, qsizetype texts);

class WireEmbedding final : public Embedding
{
    Q_OBJECT
public:
    WireEmbedding(WireEmbedder &embedder, const QStringList &texts);

    void stop() override;

private:
    void ask();
    void answered(const llm::WireAnswer &answer, qsizetype asked);
    void refuse(ErrorCode code, const QString &why);
    void finish(const Result<Vectors> &vectors);

    WireEmbedder &m_embedder;
    QStringList m_texts; // still to be asked for
    Vectors m_vectors;
    bool m_finished = false;
};

} // namespace companion::memory
