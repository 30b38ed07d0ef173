#pragma once

#include "chat/ChatService.h"
#include "db/Gatherer.h"

namespace companion::chat {

// Where turns begin and end together: what asks at the same moment goes to the database in one act, as many as are
// waiting. Nothing in the answer's place: not the plain case, to be done alone. Loop thread.
class TurnLane
{
public:
    using Beginnings = db::Gatherer<TurnOrder, std::optional<Admission>>;
    using Endings = db::Gatherer<EndedTurn, std::optional<Outcome>>;

    // Workers of the operator role, half of them for each of the two. All outlive the lane.
    TurnLane(const ChatService &chat, db::Workers &workers);

    template <class C>
    void begin(C *turn, TurnOrder order, void (C::*then)(Result<std::optional<Admission>>))
    {
        m_beginnings.submit(turn, std::move(order), then);
    }
    template <class C>
    void settle(C *turn, EndedTurn ended, void (C::*then)(Result<std::optional<Outcome>>))
    {
        m_endings.submit(turn, std::move(ended), then);
    }

private:
    Beginnings m_beginnings;
    Endings m_endings;
};

} // namespace companion::chat
