#include "llm/wire/WireClient.h"

#include "llm/wire/WireFailure.h"

#include <QRandomGenerator>

namespace companion::llm {

namespace {

QByteArray hostOf(const QUrl &url)
{
    QByteArray host = url.host(QUrl::FullyEncoded).toLatin1();
    if (host.contains(':'))
        host = '[' + host + ']';
    return url.port() > 0 ? QByteArray(host + ':' + QByteArray::number(url.port())) : host;
}

QByteArray pathOf(const QUrl &url)
{
    QByteArray path = url.path(QUrl::FullyEncoded).toLatin1();
    while (path.endsWith('/'))
        path.chop(1);
    return path;
}

bool mayPass(int status)
{
    return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

} // namespace

WireClient::WireClient(WireClientOptions options, QObject *parent)
    : QObject(parent)
    , m_options(std::move(options))
    , m_host(hostOf(m_options.baseUrl))
    , m_basePath(pathOf(m_options.baseUrl))
    , m_pool(m_options.baseUrl, m_options.connections)
{
}

// Calls use the pool until their end, so they go first.
WireClient::~WireClient()
{
    qDeleteAll(findChildren<WireCall *>(QString(), Qt::FindDirectChildrenOnly));
}

void WireClient::send(const WireRequest &request, QObject *context, Then then)
{
    new WireCall(*this, request, context, std::move(then));
}

WireCall::WireCall(WireClient &client, WireRequest request, QObject *context, WireClient::Then then)
    : QObject(&client)
    , m_client(client)
    , m_request(std::move(request))
    , m_context(context)
    , m_then(std::move(then))
    , m_patience([this] { fail(QStringLiteral("no answer in time"), true); })
{
    m_total.setSingleShot(true);
    connect(&m_total, &QTimer::timeout, this, [this] {
        drop();
        finish({.problem = QStringLiteral("no answer in time"), .timedOut = true});
    });
    m_total.start(m_request.within.value_or(client.m_options.total));
    QMetaObject::invokeMethod(this, &WireCall::seek, Qt::QueuedConnection);
}

WireCall::~WireCall()
{
    drop();
}

void WireCall::seek()
{
    if (m_finished)
        return;
    if (!m_context)
        return finish({});
    m_patience.wait(m_client.m_options.queue);
    m_client.m_pool.ask(this, 0, [this](WireLease lease) { start(std::move(lease)); });
}

void WireCall::start(WireLease lease)
{
    ++m_attempt;
    m_lease = std::move(lease);
    m_body.clear();
    WireConnection *connection = m_lease.connection();
    connect(connection, &WireConnection::sent, this, [this] { m_patience.wait(m_client.m_options.answer); });
    connect(connection, &WireConnection::bodyCame, this, [this](const QByteArray &bytes) {
        m_body += bytes;
        if (m_body.size() > m_client.m_options.limit_bytes)
            fail(QStringLiteral("an answer without end"));
    });
    connect(connection, &WireConnection::ended, this, &WireCall::ended);
    m_patience.wait(m_client.m_options.connect);
    connection->send(bytes());
}

QByteArray WireCall::bytes() const
{
    QByteArray head = m_request.method + ' ' + m_client.m_basePath + m_request.path
        + " HTTP/1.1\r\nHost: " + m_client.m_host
        + "\r\nUser-Agent: companion-backend\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n";
    for (const auto &[name, value] : m_client.m_options.headers)
        head += name + ": " + value.simplified() + "\r\n"; // one line, whatever was configured
    if (m_request.body.isEmpty() && (m_request.method == "GET" || m_request.method == "DELETE"))
        return head + "\r\n";
    return head + "Content-Type: application/json\r\nContent-Length: " + QByteArray::number(m_request.body.size())
        + "\r\n\r\n" + m_request.body;
}

void WireCall::ended()
{
    const HttpAnswer &answer = m_lease.connection()->answer();
    if (answer.state() != HttpAnswer::State::Complete)
        return fail(failureOfConnection(m_lease.connection()->error(), answer.whyBroken()).log);
    WireAnswer whole{.status = answer.status(), .body = m_body};
    const auto retryAfter =
        retryAfterOf(answer.header("Retry-After"), answer.header("retry-after-ms"), QDateTime::currentDateTimeUtc());
    m_lease.connection()->disconnect(this);
    m_lease.giveBack();
    m_patience.stop();
    if (!whole.ok())
        whole.problem = QStringLiteral("HTTP %1").arg(whole.status);
    consider(std::move(whole), retryAfter);
}

void WireCall::fail(const QString &problem, bool timedOut)
{
    if (m_lease && !m_lease.connection()->isConnected())
        m_client.m_pool.connectingFailed();
    drop();
    consider({.problem = problem, .timedOut = timedOut}, std::nullopt);
}

void WireCall::consider(WireAnswer answer, std::optional<std::chrono::milliseconds> retryAfter)
{
    if (answer.ok() || !again(answer, retryAfter))
        finish(answer);
}

bool WireCall::again(const WireAnswer &answer, std::optional<std::chrono::milliseconds> retryAfter)
{
    const WireClientOptions &options = m_client.m_options;
    const bool worthIt = answer.status == 0 || mayPass(answer.status);
    if (!worthIt || !m_request.repeatable || m_attempt >= options.attempts || m_attempt == 0)
        return false;
    const qint64 usual = options.backoff.count() << std::min(m_attempt - 1, 16);
    const std::chrono::milliseconds jittered(qint64(double(usual) * (0.75 + QRandomGenerator::global()->bounded(0.5))));
    const auto wait = retryAfter.value_or(std::min(jittered, options.longestBackoff));
    if (wait > options.longestBackoff || wait >= m_total.remainingTimeAsDuration())
        return false;
    QTimer::singleShot(wait, this, &WireCall::seek);
    return true;
}

void WireCall::finish(const WireAnswer &answer)
{
    if (m_finished)
        return;
    m_finished = true;
    m_total.stop();
    m_patience.stop();
    m_client.m_pool.forget(this);
    deleteLater();
    if (m_context)
        m_then(answer);
}

void WireCall::drop()
{
    m_patience.stop();
    m_client.m_pool.forget(this);
    if (m_lease)
        m_lease.connection()->disconnect(this);
    m_lease.drop();
}

} // namespace companion::llm
