#pragma once

#include "common/ErrorCode.h"
#include "common/models/Wallet.h"

#include <QHash>
#include <QSet>
#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace companion::test {

// One wallet by the rules of docs/ledger.md, written from them and not from the SQL: plain loops over plain lists, no
// due dates kept, no running sums. Amounts in 1/10,000 credits, times in ms since 1970.
class ReferenceWallet
{
public:
    using Units = qint64;
    using Ms = qint64;
    static constexpr Ms day_ms = 86'400'000;
    static constexpr Units none = 0;
    // What an operation answers: nothing, or its refusal.
    using Answer = std::optional<ErrorCode>;

    struct Lot
    {
        Bucket bucket;
        Units original = 0;
        Units remaining = 0;
        Units reserved = 0;
        std::optional<Ms> expiresAt;

        Units unheld() const { return remaining - reserved; }
    };
    struct Row
    {
        TransactionKind kind;
        std::vector<std::pair<int, Units>> changes; // of lots, by number
        bool isReversal = false;
        Units debt = 0; // that it adds; a row may change the debt and no lot
        Ms at = 0;
    };

    Units sum(Bucket bucket) const
    {
        Units total = 0;
        for (const Lot &lot : m_lots)
            total += lot.bucket == bucket ? lot.remaining : 0;
        return total;
    }
    Units held() const
    {
        Units total = 0;
        for (const Lot &lot : m_lots)
            total += lot.reserved;
        return total;
    }
    Units available() const { return sum(Bucket::DailyFree) + sum(Bucket::Purchased) + sum(Bucket::Bonus) - held(); }
    const std::vector<Row> &history() const { return m_history; }
    Ms lastRowAt() const { return m_lastRowAt; }
    Units change(const Row &row, Bucket bucket) const
    {
        Units total = 0;
        for (const auto &[lot, amount] : row.changes)
            total += m_lots[lot].bucket == bucket ? amount : 0;
        return total;
    }
    Units total(const Row &row) const
    {
        return change(row, Bucket::DailyFree) + change(row, Bucket::Purchased) + change(row, Bucket::Bonus);
    }
    // Open lots in the order of spending.
    std::vector<Lot> openLots() const
    {
        std::vector<Lot> open;
        for (const int number : inSpendingOrder())
            if (m_lots[number].remaining > 0)
                open.push_back(m_lots[number]);
        return open;
    }

    Answer hold(Ms now, const QString &key, Units amount, Ms deadline, Units dailyLimit)
    {
        if (amount < 0 || deadline <= now)
            return ErrorCode::Invalid;
        begin(now, dailyLimit);
        const QString terms = QStringLiteral("hold %1").arg(amount);
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        if (amount > available())
            return ErrorCode::InsufficientCredits;
        Hold hold{.amount = amount, .deadline = deadline};
        for (const auto &[lot, part] : take(amount, inSpendingOrder())) {
            m_lots[lot].reserved += part;
            hold.parts.emplace_back(lot, part);
        }
        m_holds[key] = hold;
        m_openHolds.insert(key);
        m_done[key] = terms;
        return {};
    }

    Answer capture(Ms now, const QString &key, Units amount)
    {
        if (amount < 0)
            return ErrorCode::Invalid;
        begin(now, {});
        if (!m_holds.contains(key))
            return ErrorCode::NotFound;
        Hold &hold = m_holds[key];
        if (hold.state == State::Captured)
            return hold.charged == amount ? Answer() : ErrorCode::Conflict;
        if (hold.state != State::Held)
            return ErrorCode::Conflict;
        if (amount > hold.amount)
            return ErrorCode::Invalid;
        Row row{.kind = TransactionKind::Chat, .changes = {}};
        Units left = amount;
        for (const auto &[lot, part] : hold.parts) {
            const Units used = std::min(part, left);
            left -= used;
            m_lots[lot].reserved -= part;
            m_lots[lot].remaining -= used;
            if (used > 0)
                row.changes.emplace_back(lot, -used);
        }
        if (amount > 0)
            write(now, row);
        hold.state = State::Captured;
        hold.charged = amount;
        expireLots(now);
        return {};
    }

    Answer voidHold(Ms now, const QString &key)
    {
        begin(now, {});
        if (!m_holds.contains(key))
            return ErrorCode::NotFound;
        if (m_holds[key].state == State::Captured)
            return ErrorCode::Conflict;
        if (m_holds[key].state == State::Held)
            release(m_holds[key], State::Voided);
        expireLots(now);
        return {};
    }

    Answer grant(Ms now, const QString &key, Bucket bucket, Units amount, std::optional<Ms> expiresAt)
    {
        if (amount <= 0 || bucket == Bucket::DailyFree || (expiresAt && (bucket != Bucket::Bonus || *expiresAt <= now)))
            return ErrorCode::Invalid;
        begin(now, {});
        const QString terms =
            QStringLiteral("grant %1 %2 %3").arg(toText(bucket)).arg(amount).arg(expiresAt.value_or(-1));
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        addLot(now, bucket == Bucket::Purchased ? TransactionKind::Purchase : TransactionKind::BonusGrant, bucket,
               amount, expiresAt);
        m_done[key] = terms;
        return {};
    }

    Answer adjust(Ms now, const QString &key, Bucket bucket, Units amount)
    {
        if (amount == 0)
            return ErrorCode::Invalid;
        begin(now, {});
        const QString terms = QStringLiteral("adjust %1 %2").arg(toText(bucket)).arg(amount);
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        if (amount > 0) {
            addLot(now, TransactionKind::Adjustment, bucket, amount,
                   bucket == Bucket::DailyFree ? std::optional(midnightAfter(now)) : std::nullopt);
        } else {
            std::vector<int> ofBucket;
            Units unheld = 0;
            for (const int number : inSpendingOrder()) {
                if (m_lots[number].bucket != bucket)
                    continue;
                ofBucket.push_back(number);
                unheld += m_lots[number].unheld();
            }
            if (unheld < -amount)
                return ErrorCode::InsufficientCredits;
            Row row{.kind = TransactionKind::Adjustment, .changes = {}};
            for (const auto &[lot, part] : take(-amount, ofBucket)) {
                m_lots[lot].remaining -= part;
                row.changes.emplace_back(lot, -part);
            }
            write(now, row);
        }
        m_done[key] = terms;
        return {};
    }

    // `original` is the row's number in the history, from 0.
    Answer reverse(Ms now, const QString &key, int original)
    {
        begin(now, {});
        const QString terms = QStringLiteral("reverse %1").arg(original);
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        const Row row = m_history[original];
        const bool ofAKind = row.kind == TransactionKind::Chat || row.kind == TransactionKind::BonusGrant
            || row.kind == TransactionKind::Purchase || row.kind == TransactionKind::Adjustment
            || row.kind == TransactionKind::SubscriptionChange;
        if (m_reversed.contains(original) || row.isReversal || !ofAKind)
            return ErrorCode::Conflict;
        for (const auto &[lot, amount] : row.changes)
            if (amount > 0 && m_lots[lot].unheld() < amount)
                return ErrorCode::InsufficientCredits;
        Row undone{.kind =
                       row.kind == TransactionKind::Chat ? TransactionKind::ChatRefund : TransactionKind::Adjustment,
                   .changes = {},
                   .isReversal = true};
        for (const auto &[lot, amount] : row.changes) {
            m_lots[lot].remaining -= amount;
            m_open.insert(lot);
            undone.changes.emplace_back(lot, -amount);
        }
        write(now, undone);
        m_reversed.insert(original);
        m_done[key] = terms;
        expireLots(now);
        return {};
    }

    Units debt() const
    {
        Units total = 0;
        for (const Debt &owed : m_debts)
            total += owed.remaining;
        return total;
    }

    // A refund or chargeback of the purchase in row `purchase`.
    Answer takeBack(Ms now, const QString &key, int purchase, Units amount, TransactionKind kind)
    {
        if (amount <= 0)
            return ErrorCode::Invalid;
        begin(now, {});
        const QString terms = QStringLiteral("take_back %1 %2 %3").arg(purchase).arg(amount).arg(toText(kind));
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        const Row row = m_history[purchase];
        if ((row.kind != TransactionKind::Purchase && row.kind != TransactionKind::BonusGrant)
            || m_reversed.contains(purchase))
            return ErrorCode::Conflict;
        Returned &returned = m_returned[purchase];
        const auto [number, granted] = row.changes.front();
        if (returned.taken + returned.owed + returned.lapsed + amount > granted)
            return ErrorCode::Invalid;
        Lot &lot = m_lots[number];
        const Units taken = std::min(amount, lot.unheld());
        const Units lapsed = std::min(amount - taken, m_expired[number] - returned.lapsed);
        const Units owed = amount - taken - lapsed;
        if (taken > 0) {
            lot.remaining -= taken;
            write(now, {.kind = kind, .changes = {{number, -taken}}, .isReversal = true});
        }
        if (owed > 0) {
            write(now, {.kind = TransactionKind::Debt, .changes = {}, .debt = owed});
            m_debts.push_back({.purchase = purchase, .remaining = owed, .paid = {}});
            collect(now);
        }
        returned.taken += taken;
        returned.owed += owed;
        returned.lapsed += lapsed;
        m_done[key] = terms;
        return {};
    }

    // Undoes a part of what was taken back, the last first.
    Answer giveBack(Ms now, const QString &key, int purchase, Units amount)
    {
        if (amount <= 0)
            return ErrorCode::Invalid;
        begin(now, {});
        const QString terms = QStringLiteral("give_back %1 %2").arg(purchase).arg(amount);
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        Returned &returned = m_returned[purchase];
        if (returned.taken + returned.owed + returned.lapsed < amount)
            return ErrorCode::Invalid;
        const Units owed = std::min(amount, returned.owed);
        const Units taken = std::min(amount - owed, returned.taken);
        const Units lapsed = amount - owed - taken;

        Units left = owed;
        Units forgiven = 0;
        for (auto debt = m_debts.rbegin(); debt != m_debts.rend(); ++debt) {
            if (debt->purchase != purchase)
                continue;
            const Units part = std::min(left, debt->remaining);
            debt->remaining -= part;
            left -= part;
            forgiven += part;
        }
        if (forgiven > 0)
            write(now, {.kind = TransactionKind::Debt, .changes = {}, .debt = -forgiven});
        Row row{.kind = TransactionKind::Adjustment, .changes = {}, .isReversal = true};
        for (auto debt = m_debts.rbegin(); debt != m_debts.rend(); ++debt) {
            if (debt->purchase != purchase)
                continue;
            for (auto paid = debt->paid.rbegin(); paid != debt->paid.rend(); ++paid) {
                const Units part = std::min(left, paid->second);
                paid->second -= part;
                left -= part;
                if (part > 0)
                    row.changes.emplace_back(paid->first, part);
            }
        }
        if (taken > 0)
            row.changes.emplace_back(m_history[purchase].changes.front().first, taken);
        for (const auto &[lot, part] : row.changes) {
            m_lots[lot].remaining += part;
            m_open.insert(lot);
        }
        if (!row.changes.empty())
            write(now, row);
        returned.owed -= owed;
        returned.taken -= taken;
        returned.lapsed -= lapsed;
        collect(now);
        expireLots(now);
        m_done[key] = terms;
        return {};
    }

    // `debt` by its number, from 0.
    Answer forgive(Ms now, const QString &key, int debt, Units amount)
    {
        if (amount <= 0)
            return ErrorCode::Invalid;
        begin(now, {});
        const QString terms = QStringLiteral("forgive %1 %2").arg(debt).arg(amount);
        if (m_done.contains(key))
            return m_done[key] == terms ? Answer() : ErrorCode::Conflict;
        if (amount > m_debts[debt].remaining)
            return ErrorCode::Invalid;
        m_debts[debt].remaining -= amount;
        write(now, {.kind = TransactionKind::DebtPayment, .changes = {}, .debt = -amount});
        m_done[key] = terms;
        return {};
    }
    int debts() const { return int(m_debts.size()); }
    Units owed(int debt) const { return m_debts[size_t(debt)].remaining; }

    // What is due by itself; with a limit also the day's refresh, by a visit of the user.
    void begin(Ms now, std::optional<Units> dailyLimit)
    {
        std::erase_if(m_openHolds, [this](const QString &key) { return m_holds[key].state != State::Held; });
        for (const QString &key : m_openHolds)
            if (m_holds[key].deadline < now)
                release(m_holds[key], State::Expired);
        expireLots(now);
        collect(now);
        if (dailyLimit) {
            m_lastVisit = std::max(m_lastVisit, now / day_ms);
            refresh(now, *dailyLimit);
        }
    }
    void sweepRefresh(Ms now, Units dailyLimit)
    {
        const Ms today = now / day_ms;
        if (m_lastRefresh < 0 || m_lastRefresh >= today || today - m_lastVisit >= 7)
            return;
        begin(now, {});
        refresh(now, dailyLimit);
    }

private:
    enum class State { Held, Captured, Voided, Expired };
    struct Hold
    {
        Units amount = 0;
        Ms deadline = 0;
        State state = State::Held;
        Units charged = 0;
        std::vector<std::pair<int, Units>> parts = {};
    };

    struct Debt
    {
        int purchase = 0; // the row
        Units remaining = 0;
        std::map<int, Units> paid; // out of which lot
    };
    struct Returned
    {
        Units taken = 0;
        Units owed = 0;
        Units lapsed = 0;
    };

    // Purchased credit pays debts, the oldest first, out of the oldest lot.
    void collect(Ms now)
    {
        Row row{.kind = TransactionKind::DebtPayment, .changes = {}};
        for (size_t number = 0; number < m_lots.size(); ++number) {
            Lot &lot = m_lots[number];
            if (lot.bucket != Bucket::Purchased)
                continue;
            Units total = 0;
            for (Debt &debt : m_debts) {
                const Units part = std::min(debt.remaining, lot.unheld());
                if (part == 0)
                    continue;
                debt.remaining -= part;
                debt.paid[int(number)] += part;
                lot.remaining -= part;
                total += part;
            }
            if (total > 0)
                row.changes.emplace_back(int(number), -total);
            row.debt -= total;
        }
        if (!row.changes.empty())
            write(now, row);
    }

    static Ms midnightAfter(Ms now) { return (now / day_ms + 1) * day_ms; }

    // On the day of the row that it would write: rows do not go back in time, whatever clock asks.
    void refresh(Ms asked, Units dailyLimit)
    {
        const Ms now = std::max(asked, m_lastRowAt);
        const Ms today = now / day_ms;
        const bool isNewDay = today > m_lastRefresh;
        if (isNewDay) {
            m_lastRefresh = today;
            m_grantedToday = 0;
        }
        const Units missing = dailyLimit - m_grantedToday;
        if (missing <= 0 || m_lastRefresh != today)
            return;
        m_grantedToday += missing;
        addLot(now, isNewDay ? TransactionKind::DailyRefresh : TransactionKind::SubscriptionChange, Bucket::DailyFree,
               missing, midnightAfter(now));
    }

    void release(Hold &hold, State state)
    {
        for (const auto &[lot, part] : hold.parts)
            m_lots[lot].reserved -= part;
        hold.state = state;
    }

    void expireLots(Ms now)
    {
        for (const auto &[bucket, kind] : {std::pair{Bucket::DailyFree, TransactionKind::DailyExpiry},
                                           std::pair{Bucket::Bonus, TransactionKind::BonusExpiry}}) {
            Row row{.kind = kind, .changes = {}};
            for (const int number : m_open) {
                Lot &lot = m_lots[number];
                if (lot.bucket != bucket || !lot.expiresAt || *lot.expiresAt > now || lot.unheld() == 0)
                    continue;
                row.changes.emplace_back(number, -lot.unheld());
                m_expired[number] += lot.unheld();
                lot.remaining = lot.reserved;
            }
            if (!row.changes.empty())
                write(now, row);
        }
        std::erase_if(m_open, [this](int number) { return m_lots[number].remaining == 0; });
    }

    void addLot(Ms now, TransactionKind kind, Bucket bucket, Units amount, std::optional<Ms> expiresAt)
    {
        m_open.insert(int(m_lots.size()));
        m_lots.push_back({bucket, amount, amount, 0, expiresAt});
        write(now, {.kind = kind, .changes = {{int(m_lots.size()) - 1, amount}}});
    }
    void write(Ms now, const Row &row)
    {
        m_lastRowAt = std::max(m_lastRowAt, now);
        m_history.push_back(row);
        m_history.back().at = m_lastRowAt;
    }

    // Daily, purchased, bonus; within a bucket what expires first, then the older lot.
    std::vector<int> inSpendingOrder() const
    {
        std::vector<int> order(m_open.begin(), m_open.end());
        std::ranges::stable_sort(order, [this](int a, int b) {
            const auto rank = [this](int i) {
                return std::pair(m_lots[i].bucket, m_lots[i].expiresAt.value_or(std::numeric_limits<Ms>::max()));
            };
            return rank(a) < rank(b);
        });
        return order;
    }
    std::vector<std::pair<int, Units>> take(Units amount, const std::vector<int> &order) const
    {
        std::vector<std::pair<int, Units>> parts;
        for (const int number : order) {
            const Units part = std::min(amount, m_lots[number].unheld());
            if (part > 0)
                parts.emplace_back(number, part);
            amount -= part;
        }
        return parts;
    }

    std::vector<Lot> m_lots; // in the order they were made
    std::set<int> m_open;      // numbers of lots that may have something left
    std::vector<Row> m_history;
    std::map<QString, Hold> m_holds; // by the key that made them
    std::set<QString> m_openHolds;   // keys of holds that may be open
    QHash<QString, QString> m_done; // keys with their terms
    QSet<int> m_reversed;
    std::vector<Debt> m_debts;         // in the order they were made
    std::map<int, Returned> m_returned; // by the purchase's row
    std::map<int, Units> m_expired;     // of a lot, by its number
    Ms m_lastRowAt = 0;
    Ms m_lastRefresh = -1; // days since 1970
    Ms m_lastVisit = -1;
    Units m_grantedToday = 0;
};

} // namespace companion::test
