#include "identity/Jws.h"

#include "common/Ensure.h"

#include <QJsonDocument>

#include <cjose/header.h>
#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <cstdlib>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace companion::identity {

using namespace Qt::StringLiterals;

namespace {

constexpr auto base64Url = QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals;

struct Release
{
    void operator()(cjose_jwk_t *jwk) const { cjose_jwk_release(jwk); }
    void operator()(cjose_jws_t *jws) const { cjose_jws_release(jws); }
    void operator()(json_t *json) const { json_decref(json); } // a cjose_header_t, too
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(X509 *certificate) const { X509_free(certificate); }
    void operator()(BIGNUM *number) const { BN_free(number); }
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

QByteArray rsaNumber(const EVP_PKEY *key, const char *name)
{
    BIGNUM *raw = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &raw) != 1)
        return {};
    const Owned<BIGNUM> number(raw);
    QByteArray octets(BN_num_bytes(number.get()), Qt::Uninitialized);
    BN_bn2bin(number.get(), reinterpret_cast<unsigned char *>(octets.data()));
    return octets;
}

const char *nameOf(JwsKey::Algorithm algorithm)
{
    return algorithm == JwsKey::Algorithm::HS256 ? CJOSE_HDR_ALG_HS256 : CJOSE_HDR_ALG_RS256;
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
    return key ? std::optional(JwsKey(Algorithm::HS256, std::move(key))) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromRsa(const QByteArray &modulus, const QByteArray &exponent)
{
    if (significantBits(modulus) < minRsaBits || significantBits(exponent) < 2)
        return std::nullopt;
    cjose_jwk_rsa_keyspec spec{};
    // cjose copies what it is given, and does not write to it.
    spec.n = const_cast<uint8_t *>(octetsOf(modulus));
    spec.nlen = static_cast<size_t>(modulus.size());
    spec.e = const_cast<uint8_t *>(octetsOf(exponent));
    spec.elen = static_cast<size_t>(exponent.size());
    cjose_err error{};
    auto key = shared(cjose_jwk_create_RSA_spec(&spec, &error));
    return key ? std::optional(JwsKey(Algorithm::RS256, std::move(key))) : std::nullopt;
}

std::optional<JwsKey> JwsKey::fromCertificate(const QByteArray &pem)
{
    const Owned<BIO> bio(BIO_new_mem_buf(pem.constData(), static_cast<int>(pem.size())));
    const Owned<X509> certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    const EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return std::nullopt;
    return fromRsa(rsaNumber(key, OSSL_PKEY_PARAM_RSA_N), rsaNumber(key, OSSL_PKEY_PARAM_RSA_E));
}

bool JwsKey::verifies(const Jws &jws) const
{
    if (jws.algorithm() != QLatin1StringView(nameOf(m_algorithm)))
        return false;
    cjose_err error{};
    const Owned<cjose_jws_t> read(
        cjose_jws_import(jws.m_compact.constData(), static_cast<size_t>(jws.m_compact.size()), &error));
    return read && cjose_jws_verify(read.get(), m_key.get(), &error);
}

QByteArray JwsKey::sign(const QByteArray &keyId, const QByteArray &payload) const
{
    ensure(m_algorithm == Algorithm::HS256, "what we sign with is a secret");
    cjose_err error{};
    const Owned<cjose_header_t> header(cjose_header_new(&error));
    ensure(header && cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_HS256, &error)
               && cjose_header_set(header.get(), CJOSE_HDR_KID, keyId.constData(), &error)
               && cjose_header_set(header.get(), "typ", "JWT", &error),
           "a token header can be made");
    const Owned<cjose_jws_t> jws(
        cjose_jws_sign(m_key.get(), header.get(), octetsOf(payload), static_cast<size_t>(payload.size()), &error));
    const char *compact = nullptr;
    ensure(jws && cjose_jws_export(jws.get(), &compact, &error), "a token can be signed");
    return QByteArray(compact);
}

} // namespace companion::identity
