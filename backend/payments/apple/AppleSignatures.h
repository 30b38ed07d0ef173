#pragma once

#include "jose/Jws.h"

#include <QDateTime>
#include <QHash>

#include <expected>
#include <memory>
#include <mutex>

struct x509_store_st;

namespace companion::payments {

// The App Store's signature on a JWS, by the rules of the vendor's own library: ES256 alone, by the first of exactly
// three certificates in `x5c`; that one carries the OID of App Store receipts' signers, the second that of Apple's
// WWDR authority, and the third is one of ours (a store of roots that the configuration names, never what the JWS
// brings along); each signs the one before it, and all of them are valid at the payload's signedDate. Stricter than
// the library: the third must be ours to the byte, and is checked like any JWS of ours (one spelling, no member twice).
// Not asked: revocation lists and OCSP (the library's "online checks"). Any thread.
class AppleSignatures
{
public:
    // PEM certificates, one or more, or one in DER. Unexpected: in words what is wrong.
    static std::expected<std::shared_ptr<const AppleSignatures>, QString> withRoots(const QByteArray &certificates);

    // The payload that Apple signed; unexpected: why it is not believed.
    std::expected<QJsonObject, QString> verified(const QByteArray &jws) const;

    static constexpr qsizetype maxLength = 64 * 1024; // of one JWS; one that holds others is longer
    static constexpr qsizetype maxNotification = 256 * 1024;
    static constexpr const char *leafOid = "1.2.840.113635.100.6.11.1";
    static constexpr const char *intermediateOid = "1.2.840.113635.100.6.2.1";

private:
    // A chain that holds, and when.
    struct Chain
    {
        jose::JwsKey key;
        QDateTime from;
        QDateTime until;
    };
    AppleSignatures() = default;
    std::expected<Chain, QString> chainOf(const QJsonObject &header) const;
    std::expected<Chain, QString> checkChain(const QList<QByteArray> &der) const;

    static constexpr qsizetype mostRemembered = 32;

    std::shared_ptr<x509_store_st> m_roots;
    QList<QByteArray> m_rootsDer;
    mutable std::mutex m_mutex;
    mutable QHash<QByteArray, Chain>
        m_known; // by the hash of its certificates: Apple has few, and P-384 takes its time
};

} // namespace companion::payments
