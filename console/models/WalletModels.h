#pragma once

#include "console/client/UsersApi.h"
#include "console/models/TableModel.h"

namespace companion::console {

class LotsModel : public RowsModel<Lot>
{
    Q_OBJECT
public:
    enum Column { Bucket, Remaining, Expires };
    explicit LotsModel(QObject *parent = nullptr);
};

// One user's history, newest first, fetched page by page as the view scrolls: it never holds more than was looked at.
class TransactionsModel : public RowsModel<Transaction>
{
    Q_OBJECT
public:
    enum Column { Time, Kind, Description, Buckets, Amount, BalanceAfter, DailyFree, Purchased, Bonus };

    explicit TransactionsModel(UsersApi &api, QObject *parent = nullptr);

    void load(const UserId &user);
    bool canFetchMore(const QModelIndex &parent) const override;
    void fetchMore(const QModelIndex &parent) override;

Q_SIGNALS:
    void loaded();
    void failed(const companion::console::Problem &problem);

private:
    void fetch();
    void take(const ApiResult<Page<Transaction>> &page);

    UsersApi &m_api;
    UserId m_user;
    std::optional<QString> m_cursor;
    ApiCall<Page<Transaction>> m_call;
    bool m_more = false;
    bool m_first = true;
};

// What an adjustment would leave, and whether it may be sent.
struct AdjustmentPreview
{
    std::optional<AdjustmentRequest> request = {}; // set when it can be sent
    Credits bucketBefore;
    Credits bucketAfter;
    Credits totalBefore;
    Credits totalAfter;
    QString problem = {}; // why not, in words; empty while nothing has been typed
};

// `amount` and `reason` as typed. A bucket never goes below zero, nor below what of it is held in all.
AdjustmentPreview previewAdjustment(const Balance &balance, Bucket bucket, const QString &amount,
                                    const QString &reason);

Credits bucketOf(const Balance &balance, Bucket bucket);

} // namespace companion::console
