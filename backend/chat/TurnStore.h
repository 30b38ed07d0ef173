#pragma once

#include "chat/SceneStore.h"
#include "chat/Turn.h"
#include "db/Session.h"

namespace companion::chat {

enum class TurnStatus { Running, Settled, Voided, Refused };

// One row of chat_turns.
struct TurnRecord
{
    MessageId message;
    UserId user;
    std::optional<SessionId> session;
    TurnStatus status = TurnStatus::Running;
    Mode mode = Mode::Normal;
    std::optional<HoldId> hold;
    QByteArray fingerprint;
    QDateTime deadline;
    QDateTime createdAt;
    QString reply;      // of a stateless or crisis turn
    QJsonObject answer; // settled or refused
};

// All that is written when a turn ends well.
struct Settling
{
    const Turn &turn;
    const llm::Completion &completion;
    QJsonObject answer; // its charge and balance are put in by the statement
    Credits charge;
    QString description;
    QJsonObject metadata; // of the charge
    bool free = false;    // the hold is gone: the reply is kept without a charge
};

// The SQL of turns.
class TurnStore
{
public:
    // The turn that holds this key, however it ended, if it is not older than a day; an older one gives its key up.
    std::optional<TurnRecord> byKey(db::Session &db, const TurnOrder &order) const;
    std::optional<TurnRecord> find(db::Session &db, const MessageId &message) const;
    std::optional<TurnRecord> lock(db::Session &db, const MessageId &message) const; // FOR UPDATE

    // What became of an attempt to begin: held, or why not. `moved`: the scene has changed since it was looked at.
    struct Begun
    {
        bool moved = false;
        Result<HoldId> hold = HoldId();
    };
    // One statement in a transaction of its own: the hold, the turn's row, the session taken.
    Begun begin(db::Session &db, const Turn &turn, const TurnOrder &order, const Scene &scene) const;
    // One statement in a transaction of its own: the charge, the reply and question kept, the session let go. The row
    // is read by the ledger's readers; beyond the ledger's codes: not_found, settled.
    db::Row settle(db::Session &db, const Settling &settling) const;

    // Many at once, by one statement for all in a transaction of its own; operator role. Of each the hold, or nothing
    // where it is not the plain case: nothing was written for it, and begin() does that one.
    struct Beginning
    {
        const Turn &turn;
        const TurnOrder &order;
        const Scene &scene;
    };
    std::vector<std::optional<HoldId>> beginTogether(db::Session &db, const std::vector<Beginning> &beginnings) const;
    // Likewise: of each the row that settle() would have answered, or nothing.
    std::vector<std::optional<db::Row>> settleTogether(db::Session &db, const std::vector<Settling> &settlings) const;

    // False when another request with the same key was quicker.
    bool insertEnded(db::Session &db, const TurnOrder &order, const MessageId &message, TurnStatus status, Mode mode,
                     const QString &reply, const QJsonObject &answer) const;
    void markVoided(db::Session &db, const MessageId &message) const;
    void release(db::Session &db, const SessionId &session, const MessageId &message) const;

    void insertReply(db::Session &db, const SessionId &session, const UserId &user, const Outcome &outcome,
                     const QDateTime &at) const;
    // Also lets go of the session, unless another turn is the one that runs by now.
    void countIn(db::Session &db, const SessionId &session, const MessageId &message, int messages, Credits cost,
                 const QDateTime &at, const std::optional<QDateTime> &disclosedAt) const;

    QList<TurnRecord> overdue(db::Session &db, int batch) const; // operator role
    int dropOldReplies(db::Session &db) const; // operator role: stateless replies after 24 h
    int makePartitions(db::Session &db, int months) const; // operator role: of the messages, from this month on
};

} // namespace companion::chat

namespace companion {
template <>
struct EnumNames<chat::TurnStatus>
{
    using S = chat::TurnStatus;
    static constexpr std::array values{std::pair{S::Running, "running"}, std::pair{S::Settled, "settled"},
                                       std::pair{S::Voided, "voided"}, std::pair{S::Refused, "refused"}};
};
} // namespace companion
