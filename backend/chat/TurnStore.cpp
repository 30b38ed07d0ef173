#include "chat/TurnStore.h"

namespace companion::chat {

namespace {

TurnRecord recordFrom(const db::Row &row)
{
    return {.message = row.id<MessageId>("message_id"),
            .user = row.id<UserId>("user_id"),
            .session = row.maybeId<SessionId>("session_id"),
            .status = row.value<TurnStatus>("status"),
            .mode = row.value<Mode>("mode"),
            .hold = row.maybeId<HoldId>("hold_id"),
            .fingerprint = row.bytes("fingerprint"),
            .deadline = row.time("deadline"),
            .createdAt = row.time("created_at"),
            .reply = row.text("reply"),
            .answer = row.isNull("answer") ? QJsonObject() : row.object("answer")};
}

std::optional<QString> keyOf(const TurnOrder &order)
{
    return order.idempotencyKey.isEmpty() ? std::nullopt : std::optional(order.idempotencyKey);
}

std::optional<TurnRecord> maybeRecord(const std::optional<db::Row> &row)
{
    return row ? std::optional(recordFrom(*row)) : std::nullopt;
}

} // namespace

std::optional<TurnRecord> TurnStore::byKey(db::Session &db, const TurnOrder &order) const
{
    auto record =
        maybeRecord(db.first("chat.turn_by_key",
                             {{"user_id", order.user()}, {"route", order.route}, {"key", order.idempotencyKey}}));
    if (!record || record->createdAt > db.now().addDays(-1))
        return record;
    db.execute("chat.free_key", {{"message_id", record->message}});
    return std::nullopt;
}

std::optional<TurnRecord> TurnStore::find(db::Session &db, const MessageId &message) const
{
    return maybeRecord(db.first("chat.find_turn", {{"message_id", message}}));
}

std::optional<TurnRecord> TurnStore::lock(db::Session &db, const MessageId &message) const
{
    return maybeRecord(db.first("chat.lock_turn", {{"message_id", message}}));
}

bool TurnStore::insertRunning(db::Session &db, const Turn &turn, const TurnOrder &order) const
{
    return db.execute("chat.insert_running_turn",
                      {{"message_id", turn.message},
                       {"user_id", turn.user},
                       {"session_id", turn.session},
                       {"mode", turn.mode},
                       {"route", order.route},
                       {"key", keyOf(order)},
                       {"fingerprint", order.fingerprint},
                       {"hold_id", turn.hold},
                       {"deadline", turn.deadline},
                       {"created_at", turn.createdAt}})
        > 0;
}

bool TurnStore::insertEnded(db::Session &db, const TurnOrder &order, const MessageId &message, TurnStatus status,
                            Mode mode, const QString &reply, const QJsonObject &answer) const
{
    return db.execute("chat.insert_ended_turn",
                      {{"message_id", message},
                       {"user_id", order.user()},
                       {"session_id", order.session},
                       {"status", status},
                       {"mode", mode},
                       {"route", order.route},
                       {"key", keyOf(order)},
                       {"fingerprint", order.fingerprint},
                       {"now", db.now()},
                       {"reply", reply},
                       {"answer", answer}})
        > 0;
}

void TurnStore::markRunning(db::Session &db, const Turn &turn) const
{
    db.execute("chat.mark_running",
               {{"session_id", *turn.session}, {"message_id", turn.message}, {"deadline", turn.deadline}});
}

void TurnStore::settle(db::Session &db, const Turn &turn, const llm::Completion &completion,
                       const QJsonObject &answer) const
{
    db.execute("chat.settle_turn",
               {{"message_id", turn.message},
                {"now", db.now()},
                {"model", completion.model},
                {"prompt_tokens", completion.usage.promptTokens},
                {"completion_tokens", completion.usage.completionTokens},
                {"total_tokens", completion.usage.totalTokens},
                {"provider_cost", completion.cost},
                {"reply", turn.session ? std::nullopt : std::optional(completion.text)},
                {"answer", answer}});
}

void TurnStore::giveKeyUp(db::Session &db, const MessageId &message) const
{
    db.execute("chat.give_key_up", {{"message_id", message}});
}

void TurnStore::markVoided(db::Session &db, const MessageId &message) const
{
    db.execute("chat.void_turn", {{"message_id", message}, {"now", db.now()}});
}

void TurnStore::release(db::Session &db, const SessionId &session, const MessageId &message) const
{
    db.execute("chat.release_session", {{"session_id", session}, {"message_id", message}});
}

void TurnStore::insertQuestion(db::Session &db, const Turn &turn) const
{
    db.execute("chat.insert_question",
               {{"id", MessageId::create()},
                {"session_id", *turn.session},
                {"user_id", turn.user},
                {"turn_id", turn.message},
                {"mode", turn.mode},
                {"content", turn.text},
                {"created_at", turn.createdAt}});
}

void TurnStore::insertReply(db::Session &db, const SessionId &session, const UserId &user, const Outcome &outcome,
                            const QDateTime &at) const
{
    db.execute("chat.insert_reply",
               {{"id", outcome.message},
                {"session_id", session},
                {"user_id", user},
                {"mode", outcome.companion.mode},
                {"content", outcome.content},
                {"created_at", at},
                {"cost", outcome.companion.charge.amount},
                {"tokens", outcome.usage.totalTokens},
                {"finish_reason", outcome.finishReason}});
}

void TurnStore::countIn(db::Session &db, const SessionId &session, const MessageId &message, int messages, Credits cost,
                        const QDateTime &at, const std::optional<QDateTime> &disclosedAt) const
{
    db.execute("chat.count_in",
               {{"session_id", session},
                {"message_id", message},
                {"messages", messages},
                {"cost", cost},
                {"at", at},
                {"disclosed_at", disclosedAt}});
}

QList<TurnRecord> TurnStore::overdue(db::Session &db, int batch) const
{
    QList<TurnRecord> records;
    for (const db::Row &row : db.rows("chat.overdue_turns", {{"now", db.now()}, {"batch", batch}}))
        records.append(recordFrom(row));
    return records;
}

int TurnStore::dropOldReplies(db::Session &db) const
{
    return static_cast<int>(db.execute("chat.drop_old_replies", {{"before", db.now().addDays(-1)}}));
}

} // namespace companion::chat
