#pragma once

#include "common/Ids.h"
#include "common/Result.h"

#include <QHash>
#include <QObject>

namespace companion::chat {

class ChatTurn;

// The turns that this instance is producing, by the id of their reply. Loop thread.
class LiveTurns : public QObject
{
    Q_OBJECT
public:
    void add(const MessageId &message, ChatTurn *turn);
    void remove(const MessageId &message);
    void count(int change); // turns under way, those not yet held included
    // Null where it is not ours to produce, or not this user's.
    ChatTurn *find(const UserId &user, const MessageId &message) const;
    int underWay() const { return m_underWay; }
    bool graceIsOver() const { return m_graceIsOver; } // the server is about to end

    // Lets turns end for at most `grace_ms`, then gives the rest up; drained() when none is left.
    void drain(int grace_ms);

Q_SIGNALS:
    void drained();

private:
    QHash<MessageId, ChatTurn *> m_turns;
    int m_underWay = 0;
    bool m_draining = false;
    bool m_graceIsOver = false;
};

} // namespace companion::chat
