#pragma once

#include "common/Result.h"

#include <QByteArrayList>
#include <QDateTime>

namespace companion::payments::stripe {

// The header Stripe-Signature: "t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>" in hex>", the key being the
// endpoint's whole secret ("whsec_…"). Several v1 while Stripe rolls a secret; other schemes (v0) do not count.
QByteArray signatureOf(const QByteArray &secret, const QByteArray &body, qint64 time_s);

inline constexpr qint64 tolerance_s = 300; // both ways
inline constexpr qsizetype mostHeaderBytes = 4000;
inline constexpr int mostSignatures = 16;

// Says in its refusal's log what is wrong: malformed, forged or stale. Any of the secrets may have signed: two while
// the operator rolls them. Every candidate is compared with every secret's, each in constant time.
Result<void> checkSignature(const QByteArray &header, const QByteArray &body, const QByteArrayList &secrets,
                            const QDateTime &now);

// A refusal that keeps the webhook for the operator and changes nothing else.
std::unexpected<Refusal> notBelieved(const QString &why);

} // namespace companion::payments::stripe
