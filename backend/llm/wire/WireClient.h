#pragma once

#include "llm/wire/Patience.h"
#include "llm/wire/WirePool.h"

#include <functional>
#include <optional>

namespace companion::llm {

struct WireRequest
{
    QByteArray method = "POST";
    QByteArray path = {}; // below the base URL, with its query: "/embeddings"
    QByteArray body = {}; // JSON, or empty
    bool repeatable = true; // sent again after a failure that may pass
    std::optional<std::chrono::milliseconds> within = {}; // for all of it, retries included; else the client's own
};

// A whole answer, or why there was none.
struct WireAnswer
{
    int status = 0; // 0: none came
    QByteArray body = {};
    QString problem = {}; // for the log: holds neither keys nor anybody's words
    bool timedOut = false;

    bool ok() const { return status >= 200 && status < 300; }
};

struct WireClientOptions
{
    QUrl baseUrl;
    QList<std::pair<QByteArray, QByteArray>> headers = {}; // of every request, keys among them. Never logged
    int connections = 16;
    int attempts = 3;
    qsizetype limit_bytes = 64 * 1024 * 1024;
    std::chrono::milliseconds queue{10'000};
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds answer{30'000}; // from the request until the answer is whole
    std::chrono::milliseconds total{60'000};
    std::chrono::milliseconds backoff{200}; // before the second attempt; doubles, ± a quarter
    std::chrono::milliseconds longestBackoff{10'000}; // a Retry-After beyond it is not waited for
};

class WireCall;

// Requests with whole JSON answers to one server, over a pool of our own connections: embeddings, vector stores.
// 408, 409, 425, 429 and 5xx are tried again, after Retry-After where it is told. Redirects are not followed.
// Loop thread.
class WireClient : public QObject
{
    Q_OBJECT
public:
    using Then = std::function<void(const WireAnswer &)>;

    explicit WireClient(WireClientOptions options, QObject *parent = nullptr);
    ~WireClient() override;

    // `then` is called exactly once, never from inside send(), and not at all when the context is gone by then.
    void send(const WireRequest &request, QObject *context, Then then);
    const WireClientOptions &options() const { return m_options; }

private:
    friend class WireCall;
    WireClientOptions m_options;
    QByteArray m_host;
    QByteArray m_basePath;
    WirePool m_pool;
};

// One call on its way; deletes itself at its end.
class WireCall : public QObject
{
    Q_OBJECT
public:
    WireCall(WireClient &client, WireRequest request, QObject *context, WireClient::Then then);
    ~WireCall() override;

private:
    void seek();
    void start(WireLease lease);
    void ended();
    void fail(const QString &problem, bool timedOut = false);
    void consider(WireAnswer answer, std::optional<std::chrono::milliseconds> retryAfter);
    bool again(const WireAnswer &answer, std::optional<std::chrono::milliseconds> retryAfter);
    void finish(const WireAnswer &answer);
    void drop();
    QByteArray bytes() const;

    WireClient &m_client;
    const WireRequest m_request;
    const QPointer<QObject> m_context;
    const WireClient::Then m_then;
    WireLease m_lease;
    QByteArray m_body;
    QTimer m_total;
    Patience m_patience;
    int m_attempt = 0;
    bool m_finished = false;
};

} // namespace companion::llm
