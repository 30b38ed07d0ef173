#include "memory/MemoryCache.h"

#include "common/Ensure.h"

#include <QtEndian>
#include <algorithm>

namespace companion::memory {

namespace {

constexpr qsizetype uuidBytes = 16;
constexpr size_t bytesPerSaid = 64;

// The columns of memory.load, read memory by memory.
class ColumnReader
{
public:
    explicit ColumnReader(const db::Row &row)
        : m_count(row.integer("memories"))
        , m_ids(row.bytes("ids"))
        , m_sessions(row.bytes("sessions"))
        , m_characters(row.bytes("characters"))
        , m_times(row.bytes("times"))
        , m_flags(row.text("flags").toLatin1())
        , m_terms(row.bytes("terms"))
    {
        ensure(m_ids.size() == m_count * uuidBytes && m_times.size() == m_count * 8 && m_flags.size() == m_count * 2,
               "memory.load gives whole columns");
    }

    qint64 count() const { return m_count; }
    bool atEnd() const { return m_at == m_count; }

    // `stale`: its digest is of another version.
    MemoryEntry next(bool &spicy, bool &stale)
    {
        MemoryEntry entry;
        entry.id = uuidAt(m_ids, m_at);
        entry.conversation = uuidAt(m_sessions, m_at);
        entry.scope = uuidAt(m_characters, m_at);
        entry.saidAt_ms = qFromBigEndian<qint64>(m_times.constData() + m_at * 8);
        entry.position = entry.saidAt_ms;
        entry.speaker = m_flags[m_at * 2] == 'u' ? Speaker::User : Speaker::Companion;
        spicy = m_flags[m_at * 2 + 1] == 's';
        const auto length = qsizetype(qFromBigEndian<qint32>(m_terms.constData() + m_termsAt));
        auto digest = decodeDigest(QByteArrayView(m_terms).sliced(m_termsAt + 4, length));
        m_termsAt += 4 + length;
        stale = !digest;
        if (digest)
            entry.digest = std::move(*digest);
        ++m_at;
        return entry;
    }

    static QUuid uuidAt(const QByteArray &column, qint64 index)
    {
        return QUuid::fromRfc4122(QByteArrayView(column).sliced(index * uuidBytes, uuidBytes));
    }

private:
    const qint64 m_count;
    const QByteArray m_ids, m_sessions, m_characters, m_times, m_flags, m_terms;
    qint64 m_at = 0;
    qsizetype m_termsAt = 0;
};

// The vectors of the space, by memory. Where they are not all of one length, somebody changed the model under its
// name: none of them is used.
struct LoadedVectors
{
    explicit LoadedVectors(const db::Row &row)
        : ids(row.bytes("ids"))
        , halves(row.bytes("halves"))
        , count(row.integer("vectors"))
        , dimension(row.integer("least") == row.integer("most") ? int(row.integer("most")) : 0)
    {
        if (dimension == 0)
            count = 0;
    }
    QByteArrayView at(qint64 i) const
    {
        return QByteArrayView(halves).sliced(i * dimension * 2, qsizetype(dimension) * 2);
    }

    QByteArray ids;
    QByteArray halves;
    qint64 count = 0;
    int dimension = 0;
};

void keepDigest(db::Session &db, const UserId &user, MemoryEntry &entry)
{
    const auto row =
        db.first("memory.texts", {{"user_id", user}, {"ids", QStringList{entry.id.toString(QUuid::WithoutBraces)}}});
    if (!row)
        return;
    entry.digest = digestOf(row->text("text"), row->time("said_at").date());
    db.execute("memory.renew_terms", {{"user_id", user}, {"id", MemoryId(entry.id)}, {"terms", encode(entry.digest)}});
}

void insertInTime(std::vector<UserMemories::Said> &said, const UserMemories::Said &one)
{
    std::erase_if(said, [&](const UserMemories::Said &other) { return other.id == one.id; });
    said.insert(std::ranges::upper_bound(said, one.at_ms, {}, &UserMemories::Said::at_ms), one);
}

} // namespace

std::vector<QUuid> UserMemories::newestOf(const SessionId &session, int count) const
{
    std::vector<QUuid> newest;
    const auto found = sessions.constFind(session.uuid());
    if (found == sessions.constEnd())
        return newest;
    const auto &said = *found;
    const auto from = std::max<qsizetype>(0, qsizetype(said.size()) - count);
    for (auto i = size_t(from); i < said.size(); ++i)
        newest.push_back(said[i].id);
    return newest;
}

std::shared_ptr<const UserMemories> MemoryCache::current(db::Session &db, const UserId &user, const Owner &owner) const
{
    auto memories = place(user);
    {
        std::shared_lock reading(memories->mutex);
        if (memories->revision >= owner.revision && memories->space == owner.space)
            return memories;
    }
    size_t bytes = 0;
    {
        std::unique_lock writing(memories->mutex);
        if (memories->revision < owner.revision || memories->space != owner.space)
            bringUpToDate(db, user, owner, *memories);
        bytes = memories->bytes;
    }
    account(user, bytes);
    return memories;
}

void MemoryCache::bringUpToDate(db::Session &db, const UserId &user, const Owner &owner, UserMemories &memories) const
{
    const bool anew = !memories.corpus || memories.revision < owner.rewrittenAt || memories.space != owner.space;
    const qint64 after = anew ? 0 : memories.revision;
    memories.revision = -1; // whatever interrupts this, the next one loads it whole
    const LoadedVectors vectors(
        db.one("memory.load_vectors", {{"user_id", user}, {"space", owner.space}, {"after", after}}));
    if (anew || (memories.corpus->dimension() == 0 && vectors.dimension > 0)) {
        if (!anew) // the first vectors of all: their length is known only now
            return bringUpToDate(db, user, {owner.revision, owner.revision, owner.space}, memories);
        memories.corpus = std::make_unique<Corpus>(vectors.dimension, &m_words);
        memories.sessions.clear();
        memories.spicy.clear();
    }
    ColumnReader reader(db.one("memory.load", {{"user_id", user}, {"after", after}}));
    QHash<QUuid, qint64> vectorOf;
    vectorOf.reserve(vectors.count);
    for (qint64 i = 0; i < vectors.count; ++i)
        vectorOf.insert(ColumnReader::uuidAt(vectors.ids, i), i);
    Corpus &corpus = *memories.corpus;
    corpus.reserve(corpus.size() + int(reader.count()));
    while (!reader.atEnd()) {
        bool spicy = false;
        bool stale = false;
        MemoryEntry entry = reader.next(spicy, stale);
        if (stale)
            keepDigest(db, user, entry);
        if (const auto vector = vectorOf.constFind(entry.id); vector != vectorOf.constEnd())
            entry.vector = halvesFromBytes(vectors.at(*vector));
        vectorOf.remove(entry.id);
        if (spicy)
            memories.spicy.push_back(entry.id);
        auto &said = memories.sessions[entry.conversation];
        if (anew)
            said.push_back({entry.saidAt_ms, entry.id});
        else
            insertInTime(said, {entry.saidAt_ms, entry.id});
        corpus.append(entry);
    }
    if (anew)
        for (auto &said : memories.sessions)
            std::ranges::sort(said, {}, &UserMemories::Said::at_ms);
    for (const auto &[id, at] : vectorOf.asKeyValueRange()) // of memories that came without one before
        corpus.setVector(id, halvesFromBytes(vectors.at(at)));
    memories.facts = MemoryStore().facts(db, user);
    memories.space = owner.space;
    memories.bytes = corpus.bytes() + size_t(corpus.size()) * bytesPerSaid;
    memories.revision = owner.revision;
}

std::shared_ptr<UserMemories> MemoryCache::place(const UserId &user) const
{
    std::scoped_lock lock(m_mutex);
    const auto found = m_places.find(user);
    if (found != m_places.end()) {
        m_uses.splice(m_uses.begin(), m_uses, found->use);
        return found->memories;
    }
    m_uses.push_front(user);
    return m_places.insert(user, {std::make_shared<UserMemories>(), m_uses.begin(), 0})->memories;
}

void MemoryCache::account(const UserId &user, size_t bytes) const
{
    std::scoped_lock lock(m_mutex);
    if (const auto found = m_places.find(user); found != m_places.end()) {
        m_bytes += bytes - found->bytes;
        found->bytes = bytes;
    }
    while (m_bytes > m_bound && m_uses.size() > 1) { // who is asked for now stays, however much it is
        const auto last = m_places.find(m_uses.back());
        m_bytes -= last->bytes;
        m_places.erase(last);
        m_uses.pop_back();
    }
}

void MemoryCache::drop(const UserId &user) const
{
    std::scoped_lock lock(m_mutex);
    if (const auto found = m_places.find(user); found != m_places.end()) {
        m_bytes -= found->bytes;
        m_uses.erase(found->use);
        m_places.erase(found);
    }
}

void MemoryCache::clear() const
{
    std::scoped_lock lock(m_mutex);
    m_places.clear();
    m_uses.clear();
    m_bytes = 0;
}

size_t MemoryCache::bytes() const
{
    std::scoped_lock lock(m_mutex);
    return m_bytes;
}

int MemoryCache::users() const
{
    std::scoped_lock lock(m_mutex);
    return int(m_places.size());
}

} // namespace companion::memory
