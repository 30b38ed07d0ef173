#pragma once

#include "memory/MemoryCache.h"

#include <functional>

namespace companion::memory {

struct MemoryTerms
{
    int memories = 5;         // turns brought into a prompt
    int tokens = 800;         // that facts and turns may take of it together, as the prompt is estimated
    int candidates = 100;     // asked of a store elsewhere
    int gatherWithin_ms = 300;
    size_t cache_bytes = size_t(256) * 1024 * 1024;
    std::function<int(QStringView)> tokensOf = {}; // the model's estimate
};

// What a turn wants to be reminded of.
struct RecallOrder
{
    UserId user;
    CharacterId character; // what was said with another is not recalled
    SessionId session;
    Mode mode = Mode::Normal;
    QString text;
    QString userName;
    QString companionName;
    int window = 10; // the newest messages of the session, which the prompt shows anyway
};

// What was got from the network for it, in the time there was.
struct Gathered
{
    QString space; // what follows is of
    Vector vector = {};
    std::optional<std::vector<Nearest>> nearest = {};
    bool degraded = false; // something did not answer
};

// What goes into the prompt.
struct Recollection
{
    QString block; // empty: nothing
    QList<UsedMemory> memories = {}; // in it, best first
    bool degraded = false; // something was out of reach: found by words alone, or not at all
    int stillToCome_tokens = 0; // for a quote: at most so much more would come from elsewhere
};

// The rules of long-term memory, as plain blocking acts. All outlive it; safe on any worker.
class MemoryService
{
public:
    MemoryService(const Spaces &spaces, MemoryTerms terms);

    // The space whose vectors have to be waited for in this user's search: elsewhere than in process.
    // nullopt: nothing is to be waited for. In the caller's transaction, or one of its own.
    std::optional<QString> spaceToGather(db::Session &db, const UserId &user) const;
    // What of it is to be embedded.
    static QString questionToEmbed(const RecallOrder &order);
    // In a transaction of its own. Never fails for want of a vector; a failing database is told as degraded.
    Recollection recall(db::Session &db, const RecallOrder &order, const std::optional<Gathered> &gathered) const;

    // ——— the queue's side, operator role ———
    // Turns an entry's messages into memories and facts; once.
    void note(db::Session &db, const QueueEntry &entry, const QString &lease) const;
    // Makes the vectors that can be made in process, all of them. What is left needs the network.
    QList<TextToEmbed> embedHere(db::Session &db, const QueueEntry &entry, int batch) const;
    // Keeps vectors that came by the network, and says which memories are gone meanwhile. `elsewhere`: in the space's
    // own store.
    QStringList keep(db::Session &db, const UserId &user, const Space &space, const std::vector<StoredVector> &vectors,
                     bool elsewhere) const;
    // Orders a store elsewhere to forget those of the entry's memories that are no longer there.
    void forgetWhatIsGone(db::Session &db, const QueueEntry &entry, const Space &space) const;
    // An entry whose vectors are all there: where it moved a whole user, the search moves too.
    // False: there are more to be made.
    bool arrive(db::Session &db, const QueueEntry &entry) const;

    // ——— the user's side ———
    Page<Memory> list(db::Session &db, const UserId &user, std::optional<MemoryKind> kind,
                      const PageRequest &page) const;
    Result<Memory> find(db::Session &db, const UserId &user, const MemoryId &id) const;
    // invalid: a turn has a text, a fact has a subject and a value.
    Result<Memory> correct(db::Session &db, const UserId &user, const MemoryId &id, const MemoryPatch &patch) const;
    Result<MemoryReceipt> forget(db::Session &db, const UserId &user, const MemoryId &id) const;
    // Called in the transaction that deletes them, after the messages are gone.
    MemoryReceipt forgetMessage(db::Session &db, const UserId &user, const MessageId &message) const;
    MemoryReceipt forgetSession(db::Session &db, const UserId &user, const SessionId &session) const;

    // ——— the user's rights ———
    // All memories, facts and receipts of a user, as JSON.
    QJsonObject exportFor(db::Session &db, const UserId &user) const;
    // Everything, in the caller's transaction; stores elsewhere follow by the queue and confirm on the receipt.
    MemoryReceipt eraseFor(db::Session &db, const UserId &user) const;

    const Spaces &spaces() const { return m_spaces; }
    const MemoryTerms &terms() const { return m_terms; }
    const MemoryCache &cache() const { return m_cache; }
    const MemoryStore &store() const { return m_store; }

private:
    Recollection recallIn(db::Session &db, const RecallOrder &order, const std::optional<Gathered> &gathered) const;
    void learn(db::Session &db, const MessageToNote &message) const;
    Question questionFor(const RecallOrder &order, const std::optional<Gathered> &gathered, const Space &space,
                         const UserMemories &memories, const QDateTime &now) const;

    const Spaces &m_spaces;
    MemoryTerms m_terms;
    MemoryStore m_store;
    MemoryCache m_cache;
};

} // namespace companion::memory
