#pragma once

#include "console/client/ApiCall.h"

#include <QNetworkAccessManager>

namespace companion::console {

// The one way to the server: puts the token on every request, renews it once when it is refused and sends the request
// again, turns refusals into Problems, and knows whether the server answers at all. Everything is asynchronous.
class ApiClient : public QObject
{
    Q_OBJECT
public:
    enum class Connection { Unknown, Online, Offline };
    Q_ENUM(Connection)

    explicit ApiClient(QObject *parent = nullptr);

    void setServer(const QUrl &server);
    QUrl server() const { return m_server; }

    Connection connection() const { return m_connection; }
    int latency_ms() const { return m_latency_ms; } // of the last probe; -1 before the first

    void setBearer(const QByteArray &token) { m_bearer = token; }
    bool hasBearer() const { return !m_bearer.isEmpty(); }

    template <class T>
    ApiCall<T> call(const ApiRequest &request)
    {
        return ApiCall<T>(send(request));
    }
    ApiExchange *send(const ApiRequest &request);
    // A file of this server by the address an answer gave ("/api/v1/admin/characters/…/avatar?v=1"): its bytes.
    ApiCall<ApiAnswer> file(const QUrl &address);

    // The answer to renewalNeeded(): with success, what waited is sent again; without, it ends with `problem`.
    void renewed();
    void notRenewed(const Problem &problem);

Q_SIGNALS:
    void connectionChanged();
    void renewalNeeded();

private:
    void transmit(ApiExchange *exchange);
    QNetworkRequest networkRequest(const ApiRequest &request) const;
    void park(ApiExchange *exchange);
    void note(const ApiResult<ApiAnswer> &result, bool probe);
    void setConnection(Connection state, int latency_ms);

    QNetworkAccessManager m_network;
    QUrl m_server;
    QByteArray m_bearer;
    QList<QPointer<ApiExchange>> m_parked; // 401: waiting for a new token
    Connection m_connection = Connection::Unknown;
    int m_latency_ms = -1;
};

} // namespace companion::console
