#pragma once

#include "common/Ids.h"
#include "payments/apple/AppleSignatures.h"

#include <optional>

namespace companion::payments {

// Xcode and LocalTesting, which the vendor's library takes unsigned, are no environments of ours at all.
enum class AppleEnvironment { Production, Sandbox };

// Whose signed objects count.
struct AppleApp
{
    QString bundleId;
    qint64 appId = 0; // the App Store's own number; checked in production, the sandbox does not tell it
    AppleEnvironment environment = AppleEnvironment::Production;
};

// JWSTransactionDecodedPayload, of it what we use. Times are UTC, null where they are not told.
struct AppleTransaction
{
    enum class Type { AutoRenewable, NonConsumable, Consumable, NonRenewing };

    QString id;
    QString originalId; // of a subscription: the same for all its periods
    QString productId;
    Type type = Type::Consumable;
    QDateTime purchasedAt;
    QDateTime expiresAt;
    int quantity = 1;
    std::optional<UserId> user; // appAccountToken
    bool isFamilyShared = false;
    bool isUpgraded = false; // another transaction took its place
    bool isTrial = false;
    std::optional<qint64> price_milli; // thousandths of the currency's unit, of one piece
    QString currency;
    QDateTime revokedAt;
    int revoked_milliPercent = 100'000; // of what was paid
    QDateTime signedAt;
};

// JWSRenewalInfoDecodedPayload likewise.
struct AppleRenewal
{
    QString originalId;
    QString renewsTo; // product id
    bool renews = false;
    bool inBillingRetry = false;
    QDateTime graceUntil;
    QDateTime renewsAt; // the newest period's end, where it renews
    QDateTime signedAt;
};

// ResponseBodyV2DecodedPayload likewise.
struct AppleNotification
{
    QString id; // notificationUUID
    QString type;
    QString subtype;
    QDateTime signedAt;
    std::optional<AppleTransaction> transaction;
    std::optional<AppleRenewal> renewal;
};

// Reads the App Store's signed objects: believed only when the signature and everything that says for whom they are
// is right, those inside others too. Unexpected: why not. Any thread.
class AppleVerifier
{
public:
    AppleVerifier(std::shared_ptr<const AppleSignatures> signatures, AppleApp app)
        : m_signatures(std::move(signatures))
        , m_app(std::move(app))
    {
    }

    std::expected<AppleTransaction, QString> transaction(const QByteArray &jws) const;
    std::expected<AppleRenewal, QString> renewal(const QByteArray &jws) const;
    std::expected<AppleNotification, QString> notification(const QByteArray &jws) const;
    const AppleApp &app() const { return m_app; }

private:
    std::optional<QString> wrongApp(const QJsonObject &about) const;
    std::optional<QString> wrongEnvironment(const QJsonObject &about) const;

    std::shared_ptr<const AppleSignatures> m_signatures;
    AppleApp m_app;
};

} // namespace companion::payments
