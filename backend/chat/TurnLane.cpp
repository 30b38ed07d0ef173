#include "chat/TurnLane.h"

#include "db/Together.h"

namespace companion::chat {

Q_LOGGING_CATEGORY(laneLog, "companion.chat.lane", QtInfoMsg)

namespace {

int lanesOf(const db::Workers &workers)
{
    return std::max(workers.options().threads / 2, 1);
}

} // namespace

TurnLane::TurnLane(const ChatService &chat, db::Workers &workers)
    : m_beginnings(workers,
                   [&chat](db::Session &db, const std::vector<TurnOrder> &orders) {
                       return db::together<Admission>(orders.size(), laneLog(),
                                                      [&] { return chat.beginTogether(db, orders); });
                   },
                   {.lanes = lanesOf(workers), .limit = workers.options().queueLimit})
    , m_endings(workers,
                [&chat](db::Session &db, const std::vector<EndedTurn> &ended) {
                    return db::together<Outcome>(ended.size(), laneLog(),
                                                 [&] { return chat.settleTogether(db, ended); });
                },
                {.lanes = lanesOf(workers), .limit = workers.options().queueLimit})
{
}

} // namespace companion::chat
