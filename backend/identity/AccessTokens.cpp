#include "identity/AccessTokens.h"

#include "common/Ensure.h"
#include "common/describe/EnumText.h"
#include "jose/Jws.h"

#include <QHash>
#include <QJsonDocument>

#include <vector>

namespace companion::identity {

using namespace Qt::StringLiterals;

// In a named namespace because KeyRing has members of this type.
namespace access {

struct SigningKey
{
    QByteArray id;
    jose::JwsKey key;
    QByteArray header; // the first segment of every token that it signs
};

} // namespace access

namespace {

using access::SigningKey;

QByteArray payloadOf(const TokenClaims &claims, qint64 issuedAt_s, qint64 expiresAt_s)
{
    const QJsonObject payload{{u"sub"_s, claims.user.toString()},
                              {u"roles"_s, JsonType<QList<Role>>::write(claims.roles)},
                              {u"iat"_s, issuedAt_s},
                              {u"exp"_s, expiresAt_s},
                              {u"device"_s, claims.device.toString()}};
    return QJsonDocument(payload).toJson(QJsonDocument::Compact);
}

struct Payload
{
    TokenClaims claims;
    qint64 issuedAt_s = 0;
};

// Reads what payloadOf() writes and nothing else: writing it again must give the same bytes.
std::optional<Payload> readPayload(const QByteArray &bytes)
{
    const QJsonObject object = QJsonDocument::fromJson(bytes).object();
    const auto user = UserId::parse(object.value("sub"_L1).toString());
    const auto device = DeviceId::parse(object.value("device"_L1).toString());
    JsonReader reader;
    Payload payload;
    if (!user || !device
        || !JsonType<QList<Role>>::read(object.value("roles"_L1), payload.claims.roles, reader, {}, {}))
        return std::nullopt;
    payload.claims.user = *user;
    payload.claims.device = *device;
    payload.issuedAt_s = object.value("iat"_L1).toInteger(-1);
    const qint64 expiresAt_s = object.value("exp"_L1).toInteger(-1);
    payload.claims.expiresAt = QDateTime::fromSecsSinceEpoch(expiresAt_s, Qt::UTC);
    if (payloadOf(payload.claims, payload.issuedAt_s, expiresAt_s) != bytes)
        return std::nullopt;
    return payload;
}

std::unexpected<Refusal> unauthenticated()
{
    return refuse(ErrorCode::Unauthenticated, u"The access token is not valid."_s);
}

} // namespace

struct AccessTokens::KeyRing
{
    std::vector<access::SigningKey> keys;
    QHash<QByteArray, const access::SigningKey *> byHeader;

    explicit KeyRing(const QList<Key> &from)
    {
        ensure(!from.isEmpty(), "there is a signing key");
        keys.reserve(static_cast<size_t>(from.size()));
        for (const Key &key : from)
            add(key);
    }

    void add(const Key &from)
    {
        const auto key = jose::JwsKey::fromSecret(from.secret);
        ensure(key.has_value(), "a signing key has 256 bits");
        const QByteArray id = from.id.toLatin1(), sample = key->sign(id, "{}");
        keys.push_back({id, *key, sample.first(sample.indexOf('.'))});
        byHeader.insert(keys.back().header, &keys.back());
    }
};

AccessTokens::AccessTokens(const Clock &clock, QList<Key> keys)
    : m_clock(clock)
    , m_keys(std::make_shared<const KeyRing>(keys))
{
}

AccessTokens::~AccessTokens() = default;

void AccessTokens::setKeys(QList<Key> keys)
{
    auto ring = std::make_shared<const KeyRing>(keys);
    const std::scoped_lock lock(m_mutex);
    m_keys = std::move(ring);
}

std::shared_ptr<const AccessTokens::KeyRing> AccessTokens::keys() const
{
    const std::scoped_lock lock(m_mutex);
    return m_keys;
}

QString AccessTokens::issue(const TokenClaims &claims) const
{
    const qint64 now_s = m_clock.now().toSecsSinceEpoch();
    const qint64 expiresAt_s = std::min(claims.expiresAt.toSecsSinceEpoch(), now_s + lifetime_s);
    ensure(!claims.device.isNull(), "a token belongs to a device, so that signing it out ends the token");
    const auto ring = keys();
    const SigningKey &key = ring->keys.front();
    return QString::fromLatin1(key.key.sign(key.id, payloadOf(claims, now_s, expiresAt_s)));
}

Result<TokenClaims> AccessTokens::verify(const QByteArray &token) const
{
    if (token.size() > maxLength || token.count('.') != 2)
        return unauthenticated();
    const auto ring = keys();
    const SigningKey *key = ring->byHeader.value(token.first(token.indexOf('.')));
    const auto jws = key ? jose::Jws::read(token, maxLength) : std::nullopt;
    const auto payload = jws && key->key.verifies(*jws) ? readPayload(jws->payload()) : std::nullopt;
    if (!payload)
        return unauthenticated();

    const qint64 now_s = m_clock.now().toSecsSinceEpoch();
    const qint64 expiresAt_s = payload->claims.expiresAt.toSecsSinceEpoch();
    const qint64 issuedAt_s = payload->issuedAt_s;
    if (issuedAt_s < 0 || issuedAt_s > now_s + clockSkew_s || expiresAt_s <= issuedAt_s
        || expiresAt_s > issuedAt_s + lifetime_s)
        return unauthenticated();
    if (expiresAt_s <= now_s)
        return refuse(ErrorCode::TokenExpired, u"The access token has expired; refresh it."_s);
    return payload->claims;
}

} // namespace companion::identity
