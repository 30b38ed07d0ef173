#pragma once

#include <QLatin1StringView>
#include <QList>
#include <QString>

namespace companion {

// Every refusal the product can answer. The table in ErrorCode.cpp gives its stable code, HTTP status and title;
// docs/errors.md explains each to client developers, and a test holds the two together.
enum class ErrorCode {
    MalformedRequest,
    Unauthenticated,
    TokenExpired,
    InsufficientCredits,
    TierRequired,
    AgeUnverified,
    ModeUnavailable,
    RegionUnavailable,
    RailUnavailable,
    RoleRequired,
    AccountSuspended,
    NotFound,
    ModelNotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    TurnInProgress,
    IdempotencyInProgress,
    Gone,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    ExpectationFailed,
    Invalid,
    IdempotencyKeyReused,
    PreconditionRequired,
    RateLimited,
    HeaderTooLarge,
    ContentBlocked,
    Internal,
    NotImplemented,
    ModelFailed,
    ProviderFailed,
    Overloaded,
    NotReady,
    ShuttingDown,
    ModelTimeout,
    HttpVersionNotSupported,
};

struct ErrorDescription
{
    ErrorCode code;
    const char *name; // stable, snake_case: the `code` field
    int status;
    const char *title;
};

const ErrorDescription &describe(ErrorCode code);
const QList<ErrorDescription> &allErrors();

} // namespace companion
