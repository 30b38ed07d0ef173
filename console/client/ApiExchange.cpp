#include "console/client/ApiExchange.h"

namespace companion::console {

ApiExchange::ApiExchange(const ApiRequest &request, QObject *parent)
    : QObject(parent)
    , m_request(request)
{
}

void ApiExchange::attach(QNetworkReply *reply)
{
    m_reply = reply;
    reply->setParent(this);
    ++m_timesSent;
    m_elapsed.start();
    connect(reply, &QNetworkReply::finished, this, &ApiExchange::conclude);
    if (m_request.stream)
        connect(reply, &QNetworkReply::readyRead, this, &ApiExchange::pass);
}

void ApiExchange::abort()
{
    if (m_over)
        return;
    if (m_reply)
        m_reply->disconnect(this);
    finish(std::unexpected(Problem::cancelled()));
    if (m_reply)
        m_reply->abort();
}

void ApiExchange::finish(const ApiResult<ApiAnswer> &result)
{
    if (m_over)
        return;
    m_over = true;
    Q_EMIT finished(result);
    deleteLater();
}

// Only a stream that was granted is handed on; the body of a refusal stays for Problem::fromAnswer.
void ApiExchange::pass()
{
    if (m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() != 200)
        return;
    const QByteArray bytes = m_reply->readAll();
    if (!bytes.isEmpty())
        Q_EMIT received(bytes);
}

void ApiExchange::conclude()
{
    if (m_request.stream)
        pass();
    if (m_over)
        return;
    const ApiResult<ApiAnswer> result = outcome();
    m_reply->deleteLater();
    if (!result && result.error().status == 401 && !m_request.anonymous && m_timesSent == 1)
        Q_EMIT refusedToken();
    else
        finish(result);
}

ApiResult<ApiAnswer> ApiExchange::outcome()
{
    const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const bool cut =
        m_reply->error() != QNetworkReply::NoError && m_reply->error() < QNetworkReply::ContentAccessDenied;
    if (status == 0 || cut) {
        const QUrl server = m_reply->url().adjusted(QUrl::RemovePath | QUrl::RemoveQuery);
        return std::unexpected(Problem::unreachable(server, m_reply->errorString()));
    }
    const QByteArray body = m_reply->readAll();
    if (status >= 300)
        return std::unexpected(Problem::fromAnswer(status, body));
    return ApiAnswer{.status = status,
                     .body = body,
                     .etag = m_reply->rawHeader("ETag"),
                     .elapsed_ms = static_cast<int>(m_elapsed.elapsed())};
}

} // namespace companion::console
