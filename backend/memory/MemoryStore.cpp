#include "memory/MemoryStore.h"

#include "common/Ensure.h"

namespace companion::memory {

using namespace Qt::StringLiterals;

namespace {

Fact factFrom(const db::Row &row)
{
    Fact fact{.kind = row.value<FactKind>("kind"),
              .subject = row.text("subject"),
              .value = row.text("value"),
              .confidence = row.number("confidence"),
              .saidAt = row.time("said_at"),
              .on = {}};
    if (const auto day = row.maybeText("on_day"))
        fact.on = QDate::fromString(*day, Qt::ISODate);
    return fact;
}

MessageToNote messageFrom(const db::Row &row)
{
    return {.id = row.id<MessageId>("id"),
            .user = row.id<UserId>("user_id"),
            .session = row.id<SessionId>("session_id"),
            .character = row.id<CharacterId>("character_id"),
            .role = row.value<MessageRole>("role"),
            .mode = row.value<Mode>("mode"),
            .text = row.text("content"),
            .saidAt = row.time("created_at")};
}

Memory turnFrom(const db::Row &row)
{
    return {.id = row.id<MemoryId>("id"),
            .kind = MemoryKind::Turn,
            .text = row.text("text"),
            .speaker = row.value<MessageRole>("speaker"),
            .fact = {},
            .subject = {},
            .value = {},
            .mode = row.value<Mode>("mode"),
            .characterSlug = row.maybeText("slug"),
            .sessionId = row.maybeId<SessionId>("session_id"),
            .messageId = row.maybeId<MessageId>("id"),
            .saidAt = row.time("said_at"),
            .edited = row.boolean("edited")};
}

Memory memoryFromFact(const db::Row &row)
{
    const Fact fact = factFrom(row);
    return {.id = row.id<MemoryId>("id"),
            .kind = MemoryKind::Fact,
            .text = sentenceOf(fact),
            .speaker = {},
            .fact = toText(fact.kind),
            .subject = fact.subject,
            .value = fact.value,
            .mode = row.value<Mode>("mode"),
            .characterSlug = row.maybeText("slug"),
            .sessionId = row.maybeId<SessionId>("session_id"),
            .messageId = row.maybeId<MessageId>("source_message"),
            .saidAt = row.time("said_at"),
            .edited = row.boolean("edited")};
}

MemoryReceipt receiptFrom(const db::Row &row)
{
    return {.id = row.id<MemoryReceiptId>("id"),
            .scope = row.text("scope"),
            .target = row.text("target"),
            .memories = int(row.integer("memories")),
            .facts = int(row.integer("facts")),
            .requestedAt = row.time("requested_at"),
            .waitingFor = row.texts("waiting_for"),
            .doneAt = row.maybeTime("done_at")};
}

QueueEntry entryFrom(const db::Row &row)
{
    return {.id = row.integer("id"),
            .user = row.id<UserId>("user_id"),
            .kind = row.value<QueueKind>("kind"),
            .session = row.maybeId<SessionId>("session_id"),
            .ids = row.texts("memory_ids"),
            .noted = row.boolean("noted"),
            .space = row.text("space"),
            .receipt = row.maybeId<MemoryReceiptId>("receipt_id"),
            .attempts = int(row.integer("attempts"))};
}

std::optional<QString> dayOf(const Fact &fact)
{
    return fact.on ? std::optional(fact.on->toString(Qt::ISODate)) : std::nullopt;
}

} // namespace

std::optional<Owner> MemoryStore::owner(db::Session &db, const UserId &user) const
{
    const auto row = db.first("memory.owner", {{"user_id", user}});
    if (!row)
        return std::nullopt;
    return Owner{row->integer("revision"), row->integer("rewritten_at"), row->text("space")};
}

qint64 MemoryStore::touch(db::Session &db, const UserId &user, bool rewrites) const
{
    return db.one("memory.touch", {{"user_id", user}, {"rewrites", rewrites}}).integer("revision");
}

QList<MessageToNote> MemoryStore::messagesToNote(db::Session &db, const QueueEntry &entry) const
{
    QList<MessageToNote> messages;
    for (const db::Row &row : db.rows("memory.messages_to_note",
                                      {{"user_id", entry.user}, {"session_id", entry.session}, {"ids", entry.ids}}))
        messages.append(messageFrom(row));
    return messages;
}

void MemoryStore::insert(db::Session &db, const MessageToNote &message, const QByteArray &terms, qint64 revision) const
{
    db.execute("memory.insert_memory",
               {{"id", message.id},
                {"user_id", message.user},
                {"session_id", message.session},
                {"character_id", message.character},
                {"speaker", message.role},
                {"mode", message.mode},
                {"said_at", message.saidAt},
                {"text", message.text},
                {"terms", terms},
                {"revision", revision}});
}

QList<KeptFact> MemoryStore::facts(db::Session &db, const UserId &user) const
{
    QList<KeptFact> kept;
    for (const db::Row &row : db.rows("memory.facts", {{"user_id", user}}))
        kept.append({QUuid::fromString(row.text("id")), factFrom(row), row.value<Mode>("mode") == Mode::Spicy,
                     row.boolean("edited")});
    return kept;
}

void MemoryStore::insertFact(db::Session &db, const MessageToNote &source, const Fact &fact) const
{
    db.execute("memory.insert_fact",
               {{"user_id", source.user},
                {"character_id", source.character},
                {"mode", source.mode},
                {"kind", fact.kind},
                {"subject", fact.subject.left(200)},
                {"value", fact.value.left(1000)},
                {"confidence", fact.confidence},
                {"on_day", dayOf(fact)},
                {"message_id", source.id},
                {"session_id", source.session},
                {"said_at", fact.saidAt}});
}

void MemoryStore::confirmFact(db::Session &db, const MessageToNote &source, const KeptFact &kept,
                              const Fact &told) const
{
    db.execute("memory.confirm_fact",
               {{"id", MemoryId(kept.id)},
                {"user_id", source.user},
                {"mode", source.mode},
                {"said_at", told.saidAt},
                {"confidence", told.confidence}});
}

void MemoryStore::dropFact(db::Session &db, const UserId &user, const KeptFact &fact) const
{
    db.execute("memory.drop_fact", {{"id", MemoryId(fact.id)}, {"user_id", user}});
}

QList<TextToEmbed> MemoryStore::textsToEmbed(db::Session &db, const UserId &user, const QStringList &ids,
                                             const Space &space, int batch) const
{
    const auto rows = ids.isEmpty()
        ? db.rows("memory.texts_without_vector", {{"user_id", user}, {"space", space.name()}, {"batch", batch}})
        : db.rows("memory.texts_to_embed",
                  {{"user_id", user}, {"ids", ids}, {"space", space.name()}, {"batch", batch}});
    QList<TextToEmbed> texts;
    for (const db::Row &row : rows)
        texts.append({user, row.id<MemoryId>("id"), row.text("text")});
    return texts;
}

bool MemoryStore::keepVector(db::Session &db, const UserId &user, const Space &space, const MemoryId &id, int dimension,
                             const QByteArray &bytes, qint64 revision) const
{
    return db.execute("memory.keep_vector",
                      {{"user_id", user},
                       {"space", space.name()},
                       {"id", id},
                       {"dimension", dimension},
                       {"vector", bytes.isEmpty() ? std::nullopt : std::optional(bytes)},
                       {"revision", revision}})
        > 0;
}

void MemoryStore::settleSpace(db::Session &db, const UserId &user, const Space &space) const
{
    db.execute("memory.settle_space", {{"user_id", user}, {"space", space.name()}});
}

void MemoryStore::moveTo(db::Session &db, const UserId &user, const Space &space) const
{
    db.execute("memory.set_space", {{"user_id", user}, {"space", space.name()}});
    db.execute("memory.leave_other_spaces", {{"user_id", user}, {"space", space.name()}, {"now", db.now()}});
}

int MemoryStore::orderMoves(db::Session &db, const Space &target, int batch) const
{
    return int(db.execute("memory.order_moves", {{"space", target.name()}, {"now", db.now()}, {"batch", batch}}));
}

void MemoryStore::queueNote(db::Session &db, const UserId &user, const SessionId &session,
                            const QStringList &messages) const
{
    db.execute("memory.queue_note", {{"user_id", user}, {"session_id", session}, {"ids", messages}, {"now", db.now()}});
}

void MemoryStore::queueEmbed(db::Session &db, const UserId &user, const QStringList &ids) const
{
    db.execute("memory.queue_embed", {{"user_id", user}, {"ids", ids}, {"now", db.now()}});
}

void MemoryStore::queueForget(db::Session &db, const UserId &user, const QStringList &ids, const Space &space,
                              const std::optional<MemoryReceiptId> &receipt) const
{
    db.execute("memory.queue_forget",
               {{"user_id", user}, {"ids", ids}, {"space", space.name()}, {"receipt_id", receipt}, {"now", db.now()}});
}

QList<QueueEntry> MemoryStore::take(db::Session &db, const QString &lease, int seconds, int batch) const
{
    QList<QueueEntry> entries;
    for (const db::Row &row :
         db.rows("memory.take",
                 {{"lease", lease}, {"until", db.now().addSecs(seconds)}, {"now", db.now()}, {"batch", batch}}))
        entries.append(entryFrom(row));
    std::ranges::sort(entries, {}, &QueueEntry::id);
    return entries;
}

void MemoryStore::markNoted(db::Session &db, const QueueEntry &entry, const QString &lease) const
{
    db.execute("memory.mark_noted", {{"id", entry.id}, {"lease", lease}});
}

void MemoryStore::done(db::Session &db, const QueueEntry &entry, const QString &lease) const
{
    db.execute("memory.done", {{"id", entry.id}, {"lease", lease}});
}

void MemoryStore::again(db::Session &db, const QueueEntry &entry, const QString &lease, const Again &again) const
{
    db.execute("memory.again",
               {{"id", entry.id},
                {"lease", lease},
                {"due", again.due},
                {"attempts", again.attempts},
                {"error", again.error.left(500)},
                {"dead", again.dead}});
}

void MemoryStore::confirmReceipt(db::Session &db, const MemoryReceiptId &receipt, const QString &space) const
{
    db.execute("memory.confirm_receipt", {{"id", receipt}, {"space", space}, {"now", db.now()}});
}

MemoryReceipt MemoryStore::forget(db::Session &db, const Forgetting &what) const
{
    return receiptFrom(db.one("memory.forget",
                              {{"user_id", what.user},
                               {"scope", what.scope},
                               {"target", what.target},
                               {"ids", what.messages},
                               {"session_id", what.session},
                               {"facts", what.facts},
                               {"now", db.now()}}));
}

Page<MemoryReceipt> MemoryStore::receipts(db::Session &db, const UserId &user, const PageRequest &page) const
{
    Page<MemoryReceipt> list{.items = {}, .total = {}, .limit = page.limit, .offset = page.offset, .nextCursor = {}};
    for (const db::Row &row :
         db.rows("memory.receipts", {{"user_id", user}, {"limit", page.limit}, {"offset", page.offset}}))
        list.items.append(receiptFrom(row));
    list.total = db.one("memory.count_receipts", {{"user_id", user}}).integer("total");
    list.hasMore = page.offset + list.items.size() < *list.total;
    return list;
}

std::optional<MemoryReceipt> MemoryStore::receipt(db::Session &db, const UserId &user, const MemoryReceiptId &id) const
{
    const auto row = db.first("memory.receipt", {{"user_id", user}, {"id", id}});
    return row ? std::optional(receiptFrom(*row)) : std::nullopt;
}

Page<Memory> MemoryStore::list(db::Session &db, const UserId &user, std::optional<MemoryKind> kind,
                               const PageRequest &page) const
{
    const auto counted = db.one("memory.count", {{"user_id", user}});
    const qint64 facts = kind == MemoryKind::Turn ? 0 : counted.integer("facts");
    const qint64 turns = kind == MemoryKind::Fact ? 0 : counted.integer("turns");
    Page<Memory> list{
        .items = {}, .total = facts + turns, .limit = page.limit, .offset = page.offset, .nextCursor = {}};
    if (page.offset < facts)
        for (const db::Row &row :
             db.rows("memory.list_facts", {{"user_id", user}, {"limit", page.limit}, {"offset", page.offset}}))
            list.items.append(memoryFromFact(row));
    const qint64 left = page.limit - list.items.size();
    const qint64 from = std::max<qint64>(page.offset - facts, 0);
    if (left > 0 && from < turns)
        for (const db::Row &row : db.rows("memory.list_turns", {{"user_id", user}, {"limit", left}, {"offset", from}}))
            list.items.append(turnFrom(row));
    list.hasMore = page.offset + list.items.size() < *list.total;
    return list;
}

std::optional<Memory> MemoryStore::find(db::Session &db, const UserId &user, const MemoryId &id) const
{
    if (const auto row = db.first("memory.find_turn", {{"user_id", user}, {"id", id}}))
        return turnFrom(*row);
    const auto row = db.first("memory.find_fact", {{"user_id", user}, {"id", id}});
    return row ? std::optional(memoryFromFact(*row)) : std::nullopt;
}

void MemoryStore::correctTurn(db::Session &db, const UserId &user, const MemoryId &id, const QString &text,
                              const QByteArray &terms, qint64 revision) const
{
    db.execute(
        "memory.correct_turn",
        {{"user_id", user}, {"id", id}, {"text", text}, {"terms", terms}, {"now", db.now()}, {"revision", revision}});
}

MessageToNote MemoryStore::corrected(db::Session &db, const UserId &user, const MemoryId &id) const
{
    db.execute("memory.unlearn", {{"user_id", user}, {"id", id}});
    return messageFrom(db.one("memory.corrected", {{"user_id", user}, {"id", id}}));
}

void MemoryStore::correctFact(db::Session &db, const UserId &user, const MemoryId &id, const QString &subject,
                              const QString &value) const
{
    db.execute("memory.correct_fact",
               {{"user_id", user}, {"id", id}, {"subject", subject}, {"value", value}, {"now", db.now()}});
}

} // namespace companion::memory
