#include "memory/MemoryService.h"

#include "db/DatabaseError.h"
#include "memory/retrieval/PromptBlock.h"

#include <QJsonArray>
#include <QLoggingCategory>

namespace companion::memory {

using namespace Qt::StringLiterals;

Q_LOGGING_CATEGORY(memoryLog, "companion.memory", QtInfoMsg)

namespace {

constexpr int exportBatch = 500;

Refusal noSuchMemory()
{
    return {ErrorCode::NotFound, u"There is no such memory."_s};
}

std::vector<std::pair<QUuid, float>> pairsOf(const std::vector<Nearest> &nearest)
{
    std::vector<std::pair<QUuid, float>> pairs;
    pairs.reserve(nearest.size());
    for (const auto &[id, score] : nearest)
        pairs.emplace_back(id.uuid(), score);
    return pairs;
}

} // namespace

MemoryService::MemoryService(const Spaces &spaces, MemoryTerms terms)
    : m_spaces(spaces)
    , m_terms(std::move(terms))
    , m_cache(m_terms.cache_bytes, spaces.local())
{
}

QString MemoryService::questionToEmbed(const RecallOrder &order)
{
    return bareQuestion({.text = order.text, .userName = order.userName, .companionName = order.companionName});
}

std::optional<QString> MemoryService::spaceToGather(db::Session &db, const UserId &user) const
{
    db::Transaction transaction(db, user);
    const auto owner = m_store.owner(db, user);
    transaction.commit();
    if (!owner || owner->space.isEmpty() || m_spaces.isLocal(Space::parse(owner->space)))
        return std::nullopt;
    return owner->space;
}

// The prompt goes out without memories rather than not at all.
Recollection MemoryService::recall(db::Session &db, const RecallOrder &order,
                                   const std::optional<Gathered> &gathered) const
{
    try {
        db::Transaction transaction(db, order.user);
        auto recollection = recallIn(db, order, gathered);
        transaction.commit();
        return recollection;
    } catch (const db::DatabaseError &error) {
        if (error.isConnectionLost())
            throw;
        qCWarning(memoryLog) << "no memories in a prompt:" << error.sqlState() << error.what();
        return {.block = {}, .degraded = true};
    }
}

Recollection MemoryService::recallIn(db::Session &db, const RecallOrder &order,
                                     const std::optional<Gathered> &gathered) const
{
    const auto owner = m_store.owner(db, order.user);
    if (!owner || owner->revision == 0)
        return {};
    const auto memories = m_cache.current(db, order.user, *owner);
    const Space space = Space::parse(owner->space);
    std::vector<Recalled> ranked;
    std::vector<Fact> facts;
    Recollection recollection;
    recollection.degraded = gathered ? gathered->degraded : !owner->space.isEmpty() && !m_spaces.isLocal(space);
    {
        std::shared_lock reading(memories->mutex);
        ranked = memories->corpus->rank(questionFor(order, gathered, space, *memories, db.now()), m_terms.memories);
        for (const KeptFact &kept : memories->facts)
            if (!kept.spicy || order.mode == Mode::Spicy)
                facts.push_back(kept.fact);
    }
    QStringList ids;
    for (const Recalled &one : ranked)
        ids.append(one.id.toString(QUuid::WithoutBraces));
    QHash<QUuid, RecalledText> texts;
    if (!ids.isEmpty())
        for (const db::Row &row : db.rows("memory.texts", {{"user_id", order.user}, {"ids", ids}}))
            texts.insert(row.id<MemoryId>("id").uuid(),
                         {row.text("text"), row.text("speaker") == u"user"_s ? Speaker::User : Speaker::Companion,
                          row.time("said_at")});
    std::vector<RecalledText> turns;
    for (const Recalled &one : ranked)
        if (const auto text = texts.constFind(one.id); text != texts.constEnd()) {
            turns.push_back(*text);
            recollection.memories.append({MessageId(one.id), one.score});
        }
    const auto block = renderMemories(turns, facts, m_terms.tokens, db.now(), m_terms.tokensOf, order.companionName);
    recollection.block = block.text;
    recollection.memories.resize(std::min<qsizetype>(recollection.memories.size(), block.memories));
    return recollection;
}

Question MemoryService::questionFor(const RecallOrder &order, const std::optional<Gathered> &gathered,
                                    const Space &space, const UserMemories &memories, const QDateTime &now) const
{
    Question question{.text = order.text,
                      .vector = {},
                      .askedAt = now,
                      .scope = order.character.uuid(),
                      .userName = order.userName,
                      .companionName = order.companionName,
                      .alreadyShown = memories.newestOf(order.session, order.window)};
    if (order.mode == Mode::Normal)
        question.alreadyShown.insert(question.alreadyShown.end(), memories.spicy.begin(), memories.spicy.end());
    if (const LocalEmbedder *local = m_spaces.localFor(space); local && space.store == inPostgres)
        question.vector = local->embed(bareQuestion(question));
    else if (gathered && gathered->space == space.name()) {
        question.vector = gathered->vector;
        if (gathered->nearest)
            question.nearest = pairsOf(*gathered->nearest);
    }
    return question;
}

// The messages may be gone by now, or be noted by an earlier try whose end was lost.
void MemoryService::note(db::Session &db, const QueueEntry &entry, const QString &lease) const
{
    if (entry.kind != QueueKind::Note || entry.noted)
        return;
    const auto messages = m_store.messagesToNote(db, entry);
    if (!messages.isEmpty()) {
        const qint64 revision = m_store.touch(db, entry.user, false);
        for (const MessageToNote &message : messages) {
            m_store.insert(db, message, encode(digestOf(message.text, message.saidAt.date())), revision);
            if (message.role == MessageRole::User)
                learn(db, message);
        }
    }
    m_store.markNoted(db, entry, lease);
}

// Facts that the user has put right stay as they are, and nothing is added that says otherwise.
void MemoryService::learn(db::Session &db, const MessageToNote &message) const
{
    const auto found = factsIn(message.text, message.saidAt);
    if (found.empty())
        return;
    const auto kept = m_store.facts(db, message.user);
    std::vector<Fact> plain;
    QSet<QString> fixed;
    for (const KeptFact &one : kept) {
        plain.push_back(one.fact);
        if (one.edited)
            fixed.insert(keyOf(one.fact));
    }
    const auto changes = consolidate(plain, found);
    for (const size_t i : changes.superseded)
        m_store.dropFact(db, message.user, kept[qsizetype(i)]);
    for (const size_t i : changes.confirmed)
        for (const Fact &told : found)
            if (keyOf(told) == keyOf(plain[i])) {
                m_store.confirmFact(db, message, kept[qsizetype(i)], told);
                break;
            }
    for (const Fact &fact : changes.added)
        if (!fixed.contains(keyOf(fact)) && !fact.value.isEmpty() && !fact.subject.isEmpty())
            m_store.insertFact(db, message, fact);
}

QList<TextToEmbed> MemoryService::embedHere(db::Session &db, const QueueEntry &entry, int batch) const
{
    const Space target = m_spaces.target();
    auto texts = m_store.textsToEmbed(db, entry.user, entry.ids, target, batch);
    if (!m_spaces.isLocal(target) || texts.isEmpty())
        return texts;
    std::vector<StoredVector> vectors;
    for (const TextToEmbed &text : texts)
        vectors.push_back({text.id, m_spaces.local().embed(text.text)});
    keep(db, entry.user, target, vectors, false);
    return {};
}

QStringList MemoryService::keep(db::Session &db, const UserId &user, const Space &space,
                                const std::vector<StoredVector> &vectors, bool elsewhere) const
{
    const qint64 revision = m_store.touch(db, user, false);
    QStringList gone;
    for (const auto &[id, vector] : vectors)
        if (!m_store.keepVector(db, user, space, id, int(vector.size()), elsewhere ? QByteArray() : toBytes(vector),
                                revision))
            gone.append(id.toString());
    m_store.settleSpace(db, user, space);
    return gone;
}

void MemoryService::forgetWhatIsGone(db::Session &db, const QueueEntry &entry, const Space &space) const
{
    QStringList gone = entry.ids;
    if (space.store == inPostgres || gone.isEmpty())
        return;
    for (const db::Row &row : db.rows("memory.texts", {{"user_id", entry.user}, {"ids", entry.ids}}))
        gone.removeAll(row.text("id"));
    if (!gone.isEmpty())
        m_store.queueForget(db, entry.user, gone, space);
}

bool MemoryService::arrive(db::Session &db, const QueueEntry &entry) const
{
    if (entry.kind != QueueKind::Embed || !entry.ids.isEmpty())
        return true;
    const Space target = m_spaces.target();
    if (!m_store.textsToEmbed(db, entry.user, {}, target, 1).isEmpty())
        return false;
    m_store.touch(db, entry.user, true);
    m_store.moveTo(db, entry.user, target);
    return true;
}

Page<Memory> MemoryService::list(db::Session &db, const UserId &user, std::optional<MemoryKind> kind,
                                 const PageRequest &page) const
{
    return m_store.list(db, user, kind, page);
}

Result<Memory> MemoryService::find(db::Session &db, const UserId &user, const MemoryId &id) const
{
    const auto memory = m_store.find(db, user, id);
    return memory ? Result<Memory>(*memory) : std::unexpected(noSuchMemory());
}

Result<Memory> MemoryService::correct(db::Session &db, const UserId &user, const MemoryId &id,
                                      const MemoryPatch &patch) const
{
    const qint64 revision = m_store.touch(db, user, true); // nobody writes this user's memories meanwhile
    const auto memory = find(db, user, id);
    if (!memory)
        return memory;
    const bool isTurn = memory->kind == MemoryKind::Turn;
    if (isTurn ? !patch.text || patch.subject || patch.value : patch.text || (!patch.subject && !patch.value))
        return std::unexpected(
            Refusal{.code = ErrorCode::Invalid,
                    .detail = isTurn ? u"What was said has a text."_s : u"A fact has a subject and a value."_s,
                    .errors = {{isTurn ? u"/text"_s : u"/value"_s, u"is what can be corrected here"_s}}});
    if (isTurn) {
        m_store.correctTurn(db, user, id, *patch.text, encode(digestOf(*patch.text, memory->saidAt.date())), revision);
        if (memory->speaker == MessageRole::User)
            learn(db, m_store.corrected(db, user, id));
        m_store.queueEmbed(db, user, {id.toString()});
    } else {
        m_store.correctFact(db, user, id, patch.subject.value_or(*memory->subject),
                            patch.value.value_or(*memory->value));
    }
    return find(db, user, id);
}

Result<MemoryReceipt> MemoryService::forget(db::Session &db, const UserId &user, const MemoryId &id) const
{
    const auto memory = find(db, user, id);
    if (!memory)
        return std::unexpected(memory.error());
    Forgetting what{.user = user, .scope = u"memory"_s, .target = id.toString()};
    if (memory->kind == MemoryKind::Turn) {
        what.messages = QStringList{id.toString()};
    } else {
        what.scope = u"fact"_s;
        what.facts = QStringList{id.toString()};
    }
    return m_store.forget(db, what);
}

MemoryReceipt MemoryService::forgetMessage(db::Session &db, const UserId &user, const MessageId &message) const
{
    return m_store.forget(db,
                          {.user = user,
                           .scope = u"message"_s,
                           .target = message.toString(),
                           .messages = QStringList{message.toString()}});
}

MemoryReceipt MemoryService::forgetSession(db::Session &db, const UserId &user, const SessionId &session) const
{
    return m_store.forget(db, {.user = user, .scope = u"session"_s, .target = session.toString(), .session = session});
}

QJsonObject MemoryService::exportFor(db::Session &db, const UserId &user) const
{
    QJsonArray memories;
    PageRequest page{.limit = exportBatch, .offset = 0};
    for (bool more = true; more; page.offset += exportBatch) {
        const auto list = m_store.list(db, user, std::nullopt, page);
        for (const Memory &memory : list.items)
            memories.append(toJson(memory));
        more = list.hasMore;
    }
    QJsonArray receipts;
    page.offset = 0;
    for (bool more = true; more; page.offset += exportBatch) {
        const auto list = m_store.receipts(db, user, page);
        for (const MemoryReceipt &receipt : list.items)
            receipts.append(toJson(receipt));
        more = list.hasMore;
    }
    return {{u"memories"_s, memories}, {u"memory_receipts"_s, receipts}};
}

MemoryReceipt MemoryService::eraseFor(db::Session &db, const UserId &user) const
{
    const auto receipt = m_store.forget(db, {.user = user, .scope = u"account"_s, .target = user.toString()});
    m_cache.drop(user);
    return receipt;
}

} // namespace companion::memory
