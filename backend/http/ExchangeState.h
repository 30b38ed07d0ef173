#pragma once

#include "http/Exchange.h"

#include <QPointer>
#include <QThread>

namespace companion::http {

class ConnectionGuard;

// What all copies of one Exchange share.
struct Exchange::State
{
    State(ConnectionGuard *connection, quint64 exchangeNumber, Request received);
    ~State();
    State(const State &) = delete;
    State &operator=(const State &) = delete;

    QPointer<ConnectionGuard> guard; // looked into on the loop thread only
    QThread *loop;
    quint64 number; // of this exchange on its connection: an answer for an earlier one does nothing
    Request request;
    bool answered = false;
};

} // namespace companion::http
