#include "chat/TurnStore.h"

#include "ledger/Ledger.h"

#include <QJsonArray>

namespace companion::chat {

using namespace Qt::StringLiterals;

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

// As db::Value writes them.
QString textOf(const db::Value &value)
{
    return value.text();
}

// What chat_begin_turns takes.
QJsonObject orderOf(const Turn &turn, const TurnOrder &order, const Scene &scene, qsizetype n)
{
    QJsonObject asked{{u"n"_s, n},
                      {u"user_id"_s, turn.user.toString()},
                      {u"message_id"_s, turn.message.toString()},
                      {u"mode"_s, toText(turn.mode)},
                      {u"route"_s, order.route},
                      {u"fingerprint"_s, textOf(order.fingerprint)},
                      {u"created_at"_s, textOf(turn.createdAt)},
                      {u"deadline"_s, textOf(turn.deadline)},
                      {u"key"_s, QString(u"turn:"_s + turn.message.toString())},
                      {u"amount"_s, turn.held.toString()},
                      {u"expires_at"_s, textOf(turn.deadline)},
                      {u"daily_limit"_s, scene.tier.dailyCredits.toString()}};
    if (turn.session) {
        asked.insert(u"session_id"_s, turn.session->toString());
        asked.insert(u"seen"_s, textOf(scene.session->lastMessageAt));
    }
    if (const auto key = keyOf(order))
        asked.insert(u"idempotency_key"_s, *key);
    return asked;
}

// What chat_settle_turns takes.
QJsonObject orderOf(const Settling &settling, qsizetype n)
{
    const Turn &turn = settling.turn;
    const llm::Completion &completion = settling.completion;
    QJsonObject ended{{u"n"_s, n},
                      {u"user_id"_s, turn.user.toString()},
                      {u"message_id"_s, turn.message.toString()},
                      {u"hold_id"_s, turn.hold.toString()},
                      {u"amount"_s, settling.charge.toString()},
                      {u"description"_s, settling.description},
                      {u"metadata"_s, settling.metadata},
                      {u"question_id"_s, MessageId::create().toString()},
                      {u"created_at"_s, textOf(turn.createdAt)},
                      {u"mode"_s, toText(turn.mode)},
                      {u"model"_s, completion.model},
                      {u"prompt_tokens"_s, completion.usage.promptTokens},
                      {u"completion_tokens"_s, completion.usage.completionTokens},
                      {u"total_tokens"_s, completion.usage.totalTokens},
                      {u"finish_reason"_s, completion.finishReason},
                      {u"answer"_s, settling.answer}};
    if (completion.cost)
        ended.insert(u"provider_cost"_s, completion.cost->toString());
    if (turn.disclosure)
        ended.insert(u"disclosed_at"_s, textOf(turn.createdAt));
    return ended;
}

// What of an order goes into the memory's queue with it.
QJsonObject toRemember(const QJsonObject &order, const SessionId &session)
{
    return {{u"n"_s, order.value(u"n"_s)},
            {u"user_id"_s, order.value(u"user_id"_s)},
            {u"session_id"_s, session.toString()},
            {u"question_id"_s, order.value(u"question_id"_s)},
            {u"message_id"_s, order.value(u"message_id"_s)}};
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

TurnStore::Begun TurnStore::begin(db::Session &db, const Turn &turn, const TurnOrder &order, const Scene &scene) const
{
    const auto row = db.one("chat.begin_turn",
                            {{"user_id", turn.user},
                             {"message_id", turn.message},
                             {"session_id", turn.session},
                             {"seen", scene.session ? std::optional(scene.session->lastMessageAt) : std::nullopt},
                             {"mode", turn.mode},
                             {"route", order.route},
                             {"key", keyOf(order)},
                             {"fingerprint", order.fingerprint},
                             {"amount", turn.held},
                             {"daily_limit", scene.tier.dailyCredits},
                             {"created_at", turn.createdAt},
                             {"deadline", turn.deadline},
                             {"now", db.now()}});
    if (row.text("code") == u"moved"_s)
        return {.moved = true};
    if (const auto refusal = ledger::refusalIn(row))
        return {.hold = std::unexpected(*refusal)};
    return {.hold = row.id<HoldId>("hold_id")};
}

db::Row TurnStore::settle(db::Session &db, const Settling &settling) const
{
    const Turn &turn = settling.turn;
    const llm::Completion &completion = settling.completion;
    return db.one("chat.settle_turn_at_once",
                  {{"user_id", turn.user},
                   {"message_id", turn.message},
                   {"amount", settling.charge},
                   {"description", settling.description},
                   {"metadata", settling.metadata},
                   {"question_id", MessageId::create()},
                   {"question", turn.text},
                   {"created_at", turn.createdAt},
                   {"reply", completion.text},
                   {"mode", turn.mode},
                   {"model", completion.model},
                   {"prompt_tokens", completion.usage.promptTokens},
                   {"completion_tokens", completion.usage.completionTokens},
                   {"total_tokens", completion.usage.totalTokens},
                   {"provider_cost", completion.cost},
                   {"finish_reason", completion.finishReason},
                   {"disclosed_at", turn.disclosure ? std::optional(turn.createdAt) : std::nullopt},
                   {"answer", settling.answer},
                   {"free", settling.free},
                   {"remember_in", turn.remember ? turn.session : std::nullopt},
                   {"now", db.now()}});
}

std::vector<std::optional<HoldId>> TurnStore::beginTogether(db::Session &db,
                                                            const std::vector<Beginning> &beginnings) const
{
    QJsonArray orders;
    for (const auto &[turn, order, scene] : beginnings)
        orders.append(orderOf(turn, order, scene, orders.size()));
    std::vector<std::optional<HoldId>> holds(beginnings.size());
    for (const db::Row &row : db.rows("chat.begin_turns", {{"orders", orders}, {"now", db.now()}}))
        holds[static_cast<std::size_t>(row.integer("n"))] = row.id<HoldId>("hold_id");
    return holds;
}

std::vector<std::optional<db::Row>> TurnStore::settleTogether(db::Session &db,
                                                              const std::vector<Settling> &settlings) const
{
    QJsonArray orders;
    QJsonArray remembered;
    QStringList questions, replies; // they come from outside, and are no JSON
    for (const Settling &settling : settlings) {
        const QJsonObject order = orderOf(settling, orders.size());
        orders.append(order);
        if (settling.turn.remember && settling.turn.session)
            remembered.append(toRemember(order, *settling.turn.session));
        questions.append(settling.turn.text);
        replies.append(settling.completion.text);
    }
    std::vector<std::optional<db::Row>> settled(settlings.size());
    for (const db::Row &row : db.rows("chat.settle_turns",
                                      {{"orders", orders},
                                       {"questions", questions},
                                       {"replies", replies},
                                       {"to_remember", remembered},
                                       {"now", db.now()}}))
        settled[static_cast<std::size_t>(row.integer("n"))] = row;
    return settled;
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

void TurnStore::markVoided(db::Session &db, const MessageId &message) const
{
    db.execute("chat.void_turn", {{"message_id", message}, {"now", db.now()}});
}

void TurnStore::release(db::Session &db, const SessionId &session, const MessageId &message) const
{
    db.execute("chat.release_session", {{"session_id", session}, {"message_id", message}});
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

int TurnStore::makePartitions(db::Session &db, int months) const
{
    return static_cast<int>(db.one("chat.make_partitions", {{"now", db.now()}, {"months", months}}).integer("touched"));
}

} // namespace companion::chat
