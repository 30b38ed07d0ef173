#include "http/Exchange.h"

#include "http/ConnectionGuard.h"
#include "http/ExchangeState.h"
#include "ops/Log.h"

#include <QAbstractEventDispatcher>
#include <utility>

namespace companion::http {

namespace {

void answerForgotten(const QPointer<ConnectionGuard> &guard, quint64 number, const QByteArray &requestId)
{
    if (!guard || !guard->isOpen(number))
        return;
    ops::log(ops::Level::Error, "request_unanswered", requestId);
    guard->send(number, Reply::problem({ErrorCode::Internal, QStringLiteral("An error on our side.")}, requestId));
}

} // namespace

Exchange::State::State(ConnectionGuard *connection, quint64 exchangeNumber, std::shared_ptr<Request> received)
    : guard(connection)
    , loop(QThread::currentThread())
    , number(exchangeNumber)
    , request(std::move(received))
{
}

// A worker's lambda may be the last to hold a copy; the connection is the loop's, so the answer is given there.
Exchange::State::~State()
{
    if (answered)
        return;
    if (loop == QThread::currentThread())
        answerForgotten(guard, number, request->id);
    else if (auto *dispatcher = QAbstractEventDispatcher::instance(loop))
        QMetaObject::invokeMethod(dispatcher,
                                  [held = guard, at = number, id = request->id] { answerForgotten(held, at, id); });
}

Exchange::Exchange(std::shared_ptr<State> state)
    : m_state(std::move(state))
{
}

const Request &Exchange::request() const
{
    return *m_state->request;
}

bool Exchange::begin(const char *what)
{
    if (!std::exchange(m_state->answered, true))
        return true;
    ops::log(ops::Level::Error, "answered_twice", m_state->request->id, {{"what", QString::fromLatin1(what)}});
    return false;
}

void Exchange::send(Reply reply)
{
    if (begin("send") && m_state->guard)
        m_state->guard->send(m_state->number, std::move(reply));
}

void Exchange::sendFile(Reply reply, int descriptor, qint64 size, std::shared_ptr<void> owner)
{
    if (begin("sendFile") && m_state->guard)
        m_state->guard->sendFile(m_state->number, std::move(reply), {descriptor, 0, size, std::move(owner)});
}

EventStream *Exchange::openStream(Headers headers)
{
    return begin("openStream") && m_state->guard ? m_state->guard->openStream(m_state->number, std::move(headers))
                                                 : nullptr;
}

bool Exchange::isGone() const
{
    return !m_state->guard || !m_state->guard->isOpen(m_state->number);
}

bool Exchange::isAnswered() const
{
    return m_state->answered;
}

QObject *Exchange::connection() const
{
    return isGone() ? nullptr : m_state->guard.data();
}

} // namespace companion::http
