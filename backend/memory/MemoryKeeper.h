#pragma once

#include "db/Workers.h"
#include "memory/MemoryService.h"

#include <QPointer>
#include <QTimer>

namespace companion::memory {

// Does what stands in the queue: messages become memories, memories get vectors, what is forgotten leaves the stores.
// Every step is written down before the next, so that another instance goes on where this one is killed: an entry is
// taken under a lease, and what was done twice was done once. Acts run on the bulk lane. Loop thread.
class MemoryKeeper : public QObject
{
    Q_OBJECT
public:
    struct Pace
    {
        int look_ms = 5'000; // for what other instances left; our own is told by nudge()
        int nudge_ms = 100;
        int lease_s = 120;
        int batch = 16;      // entries at once
        int texts = 96;      // in one request for vectors
        int attempts = 12;   // then it is given up: dead
        int firstPause_ms = 1'000; // doubles
        int longestPause_ms = 3'600'000;
    };

    MemoryKeeper(const MemoryService &memories, db::Workers &bulk);
    MemoryKeeper(const MemoryService &memories, db::Workers &bulk, Pace pace);

    void start();
    void stop();
    void nudge(); // something was put into the queue
    bool isIdle() const { return !m_busy && !m_again; }
    quint64 failures() const { return m_failures; } // entries that had to be tried again

    // Users whose vectors are in another space than new ones get their order to move; says how many. Bulk lane.
    static int orderMoves(db::Session &db, const MemoryService &memories);

private:
    // An entry whose vectors have to be got, and its texts.
    struct ToEmbed
    {
        QueueEntry entry;
        QList<TextToEmbed> texts;
    };
    struct Work
    {
        QString lease;
        Space target;
        int taken = 0;
        int failed = 0;
        QList<ToEmbed> toEmbed;
        QList<QueueEntry> toForget;
    };
    void look();
    void took(Result<Work> work);
    void next();
    void embed(const ToEmbed &one);
    void embedded(const ToEmbed &one, const Result<Vectors> &vectors);
    void keep(const ToEmbed &one, const std::vector<StoredVector> &vectors, bool elsewhere);
    void forget(const QueueEntry &entry);
    void forgot(const QueueEntry &entry, const Result<bool> &done);
    void tryAgain(const QueueEntry &entry, const QString &why);
    void through();

    static Work take(db::Session &db, const MemoryService &memories, const Pace &pace);
    static void doOne(db::Session &db, const MemoryService &memories, const Pace &pace, const QueueEntry &entry,
                      Work &work);
    static void settle(db::Session &db, const MemoryService &memories, const QueueEntry &entry, const QString &lease);
    static void postpone(db::Session &db, const MemoryService &memories, const Pace &pace, const QueueEntry &entry,
                         const QString &lease, const QString &why);

    const MemoryService &m_memories;
    db::Workers &m_bulk;
    const Pace m_pace;
    Work m_work;
    QTimer m_timer;
    QTimer m_nudge;
    quint64 m_failures = 0;
    bool m_busy = false;
    bool m_again = false;
    bool m_stopped = true;
};

} // namespace companion::memory
