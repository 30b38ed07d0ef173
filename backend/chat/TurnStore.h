#pragma once

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

// The SQL of turns.
class TurnStore
{
public:
    // The turn that holds this key, however it ended, if it is not older than a day; an older one gives its key up.
    std::optional<TurnRecord> byKey(db::Session &db, const TurnOrder &order) const;
    std::optional<TurnRecord> find(db::Session &db, const MessageId &message) const;
    std::optional<TurnRecord> lock(db::Session &db, const MessageId &message) const; // FOR UPDATE

    // False when another request with the same key was quicker.
    bool insertRunning(db::Session &db, const Turn &turn, const TurnOrder &order) const;
    bool insertEnded(db::Session &db, const TurnOrder &order, const MessageId &message, TurnStatus status, Mode mode,
                     const QString &reply, const QJsonObject &answer) const;
    void markRunning(db::Session &db, const Turn &turn) const; // on its session
    void settle(db::Session &db, const Turn &turn, const llm::Completion &completion, const QJsonObject &answer) const;
    // For a turn that was voided and is kept after all: its key may be another's by now.
    void giveKeyUp(db::Session &db, const MessageId &message) const;
    void markVoided(db::Session &db, const MessageId &message) const;
    void release(db::Session &db, const SessionId &session, const MessageId &message) const;

    void insertQuestion(db::Session &db, const Turn &turn) const;
    void insertReply(db::Session &db, const SessionId &session, const UserId &user, const Outcome &outcome,
                     const QDateTime &at) const;
    // Also lets go of the session, unless another turn is the one that runs by now.
    void countIn(db::Session &db, const SessionId &session, const MessageId &message, int messages, Credits cost,
                 const QDateTime &at, const std::optional<QDateTime> &disclosedAt) const;

    QList<TurnRecord> overdue(db::Session &db, int batch) const; // operator role
    int dropOldReplies(db::Session &db) const; // operator role: stateless replies after 24 h
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
