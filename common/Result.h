#pragma once

#include "common/ErrorCode.h"
#include "common/money/Credits.h"

#include <expected>
#include <optional>

namespace companion {

// One wrong place in a request body: a JSON Pointer ("/message") and what is wrong with it, in English.
struct FieldError
{
    QString pointer;
    QString message;
    bool operator==(const FieldError &) const = default;
};

// A refusal the caller can do something about. `detail` is public; `log` is for the operator's log only.
// Secrets and message texts are in neither.
struct Refusal
{
    ErrorCode code = ErrorCode::Internal;
    QString detail;
    QString log = {};
    QList<FieldError> errors = {};
    std::optional<Credits> required = {};
    std::optional<Credits> available = {};
    std::optional<int> retryAfter_s = {};
    bool operator==(const Refusal &) const = default; // signals that carry a Result need it
};

template <class T>
using Result = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(ErrorCode code, const QString &detail)
{
    return std::unexpected(Refusal{code, detail});
}

} // namespace companion
