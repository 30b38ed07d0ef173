#pragma once

#include "common/Result.h"
#include "common/models/Payments.h"
#include "common/models/Rights.h"
#include "identity/AccessTokens.h"
#include "identity/AccountStore.h"
#include "rights/OwnData.h"

namespace companion::rights {

// The end of an account: what may go goes in one transaction, what has to stay loses its person, and a receipt says
// both. The account's id stays as a tombstone, so that money that comes later has somewhere to be written. Bulk lane.
class ErasureService
{
public:
    explicit ErasureService(const PersonalDataList &data)
        : m_data(data)
    {
    }
    struct Outlook
    {
        std::optional<Provider> subscribedAt; // whose subscription is to be cancelled first
        qint64 version = 0; // of the account: its ETag
    };
    // Looked at before anything is asked of a payment provider: whether the account could be erased now. As erase().
    Result<Outlook> mayErase(db::Session &db, const identity::TokenClaims &claims) const;
    // unauthenticated, account_suspended; conflict: an operator's account (its roles are to be taken away first);
    // turn_in_progress: a reply is being made, or credit is held for one (Retry-After: until its deadline at most).
    // `stillRuns`: the store where a subscription could not be cancelled by us, for the receipt.
    Result<ErasureReceipt> erase(db::Session &db, const identity::TokenClaims &claims,
                                 std::optional<Provider> stillRuns, const QString &requestId) const;

    // Job: once more for accounts that were erased ten minutes ago or more: what was under way meanwhile. How many.
    int sweep(db::Session &db, int batch) const;

private:
    Result<identity::Account> admit(db::Session &db, const identity::TokenClaims &claims) const;
    Result<void> nothingRuns(db::Session &db, const UserId &user) const;
    QList<ErasedData> eraseAll(db::Session &db, const UserId &user) const;

    const PersonalDataList &m_data; // outlives this; read when asked
};

} // namespace companion::rights
