#include "payments/ProviderHttp.h"

#include <QNetworkReply>
#include <QTimer>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr std::chrono::milliseconds longestPause = std::chrono::seconds(10);

HttpAnswer answerOf(QNetworkReply *reply)
{
    HttpAnswer answer{.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                      .body = reply->readAll(),
                      .headers = {}};
    for (const auto &[name, value] : reply->rawHeaderPairs())
        answer.headers.append({name, value});
    return answer;
}

} // namespace

QByteArray HttpAnswer::header(const QByteArray &name) const
{
    for (const auto &[key, value] : headers)
        if (key.compare(name, Qt::CaseInsensitive) == 0)
            return value;
    return {};
}

ProviderHttp::ProviderHttp(const Options &options, QObject *parent)
    : QObject(parent)
    , m_options(options)
{
}

void ProviderHttp::send(const HttpCall &call, const Then &then)
{
    attempt(call, then, 1);
}

void ProviderHttp::attempt(const HttpCall &call, const Then &then, int number)
{
    QNetworkRequest request(call.url);
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setTransferTimeout(static_cast<int>(m_options.timeout.count()));
    for (const auto &[name, value] : call.headers)
        request.setRawHeader(name, value);
    if (!call.contentType.isEmpty())
        request.setRawHeader("Content-Type", call.contentType);
    if (!call.idempotencyKey.isEmpty())
        request.setRawHeader("Idempotency-Key", call.idempotencyKey);

    QNetworkReply *reply = m_network.sendCustomRequest(request, call.method, call.body);
    connect(reply, &QNetworkReply::downloadProgress, reply, [this, reply](qint64 received, qint64) {
        if (received > m_options.limit_bytes)
            reply->abort();
    });
    connect(reply, &QNetworkReply::finished, this, [this, call, then, number, reply] {
        reply->deleteLater();
        const HttpAnswer answer = answerOf(reply);
        const bool broken = answer.status == 0 || reply->error() == QNetworkReply::OperationCanceledError;
        if (again(call, then, number, broken ? 0 : answer.status, answer.header("Retry-After")))
            return;
        if (broken)
            return then(std::unexpected(
                Refusal{.code = ErrorCode::ProviderFailed,
                        .detail = u"The payment provider does not answer."_s,
                        .log = u"%1 %2: network error %3"_s.arg(QString::fromLatin1(call.method), call.url.path())
                                   .arg(reply->error())}));
        then(answer);
    });
}

bool ProviderHttp::again(const HttpCall &call, const Then &then, int number, int status, const QByteArray &retryAfter)
{
    const bool mayPass = status == 0 || status == 409 || status == 429 || status >= 500;
    const bool repeatable = call.method == "GET" || call.repeatable || !call.idempotencyKey.isEmpty();
    if (!mayPass || !repeatable || number >= m_options.attempts)
        return false;
    const std::chrono::milliseconds told = std::chrono::seconds(std::clamp(retryAfter.toInt(), 0, 10));
    const auto pause = std::clamp(m_options.firstPause * (1 << (number - 1)), told, std::max(told, longestPause));
    QTimer::singleShot(pause, this, [this, call, then, number] { attempt(call, then, number + 1); });
    return true;
}

} // namespace companion::payments
