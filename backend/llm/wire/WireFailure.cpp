#include "llm/wire/WireFailure.h"

#include <QLocale>
#include <QMetaEnum>
#include <algorithm>

namespace companion::llm {

namespace {

constexpr qsizetype longestLog = 200;

QString withoutKey(QString text, const QByteArray &apiKey)
{
    if (!apiKey.isEmpty())
        text.replace(QString::fromUtf8(apiKey), QStringLiteral("***"));
    return text.left(longestLog).simplified();
}

    // The provider's message only where it speaks of our set-up; elsewhere it may quote the conversation.
QString told(int status, const std::optional<ToldError> &error, const QByteArray &apiKey)
{
    QString text = status ? QStringLiteral("HTTP %1").arg(status) : QStringLiteral("an error within the stream");
    if (error && !error->code.isEmpty())
        text += u' ' + withoutKey(error->code, apiKey);
    if (error && (status == 401 || status == 403 || status == 404) && !error->message.isEmpty())
        text += u": " + withoutKey(error->message, apiKey);
    return text;
}

bool outOfQuota(const std::optional<ToldError> &error)
{
    return error && error->code == QLatin1StringView("insufficient_quota");
}

bool isRateLimit(int status, const QString &code)
{
    return status == 429 || status == 529 || code.startsWith(QLatin1StringView("rate_limit"))
        || code == QLatin1StringView("overloaded_error");
}

} // namespace

Refusal WireFailure::refusal() const
{
    Refusal refusal{code, QStringLiteral("The language model failed to answer. Nothing was charged."), log};
    if (code == ErrorCode::ModelTimeout)
        refusal.detail = QStringLiteral("The language model took too long to answer. Nothing was charged.");
    if (code == ErrorCode::Overloaded) {
        refusal.detail = QStringLiteral("The language model is busy. Nothing was charged; try again shortly.");
        const auto wait = retryAfter.value_or(std::chrono::seconds(5));
        refusal.retryAfter_s = int(std::clamp<qint64>((wait.count() + 999) / 1000, 1, 3600));
    }
    return refusal;
}

WireFailure failureOfStatus(int status, const std::optional<ToldError> &error, const QByteArray &apiKey)
{
    WireFailure failure{.log = told(status, error, apiKey)};
    if (outOfQuota(error) || status == 401) { // the same key and purse for every model
        failure.sameModel = failure.otherModel = false;
    } else if (isRateLimit(status, {})) {
        failure.code = ErrorCode::Overloaded;
    } else if (status == 408 || status == 504) {
        failure.code = ErrorCode::ModelTimeout;
    } else if (status >= 300 && status < 400) {
        failure.log += QStringLiteral(": redirects are not followed; set LLM_BASE_URL to where the API is");
        failure.sameModel = failure.otherModel = false;
    } else if (status >= 400 && status < 500 && status != 409 && status != 425) {
        failure.sameModel = false; // it would say the same again
        failure.providersFault = status == 403 || status == 404;
    }
    return failure;
}

WireFailure failureOfError(const ToldError &error, const QByteArray &apiKey)
{
    WireFailure failure = failureOfStatus(error.status, error, apiKey);
    if (isRateLimit(error.status, error.code) && !outOfQuota(error))
        failure.code = ErrorCode::Overloaded;
    return failure;
}

WireFailure failureOfConnection(QAbstractSocket::SocketError error, const char *whyBroken)
{
    using enum QAbstractSocket::SocketError;
    if (error == UnknownSocketError) // the connection holds, what came over it does not
        return brokenStream(QString::fromLatin1(whyBroken));
    const char *name = QMetaEnum::fromType<QAbstractSocket::SocketError>().valueToKey(error);
    WireFailure failure{.log = QStringLiteral("the connection failed: %1").arg(QLatin1StringView(name))};
    if (error == SocketTimeoutError || error == ProxyConnectionTimeoutError)
        failure.code = ErrorCode::ModelTimeout;
    if (error == SslHandshakeFailedError || error == SslInternalError || error == SslInvalidUserDataError)
        failure.sameModel = failure.otherModel = false;
    return failure;
}

WireFailure timedOut(const QString &what)
{
    return {.code = ErrorCode::ModelTimeout, .log = what};
}

WireFailure brokenStream(const QString &what)
{
    return {.log = what};
}

std::optional<std::chrono::milliseconds> retryAfterOf(const QByteArray &retryAfter, const QByteArray &retryAfterMs,
                                                      const QDateTime &now)
{
    bool ok = false;
    if (const double ms = retryAfterMs.trimmed().toDouble(&ok); ok && ms >= 0 && ms < 1e9)
        return std::chrono::milliseconds(qint64(ms));
    if (const double s = retryAfter.trimmed().toDouble(&ok); ok && s >= 0 && s < 1e6)
        return std::chrono::milliseconds(qint64(s * 1000));
    QDateTime date = QLocale::c().toDateTime(QString::fromLatin1(retryAfter.trimmed()),
                                             QStringLiteral("ddd, dd MMM yyyy hh:mm:ss 'GMT'"));
    date.setTimeSpec(Qt::UTC);
    if (!date.isValid() || date < now)
        return std::nullopt;
    return std::chrono::milliseconds(now.msecsTo(date));
}

} // namespace companion::llm
