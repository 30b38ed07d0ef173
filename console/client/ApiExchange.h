#pragma once

#include "console/client/Problem.h"

#include <QElapsedTimer>
#include <QJsonObject>
#include <QNetworkReply>
#include <QPointer>
#include <QUrlQuery>

namespace companion::console {

template <class T>
using ApiResult = std::expected<T, Problem>;

struct ApiRequest
{
    QByteArray method = "GET";
    QString path; // below /api/v1, or from the root when it starts with "//": "//health/live"
    QUrlQuery query = {};
    std::optional<QJsonObject> body = {};
    QByteArray ifMatch = {};
    QByteArray idempotencyKey = {};
    bool anonymous = false; // carries no token, and is not sent again after a renewal
    bool stream = false;    // text/event-stream: handed on as it arrives
    bool probe = false;     // its time is the latency that is shown
};

struct ApiAnswer
{
    int status = 0;
    QByteArray body; // empty for a stream
    QByteArray etag;
    int elapsed_ms = 0;
    bool operator==(const ApiAnswer &) const = default;
};

// One request until its end, however often it is sent for it (a renewed token sends it again).
// Deletes itself after finished(). Lives on the GUI thread.
class ApiExchange : public QObject
{
    Q_OBJECT
public:
    explicit ApiExchange(const ApiRequest &request, QObject *parent = nullptr);

    const ApiRequest &request() const { return m_request; }
    bool wasSentAgain() const { return m_timesSent > 1; }
    // Ends it with Kind::Cancelled; nothing of it is heard afterwards.
    void abort();

    void attach(QNetworkReply *reply);
    void finish(const ApiResult<ApiAnswer> &result);

Q_SIGNALS:
    void received(const QByteArray &bytes); // of a stream
    void refusedToken(); // 401 at the first try: somebody has to renew and attach again, or finish
    void finished(const companion::console::ApiResult<companion::console::ApiAnswer> &result);

private:
    void pass();
    void conclude();
    ApiResult<ApiAnswer> outcome();

    ApiRequest m_request;
    QPointer<QNetworkReply> m_reply;
    QElapsedTimer m_elapsed;
    int m_timesSent = 0;
    bool m_over = false;
};

} // namespace companion::console
