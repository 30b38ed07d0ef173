#include "chat/TurnLane.h"

#include "db/DatabaseError.h"

#include <QLoggingCategory>
#include <algorithm>

namespace companion::chat {

Q_LOGGING_CATEGORY(laneLog, "companion.chat.lane", QtInfoMsg)

namespace {

// What an error has undone for all is done for each alone: one that cannot be done must not harm the others.
// Only a lost connection is told as it is, because then nobody knows what was done.
template <class Answer, class Act>
std::vector<Result<std::optional<Answer>>> together(std::size_t count, const Act &act)
{
    std::vector<Result<std::optional<Answer>>> answers(count);
    try {
        std::ranges::move(act(), answers.begin());
    } catch (const db::DatabaseError &error) {
        if (error.isConnectionLost())
            throw;
        qCWarning(laneLog) << "turns go alone:" << error.sqlState() << error.what();
    } catch (const std::exception &error) {
        qCCritical(laneLog) << "turns go alone, a bug:" << error.what();
    }
    return answers;
}

int lanesOf(const db::Workers &workers)
{
    return std::max(workers.options().threads / 2, 1);
}

} // namespace

TurnLane::TurnLane(const ChatService &chat, db::Workers &workers)
    : m_beginnings(workers,
                   [&chat](db::Session &db, const std::vector<TurnOrder> &orders) {
                       return together<Admission>(orders.size(), [&] { return chat.beginTogether(db, orders); });
                   },
                   {.lanes = lanesOf(workers), .limit = workers.options().queueLimit})
    , m_endings(workers,
                [&chat](db::Session &db, const std::vector<EndedTurn> &ended) {
                    return together<Outcome>(ended.size(), [&] { return chat.settleTogether(db, ended); });
                },
                {.lanes = lanesOf(workers), .limit = workers.options().queueLimit})
{
}

} // namespace companion::chat
