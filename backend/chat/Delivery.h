#pragma once

#include "chat/Turn.h"

namespace companion::chat {

// One client's way of receiving a reply. Loop thread. Whether the client is still there is its own matter: a delivery
// to nobody does nothing, and the turn goes on.
class Delivery
{
public:
    virtual ~Delivery() = default;
    virtual void started(const Turn &turn) = 0;
    // `end` is the count of UTF-8 bytes of content so far, this text included.
    virtual void text(const Turn &turn, const QString &delta, qint64 end) = 0;
    virtual void finished(const Outcome &outcome) = 0;
    // `replayed`: it was answered before to the same Idempotency-Key.
    virtual void failed(const Refusal &refusal, bool replayed) = 0;
};

} // namespace companion::chat
