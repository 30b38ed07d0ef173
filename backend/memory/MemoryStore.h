#pragma once

#include "common/models/Memories.h"
#include "common/models/Page.h"
#include "db/Session.h"
#include "memory/Spaces.h"
#include "memory/retrieval/Facts.h"

namespace companion::memory {

struct Owner
{
    qint64 revision = 0;
    qint64 rewrittenAt = 0;
    QString space; // that the search uses; empty: none yet
};

// A fact as it is kept.
struct KeptFact
{
    QUuid id;
    Fact fact;
    bool spicy = false;
    bool edited = false; // the user's own word: only they change it
};

// A message that is to become a memory.
struct MessageToNote
{
    MessageId id;
    UserId user;
    SessionId session;
    CharacterId character;
    MessageRole role = MessageRole::User;
    Mode mode = Mode::Normal;
    QString text;
    QDateTime saidAt;
};

struct TextToEmbed
{
    UserId user;
    MemoryId id;
    QString text;
};

enum class QueueKind { Note, Embed, Forget };

// What is to be done, by whoever holds its lease.
struct QueueEntry
{
    qint64 id = 0;
    UserId user;
    QueueKind kind = QueueKind::Note;
    std::optional<SessionId> session;
    QStringList ids;
    bool noted = false;
    QString space;                        // of what is to be forgotten
    std::optional<MemoryReceiptId> receipt;
    int attempts = 0;
};

// What is forgotten: the memories of messages, a session's, these facts, or (nothing named) all of a user's.
struct Forgetting
{
    UserId user;
    QString scope; // as the receipt says
    QString target;
    std::optional<QStringList> messages = {};
    std::optional<SessionId> session = {};
    std::optional<QStringList> facts = {};
};

// The SQL of memories. Every statement names its user; in the app role it sees that user's rows only, besides.
class MemoryStore
{
public:
    std::optional<Owner> owner(db::Session &db, const UserId &user) const;
    // The next revision, and the lock on everything of this user's until the commit.
    qint64 touch(db::Session &db, const UserId &user, bool rewrites) const;

    QList<MessageToNote> messagesToNote(db::Session &db, const QueueEntry &entry) const;
    void insert(db::Session &db, const MessageToNote &message, const QByteArray &terms, qint64 revision) const;
    QList<KeptFact> facts(db::Session &db, const UserId &user) const;
    void insertFact(db::Session &db, const MessageToNote &source, const Fact &fact) const;
    void confirmFact(db::Session &db, const MessageToNote &source, const KeptFact &kept, const Fact &told) const;
    void dropFact(db::Session &db, const UserId &user, const KeptFact &fact) const;

    // Of the named memories, or (none named) of all, those without a vector in this space.
    QList<TextToEmbed> textsToEmbed(db::Session &db, const UserId &user, const QStringList &ids, const Space &space,
                                    int batch) const;
    // False when the memory is gone. `bytes` empty: the space's own store has it.
    bool keepVector(db::Session &db, const UserId &user, const Space &space, const MemoryId &id, int dimension,
                    const QByteArray &bytes, qint64 revision) const;
    void settleSpace(db::Session &db, const UserId &user, const Space &space) const; // where the user had none
    void moveTo(db::Session &db, const UserId &user, const Space &space) const; // and out of all others
    int orderMoves(db::Session &db, const Space &target, int batch) const;

    void queueNote(db::Session &db, const UserId &user, const SessionId &session, const QStringList &messages) const;
    void queueEmbed(db::Session &db, const UserId &user, const QStringList &ids) const;
    void queueForget(db::Session &db, const UserId &user, const QStringList &ids, const Space &space,
                     const std::optional<MemoryReceiptId> &receipt = {}) const;
    QList<QueueEntry> take(db::Session &db, const QString &lease, int seconds, int batch) const;
    void markNoted(db::Session &db, const QueueEntry &entry, const QString &lease) const;
    void done(db::Session &db, const QueueEntry &entry, const QString &lease) const;
    struct Again
    {
        QDateTime due;
        int attempts = 0;
        QString error;
        std::optional<QDateTime> dead = {};
    };
    void again(db::Session &db, const QueueEntry &entry, const QString &lease, const Again &again) const;
    void confirmReceipt(db::Session &db, const MemoryReceiptId &receipt, const QString &space) const;

    MemoryReceipt forget(db::Session &db, const Forgetting &what) const;
    Page<MemoryReceipt> receipts(db::Session &db, const UserId &user, const PageRequest &page) const;
    std::optional<MemoryReceipt> receipt(db::Session &db, const UserId &user, const MemoryReceiptId &id) const;

    // Facts before turns, each the newest first.
    Page<Memory> list(db::Session &db, const UserId &user, std::optional<MemoryKind> kind,
                      const PageRequest &page) const;
    std::optional<Memory> find(db::Session &db, const UserId &user, const MemoryId &id) const;
    void correctTurn(db::Session &db, const UserId &user, const MemoryId &id, const QString &text,
                     const QByteArray &terms, qint64 revision) const;
    // As a message to learn facts from; what was learned from it before is gone.
    MessageToNote corrected(db::Session &db, const UserId &user, const MemoryId &id) const;
    void correctFact(db::Session &db, const UserId &user, const MemoryId &id, const QString &subject,
                     const QString &value) const;
};

} // namespace companion::memory

namespace companion {
template <>
struct EnumNames<memory::QueueKind>
{
    using K = memory::QueueKind;
    static constexpr std::array values{std::pair{K::Note, "note"}, std::pair{K::Embed, "embed"},
                                       std::pair{K::Forget, "forget"}};
};
} // namespace companion
