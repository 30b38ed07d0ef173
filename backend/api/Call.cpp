#include "api/Call.h"

#include <QJsonDocument>

namespace companion::api {

using namespace Qt::StringLiterals;

const identity::Account &Call::account() const
{
    ensure(m_account.has_value(), "a public endpoint has no account");
    return *m_account;
}

Result<QJsonObject> readJsonObject(const http::Request &request)
{
    const QByteArray type = request.headers.value("Content-Type").split(';').first().trimmed().toLower();
    if (!type.isEmpty() && type != "application/json")
        return refuse(ErrorCode::UnsupportedMediaType, u"The body must be application/json."_s);
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(request.body, &error);
    if (error.error != QJsonParseError::NoError)
        return refuse(ErrorCode::MalformedRequest,
                      u"The body is not JSON: %1 at byte %2."_s.arg(error.errorString()).arg(error.offset));
    if (!document.isObject())
        return refuse(ErrorCode::MalformedRequest, u"The body must be a JSON object."_s);
    return document.object();
}

Result<QJsonObject> Call::jsonBody() const
{
    return readJsonObject(m_request);
}

std::optional<QString> Call::query(const QString &name) const
{
    if (!m_request.query.hasQueryItem(name))
        return std::nullopt;
    // A plus sign is a plus sign here: forms are not submitted by GET.
    return m_request.query.queryItemValue(name, QUrl::FullyDecoded);
}

Refusal Call::invalidQuery(QList<FieldError> errors)
{
    return {.code = ErrorCode::Invalid,
            .detail = u"A query value is not valid; see errors."_s,
            .errors = std::move(errors)};
}

Result<std::optional<QDateTime>> Call::queryTime(const QString &name) const
{
    const auto text = query(name);
    if (!text)
        return std::optional<QDateTime>();
    const auto time = json::parseTime(*text);
    if (!time)
        return std::unexpected(
            invalidQuery({{u"/query/"_s + name, u"must be an RFC 3339 time, like 2026-03-01T12:00:00Z"_s}}));
    // Arithmetic with days must stay within what calendars and the database know.
    if (time->date().year() < 1970 || time->date().year() > 9998)
        return std::unexpected(invalidQuery({{u"/query/"_s + name, u"must lie between the years 1970 and 9998"_s}}));
    return time;
}

Result<PageRequest> Call::page() const
{
    PageRequest page;
    QList<FieldError> errors;
    const auto number = [&](const QString &name, qint64 low, qint64 high, qint64 fallback) {
        const auto text = query(name);
        if (!text)
            return fallback;
        bool isNumber = false;
        const qint64 value = text->toLongLong(&isNumber);
        if (!isNumber || value < low || value > high)
            errors.append({u"/query/"_s + name, u"must be a whole number from %1 to %2"_s.arg(low).arg(high)});
        return value;
    };
    page.limit = static_cast<int>(number(u"limit"_s, 1, 100, 20));
    page.offset = number(u"offset"_s, 0, 1'000'000'000, 0);
    page.cursor = query(u"cursor"_s);
    if (page.cursor && query(u"offset"_s))
        errors.append({u"/query/offset"_s, u"does not go with cursor"_s});
    if (!errors.isEmpty())
        return std::unexpected(invalidQuery(errors));
    return page;
}

QString Call::idempotencyKey() const
{
    return QString::fromLatin1(m_request.headers.value("Idempotency-Key"));
}

Result<void> Call::checkIfMatch(const QByteArray &etag) const
{
    const QByteArray wanted = m_request.headers.value("If-Match").trimmed();
    if (wanted.isEmpty())
        return refuse(ErrorCode::PreconditionRequired, u"Send the object's ETag as If-Match."_s);
    if (wanted == "*")
        return {};
    for (QByteArray candidate : wanted.split(',')) {
        candidate = candidate.trimmed();
        if (candidate == '"' + etag + '"')
            return {};
    }
    return refuse(ErrorCode::PreconditionFailed, u"The object was changed meanwhile; read it again."_s);
}

} // namespace companion::api
