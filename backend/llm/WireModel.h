#pragma once

#include "llm/LanguageModel.h"
#include "llm/wire/WireHealth.h"
#include "llm/wire/WirePool.h"

#include <QUrl>
#include <chrono>

namespace companion::llm {

// All times hold for one attempt, but `total`, which holds for the whole generation, retries and waiting included.
struct WireOptions
{
    QUrl baseUrl{QStringLiteral("https://api.x.ai/v1")}; // "/chat/completions" is appended
    QByteArray apiKey = {};                               // empty: none is sent. Never logged
    QString model = QStringLiteral("grok-4");
    QStringList fallbackModels = {}; // asked in this order when the model fails before its first word
    int connections = 4'096;         // requests at once; made when needed
    int attempts = 3;                // for each model
    qsizetype maxReplyBytes = 256 * 1024; // UTF-8; a longer reply is cut there with finish reason "length"

    std::chrono::milliseconds queue{30'000};      // for a free connection; then overloaded
    std::chrono::milliseconds connect{5'000};     // until the request is sent, the TLS handshake included
    std::chrono::milliseconds firstByte{60'000};  // until the answer's head
    std::chrono::milliseconds idle{30'000};       // between two pieces of it
    std::chrono::milliseconds afterFinish{3'000}; // for the usage and the end mark once the reply is complete
    std::chrono::milliseconds total{300'000};
    std::chrono::milliseconds backoff{300};       // before the second attempt; doubles, ± a quarter
    std::chrono::milliseconds longestBackoff{10'000}; // a Retry-After beyond it is not waited for

    int degradedAfter = 3; // failed generations in a row
    int downAfter = 10;
};

// The client for everything that speaks OpenAI's chat completions: xAI, OpenAI, Ollama, llama.cpp, vLLM, LiteLLM.
// Always asks for a stream with usage; takes a whole answer where the server does not stream. Retries and falls back
// only while nothing was delivered. Redirects are never followed, so that the key goes nowhere else.
class WireModel final : public LanguageModel
{
    Q_OBJECT
public:
    explicit WireModel(const WireOptions &options, QObject *parent = nullptr);
    ~WireModel() override;

    Generation *start(const Request &request) override;
    QString name() const override { return m_options.model; }
    std::pair<QString, QString> health() const override { return m_health.state(); }

    // Requests on the wire and requests waiting for a connection.
    int running() const { return m_pool.running(); }
    int waiting() const { return m_pool.waiting(); }

private:
    friend class WireGeneration;

    WireOptions m_options;
    QByteArray m_requestHead; // up to the length of the body
    WirePool m_pool;
    WireHealth m_health;
};

} // namespace companion::llm
