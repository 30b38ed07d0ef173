#pragma once

#include "common/models/Admin.h"
#include "console/client/ApiClient.h"

namespace companion::console {

struct UserSearch
{
    QString text; // part of an email or name, or a whole id
    std::optional<Tier> tier;
    std::optional<UserStatus> status;
    bool operator==(const UserSearch &) const = default;
};

class UsersApi
{
public:
    explicit UsersApi(ApiClient &client)
        : m_client(client)
    {
    }
    ApiCall<Page<AdminUser>> search(const UserSearch &search, int limit, qint64 offset);
    ApiCall<AdminUser> one(const UserId &id);
    ApiCall<Balance> wallet(const UserId &id);
    // Newest first; `cursor` from the page before, none for the first.
    ApiCall<Page<Transaction>> transactions(const UserId &id, int limit, const std::optional<QString> &cursor);
    // The same key sent twice adjusts once; keep it until the answer is known.
    ApiCall<Transaction> adjust(const UserId &id, const AdjustmentRequest &adjustment,
                                const QByteArray &idempotencyKey);
    ApiCall<AdminUser> changeTier(const UserId &id, const TierChange &change);
    ApiCall<AdminUser> suspend(const UserId &id, const QString &reason);
    ApiCall<AdminUser> restore(const UserId &id, const QString &reason);

private:
    ApiClient &m_client;
};

} // namespace companion::console
