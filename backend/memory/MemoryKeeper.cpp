#include "memory/MemoryKeeper.h"

#include "db/DatabaseError.h"
#include "ops/Log.h"

#include <QUuid>
#include <algorithm>

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype longestText = 8'000; // characters: embedders take about 8,000 tokens
constexpr int embedHere = 1'000;         // at once, in process
constexpr int movesAtOnce = 1'000;

} // namespace

MemoryKeeper::MemoryKeeper(const MemoryService &memories, db::Workers &bulk)
    : MemoryKeeper(memories, bulk, Pace())
{
}

MemoryKeeper::MemoryKeeper(const MemoryService &memories, db::Workers &bulk, Pace pace)
    : m_memories(memories)
    , m_bulk(bulk)
    , m_pace(pace)
{
    m_timer.setInterval(m_pace.look_ms);
    connect(&m_timer, &QTimer::timeout, this, &MemoryKeeper::look);
    m_nudge.setSingleShot(true);
    m_nudge.setInterval(m_pace.nudge_ms);
    connect(&m_nudge, &QTimer::timeout, this, &MemoryKeeper::look);
}

void MemoryKeeper::start()
{
    m_stopped = false;
    m_timer.start();
    look();
}

void MemoryKeeper::stop()
{
    m_stopped = true;
    m_timer.stop();
    m_nudge.stop();
}

void MemoryKeeper::nudge()
{
    if (!m_stopped && !m_nudge.isActive())
        m_nudge.start();
}

int MemoryKeeper::orderMoves(db::Session &db, const MemoryService &memories)
{
    return memories.store().orderMoves(db, memories.spaces().target(), movesAtOnce);
}

void MemoryKeeper::look()
{
    if (m_stopped)
        return;
    m_again = m_busy;
    if (m_busy)
        return;
    m_busy = true;
    m_bulk.act(
        this, [memories = &m_memories, pace = m_pace](db::Session &db) { return take(db, *memories, pace); },
        &MemoryKeeper::took);
}

// On a worker: everything of the entries that needs no network.
MemoryKeeper::Work MemoryKeeper::take(db::Session &db, const MemoryService &memories, const Pace &pace)
{
    Work work{.lease = QUuid::createUuid().toString(QUuid::WithoutBraces),
              .target = memories.spaces().target(),
              .toEmbed = {},
              .toForget = {}};
    const auto entries = memories.store().take(db, work.lease, pace.lease_s, pace.batch);
    work.taken = int(entries.size());
    for (const QueueEntry &entry : entries) {
        try {
            doOne(db, memories, pace, entry, work);
        } catch (const db::DatabaseError &error) {
            if (error.isConnectionLost())
                throw; // the leases end by themselves
            ++work.failed;
            postpone(db, memories, pace, entry, work.lease, QString::fromUtf8(error.what()));
        } catch (const std::exception &error) {
            ++work.failed;
            postpone(db, memories, pace, entry, work.lease, QString::fromUtf8(error.what()));
        }
    }
    return work;
}

void MemoryKeeper::doOne(db::Session &db, const MemoryService &memories, const Pace &pace, const QueueEntry &entry,
                         Work &work)
{
    if (entry.kind == QueueKind::Forget) {
        work.toForget.append(entry);
        return;
    }
    const bool local = memories.spaces().isLocal(work.target);
    {
        db::Transaction transaction(db);
        memories.note(db, entry, work.lease);
        if (local)
            memories.embedHere(db, entry, embedHere);
        transaction.commit();
    }
    if (local)
        return settle(db, memories, entry, work.lease);
    const auto texts = memories.embedHere(db, entry, pace.texts);
    if (texts.isEmpty()) {
        if (entry.attempts > 1) // an earlier try may have reached the store, and its end been lost
            memories.forgetWhatIsGone(db, entry, work.target);
        return settle(db, memories, entry, work.lease);
    }
    work.toEmbed.append({entry, texts});
}

// The entry is through, or, where there is more to be done for it, due again at once.
void MemoryKeeper::settle(db::Session &db, const MemoryService &memories, const QueueEntry &entry, const QString &lease)
{
    db::Transaction transaction(db);
    if (memories.arrive(db, entry))
        memories.store().done(db, entry, lease);
    else
        memories.store().again(db, entry, lease, {.due = db.now(), .attempts = 0, .error = {}});
    transaction.commit();
}

void MemoryKeeper::postpone(db::Session &db, const MemoryService &memories, const Pace &pace, const QueueEntry &entry,
                            const QString &lease, const QString &why)
{
    const qint64 pause =
        std::min<qint64>(qint64(pace.firstPause_ms) << std::min(entry.attempts - 1, 20), pace.longestPause_ms);
    MemoryStore::Again again{.due = db.now().addMSecs(pause), .attempts = entry.attempts, .error = why};
    if (entry.attempts >= pace.attempts)
        again.dead = db.now();
    memories.store().again(db, entry, lease, again);
    ops::log(again.dead ? ops::Level::Error : ops::Level::Warning, again.dead ? "memory_given_up" : "memory_postponed",
             {{"kind", toText(entry.kind)}, {"attempts", entry.attempts}, {"error", why}});
}

void MemoryKeeper::took(Result<Work> work)
{
    if (!work) { // the database is away, or full: the timer comes again
        m_busy = false;
        return;
    }
    m_failures += quint64(work->failed);
    m_work = std::move(*work);
    next();
}

void MemoryKeeper::next()
{
    if (m_stopped)
        return through();
    if (!m_work.toEmbed.isEmpty())
        return embed(m_work.toEmbed.takeFirst());
    if (!m_work.toForget.isEmpty())
        return forget(m_work.toForget.takeFirst());
    through();
}

void MemoryKeeper::through()
{
    const bool more = m_work.taken > 0 || m_again;
    m_work = {};
    m_busy = false;
    m_again = false;
    if (more)
        QMetaObject::invokeMethod(this, &MemoryKeeper::look, Qt::QueuedConnection);
}

void MemoryKeeper::embed(const ToEmbed &one)
{
    if (const LocalEmbedder *local = m_memories.spaces().localFor(m_work.target)) { // for a store elsewhere
        Vectors vectors;
        for (const TextToEmbed &text : one.texts)
            vectors.push_back(local->embed(text.text));
        return embedded(one, vectors);
    }
    Embedder *embedder = m_memories.spaces().embedderFor(m_work.target);
    if (!embedder)
        return tryAgain(one.entry, u"the embedder is not configured"_s);
    QStringList texts;
    for (const TextToEmbed &text : one.texts)
        texts.append(text.text.left(longestText));
    auto *embedding = embedder->start(texts);
    connect(embedding, &Embedding::finished, this,
            [this, one](const Result<Vectors> &vectors) { embedded(one, vectors); });
}

void MemoryKeeper::embedded(const ToEmbed &one, const Result<Vectors> &vectors)
{
    if (!vectors)
        return tryAgain(one.entry, vectors.error().log.isEmpty() ? vectors.error().detail : vectors.error().log);
    if (qsizetype(vectors->size()) != one.texts.size())
        return tryAgain(one.entry, u"another number of vectors than of texts"_s);
    std::vector<StoredVector> stored;
    std::vector<StoredVector> known; // a vector of zeros is near nothing, and stores elsewhere refuse it
    for (size_t i = 0; i < vectors->size(); ++i) {
        stored.push_back({one.texts[qsizetype(i)].id, (*vectors)[i]});
        if (std::ranges::any_of(stored.back().vector, [](float x) { return x != 0; }))
            known.push_back(stored.back());
    }
    VectorStore *store = m_memories.spaces().storeFor(m_work.target);
    if (!store || known.empty())
        return keep(one, stored, store);
    store->upsert(one.entry.user, m_work.target.embedder, known, this, [this, one, stored](const Result<bool> &done) {
        done ? keep(one, stored, true)
             : tryAgain(one.entry, done.error().log.isEmpty() ? done.error().detail : done.error().log);
    });
}

// What was forgotten while its vector was on the way is taken out of the store again.
void MemoryKeeper::keep(const ToEmbed &one, const std::vector<StoredVector> &vectors, bool elsewhere)
{
    m_bulk.act(
        this,
        [memories = &m_memories, one, vectors, elsewhere, target = m_work.target,
         lease = m_work.lease](db::Session &db) {
            db::Transaction transaction(db);
            const auto gone = memories->keep(db, one.entry.user, target, vectors, elsewhere);
            if (elsewhere && !gone.isEmpty())
                memories->store().queueForget(db, one.entry.user, gone, target);
            transaction.commit();
            settle(db, *memories, one.entry, lease);
            return true;
        },
        [this](const Result<bool> &) { next(); }); // where it failed, the lease ends and it is done again
}

void MemoryKeeper::forget(const QueueEntry &entry)
{
    const Space space = Space::parse(entry.space);
    VectorStore *store = m_memories.spaces().storeFor(space);
    if (!store)
        return tryAgain(entry, u"the store %1 is not configured"_s.arg(space.store));
    const auto then = [this, entry](const Result<bool> &done) { forgot(entry, done); };
    if (entry.ids.isEmpty())
        return store->removeAll(entry.user, space.embedder, this, then);
    QList<MemoryId> ids;
    for (const QString &id : entry.ids)
        if (const auto parsed = MemoryId::parse(id))
            ids.append(*parsed);
    store->remove(entry.user, space.embedder, ids, this, then);
}

void MemoryKeeper::forgot(const QueueEntry &entry, const Result<bool> &done)
{
    if (!done)
        return tryAgain(entry, done.error().log.isEmpty() ? done.error().detail : done.error().log);
    m_bulk.act(
        this,
        [memories = &m_memories, entry, lease = m_work.lease](db::Session &db) {
            db::Transaction transaction(db);
            if (entry.receipt)
                memories->store().confirmReceipt(db, *entry.receipt, entry.space);
            memories->store().done(db, entry, lease);
            transaction.commit();
            return true;
        },
        [this](const Result<bool> &) { next(); });
}

void MemoryKeeper::tryAgain(const QueueEntry &entry, const QString &why)
{
    ++m_failures;
    m_bulk.act(
        this,
        [memories = &m_memories, pace = m_pace, entry, why, lease = m_work.lease](db::Session &db) {
            postpone(db, *memories, pace, entry, lease, why);
            return true;
        },
        [this](const Result<bool> &) { next(); });
}

} // namespace companion::memory
