#include "payments/stripe/StripeSignature.h"

#include <QMessageAuthenticationCode>

#include <openssl/crypto.h>

#include <algorithm>

namespace companion::payments::stripe {

using namespace Qt::StringLiterals;

namespace {

struct SignedAt
{
    qint64 time_s = 0;
    QByteArrayList signatures; // v1: 32 bytes each
};

constexpr qsizetype macBytes = 32;

bool isHex(const QByteArray &text)
{
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Exactly one time, in plain digits. What is no v1 signature of the right length cannot fit and is left out, as the
// vendor's own libraries do.
std::optional<SignedAt> parsed(const QByteArray &header)
{
    SignedAt found;
    int times = 0;
    if (header.size() > mostHeaderBytes)
        return std::nullopt;
    for (const QByteArray &part : header.split(',')) {
        const qsizetype equals = part.indexOf('=');
        const QByteArray name = part.left(equals).trimmed();
        const QByteArray value = equals < 0 ? QByteArray() : part.mid(equals + 1).trimmed();
        if (name == "t") {
            const bool digits = !value.isEmpty() && value.size() <= 12
                && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
            if (!digits || ++times > 1)
                return std::nullopt;
            found.time_s = value.toLongLong();
        } else if (name == "v1" && value.size() == 2 * macBytes && isHex(value)) {
            found.signatures.append(QByteArray::fromHex(value));
        }
    }
    if (times != 1 || found.signatures.isEmpty() || found.signatures.size() > mostSignatures)
        return std::nullopt;
    return found;
}

QByteArray macOf(const QByteArray &secret, const QByteArray &body, qint64 time_s)
{
    QMessageAuthenticationCode mac(QCryptographicHash::Sha256, secret);
    mac.addData(QByteArray::number(time_s) + '.');
    mac.addData(body);
    return mac.result();
}

} // namespace

std::unexpected<Refusal> notBelieved(const QString &why)
{
    return std::unexpected(
        Refusal{.code = ErrorCode::MalformedRequest, .detail = u"This webhook is not believed."_s, .log = why});
}

QByteArray signatureOf(const QByteArray &secret, const QByteArray &body, qint64 time_s)
{
    return "t=" + QByteArray::number(time_s) + ",v1=" + macOf(secret, body, time_s).toHex();
}

Result<void> checkSignature(const QByteArray &header, const QByteArray &body, const QByteArrayList &secrets,
                            const QDateTime &now)
{
    if (header.isEmpty())
        return notBelieved(u"forged: no Stripe-Signature"_s);
    const auto claimed = parsed(header);
    if (!claimed)
        return notBelieved(u"forged: the header Stripe-Signature is malformed"_s);
    bool fits = false;
    for (const QByteArray &secret : secrets) {
        const QByteArray wanted = macOf(secret, body, claimed->time_s);
        for (const QByteArray &signature : claimed->signatures)
            fits |= CRYPTO_memcmp(signature.constData(), wanted.constData(), static_cast<size_t>(macBytes)) == 0;
    }
    if (!fits)
        return notBelieved(u"forged: no signature fits the body"_s);
    const qint64 age_s = now.toSecsSinceEpoch() - claimed->time_s;
    if (std::abs(age_s) > tolerance_s)
        return notBelieved(u"stale: signed %1 s ago"_s.arg(age_s));
    return {};
}

} // namespace companion::payments::stripe
