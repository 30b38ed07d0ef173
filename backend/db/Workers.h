#pragma once

#include "common/Result.h"
#include "db/Session.h"

#include <QObject>
#include <QPointer>
#include <functional>
#include <type_traits>

namespace companion::db {

template <class T>
struct ResultOf
{
    using type = Result<T>;
};
template <class T>
struct ResultOf<Result<T>>
{
    using type = Result<T>;
};

// A pool of threads, each with its own connection, fed by one bounded queue.
//
//   m_workers.act(this, [=](db::Session &db) { return store.find(db, id); }, &ChatTurn::admitted);
//
// The act runs on a worker and may return T or Result<T>; `then` gets a Result<T> on the context's thread (queued
// invocation), or is dropped when the context is gone by then; the act itself always runs to its end. Without the act
// having run, `then` gets `overloaded` (queue full, Retry-After 1) or `not_ready` (no connection to be had). A
// DatabaseError becomes `not_ready` (connection lost) or `internal`, a Bug becomes `internal`; both are logged here.
class Workers : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QString name;         // thread and metric name: "app", "operator", "bulk"
        int threads = 8;
        int queueLimit = 1000;
        int statementTimeout_ms = 30'000;
    };

    template <class Act, class Then>
    void act(QObject *context, Act act, Then then)
    {
        using Answer = typename ResultOf<std::invoke_result_t<Act, Session &>>::type;
        auto box = std::make_shared<Answer>(std::unexpected(Refusal {}));
        enqueue({.run = [box, act = std::move(act)](Session &session) mutable { *box = act(session); },
                 .refused = [box](const Refusal &refusal) { *box = std::unexpected(refusal); },
                 .then = [context = QPointer<QObject>(context), box, then = std::move(then)]() mutable {
                     if (context)
                         deliver(context.data(), then, std::move(*box));
                 },
                 .context = context});
    }

private:
    struct Job
    {
        std::function<void(Session &)> run;
        std::function<void(const Refusal &)> refused;
        std::function<void()> then;
        QPointer<QObject> context;
    };
    void enqueue(Job job);

    template <class Then, class Answer>
    static void deliver(QObject *context, Then &then, Answer answer)
    {
        if constexpr (std::is_member_function_pointer_v<Then>)
            deliverToMember(context, then, std::move(answer));
        else
            then(std::move(answer));
    }
    template <class C, class Arg, class Answer>
    static void deliverToMember(QObject *context, void (C::*then)(Arg), Answer answer)
    {
        (static_cast<C *>(context)->*then)(std::move(answer));
    }
};

} // namespace companion::db
