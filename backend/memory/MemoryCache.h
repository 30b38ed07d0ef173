#pragma once

#include "memory/MemoryStore.h"
#include "memory/retrieval/Corpus.h"

#include <list>
#include <mutex>
#include <shared_mutex>

namespace companion::memory {

// What is kept in process of one user. Read under a shared lock of `mutex`.
struct UserMemories
{
    struct Said
    {
        qint64 at_ms = 0;
        QUuid id;
    };

    mutable std::shared_mutex mutex;
    qint64 revision = -1; // of the owner's row
    QString space;
    std::unique_ptr<Corpus> corpus;
    QHash<QUuid, std::vector<Said>> sessions; // each in the order of time
    std::vector<QUuid> spicy;
    QList<KeptFact> facts;
    size_t bytes = 0;

    // The newest of a session: the window that the prompt shows anyway.
    std::vector<QUuid> newestOf(const SessionId &session, int count) const;
};

// Users' memories in process, loaded when they are asked for and brought up to date by their revision; those used
// longest ago are let go beyond the bound. Any thread.
class MemoryCache
{
public:
    // `words` outlives the cache.
    MemoryCache(size_t bound_bytes, const LocalEmbedder &words)
        : m_bound(bound_bytes)
        , m_words(words)
    {
    }

    // As of this owner's row, or newer. Reads from the database what is missing.
    std::shared_ptr<const UserMemories> current(db::Session &db, const UserId &user, const Owner &owner) const;
    void drop(const UserId &user) const;
    void clear() const;
    size_t bytes() const;
    int users() const;

private:
    struct Place
    {
        std::shared_ptr<UserMemories> memories;
        std::list<UserId>::iterator use;
        size_t bytes = 0;
    };
    std::shared_ptr<UserMemories> place(const UserId &user) const;
    void bringUpToDate(db::Session &db, const UserId &user, const Owner &owner, UserMemories &memories) const;
    void account(const UserId &user, size_t bytes) const;

    const size_t m_bound;
    const LocalEmbedder &m_words;
    mutable std::mutex m_mutex; // guards what follows
    mutable QHash<UserId, Place> m_places;
    mutable std::list<UserId> m_uses; // the latest first
    mutable size_t m_bytes = 0;
};

} // namespace companion::memory
