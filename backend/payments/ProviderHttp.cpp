#include "payments/ProviderHttp.h"

#include <QNetworkReply>
#include <QRandomGenerator>
#include <QTimer>

#include <algorithm>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr std::chrono::milliseconds longestPause = std::chrono::seconds(10);

HttpAnswer answerOf(QNetworkReply *reply)
{
    HttpAnswer answer{.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                      .body = reply->isOpen() ? reply->readAll() : QByteArray(), // closed where it was given up
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
        HttpAnswer answer = answerOf(reply);
        // The lower errors are the connection's: the status had come, and perhaps not all of the body.
        const bool broken = answer.status == 0
            || (reply->error() != QNetworkReply::NoError && reply->error() < QNetworkReply::ContentAccessDenied);
        if (broken)
            answer.status = 0;
        if (again(call, then, number, answer))
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

// status 0: no whole answer.
bool ProviderHttp::isWorthRepeating(const HttpAnswer &answer) const
{
    const QByteArray verdict =
        m_options.verdictHeader.isEmpty() ? QByteArray() : answer.header(m_options.verdictHeader);
    if (answer.status != 0 && (verdict == "true" || verdict == "false"))
        return verdict == "true";
    return answer.status == 0 || answer.status == 409 || answer.status == 429 || answer.status >= 500;
}

bool ProviderHttp::again(const HttpCall &call, const Then &then, int number, const HttpAnswer &answer)
{
    const bool repeatable = call.method == "GET" || call.repeatable || !call.idempotencyKey.isEmpty();
    if (!repeatable || number >= m_options.attempts || !isWorthRepeating(answer))
        return false;
    const auto whole = std::min(m_options.firstPause * (1 << (number - 1)), longestPause);
    const std::chrono::milliseconds own = whole / 2
        + std::chrono::milliseconds(QRandomGenerator::global()->bounded(static_cast<int>(whole.count()) / 2 + 1));
    const std::chrono::milliseconds told =
        std::chrono::seconds(std::clamp(answer.header("Retry-After").toInt(), 0, 10));
    QTimer::singleShot(std::max(own, told), this, [this, call, then, number] { attempt(call, then, number + 1); });
    return true;
}

} // namespace companion::payments
