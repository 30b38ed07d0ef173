#include "common/ErrorCode.h"

#include "common/Ensure.h"

#include <algorithm>

namespace companion {

const QList<ErrorDescription> &allErrors()
{
    using enum ErrorCode;
    static const QList<ErrorDescription> table{
        {MalformedRequest, "malformed_request", 400, "The request cannot be read"},
        {Unauthenticated, "unauthenticated", 401, "Not signed in"},
        {TokenExpired, "token_expired", 401, "The access token has expired"},
        {InsufficientCredits, "insufficient_credits", 402, "Not enough credits"},
        {TierRequired, "tier_required", 403, "A higher tier is needed"},
        {AgeUnverified, "age_unverified", 403, "The age has not been verified"},
        {ModeUnavailable, "mode_unavailable", 403, "The character does not offer this mode"},
        {RegionUnavailable, "region_unavailable", 403, "Not available in this region"},
        {RailUnavailable, "rail_unavailable", 403, "These credits cannot be used for this"},
        {RoleRequired, "role_required", 403, "The role does not allow this"},
        {AccountSuspended, "account_suspended", 403, "The account is suspended"},
        {NotFound, "not_found", 404, "Not found"},
        {ModelNotFound, "model_not_found", 404, "There is no such model"},
        {MethodNotAllowed, "method_not_allowed", 405, "The method is not allowed here"},
        {RequestTimeout, "request_timeout", 408, "The request took too long to arrive"},
        {Conflict, "conflict", 409, "In conflict with the present state"},
        {TurnInProgress, "turn_in_progress", 409, "A turn is in progress in this session"},
        {IdempotencyInProgress, "idempotency_in_progress", 409, "The first request with this key is still running"},
        {Gone, "gone", 410, "No longer there"},
        {PreconditionFailed, "precondition_failed", 412, "Changed by somebody else meanwhile"},
        {PayloadTooLarge, "payload_too_large", 413, "The body is too large"},
        {UnsupportedMediaType, "unsupported_media_type", 415, "The content type is not supported"},
        {ExpectationFailed, "expectation_failed", 417, "The expectation cannot be met"},
        {Invalid, "invalid", 422, "Well-formed, but not valid"},
        {IdempotencyKeyReused, "idempotency_key_reused", 422, "The idempotency key belongs to another request"},
        {PreconditionRequired, "precondition_required", 428, "If-Match is required"},
        {RateLimited, "rate_limited", 429, "Too many requests"},
        {HeaderTooLarge, "header_too_large", 431, "The request head is too large"},
        {ContentBlocked, "content_blocked", 451, "Blocked by the content policy"},
        {Internal, "internal", 500, "An error on our side"},
        {NotImplemented, "not_implemented", 501, "Not implemented"},
        {ModelFailed, "model_failed", 502, "The model failed"},
        {ProviderFailed, "provider_failed", 502, "The payment provider failed"},
        {Overloaded, "overloaded", 503, "Overloaded"},
        {NotReady, "not_ready", 503, "Not ready"},
        {ShuttingDown, "shutting_down", 503, "Shutting down"},
        {ModelTimeout, "model_timeout", 504, "The model took too long"},
        {HttpVersionNotSupported, "http_version_not_supported", 505, "The HTTP version is not supported"},
    };
    return table;
}

const ErrorDescription &describe(ErrorCode code)
{
    const auto &table = allErrors();
    const auto found = std::ranges::find(table, code, &ErrorDescription::code);
    ensure(found != table.end(), "every error code is in the table");
    return *found;
}

} // namespace companion
