#pragma once

#include "common/models/Chat.h"
#include "common/models/Page.h"
#include "db/Session.h"

namespace companion::chat {

struct NewSessionRow
{
    SessionId id;
    UserId user;
    CharacterId character;
    int personaVersion = 1;
    Mode mode = Mode::Normal;
    QString title;
};

// A session as a turn needs it.
struct LockedSession
{
    SessionId id;
    CharacterId character;
    int personaVersion = 1;
    Mode mode = Mode::Normal;
    QDateTime lastMessageAt;
    std::optional<QDateTime> lastDisclosureAt;
    std::optional<MessageId> runningTurn;
    std::optional<QDateTime> runningUntil;
};

// The SQL of sessions and messages. All but `Any` functions see only the transaction's user (row-level security).
class SessionStore
{
public:
    void insert(db::Session &db, const NewSessionRow &row) const;
    std::optional<ChatSession> find(db::Session &db, const SessionId &id) const;
    std::optional<LockedSession> lock(db::Session &db, const SessionId &id) const; // FOR UPDATE
    Page<ChatSession> list(db::Session &db, const UserId &user, const PageRequest &page) const;
    bool rename(db::Session &db, const SessionId &id, const QString &title) const;
    void lockWallet(db::Session &db, const UserId &user) const; // before any session, where both are needed
    bool remove(db::Session &db, const SessionId &id) const;    // messages and turns go with it

    // The newest first page, oldest first within the page; the cursor goes back. invalid: the cursor is not ours.
    Result<Page<Message>> messages(db::Session &db, const SessionId &session, const PageRequest &page) const;
    std::optional<Message> message(db::Session &db, const MessageId &id) const;
    bool removeMessage(db::Session &db, const MessageId &id) const;
    void keepFeedback(db::Session &db, const Message &message, const UserId &user, const QString &rating,
                      const std::optional<QString> &note) const;
};

} // namespace companion::chat
