#pragma once

#include "common/Result.h"
#include "llm/wire/ChatChunk.h"

#include <QAbstractSocket>
#include <QDateTime>

#include <chrono>

namespace companion::llm {

// Why one attempt failed and what may still be tried, as long as nothing was delivered.
struct WireFailure
{
    ErrorCode code = ErrorCode::ModelFailed;
    QString log;              // holds neither the key nor anybody's words
    bool sameModel = true;    // another attempt may help
    bool otherModel = true;   // a fallback model may help
    bool providersFault = true; // counts against its health
    std::optional<std::chrono::milliseconds> retryAfter = {};

    Refusal refusal() const;
};

// `apiKey` is only taken out of what a provider says, should it repeat it.
WireFailure failureOfStatus(int status, const std::optional<ToldError> &error, const QByteArray &apiKey);
WireFailure failureOfError(const ToldError &error, const QByteArray &apiKey); // within a stream that began with 200
WireFailure failureOfConnection(QAbstractSocket::SocketError error, const char *whyBroken);
WireFailure timedOut(const QString &what);
WireFailure brokenStream(const QString &what);

// Retry-After in seconds or as an HTTP date, or retry-after-ms; nullopt where neither can be read or it is past.
std::optional<std::chrono::milliseconds> retryAfterOf(const QByteArray &retryAfter, const QByteArray &retryAfterMs,
                                                      const QDateTime &now);

} // namespace companion::llm
