#include "rights/ErasureService.h"

#include "identity/AuditLog.h"

namespace companion::rights {

using namespace Qt::StringLiterals;

namespace {

constexpr int sweepAfter_s = 600;

QJsonObject countsOf(const QList<ErasedData> &erased)
{
    QJsonObject counts;
    for (const ErasedData &data : erased)
        counts.insert(data.what, data.count);
    return counts;
}

} // namespace

Result<identity::Account> ErasureService::admit(db::Session &db, const identity::TokenClaims &claims) const
{
    auto account = identity::AccountStore().account(db, claims, db.now());
    if (account && account->user.roles != QList{Role::User})
        return refuse(ErrorCode::Conflict, u"An operator's account is erased when its roles have been taken away."_s);
    return account;
}

// The user's row and wallet are locked by then, and the account is marked: nothing can begin any more, and what has
// begun is seen here.
Result<void> ErasureService::nothingRuns(db::Session &db, const UserId &user) const
{
    const auto running = db.first("rights.running_turn", {{"user_id", user}, {"now", db.now()}});
    if (!running)
        return {};
    const qint64 left_s = std::max<qint64>(1, db.now().secsTo(running->time("deadline")));
    return std::unexpected(Refusal{.code = ErrorCode::TurnInProgress,
                                   .detail = u"A reply is being made. Stop it, or wait for its end."_s,
                                   .retryAfter_s = static_cast<int>(std::min<qint64>(left_s, 600))});
}

QList<ErasedData> ErasureService::eraseAll(db::Session &db, const UserId &user) const
{
    QList<ErasedData> erased;
    for (const auto &data : m_data)
        erased.append({QString::fromLatin1(data->name()), data->erase(db, user)});
    return erased;
}

Result<ErasureService::Outlook> ErasureService::mayErase(db::Session &db, const identity::TokenClaims &claims) const
{
    const auto account = admit(db, claims);
    if (!account)
        return std::unexpected(account.error());
    if (const auto free = nothingRuns(db, account->id()); !free)
        return std::unexpected(free.error());
    const auto live = db.first("rights.live_subscription", {{"user_id", account->id()}, {"now", db.now()}});
    return Outlook{live ? std::optional(live->value<Provider>("provider")) : std::nullopt, account->version};
}

Result<ErasureReceipt> ErasureService::erase(db::Session &db, const identity::TokenClaims &claims,
                                             std::optional<Provider> stillRuns, const QString &requestId) const
{
    db::Transaction transaction(db);
    const auto account = admit(db, claims);
    if (!account)
        return std::unexpected(account.error());
    const UserId user = account->id();
    const QString status = db.one("rights.lock_user", {{"user_id", user}}).text("status");
    if (status != "active"_L1) // meanwhile
        return refuse(ErrorCode::Unauthenticated, u"There is no such account."_s);
    (void)db.first("rights.lock_wallet", {{"user_id", user}});
    if (const auto free = nothingRuns(db, user); !free)
        return std::unexpected(free.error());
    db.execute("rights.mark_erased", {{"user_id", user}, {"now", db.now()}});
    ErasureReceipt receipt{.user = user, .erasedAt = db.now(), .erased = eraseAll(db, user)};
    for (const auto &data : m_data)
        if (const QString why = data->kept(); !why.isEmpty())
            receipt.kept.append({QString::fromLatin1(data->name()), why});
    if (stillRuns)
        receipt.kept.append(
            {u"subscription"_s, QString(u"It runs at "_s + toText(*stillRuns) + u" until you cancel it there."_s)});
    receipt.backupsUntil = db.now().addDays(db.one("rights.backup_days").integer("keep_days"));
    db.execute("rights.keep_erasure", {{"user_id", user}, {"now", db.now()}, {"receipt", toJson(receipt)}});
    identity::AuditLog().append(db,
                                {.actor = user.toString(),
                                 .act = u"user.erase"_s,
                                 .target = identity::auditTarget(user),
                                 .reason = u"Asked for by the user"_s,
                                 .after = countsOf(receipt.erased),
                                 .requestId = requestId});
    transaction.commit();
    return receipt;
}

int ErasureService::sweep(db::Session &db, int batch) const
{
    db::Transaction transaction(db);
    const auto rows =
        db.rows("rights.erasures_to_sweep", {{"before", db.now().addSecs(-sweepAfter_s)}, {"batch", batch}});
    for (const auto &row : rows) {
        const auto user = row.id<UserId>("user_id");
        QJsonObject later = countsOf(eraseAll(db, user));
        db.execute("rights.note_swept", {{"user_id", user}, {"now", db.now()}, {"later", later}});
    }
    transaction.commit();
    return static_cast<int>(rows.size());
}

} // namespace companion::rights
