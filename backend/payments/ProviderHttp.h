#pragma once

#include "common/Result.h"

#include <QNetworkAccessManager>
#include <QObject>
#include <QUrl>
#include <chrono>
#include <functional>

namespace companion::payments {

struct HttpCall
{
    QByteArray method = "GET";
    QUrl url;
    QList<std::pair<QByteArray, QByteArray>> headers = {};
    QByteArray body = {};
    QByteArray contentType = {};
    // With one (sent as Idempotency-Key), or with GET, the call is repeated after a failure that may pass.
    QByteArray idempotencyKey = {};
    bool repeatable = false; // a POST that may be repeated without a key (a query)
};

struct HttpAnswer
{
    int status = 0;
    QByteArray body;
    QByteArray header(const QByteArray &name) const;
    QList<std::pair<QByteArray, QByteArray>> headers;
};

// A provider's API over HTTP, on the loop thread. Any answer with a status comes back as it is, 4xx too; a call that
// got none, or 409, 429 or 5xx, is repeated up to `attempts` times, after 0.5 s, 1 s, 2 s … (each less by chance, down
// to the half, so that many do not come back at once) and not before Retry-After, of which 10 s count at most.
// provider_failed when no whole answer came, or one of more than `limit_bytes`. Redirects are not followed.
class ProviderHttp : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        int attempts = 3;
        std::chrono::milliseconds timeout = std::chrono::seconds(20);
        std::chrono::milliseconds firstPause = std::chrono::milliseconds(500);
        qint64 limit_bytes = 4 * 1024 * 1024;
        QByteArray verdictHeader = {}; // by which the server says itself whether to repeat: true or false
    };
    using Then = std::function<void(const Result<HttpAnswer> &)>;

    explicit ProviderHttp(const Options &options, QObject *parent = nullptr);
    void send(const HttpCall &call, const Then &then);

private:
    void attempt(const HttpCall &call, const Then &then, int number);
    bool again(const HttpCall &call, const Then &then, int number, const HttpAnswer &answer);
    bool isWorthRepeating(const HttpAnswer &answer) const;

    Options m_options;
    QNetworkAccessManager m_network;
};

} // namespace companion::payments
