#include "api/Idempotency.h"

#include <QCryptographicHash>
#include <QJsonDocument>

namespace companion::api {

using namespace Qt::StringLiterals;

namespace {

bool isKept(int status)
{
    return (status >= 200 && status < 300) || status == 402 || status == 451;
}

http::Reply replayOf(const db::Row &row)
{
    auto reply = http::Reply::text(row.bytes("body"), row.text("content_type").toLatin1(),
                                   static_cast<int>(row.integer("status")));
    return reply.with("Idempotency-Replayed", "true");
}

QByteArray requestPrint(const Call &call)
{
    return fingerprintOf(call.request().path.toUtf8() + '\n' + call.request().body);
}

} // namespace

QByteArray fingerprintOf(const QByteArray &body)
{
    // QJsonObject sorts its keys, so two spellings of the same object are the same request.
    const QJsonDocument document = QJsonDocument::fromJson(body);
    const QByteArray canonical = document.isNull() ? body : document.toJson(QJsonDocument::Compact);
    return QCryptographicHash::hash(canonical, QCryptographicHash::Sha256);
}

Result<std::optional<http::Reply>> earlierAnswer(db::Session &db, const Call &call)
{
    const auto earlier = db.first("api.find_key",
                                  {{"user_id", call.user()},
                                   {"route", QString(call.request().route)},
                                   {"key", call.idempotencyKey()},
                                   {"oldest", db.now().addDays(-1)}});
    if (!earlier)
        return std::nullopt;
    if (earlier->bytes("fingerprint") != requestPrint(call))
        return refuse(ErrorCode::IdempotencyKeyReused, u"This Idempotency-Key was used for another request."_s);
    return replayOf(*earlier);
}

void keepAnswer(db::Session &db, const Call &call, const http::Reply &reply)
{
    db.execute("api.keep_answer",
               {{"user_id", call.user()},
                {"route", QString(call.request().route)},
                {"key", call.idempotencyKey()},
                {"fingerprint", requestPrint(call)},
                {"status", reply.status},
                {"content_type", QString::fromLatin1(reply.contentType)},
                {"body", reply.body},
                {"now", db.now()}});
}

Result<http::Reply> actOnce(db::Session &db, db::Transaction &transaction, const Endpoint &endpoint, const Call &call,
                            const Act &act)
{
    const QString route = call.request().route;
    const auto key = call.idempotencyKey();
    if (!db.one("api.lock_key", {{"user_id", call.user()}, {"route", route}, {"key", key}}).boolean("locked"))
        return std::unexpected(Refusal{.code = ErrorCode::IdempotencyInProgress,
                                       .detail = u"The first request with this key is still running."_s,
                                       .retryAfter_s = 1});
    const auto earlier = earlierAnswer(db, call);
    if (!earlier)
        return std::unexpected(earlier.error());
    if (*earlier)
        return **earlier;

    db::Savepoint savepoint(db);
    auto reply = act(call, db);
    if (!reply) {
        savepoint.rollback();
        const auto refused = endpoint.problem(reply.error(), call.request().id);
        if (!isKept(refused.status))
            return reply;
        reply = refused;
    }
    keepAnswer(db, call, *reply);
    transaction.commit();
    return reply;
}

} // namespace companion::api
