#include "memory/MemorySweep.h"

#include "ops/Log.h"

#include <QSet>

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

constexpr int usersAtOnce = 100;
constexpr int orphansAtOnce = 1'000;

QStringList idsOf(const db::Rows &rows)
{
    QStringList ids;
    for (const db::Row &row : rows)
        ids.append(row.text("id"));
    return ids;
}

} // namespace

MemorySweep::MemorySweep(const MemoryService &memories, db::Workers &bulk, int every_ms)
    : m_memories(memories)
    , m_bulk(bulk)
{
    m_timer.setInterval(every_ms);
    connect(&m_timer, &QTimer::timeout, this, &MemorySweep::run);
}

void MemorySweep::start()
{
    m_stopped = false;
    m_timer.start();
}

void MemorySweep::stop()
{
    m_stopped = true;
    m_timer.stop();
}

void MemorySweep::run()
{
    if (m_running)
        return;
    m_running = true;
    m_report = {};
    m_after = UserId();
    nextUsers();
}

void MemorySweep::nextUsers()
{
    m_bulk.act(
        this, [memories = &m_memories, after = m_after](db::Session &db) { return usersAfter(db, *memories, after); },
        [this](const Result<Users> &users) {
            if (!users)
                ++m_report.failures;
            if (!users || users->ids.isEmpty() || m_stopped)
                return finish();
            m_report.orphans += users->orphans;
            m_users = users->ids;
            m_after = m_users.last();
            nextUser();
        });
}

// The next users, and, on the way, what our own tables have of theirs that should not be there.
MemorySweep::Users MemorySweep::usersAfter(db::Session &db, const MemoryService &memories, const UserId &after)
{
    Users users;
    for (const db::Row &row : db.rows("memory.owners_after", {{"after", after}, {"batch", usersAtOnce}}))
        users.ids.append(row.id<UserId>("user_id"));
    for (const UserId &user : users.ids) {
        const auto gone = idsOf(db.rows("memory.without_message", {{"user_id", user}, {"batch", orphansAtOnce}}));
        if (!gone.isEmpty()) {
            db::Transaction transaction(db);
            memories.store().forget(db,
                                    {.user = user, .scope = u"orphans"_s, .target = user.toString(), .messages = gone});
            transaction.commit();
        }
        users.orphans += int(gone.size());
        users.orphans += int(db.execute("memory.drop_orphan_vectors", {{"user_id", user}}));
    }
    return users;
}

void MemorySweep::nextUser()
{
    const Space space = m_memories.spaces().target();
    VectorStore *store = m_memories.spaces().storeFor(space);
    if (m_users.isEmpty() || !store || m_stopped) {
        m_report.users += store ? 0 : int(m_users.size());
        return m_stopped ? finish() : nextUsers();
    }
    const UserId user = m_users.takeFirst();
    ++m_report.users;
    store->list(user, space.embedder, this, [this, user](const Result<QList<MemoryId>> &ids) {
        if (!ids) {
            ++m_report.failures;
            return nextUser();
        }
        compare(user, *ids);
    });
}

void MemorySweep::compare(const UserId &user, const QList<MemoryId> &elsewhere)
{
    m_bulk.act(
        this,
        [memories = &m_memories, user, elsewhere, space = m_memories.spaces().target()](db::Session &db) {
            return takeOut(db, *memories, user, space, elsewhere);
        },
        [this](const Result<int> &orphans) {
            m_report.orphans += orphans.value_or(0);
            m_report.failures += orphans ? 0 : 1;
            nextUser();
        });
}

// What the store has and no memory: its order to forget it.
int MemorySweep::takeOut(db::Session &db, const MemoryService &memories, const UserId &user, const Space &space,
                         const QList<MemoryId> &elsewhere)
{
    QStringList gone;
    for (const MemoryId &id : elsewhere)
        gone.append(id.toString());
    if (gone.isEmpty())
        return 0;
    QSet<QString> kept;
    for (const db::Row &row : db.rows("memory.texts", {{"user_id", user}, {"ids", gone}}))
        kept.insert(row.text("id"));
    gone.removeIf([&](const QString &id) { return kept.contains(id); });
    if (!gone.isEmpty())
        memories.store().queueForget(db, user, gone, space);
    return int(gone.size());
}

void MemorySweep::finish()
{
    m_running = false;
    m_last = m_report;
    ops::log(m_report.orphans > 0 ? ops::Level::Warning : ops::Level::Info, "memory_sweep",
             {{"users", m_report.users}, {"orphans", m_report.orphans}, {"failures", m_report.failures}});
    Q_EMIT ended(m_report);
}

} // namespace companion::memory
