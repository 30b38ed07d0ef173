#include "chat/LiveTurns.h"

#include "chat/ChatTurn.h"

#include <QTimer>

namespace companion::chat {

using namespace Qt::StringLiterals;

namespace {

Refusal shuttingDown()
{
    return {ErrorCode::ShuttingDown, u"The server is shutting down; the reply was not charged."_s};
}

} // namespace

void LiveTurns::add(const MessageId &message, ChatTurn *turn)
{
    m_turns.insert(message, turn);
    if (m_graceIsOver) // its admission came back too late; not from inside the turn's own step
        QMetaObject::invokeMethod(turn, [turn] { turn->abandon(shuttingDown()); }, Qt::QueuedConnection);
}

void LiveTurns::remove(const MessageId &message)
{
    m_turns.remove(message);
}

void LiveTurns::count(int change)
{
    m_underWay += change;
    if (m_draining && m_underWay == 0)
        Q_EMIT drained();
}

ChatTurn *LiveTurns::find(const UserId &user, const MessageId &message) const
{
    ChatTurn *turn = m_turns.value(message);
    return turn && turn->turn().user == user ? turn : nullptr;
}

void LiveTurns::drain(int grace_ms)
{
    m_draining = true;
    if (m_underWay == 0)
        return QMetaObject::invokeMethod(this, &LiveTurns::drained, Qt::QueuedConnection), void();
    QTimer::singleShot(grace_ms, this, [this] {
        m_graceIsOver = true;
        const auto rest = m_turns.values();
        for (ChatTurn *turn : rest)
            turn->abandon(shuttingDown());
    });
}

} // namespace companion::chat
