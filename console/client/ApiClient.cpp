#include "console/client/ApiClient.h"

#include <QNetworkRequest>

namespace companion::console {

namespace {

constexpr int silence_ms = 20'000; // a plain answer that takes longer is taken as no answer
constexpr int streamSilence_ms = 60'000; // pings come every 15 s

} // namespace

ApiClient::ApiClient(QObject *parent)
    : QObject(parent)
{
    m_network.setAutoDeleteReplies(false);
    // A redirect would carry the token to wherever it points; the API has none.
    m_network.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
}

void ApiClient::setServer(const QUrl &server)
{
    m_server = server.adjusted(QUrl::StripTrailingSlash);
    m_bearer.clear();
    setConnection(Connection::Unknown, -1);
}

ApiExchange *ApiClient::send(const ApiRequest &request)
{
    auto *exchange = new ApiExchange(request, this);
    connect(exchange, &ApiExchange::finished, this,
            [this, probe = request.probe](const ApiResult<ApiAnswer> &result) { note(result, probe); });
    connect(exchange, &ApiExchange::refusedToken, this, [this, exchange] { park(exchange); });
    transmit(exchange);
    return exchange;
}

// Only the path and query of the address are used: the token never goes to another server.
ApiCall<ApiAnswer> ApiClient::file(const QUrl &address)
{
    return call<ApiAnswer>({.path = u'/' + address.path(), .query = QUrlQuery(address)});
}

void ApiClient::transmit(ApiExchange *exchange)
{
    const ApiRequest &request = exchange->request();
    const QByteArray body = request.body ? QJsonDocument(*request.body).toJson(QJsonDocument::Compact) : QByteArray();
    exchange->attach(m_network.sendCustomRequest(networkRequest(request), request.method, body));
}

QNetworkRequest ApiClient::networkRequest(const ApiRequest &request) const
{
    const bool fromRoot = request.path.startsWith(QLatin1StringView("//"));
    QUrl url(m_server);
    url.setPath(m_server.path() + (fromRoot ? request.path.mid(1) : QStringLiteral("/api/v1") + request.path));
    url.setQuery(request.query);
    QNetworkRequest network(url);
    network.setTransferTimeout(request.stream ? streamSilence_ms : silence_ms);
    network.setRawHeader("User-Agent", "companion-console/" COMPANION_VERSION);
    if (request.body)
        network.setHeader(QNetworkRequest::ContentTypeHeader, QByteArray("application/json"));
    if (request.stream)
        network.setRawHeader("Accept", "text/event-stream");
    if (!request.anonymous && hasBearer())
        network.setRawHeader("Authorization", "Bearer " + m_bearer);
    if (!request.ifMatch.isEmpty())
        network.setRawHeader("If-Match", request.ifMatch);
    if (!request.idempotencyKey.isEmpty())
        network.setRawHeader("Idempotency-Key", request.idempotencyKey);
    return network;
}

// However many requests are refused at once, one renewal serves them all: refresh tokens rotate, and using the old
// one twice would sign us out.
void ApiClient::park(ApiExchange *exchange)
{
    m_parked.append(exchange);
    if (m_parked.size() == 1)
        Q_EMIT renewalNeeded();
}

void ApiClient::renewed()
{
    for (const auto &exchange : std::exchange(m_parked, {}))
        if (exchange)
            transmit(exchange);
}

void ApiClient::notRenewed(const Problem &problem)
{
    for (const auto &exchange : std::exchange(m_parked, {}))
        if (exchange)
            exchange->finish(std::unexpected(problem));
}

void ApiClient::note(const ApiResult<ApiAnswer> &result, bool probe)
{
    if (!result && result.error().kind == Problem::Kind::Cancelled)
        return;
    if (!result && result.error().kind == Problem::Kind::Unreachable)
        setConnection(Connection::Offline, -1);
    else
        setConnection(Connection::Online, result && probe ? result->elapsed_ms : m_latency_ms);
}

void ApiClient::setConnection(Connection state, int latency_ms)
{
    if (state == m_connection && latency_ms == m_latency_ms)
        return;
    m_connection = state;
    m_latency_ms = latency_ms;
    Q_EMIT connectionChanged();
}

} // namespace companion::console
