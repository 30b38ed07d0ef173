#include "identity/AccessTokens.h"

#include "common/Ensure.h"
#include "common/describe/EnumText.h"

#include <QHash>
#include <QJsonDocument>

#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <cstdlib>
#include <vector>

namespace companion::identity {

using namespace Qt::StringLiterals;

// In a named namespace because KeyRing has members of these types.
namespace jose {

struct Release
{
    void operator()(cjose_jwk_t *jwk) const { cjose_jwk_release(jwk); }
    void operator()(cjose_jws_t *jws) const { cjose_jws_release(jws); }
    void operator()(cjose_header_t *header) const { cjose_header_release(header); }
};
using Jwk = std::unique_ptr<cjose_jwk_t, Release>;
using Jws = std::unique_ptr<cjose_jws_t, Release>;
using Header = std::unique_ptr<cjose_header_t, Release>;

struct SigningKey
{
    QByteArray id;
    Jwk jwk;
    QByteArray header; // the first segment of every token that it signs
};

} // namespace jose

namespace {

using jose::SigningKey;

QByteArray sign(const SigningKey &key, const QByteArray &payload)
{
    cjose_err error{};
    const jose::Header header(cjose_header_new(&error));
    ensure(header && cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, &error)
               && cjose_header_set(header.get(), CJOSE_HDR_KID, key.id.constData(), &error)
               && cjose_header_set(header.get(), "typ", "JWT", &error),
           "a token header can be made");
    const jose::Jws jws(cjose_jws_sign(key.jwk.get(), header.get(),
                                       reinterpret_cast<const uint8_t *>(payload.constData()),
                                       static_cast<size_t>(payload.size()), &error));
    const char *compact = nullptr;
    ensure(jws && cjose_jws_export(jws.get(), &compact, &error), "a token can be signed");
    return QByteArray(compact);
}

// nullopt when the signature does not fit. cjose compares in constant time.
std::optional<QByteArray> signedPayload(const SigningKey &key, const QByteArray &token)
{
    cjose_err error{};
    const jose::Jws jws(cjose_jws_import(token.constData(), static_cast<size_t>(token.size()), &error));
    if (!jws || !cjose_jws_verify(jws.get(), key.jwk.get(), &error))
        return std::nullopt;
    uint8_t *payload = nullptr;
    size_t length = 0;
    if (!cjose_jws_get_plaintext(jws.get(), &payload, &length, &error))
        return std::nullopt;
    return QByteArray(reinterpret_cast<const char *>(payload), static_cast<qsizetype>(length));
}

// Base64url leaves bits over at the end; we take only the spelling that we write ourselves.
bool isCanonicalBase64Url(const QByteArray &text)
{
    constexpr auto options = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;
    const auto decoded = QByteArray::fromBase64Encoding(text, options | QByteArray::AbortOnBase64DecodingErrors);
    return decoded && decoded.decoded.toBase64(options) == text;
}

QByteArray payloadOf(const TokenClaims &claims, qint64 issuedAt_s, qint64 expiresAt_s)
{
    QJsonObject payload{{u"sub"_s, claims.user.toString()},
                        {u"roles"_s, JsonType<QList<Role>>::write(claims.roles)},
                        {u"iat"_s, issuedAt_s},
                        {u"exp"_s, expiresAt_s}};
    if (!claims.device.isNull())
        payload.insert(u"device"_s, claims.device.toString());
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
    if (!user || !JsonType<QList<Role>>::read(object.value("roles"_L1), payload.claims.roles, reader, {}, {}))
        return std::nullopt;
    payload.claims.user = *user;
    payload.claims.device = device.value_or(DeviceId());
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
    std::vector<jose::SigningKey> keys;
    QHash<QByteArray, const jose::SigningKey *> byHeader;

    explicit KeyRing(const QList<Key> &from)
    {
        ensure(!from.isEmpty(), "there is a signing key");
        keys.reserve(static_cast<size_t>(from.size()));
        for (const Key &key : from)
            add(key);
    }

    void add(const Key &from)
    {
        ensure(from.secret.size() == 32, "a signing key has 256 bits");
        cjose_err error{};
        SigningKey key{from.id.toLatin1(),
                       jose::Jwk(cjose_jwk_create_oct_spec(reinterpret_cast<const uint8_t *>(from.secret.constData()),
                                                           static_cast<size_t>(from.secret.size()), &error)),
                       {}};
        ensure(key.jwk != nullptr, "a signing key can be made");
        const QByteArray sample = sign(key, "{}");
        key.header = sample.first(sample.indexOf('.'));
        keys.push_back(std::move(key));
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
    return QString::fromLatin1(sign(keys()->keys.front(), payloadOf(claims, now_s, expiresAt_s)));
}

Result<TokenClaims> AccessTokens::verify(const QByteArray &token) const
{
    if (token.size() > maxLength || token.count('.') != 2)
        return unauthenticated();
    const auto ring = keys();
    const SigningKey *key = ring->byHeader.value(token.first(token.indexOf('.')));
    if (!key || !isCanonicalBase64Url(token.sliced(token.lastIndexOf('.') + 1)))
        return unauthenticated();
    const auto bytes = signedPayload(*key, token);
    const auto payload = bytes ? readPayload(*bytes) : std::nullopt;
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
