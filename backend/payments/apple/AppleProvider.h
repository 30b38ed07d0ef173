#pragma once

#include "db/Workers.h"
#include "payments/PaymentProvider.h"
#include "payments/apple/AppleApi.h"
#include "payments/apple/AppleFacts.h"

namespace companion::payments {

// In-app purchases of the App Store. Customers buy, change and cancel there; we hear of it by App Store Server
// Notifications V2 and by what their app hands in, and ask the App Store Server API. Signatures are checked on the
// operator lane's workers, for they take their time.
class AppleProvider final : public PaymentProvider
{
    Q_OBJECT
public:
    AppleProvider(db::Workers &operators, const Clock &clock, AppleVerifier verifier, const AppleApi::Options &api,
                  const jose::JwsKey &key, QObject *parent = nullptr);

    Provider kind() const override { return Provider::Apple; }
    Abilities abilities() const override { return {.receipts = true}; }
    // A notification: {"signedPayload": JWS}. Signed at most five minutes ahead and a week ago: Apple repeats for three
    // days, and what is lost comes by the reconciliation.
    void verifyWebhook(const Webhook &webhook, const QDateTime &now, const Then<ProviderEvent> &then) override;
    // A request for consumption information: answered from the lots, where the customer consented.
    void complete(const ProviderEvent &event, const Then<ProviderEvent> &then) override;
    // The receipt is a transaction as StoreKit 2 gives it (jwsRepresentation). What counts is what the App Store says
    // of it now: it may have been refunded since.
    void redeem(const Receipt &receipt, const Then<FactList> &then) override;
    // By the notifications of that time: each is read as if it had just come in.
    void listPayments(const QDateTime &from, const QDateTime &to, const Then<FactList> &then) override;
    // With all its periods and refunds; `reference` is its original transaction's id.
    void fetchSubscription(const QString &reference, const Then<FactList> &then) override;

    static constexpr int aheadTolerance_s = 300;
    static constexpr int staleAfter_s = 7 * 86'400;

private:
    struct Claim // what a subscription's facts are made of
    {
        QString originalId;
        std::optional<UserId> user;
        QList<AppleApi::Status> statuses = {};
        QList<QByteArray> transactions = {};
    };
    // On workers: they may outlive this object, and are given what they read.
    using Verifier = std::shared_ptr<const AppleVerifier>;
    static Result<ProviderEvent> eventOf(db::Session &db, const Verifier &verifier, const Webhook &webhook,
                                         const QDateTime &now);
    void redeemVerified(const Receipt &receipt, const AppleTransaction &transaction, const Then<FactList> &then);
    void readSale(const Receipt &receipt, const QByteArray &jws, const Then<FactList> &then);
    void gather(const Claim &claim, const Then<FactList> &then);
    static Result<FactList> factsOf(db::Session &db, const Verifier &verifier, const Claim &claim);
    static Result<FactList> factsOfDay(db::Session &db, const Verifier &verifier, const QList<QByteArray> &told,
                                       const QDateTime &from, const QDateTime &to);

    db::Workers &m_operators;
    const Clock &m_clock;
    const std::shared_ptr<const AppleVerifier> m_verifier;
    AppleApi m_api;
};

// The answer to a consumption request, as of `now`; none where the customer did not consent or we know no such payment.
std::optional<QJsonObject> consumptionOf(db::Session &db, const QString &transaction);

} // namespace companion::payments
