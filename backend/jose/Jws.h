#pragma once

#include <QByteArray>
#include <QJsonObject>

#include <memory>
#include <optional>

struct _cjose_jwk_int;
struct evp_pkey_st;

namespace companion::jose {

// A JSON Web Signature (RFC 7515) in compact form, read strictly: three segments of base64url in its one spelling (no
// padding, no spare bits set, nothing foreign in it); a header that is one JSON object with no member twice, an `alg`
// that is text, and neither `crit` nor `b64`, because we know no extension. That it could be read says nothing of its
// signature: see JwsKey. Keys that a header carries or points to (jwk, jku, x5c, x5u) are never looked at.
class Jws
{
public:
    static std::optional<Jws> read(const QByteArray &compact, qsizetype maxLength);

    const QJsonObject &header() const { return m_header; }
    QString algorithm() const; // as spelled
    QString keyId() const;     // empty where there is none or it is no text
    bool isUnsigned() const { return m_signature.isEmpty(); }
    const QByteArray &payload() const { return m_payload; }
    // The payload as one JSON object with no member twice, at any depth; nullopt where it is something else.
    std::optional<QJsonObject> claims() const;

private:
    friend class JwsKey;
    QByteArray m_compact;
    QJsonObject m_header;
    QByteArray m_payload;
    QByteArray m_signature;
};

// A key for one algorithm: a JWS that names another is not verified by it, whatever its signature. libcjose and OpenSSL
// do the work; HMACs are compared in constant time. Immutable, any thread.
class JwsKey
{
public:
    enum class Algorithm { HS256, RS256, ES256 };

    static std::optional<JwsKey> fromSecret(const QByteArray &secret); // HS256; 32 bytes or more
    static std::optional<JwsKey> fromCertificate(const QByteArray &pem); // RS256; X.509, its dates not looked at
    static std::optional<JwsKey> fromRsa(const QByteArray &modulus, const QByteArray &exponent); // RS256; big-endian
    static std::optional<JwsKey> fromEcPoint(const QByteArray &x, const QByteArray &y); // ES256; P-256, big-endian
    // RS256 for an RSA key, ES256 for one on P-256, none for others.
    static std::optional<JwsKey> fromPublicKey(const evp_pkey_st *key);
    // For signing; PKCS#8 PEM without a passphrase. An RSA key is RS256's, one on P-256 is ES256's, others are refused.
    static std::optional<JwsKey> fromPrivateKey(const QByteArray &pem);

    Algorithm algorithm() const { return m_algorithm; }
    bool verifies(const Jws &jws) const;
    // Compact, with the header {"alg", "kid", "typ":"JWT"}. A secret's or a private key's only.
    QByteArray sign(const QByteArray &keyId, const QByteArray &payload) const;

    static constexpr qsizetype minRsaBits = 2048;

private:
    JwsKey(Algorithm algorithm, std::shared_ptr<_cjose_jwk_int> key, bool canSign = false)
        : m_algorithm(algorithm)
        , m_key(std::move(key))
        , m_canSign(canSign)
    {
    }

    Algorithm m_algorithm;
    std::shared_ptr<_cjose_jwk_int> m_key;
    bool m_canSign = false;
};

} // namespace companion::jose
