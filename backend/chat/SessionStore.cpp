#include "chat/SessionStore.h"

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

ChatSession sessionFrom(const db::Row &row)
{
    return {.id = row.id<SessionId>("id"),
            .characterId = row.id<CharacterId>("character_id"),
            .characterSlug = row.text("slug"),
            .characterName = row.text("character_name"),
            .mode = row.value<Mode>("mode"),
            .title = row.text("title"),
            .personaVersion = static_cast<int>(row.integer("persona_version")),
            .messageCount = static_cast<int>(row.integer("message_count")),
            .totalCost = row.credits("total_cost"),
            .createdAt = row.time("created_at"),
            .lastMessageAt = row.time("last_message_at")};
}

LockedSession lockedFrom(const db::Row &row)
{
    return {.id = row.id<SessionId>("id"),
            .character = row.id<CharacterId>("character_id"),
            .personaVersion = static_cast<int>(row.integer("persona_version")),
            .mode = row.value<Mode>("mode"),
            .lastMessageAt = row.time("last_message_at"),
            .lastDisclosureAt = row.maybeTime("last_disclosure_at"),
            .runningTurn = row.maybeId<MessageId>("running_turn"),
            .runningUntil = row.maybeTime("running_until")};
}

Message messageFrom(const db::Row &row)
{
    const auto tokens = row.maybeInteger("tokens");
    return {.id = row.id<MessageId>("id"),
            .sessionId = row.id<SessionId>("session_id"),
            .role = row.value<MessageRole>("role"),
            .mode = row.value<Mode>("mode"),
            .content = row.text("content"),
            .createdAt = row.time("created_at"),
            .cost = row.maybeCredits("cost"),
            .tokens = tokens ? std::optional(static_cast<int>(*tokens)) : std::nullopt,
            .finishReason = row.maybeText("finish_reason")};
}

// A cursor is the time and id of the last entry seen, unreadable on purpose.
QString cursorOf(const Message &message)
{
    const QByteArray plain =
        message.createdAt.toString(Qt::ISODateWithMs).toLatin1() + ' ' + message.id.toString().toLatin1();
    return QString::fromLatin1(plain.toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
}

std::optional<std::pair<QDateTime, MessageId>> readCursor(const QString &cursor)
{
    const auto plain = QByteArray::fromBase64(cursor.toLatin1(), QByteArray::Base64UrlEncoding).split(' ');
    if (plain.size() != 2)
        return std::nullopt;
    const QDateTime time = QDateTime::fromString(QString::fromLatin1(plain[0]), Qt::ISODateWithMs);
    const auto id = MessageId::parse(QString::fromLatin1(plain[1]));
    return time.isValid() && id ? std::optional(std::pair(time, *id)) : std::nullopt;
}

} // namespace

void SessionStore::insert(db::Session &db, const NewSessionRow &row) const
{
    db.execute("chat.insert_session",
               {{"id", row.id},
                {"user_id", row.user},
                {"character_id", row.character},
                {"persona_version", row.personaVersion},
                {"mode", row.mode},
                {"title", row.title},
                {"now", db.now()}});
}

std::optional<ChatSession> SessionStore::find(db::Session &db, const SessionId &id) const
{
    const auto row = db.first("chat.find_session", {{"id", id}});
    return row ? std::optional(sessionFrom(*row)) : std::nullopt;
}

std::optional<LockedSession> SessionStore::lock(db::Session &db, const SessionId &id) const
{
    const auto row = db.first("chat.lock_session", {{"id", id}});
    return row ? std::optional(lockedFrom(*row)) : std::nullopt;
}

Page<ChatSession> SessionStore::list(db::Session &db, const UserId &user, const PageRequest &page) const
{
    Page<ChatSession> list;
    list.limit = page.limit;
    list.offset = page.offset;
    for (const db::Row &row :
         db.rows("chat.list_sessions", {{"user_id", user}, {"limit", page.limit}, {"offset", page.offset}}))
        list.items.append(sessionFrom(row));
    list.total = db.one("chat.count_sessions", {{"user_id", user}}).integer("total");
    list.hasMore = page.offset + list.items.size() < *list.total;
    return list;
}

bool SessionStore::rename(db::Session &db, const SessionId &id, const QString &title) const
{
    return db.execute("chat.rename_session", {{"id", id}, {"title", title}}) > 0;
}

void SessionStore::lockWallet(db::Session &db, const UserId &user) const
{
    db.rows("chat.lock_wallet", {{"user_id", user}});
}

bool SessionStore::remove(db::Session &db, const SessionId &id) const
{
    return db.execute("chat.delete_session", {{"id", id}}) > 0;
}

Result<Page<Message>> SessionStore::messages(db::Session &db, const SessionId &session, const PageRequest &page) const
{
    std::optional<QDateTime> before;
    std::optional<MessageId> beforeId;
    if (page.cursor) {
        const auto cursor = readCursor(*page.cursor);
        if (!cursor)
            return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                           .detail = u"The cursor is not one of ours."_s,
                                           .errors = {{u"/query/cursor"_s, u"must be a next_cursor of this list"_s}}});
        before = cursor->first;
        beforeId = cursor->second;
    }
    Page<Message> list;
    list.limit = page.limit;
    for (const db::Row &row :
         db.rows("chat.list_messages",
                 {{"session_id", session}, {"before", before}, {"before_id", beforeId}, {"limit", page.limit + 1}}))
        list.items.prepend(messageFrom(row));
    list.hasMore = list.items.size() > page.limit;
    if (list.hasMore) {
        list.items.removeFirst();
        list.nextCursor = cursorOf(list.items.first());
    }
    return list;
}

std::optional<Message> SessionStore::message(db::Session &db, const MessageId &id) const
{
    const auto row = db.first("chat.find_message", {{"id", id}});
    return row ? std::optional(messageFrom(*row)) : std::nullopt;
}

bool SessionStore::removeMessage(db::Session &db, const MessageId &id) const
{
    return db.execute("chat.delete_message", {{"id", id}}) > 0;
}

void SessionStore::keepFeedback(db::Session &db, const Message &message, const UserId &user, const QString &rating,
                                const std::optional<QString> &note) const
{
    db.execute("chat.keep_feedback",
               {{"message_id", message.id},
                {"session_id", message.sessionId},
                {"user_id", user},
                {"rating", rating},
                {"note", note},
                {"now", db.now()}});
}

} // namespace companion::chat
