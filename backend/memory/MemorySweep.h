#pragma once

#include "db/Workers.h"
#include "memory/MemoryService.h"

#include <QTimer>

namespace companion::memory {

// What a sweep came to.
struct SweepReport
{
    int users = 0;
    int orphans = 0;   // vectors here, memories or facts whose message is gone, vectors in a store elsewhere
    int failures = 0;  // users whose store did not answer
    bool operator==(const SweepReport &) const = default;
};

// Proves deletion: goes through all users and holds what each store has against what there is to remember. What should
// not be there is taken out, with a receipt of scope "orphans". A healthy system has none. Loop thread; acts on the
// bulk lane.
class MemorySweep : public QObject
{
    Q_OBJECT
public:
    MemorySweep(const MemoryService &memories, db::Workers &bulk, int every_ms = 6 * 3'600'000);

    void start();
    void stop();
    void run(); // now; ended() follows
    const SweepReport &last() const { return m_last; }

Q_SIGNALS:
    void ended(const companion::memory::SweepReport &report);

private:
    struct Users
    {
        QList<UserId> ids;
        int orphans = 0;
    };
    void nextUsers();
    void nextUser();
    void compare(const UserId &user, const QList<MemoryId> &elsewhere);
    void finish();
    static Users usersAfter(db::Session &db, const MemoryService &memories, const UserId &after);
    static int takeOut(db::Session &db, const MemoryService &memories, const UserId &user, const Space &space,
                       const QList<MemoryId> &elsewhere);

    const MemoryService &m_memories;
    db::Workers &m_bulk;
    QTimer m_timer;
    QList<UserId> m_users;
    UserId m_after;
    SweepReport m_report;
    SweepReport m_last;
    bool m_running = false;
    bool m_stopped = false;
};

} // namespace companion::memory
