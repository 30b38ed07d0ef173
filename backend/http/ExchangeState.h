#pragma once

#include "http/Exchange.h"

#include <QPointer>
#include <QThread>

namespace companion::http {

class ConnectionGuard;

// What all copies of one Exchange share.
struct Exchange::State
{
    State(ConnectionGuard *connection, quint64 exchangeNumber, std::shared_ptr<Request> received);
    ~State();
    State(const State &) = delete;
    State &operator=(const State &) = delete;

    QPointer<ConnectionGuard> guard; // looked into on the loop thread only
    QThread *loop;
    quint64 number; // of this exchange on its connection: an answer for an earlier one does nothing
    std::shared_ptr<Request> request; // the connection holds it too, for its report of the answer
    bool answered = false;
};

} // namespace companion::http
