#include "http/Cors.h"

namespace companion::http {

void Cors::allow(const QStringList &origins)
{
    m_origins.clear();
    for (const auto &origin : origins)
        m_origins.append(origin.trimmed().toLower().toUtf8());
    m_any = m_origins.contains("*");
}

bool Cors::allows(const QByteArray &origin) const
{
    return !origin.isEmpty() && (m_any || m_origins.contains(origin.toLower()));
}

void Cors::apply(const Request &request, Headers &answer) const
{
    if (m_origins.isEmpty())
        return;
    answer.add("Vary", "Origin"); // a shared cache must not give one origin's answer to another
    const auto origin = request.headers.value("Origin");
    if (!allows(origin))
        return;
    answer.set("Access-Control-Allow-Origin", m_any ? QByteArray("*") : origin);
    if (request.method == Method::Options && request.headers.contains("Access-Control-Request-Method")) {
        answer.set("Access-Control-Allow-Methods", answer.value("Allow"));
        answer.set(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id");
        answer.set("Access-Control-Max-Age", "600");
        return;
    }
    answer.set("Access-Control-Expose-Headers",
               "Content-Disposition, Deletion-Receipt, ETag, Idempotency-Replayed, Location, RateLimit, "
               "RateLimit-Policy, Retry-After, X-Message-Id, "
               "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id");
}

} // namespace companion::http
