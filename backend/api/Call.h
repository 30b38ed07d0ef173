#pragma once

#include "common/models/Page.h"
#include "http/Message.h"
#include "identity/AccessTokens.h"
#include "identity/Account.h"

namespace companion::api {

// One authorised request inside an act.
class Call
{
public:
    Call(http::Request request, std::optional<identity::Account> account, identity::TokenClaims claims = {})
        : m_request(std::move(request))
        , m_account(std::move(account))
        , m_claims(std::move(claims))
    {
    }
    const http::Request &request() const { return m_request; }
    const identity::Account &account() const; // a Bug on public endpoints
    UserId user() const { return account().id(); }
    const identity::TokenClaims &claims() const { return m_claims; }
    DeviceId device() const { return m_claims.device; } // the refresh-token family; null for API keys

    // The body as a model: 400 malformed_request, 415, or 422 with every wrong place.
    template <Described T>
    Result<T> body(UnknownFields unknown = UnknownFields::Refuse) const
    {
        const auto object = jsonBody();
        if (!object)
            return std::unexpected(object.error());
        return fromJson<T>(*object, unknown);
    }
    Result<QJsonObject> jsonBody() const;
    Result<PageRequest> page() const;

    // A path id: not_found for a malformed one.
    template <class IdType>
    Result<IdType> id(const QString &name = QStringLiteral("id")) const
    {
        const auto parsed = IdType::parse(m_request.param(name));
        if (!parsed)
            return refuse(ErrorCode::NotFound, QStringLiteral("There is no such object."));
        return *parsed;
    }

    std::optional<QString> query(const QString &name) const;
    Result<std::optional<QDateTime>> queryTime(const QString &name) const;
    template <NamedEnum E>
    Result<std::optional<E>> queryValue(const QString &name) const
    {
        const auto text = query(name);
        if (!text)
            return std::optional<E>();
        E value{};
        JsonReader reader;
        if (!JsonType<E>::read(*text, value, reader, QStringLiteral("/query/") + name, {}))
            return std::unexpected(invalidQuery(reader.errors()));
        return std::optional<E>(value);
    }

    QString idempotencyKey() const; // checked by Api; empty where none was sent
    // For objects that people edit: 428 without If-Match, 412 when it names another state. `etag` without quotes.
    Result<void> checkIfMatch(const QByteArray &etag) const;

    static Refusal invalidQuery(QList<FieldError> errors);

private:
    http::Request m_request;
    std::optional<identity::Account> m_account;
    identity::TokenClaims m_claims;
};

// Reads a JSON object from a body: 415 where it is declared as something else, 400 where it cannot be read.
Result<QJsonObject> readJsonObject(const http::Request &request);

template <Described T>
http::Reply ok(const T &model, int status = 200)
{
    return http::Reply::json(toJson(model), status);
}

template <Described T>
http::Reply created(const T &model)
{
    return ok(model, 201);
}

} // namespace companion::api
