#pragma once

#include "common/Result.h"
#include "common/models/Page.h"
#include "common/models/Wallet.h"
#include "db/Session.h"

#include <functional>

namespace companion::ledger {

// Every operation carries an idempotency key, unique per user ("operations" in the database). The same key and the same
// terms answer the first result again (`replayed`); the same key with other terms is refused: conflict.
struct HoldTerms
{
    UserId user;
    QString key;
    Credits amount;
    QDateTime expiresAt; // after it the hold can only be voided, by anyone
    Credits dailyLimit; // of the user's tier now: what a lazy refresh grants
};

struct Hold
{
    HoldId id;
    Credits amount;
    QDateTime expiresAt;
    BalanceSummary balance; // after the hold
    bool replayed = false;
};

struct Settlement
{
    TransactionId transaction; // null when the charge was 0
    Charge charge;
    BalanceSummary balance;
    bool replayed = false;
};

struct GrantTerms
{
    UserId user;
    QString key;
    Bucket bucket = Bucket::Purchased; // purchased or bonus
    Credits amount;
    TransactionKind kind = TransactionKind::BonusGrant;
    std::optional<QDateTime> expiresAt = {}; // of a bonus lot
    QString description;
    QJsonObject metadata = {};
};

struct AdjustTerms
{
    UserId user;
    QString key;
    Bucket bucket = Bucket::Purchased;
    Credits amount; // negative takes; never below what is unheld in the bucket: insufficient_credits
    QString reason;
    UserId actor;
};

// Out of a row of any statement that answers as the ledger's own do: code (with required and available), the wallet's
// daily_free, purchased, bonus and held, and what was charged.
std::optional<Refusal> refusalIn(const db::Row &row);
BalanceSummary balanceIn(const db::Row &row);
Charge chargeIn(const db::Row &row);

// Credits of one purchase that go back, because its payment was refunded or charged back.
struct TakeBackTerms
{
    UserId user;
    QString key;
    TransactionId purchase; // the row that granted them: a purchase or a bonus_grant
    Credits amount; // with what was taken back before at most the purchase's
    TransactionKind kind = TransactionKind::PaymentRefund; // or Chargeback
    QString description;
    QJsonObject metadata = {};
};

// amount = taken + owed + lapsed
struct TakenBack
{
    Credits taken; // out of the very lot
    Credits owed; // had been spent or is held: a debt, of which other purchased credit may have paid some at once
    Credits lapsed; // had expired
    bool replayed = false;
};

struct GiveBackTerms
{
    UserId user;
    QString key;
    TransactionId purchase;
    Credits amount; // at most what was taken back
    QString description;
    QJsonObject metadata = {};
};

using DebtId = Id<struct DebtTag>;

struct ForgiveTerms
{
    UserId user;
    QString key;
    DebtId debt;
    Credits amount; // at most what remains
    QString reason;
    UserId actor;
};

struct TransactionFilter
{
    std::optional<UserId> user = {}; // operators may leave it out
    std::optional<TransactionKind> kind = {};
    std::optional<QDateTime> from = {};
    std::optional<QDateTime> to = {};
};

struct AuditFinding
{
    UserId user; // null where the finding is about a day's digest
    QString rule; // stable name: row_changed, head_mismatch, lot_mismatch, …; docs/ledger.md lists them
    QString detail; // ids and figures, no personal text
};

// The books. Each function is one call of one PL/pgSQL function (docs/ledger.md): lock the wallet, free what has
// expired, refresh the day, answer a repeated key, refuse in order of precedence, and only then write. Stateless; safe
// on any worker. All but `audit` may also be called inside a caller's transaction, to commit with its other writes.
class Ledger
{
public:
    // invalid, not_found, conflict, insufficient_credits (required, available)
    Result<Hold> hold(db::Session &db, const HoldTerms &terms) const;
    // amount ≤ the hold's; the rest is released. conflict: voided, captured otherwise, or past its deadline.
    Result<Settlement> capture(db::Session &db, const UserId &user, const HoldId &hold, Credits amount,
                               const QString &description, const QJsonObject &metadata) const;
    Result<BalanceSummary> voidHold(db::Session &db, const UserId &user, const HoldId &hold) const;

    Result<Transaction> grant(db::Session &db, const GrantTerms &terms) const;
    Result<Transaction> adjust(db::Session &db, const AdjustTerms &terms) const;
    // A new row that undoes one (kind chat → chat_refund, else adjustment), out of or into the lots it touched.
    Result<Transaction> reverse(db::Session &db, const UserId &user, const TransactionId &original, const QString &key,
                                const QString &reason, const UserId &actor) const;

    // A refund or chargeback: out of the very lot the purchase made; what was spent becomes a debt, which purchased
    // credit pays before anything else. invalid, not_found, conflict (the key, or a row that is no purchase's),
    // invalid (more than the purchase).
    Result<TakenBack> takeBack(db::Session &db, const TakeBackTerms &terms) const;
    // Undoes a part of it (a dispute won, a refund reversed), the last first: what is still owed is owed no more, what
    // was paid goes back to the lots that paid, what was taken to its lot. invalid: more than was taken back.
    Result<BalanceSummary> giveBack(db::Session &db, const GiveBackTerms &terms) const;
    // An operator lets a debt off. not_found, conflict (the key), invalid (more than is owed).
    Result<Transaction> forgiveDebt(db::Session &db, const ForgiveTerms &terms) const;
    // Frees and expires what is due, and lets purchased credit pay debts: what a purchase ends with. not_found.
    Result<BalanceSummary> collectDebts(db::Session &db, const UserId &user) const;

    // The day's credit, once a UTC day, whoever asks first. Makes the wallet where there is none yet.
    Result<BalanceSummary> refresh(db::Session &db, const UserId &user, Credits dailyLimit) const;
    Result<Balance> balance(db::Session &db, const UserId &user, Credits dailyLimit) const; // refreshes first

    // By cursor: newest first, the same cost at any depth. By offset: with the total.
    Result<Page<Transaction>> transactions(db::Session &db, const TransactionFilter &filter,
                                           const PageRequest &page) const;

    // Scheduled: voids what is past its deadline, expires lots, refreshes users active in the last 7 days.
    // Each call does one bounded batch and says how many it touched; 0 means done.
    int sweepHolds(db::Session &db, int batch) const;
    int sweepLots(db::Session &db, int batch) const;
    // A tier may have ended since the user came last: the limit is asked for each.
    using DailyLimitOf = std::function<Credits(db::Session &, const UserId &)>;
    int sweepRefresh(db::Session &db, int batch, const DailyLimitOf &dailyLimitOf) const;

    // Daily: writes down where the chains stood at the end of each day that is over; returns how many days.
    int closeDays(db::Session &db) const;
    // Daily: the coming months' partitions of the history; returns how many tables it made.
    int makePartitions(db::Session &db, int months = 12) const;

    // Recomputes everything from the history. Read-only, one snapshot; operator role.
    QList<AuditFinding> audit(db::Session &db, std::optional<UserId> only = {}) const;

private:
    static int sweep(db::Session &db, const char *statement, int batch);
};

} // namespace companion::ledger
