#include "payments/apple/AppleSignatures.h"

#include <QCryptographicHash>
#include <QJsonArray>

#include <algorithm>
#include <ctime>
#include <vector>

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace companion::payments {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype chainLength = 3;
constexpr qsizetype mostOfOneCertificate = 8 * 1024;

struct FreeX509
{
    void operator()(X509 *certificate) const { X509_free(certificate); }
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(X509_STORE_CTX *context) const { X509_STORE_CTX_free(context); }
    void operator()(ASN1_OBJECT *object) const { ASN1_OBJECT_free(object); }
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); } // not what is in it
};
template <class T>
using Held = std::unique_ptr<T, FreeX509>;

// The whole of `der`, and nothing after it.
Held<X509> readDer(const QByteArray &der)
{
    const auto *at = reinterpret_cast<const unsigned char *>(der.constData());
    const auto *const end = at + der.size();
    Held<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    return certificate && at == end ? std::move(certificate) : nullptr;
}

QByteArray derOf(X509 *certificate)
{
    unsigned char *data = nullptr;
    const int length = i2d_X509(certificate, &data);
    const QByteArray der(reinterpret_cast<const char *>(data), std::max(length, 0));
    OPENSSL_free(data);
    return der;
}

std::vector<Held<X509>> readAll(const QByteArray &text)
{
    std::vector<Held<X509>> all;
    const Held<BIO> bio(BIO_new_mem_buf(text.constData(), static_cast<int>(text.size())));
    while (X509 *next = bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr)
        all.emplace_back(next);
    if (all.empty())
        if (auto one = readDer(text))
            all.push_back(std::move(one));
    return all;
}

bool carries(const X509 *certificate, const char *oid)
{
    const Held<ASN1_OBJECT> object(OBJ_txt2obj(oid, 1));
    return object && X509_get_ext_by_OBJ(certificate, object.get(), -1) >= 0;
}

QDateTime timeOf(const ASN1_TIME *time)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return {};
    return QDateTime(QDate(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday),
                     QTime(parts.tm_hour, parts.tm_min, parts.tm_sec), Qt::UTC);
}

std::unexpected<QString> notBecause(const QString &why)
{
    return std::unexpected(why);
}

// Signatures, names, authorities and their depth; the dates are looked at by whoever knows the moment.
bool leadsToRoot(X509_STORE *roots, X509 *leaf, X509 *intermediate)
{
    const Held<STACK_OF(X509)> between(sk_X509_new_null());
    const Held<X509_STORE_CTX> context(X509_STORE_CTX_new());
    if (!between || !context || sk_X509_push(between.get(), intermediate) <= 0
        || X509_STORE_CTX_init(context.get(), roots, leaf, between.get()) != 1)
        return false;
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_NO_CHECK_TIME);
    X509_VERIFY_PARAM_set_depth(X509_STORE_CTX_get0_param(context.get()), 1);
    if (X509_verify_cert(context.get()) != 1)
        return false;
    STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(context.get());
    return sk_X509_num(built) == chainLength && X509_cmp(sk_X509_value(built, 1), intermediate) == 0;
}

} // namespace

std::expected<std::shared_ptr<const AppleSignatures>, QString> AppleSignatures::withRoots(
    const QByteArray &certificates)
{
    const auto roots = readAll(certificates);
    std::shared_ptr<AppleSignatures> signatures(new AppleSignatures);
    signatures->m_roots.reset(X509_STORE_new(), X509_STORE_free);
    for (const auto &root : roots) {
        if (X509_check_ca(root.get()) == 0 || X509_self_signed(root.get(), 1) != 1)
            return notBecause(u"holds a certificate that is no root: it must be an authority that signed itself"_s);
        X509_STORE_add_cert(signatures->m_roots.get(), root.get());
        signatures->m_rootsDer.append(derOf(root.get()));
    }
    if (roots.empty())
        return notBecause(u"holds no certificate (PEM, or one in DER)"_s);
    return signatures;
}

std::expected<QJsonObject, QString> AppleSignatures::verified(const QByteArray &jws) const
{
    const auto read = jose::Jws::read(jws, maxNotification);
    if (!read)
        return notBecause(u"unreadable: no JWS"_s);
    if (read->algorithm() != "ES256"_L1)
        return notBecause(u"forged: not signed with ES256"_s);
    const auto payload = read->claims();
    const QJsonValue signedAt = payload ? payload->value("signedDate"_L1) : QJsonValue();
    if (!signedAt.isDouble())
        return notBecause(u"unreadable: no payload with a signedDate"_s);
    const auto chain = chainOf(read->header());
    if (!chain)
        return std::unexpected(chain.error());
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(signedAt.toInteger(), Qt::UTC);
    if (at < chain->from || at > chain->until)
        return notBecause(u"forged: a certificate is not valid at the signedDate"_s);
    if (!chain->key.verifies(*read))
        return notBecause(u"forged: the signature does not fit"_s);
    return *payload;
}

std::expected<AppleSignatures::Chain, QString> AppleSignatures::chainOf(const QJsonObject &header) const
{
    const QJsonArray given = header.value("x5c"_L1).toArray();
    if (given.size() != chainLength)
        return notBecause(u"forged: %1 certificates instead of three"_s.arg(given.size()));
    QList<QByteArray> der;
    QCryptographicHash hash(QCryptographicHash::Sha256);
    for (const QJsonValue &value : given) {
        const auto decoded =
            QByteArray::fromBase64Encoding(value.toString().toLatin1(), QByteArray::AbortOnBase64DecodingErrors);
        if (!decoded || decoded.decoded.isEmpty() || decoded.decoded.size() > mostOfOneCertificate)
            return notBecause(u"unreadable: a certificate is none"_s);
        der.append(decoded.decoded);
        hash.addData(QByteArray(QByteArray::number(decoded.decoded.size()) + ' ' + decoded.decoded));
    }
    const QByteArray key = hash.result();
    {
        const std::scoped_lock lock(m_mutex);
        if (const auto known = m_known.constFind(key); known != m_known.constEnd())
            return *known;
    }
    auto chain = checkChain(der);
    if (chain) {
        const std::scoped_lock lock(m_mutex);
        if (m_known.size() >= mostRemembered)
            m_known.clear();
        m_known.insert(key, *chain);
    }
    return chain;
}

std::expected<AppleSignatures::Chain, QString> AppleSignatures::checkChain(const QList<QByteArray> &der) const
{
    const auto leaf = readDer(der[0]), intermediate = readDer(der[1]), root = readDer(der[2]);
    if (!leaf || !intermediate || !root)
        return notBecause(u"unreadable: a certificate is none"_s);
    if (!m_rootsDer.contains(der[2]))
        return notBecause(u"forged: the root is none of ours"_s);
    if (!carries(leaf.get(), leafOid) || !carries(intermediate.get(), intermediateOid))
        return notBecause(u"forged: a certificate lacks Apple's OID"_s);
    if (!leadsToRoot(m_roots.get(), leaf.get(), intermediate.get()))
        return notBecause(u"forged: the certificates are no chain to the root"_s);
    const EVP_PKEY *publicKey = X509_get0_pubkey(leaf.get());
    const auto key = publicKey ? jose::JwsKey::fromPublicKey(publicKey) : std::nullopt;
    if (!key || key->algorithm() != jose::JwsKey::Algorithm::ES256)
        return notBecause(u"forged: the signer's key is not on P-256"_s);
    Chain chain{.key = *key, .from = {}, .until = {}};
    for (const X509 *certificate : {leaf.get(), intermediate.get(), root.get()}) {
        const QDateTime from = timeOf(X509_get0_notBefore(certificate));
        const QDateTime until = timeOf(X509_get0_notAfter(certificate));
        if (!from.isValid() || !until.isValid())
            return notBecause(u"unreadable: a certificate without dates"_s);
        chain.from = chain.from.isValid() ? std::max(chain.from, from) : from;
        chain.until = chain.until.isValid() ? std::min(chain.until, until) : until;
    }
    return chain;
}

} // namespace companion::payments
