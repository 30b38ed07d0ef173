#include "http/Message.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>

namespace companion::http {

namespace {

bool sameName(const QByteArray &left, const QByteArray &right)
{
    return left.compare(right, Qt::CaseInsensitive) == 0;
}

QJsonArray errorList(const QList<FieldError> &errors)
{
    QJsonArray list;
    for (const auto &error : errors)
        list.append(
            QJsonObject{{QStringLiteral("pointer"), error.pointer}, {QStringLiteral("message"), error.message}});
    return list;
}

std::optional<int> retryAfter(const Refusal &refusal, int status)
{
    if (refusal.retryAfter_s)
        return std::max(0, *refusal.retryAfter_s);
    if (status == 429 || status == 503)
        return 1;
    return std::nullopt;
}

} // namespace

QByteArray methodName(Method method)
{
    switch (method) {
    case Method::Get:
        return "GET";
    case Method::Head:
        return "HEAD";
    case Method::Post:
        return "POST";
    case Method::Put:
        return "PUT";
    case Method::Patch:
        return "PATCH";
    case Method::Delete:
        return "DELETE";
    case Method::Options:
        return "OPTIONS";
    }
    return "GET";
}

void Headers::set(const QByteArray &name, const QByteArray &value)
{
    remove(name);
    add(name, value);
}

void Headers::add(const QByteArray &name, const QByteArray &value)
{
    m_all.append({name, value});
}

QByteArray Headers::value(const QByteArray &name) const
{
    for (const auto &[key, value] : m_all)
        if (sameName(key, name))
            return value;
    return {};
}

QList<QByteArray> Headers::values(const QByteArray &name) const
{
    QList<QByteArray> found;
    for (const auto &[key, value] : m_all)
        if (sameName(key, name))
            found.append(value);
    return found;
}

bool Headers::contains(const QByteArray &name) const
{
    return std::ranges::any_of(m_all, [&](const auto &field) { return sameName(field.first, name); });
}

void Headers::remove(const QByteArray &name)
{
    m_all.removeIf([&](const auto &field) { return sameName(field.first, name); });
}

Reply Reply::json(const QJsonObject &object, int status)
{
    return {status, "application/json", QJsonDocument(object).toJson(QJsonDocument::Compact), {}};
}

Reply Reply::text(const QByteArray &body, const QByteArray &contentType, int status)
{
    return {status, contentType, body, {}};
}

Reply Reply::noContent()
{
    return {204, {}, {}, {}};
}

Reply Reply::problem(const Refusal &refusal, const QByteArray &requestId)
{
    const auto &error = describe(refusal.code);
    const auto code = QString::fromLatin1(error.name);
    QJsonObject problem{
        {QStringLiteral("type"), QString(u"urn:companion:problem:" + code)},
        {QStringLiteral("title"), QString::fromLatin1(error.title)},
        {QStringLiteral("status"), error.status},
        {QStringLiteral("detail"), refusal.detail},
        {QStringLiteral("code"), code},
        {QStringLiteral("request_id"), QString::fromLatin1(requestId)},
    };
    if (!refusal.errors.isEmpty())
        problem.insert(QStringLiteral("errors"), errorList(refusal.errors));
    if (refusal.required)
        problem.insert(QStringLiteral("required"), refusal.required->toString());
    if (refusal.available)
        problem.insert(QStringLiteral("available"), refusal.available->toString());
    auto reply = json(problem, error.status);
    if (const auto wait_s = retryAfter(refusal, error.status)) {
        problem.insert(QStringLiteral("retry_after"), *wait_s);
        reply = json(problem, error.status).with("Retry-After", QByteArray::number(*wait_s));
    }
    reply.contentType = "application/problem+json";
    return reply;
}

} // namespace companion::http
