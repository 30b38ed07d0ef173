#pragma once

#include "api/Api.h"

namespace companion::api {

// Runs an act at most once per (user, route, key) within 24 h, in the given transaction, and commits it.
// The first answer (2xx, 402, 451) is kept and given again with `Idempotency-Replayed: true`; another body is refused
// as idempotency_key_reused; while the first is still running, idempotency_in_progress.
Result<http::Reply> actOnce(db::Session &db, db::Transaction &transaction, const Endpoint &endpoint, const Call &call,
                            const Act &act);

// The two halves of it, for what does not fit in one transaction: the first answer where there is one, and its keeping.
Result<std::optional<http::Reply>> earlierAnswer(db::Session &db, const Call &call);
void keepAnswer(db::Session &db, const Call &call, const http::Reply &reply);

// What two requests must share to be the same: SHA-256 of the body with its object keys in order.
QByteArray fingerprintOf(const QByteArray &body);

} // namespace companion::api
