#include "jose/Jws.h"

#include "common/Ensure.h"

#include <QJsonDocument>

#include <algorithm>

#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <cstdlib>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace companion::jose {

using namespace Qt::StringLiterals;

namespace {

constexpr int p256Octets = 32;
constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

struct Release
{
    void operator()(cjose_jwk_t *jwk) const { cjose_jwk_release(jwk); }
    void operator()(cjose_jws_t *jws) const { cjose_jws_release(jws); }
    void operator()(json_t *json) const { json_decref(json); } // a cjose_header_t, too
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(X509 *certificate) const { X509_free(certificate); }
    void operator()(BIGNUM *number) const { BN_clear_free(number); }
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

// Base64url leaves bits over at the end, and Qt's reader takes some things more: only the one spelling counts.
std::optional<QByteArray> decoded(const QByteArray &segment)
{
    const auto read = QByteArray::fromBase64Encoding(segment, base64Url | QByteArray::AbortOnBase64DecodingErrors);
    if (!read || read.decoded.toBase64(base64Url) != segment)
        return std::nullopt;
    return read.decoded;
}

// QJsonDocument takes the last of two members of one name; jansson can refuse them, and NUL, and bad UTF-8.
std::optional<QJsonObject> strictObject(const QByteArray &text)
{
    const Owned<json_t> strict(
        json_loadb(text.constData(), static_cast<size_t>(text.size()), JSON_REJECT_DUPLICATES, nullptr));
    const auto document = strict && json_is_object(strict.get()) ? QJsonDocument::fromJson(text) : QJsonDocument();
    return document.isObject() ? std::optional(document.object()) : std::nullopt;
}

std::shared_ptr<cjose_jwk_t> shared(cjose_jwk_t *jwk)
{
    return {jwk, Release()};
}

const uint8_t *octetsOf(const QByteArray &from)
{
    return reinterpret_cast<const uint8_t *>(from.constData());
}

qsizetype significantBits(const QByteArray &number)
{
    const Owned<BIGNUM> read(BN_bin2bn(octetsOf(number), static_cast<int>(number.size()), nullptr));
    return read ? BN_num_bits(read.get()) : 0;
}

// Big-endian, with zeroes before it up to `least` octets. Empty where the key has none.
QByteArray numberIn(const EVP_PKEY *key, const char *name, int least = 0)
{
    BIGNUM *raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1)
        return {};
    const Owned<BIGNUM> number(raw);
    QByteArray octets(std::max(BN_num_bytes(number.get()), least), Qt::Uninitialized);
    BN_bn2binpad(number.get(), reinterpret_cast<unsigned char *>(octets.data()), static_cast<int>(octets.size()));
    return octets;
}

const char *nameOf(JwsKey::Algorithm algorithm)
{
    switch (algorithm) {
    case JwsKey::Algorithm::HS256:
        return CJOSE_HDR_ALG_HS256;
    case JwsKey::Algorithm::RS256:
        return CJOSE_HDR_ALG_RS256;
    case JwsKey::Algorithm::ES256:
        return CJOSE_HDR_ALG_ES256;
    }
    return "";
}

// cjose copies what it is given, and does not write to it.
void give(uint8_t *&octets, size_t &length, const QByteArray &number)
{
    octets = const_cast<uint8_t *>(octetsOf(number));
    length = static_cast<size_t>(number.size());
}

std::shared_ptr<cjose_jwk_t> rsaKeyOf(const EVP_PKEY *key)
{
    const QByteArray n = numberIn(key, OSSL_PKEY_PARAM_RSA_N), e = numberIn(key, OSSL_PKEY_PARAM_RSA_E),
                     d = numberIn(key, OSSL_PKEY_PARAM_RSA_D), p = numberIn(key, OSSL_PKEY_PARAM_RSA_FACTOR1),
                     q = numberIn(key, OSSL_PKEY_PARAM_RSA_FACTOR2), dp = numberIn(key, OSSL_PKEY_PARAM_RSA_EXPONENT1),
                     dq = numberIn(key, OSSL_PKEY_PARAM_RSA_EXPONENT2),
                     qi = numberIn(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
    if (significantBits(n) < JwsKey::minRsaBits || d.isEmpty())
        return {};
    cjose_jwk_rsa_keyspec spec{};
    give(spec.n, spec.nlen, n);
    give(spec.e, spec.elen, e);
    give(spec.d, spec.dlen, d);
    give(spec.p, spec.plen, p);
    give(spec.q, spec.qlen, q);
    give(spec.dp, spec.dplen, dp);
    give(spec.dq, spec.dqlen, dq);
    give(spec.qi, spec.qilen, qi);
    cjose_err error{};
    return shared(cjose_jwk_create_RSA_spec(&spec, &error));
}

std::shared_ptr<cjose_jwk_t> ecKeyOf(const QByteArray &x, const QByteArray &y, const QByteArray &d)
{
    if (x.size() != p256Octets || y.size() != p256Octets)
        return {};
    cjose_jwk_ec_keyspec spec{};
    spec.crv = CJOSE_JWK_EC_P_256;
    give(spec.x, spec.xlen, x);
    give(spec.y, spec.ylen, y);
    if (!d.isEmpty())
        give(spec.d, spec.dlen, d);
    cjose_err error{};
    return shared(cjose_jwk_create_EC_spec(&spec, &error));
}

bool isOnP256(const EVP_PKEY *key)
{
    char name[64] = {};
    size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, name, sizeof name, &length) == 1
        && QByteArray(name) == SN_X9_62_prime256v1;
}

} // namespace

std::optional<Jws> Jws::read(const QByteArray &compact, qsizetype maxLength)
{
    if (compact.size() > maxLength || compact.count('.') != 2)
        return std::nullopt;
    const QList<QByteArray> segments = compact.split('.');
    const auto header = decoded(segments.at(0)), payload = decoded(segments.at(1)), signature = decoded(segments.at(2));
    const auto object = header && payload && signature ? strictObject(*header) : std::nullopt;
    if (!object || !object->value("alg"_L1).isString() || object->contains("crit"_L1) || object->contains("b64"_L1))
        return std::nullopt;
    Jws jws;
    jws.m_compact = compact;
    jws.m_header = *object;
    jws.m_payload = *payload;
    jws.m_signature = *signature;
    return jws;
}

QString Jws::algorithm() const
{
    return m_header.value("alg"_L1).toString();
}

QString Jws::keyId() const
{
    return m_header.value("kid"_L1).toString();
}

std::optional<QJsonObject> Jws::claims() const
{
    return strictObject(m_payload);
}

std::optional<JwsKey> JwsKey::fromSecret(const QByteArray &secret)
{
    cjose_err error{};
    if (secret.size() < 32)
        return std::nullopt;
    auto key = shared(cjose_jwk_create_oct_spec(octetsOf(secret), static_cast<size_t>(secret.size()), &error));
    return key ? std::optional(JwsKey(Algorithm::HS256, std::move(key), true)) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromRsa(const QByteArray &modulus, const QByteArray &exponent)
{
    if (significantBits(modulus) < minRsaBits || significantBits(exponent) < 2)
        return std::nullopt;
    cjose_jwk_rsa_keyspec spec{};
    give(spec.n, spec.nlen, modulus);
    give(spec.e, spec.elen, exponent);
    cjose_err error{};
    auto key = shared(cjose_jwk_create_RSA_spec(&spec, &error));
    return key ? std::optional(JwsKey(Algorithm::RS256, std::move(key))) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromCertificate(const QByteArray &pem)
{
    const Owned<BIO> bio(BIO_new_mem_buf(pem.constData(), static_cast<int>(pem.size())));
    const Owned<X509> certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    const EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
    return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? fromPublicKey(key) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromEcPoint(const QByteArray &x, const QByteArray &y)
{
    auto key = ecKeyOf(x, y, {});
    return key ? std::optional(JwsKey(Algorithm::ES256, std::move(key))) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromPublicKey(const EVP_PKEY *key)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return fromRsa(numberIn(key, OSSL_PKEY_PARAM_RSA_N), numberIn(key, OSSL_PKEY_PARAM_RSA_E));
    return isOnP256(key) ? fromEcPoint(numberIn(key, OSSL_PKEY_PARAM_EC_PUB_X, p256Octets),
                                       numberIn(key, OSSL_PKEY_PARAM_EC_PUB_Y, p256Octets))
                         : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromPrivateKey(const QByteArray &pem)
{
    const auto noPassphrase = [](char *, int, int, void *) { return -1; };
    const Owned<BIO> bio(BIO_new_mem_buf(pem.constData(), static_cast<int>(pem.size())));
    const Owned<EVP_PKEY> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, noPassphrase, nullptr) : nullptr);
    if (!key)
        return std::nullopt;
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA) {
        auto rsa = rsaKeyOf(key.get());
        return rsa ? std::optional(JwsKey(Algorithm::RS256, std::move(rsa), true)) : std::nullopt;
    }
    if (!isOnP256(key.get()))
        return std::nullopt;
    auto ec = ecKeyOf(numberIn(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, p256Octets),
                      numberIn(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, p256Octets),
                      numberIn(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, p256Octets));
    return ec ? std::optional(JwsKey(Algorithm::ES256, std::move(ec), true)) : std::nullopt;
}

bool JwsKey::verifies(const Jws &jws) const
{
    if (jws.algorithm() != QLatin1StringView(nameOf(m_algorithm)))
        return false;
    // r and s of 32 octets each (RFC 7518, 3.4); cjose halves whatever it is given.
    if (m_algorithm == Algorithm::ES256 && jws.m_signature.size() != 2 * p256Octets)
        return false;
    cjose_err error{};
    const Owned<cjose_jws_t> read(
        cjose_jws_import(jws.m_compact.constData(), static_cast<size_t>(jws.m_compact.size()), &error));
    return read && cjose_jws_verify(read.get(), m_key.get(), &error);
}

QByteArray JwsKey::sign(const QByteArray &keyId, const QByteArray &payload) const
{
    ensure(m_canSign, "what we sign with is a secret or a private key");
    cjose_err error{};
    const Owned<cjose_header_t> header(cjose_header_new(&error));
    ensure(header && cjose_header_set(header.get(), CJOSE_HDR_ALG, nameOf(m_algorithm), &error)
               && cjose_header_set(header.get(), CJOSE_HDR_KID, keyId.constData(), &error)
               && cjose_header_set(header.get(), "typ", "JWT", &error),
           "a token header can be made");
    const Owned<cjose_jws_t> jws(
        cjose_jws_sign(m_key.get(), header.get(), octetsOf(payload), static_cast<size_t>(payload.size()), &error));
    const char *compact = nullptr;
    ensure(jws && cjose_jws_export(jws.get(), &compact, &error), "a token can be signed");
    return QByteArray(compact);
}

} // namespace companion::jose
