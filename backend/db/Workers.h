#pragma once

#include "common/Result.h"
#include "db/Session.h"

#include <QObject>
#include <QPointer>
#include <QThread>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <type_traits>
#include <vector>

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
// The act runs on a worker and may return T, Result<T> or nothing; `then` gets a Result<T> on the context's thread
// (queued invocation), or is dropped when the context is gone by then; the act itself always runs to its end. Without
// the act having run, `then` gets `overloaded` (queue full, Retry-After 1), `not_ready` (no connection to be had) or
// `shutting_down` (after stop()). A DatabaseError becomes `not_ready` (connection lost) or `internal`, a Bug becomes
// `internal`; both are logged here. The context lives on the thread of the Workers object: the event loop's.
class Workers : public QObject
{
    Q_OBJECT
public:
    struct Options
    {
        QString name; // thread and metric name: "app", "operator", "bulk"
        int threads = 8;
        int queueLimit = 1000;
        int statementTimeout_ms = 30'000;
    };
    struct Load
    {
        int threads = 0;
        int running = 0; // acts running now
        int queued = 0; // acts waiting now
        quint64 done = 0;
        quint64 overloaded = 0; // turned away because the queue was full
        quint64 failed = 0; // ended by a DatabaseError, a Bug or for want of a connection
    };

    // The clock outlives the workers. Connections are made at each thread's first act.
    Workers(const Target &target, const Clock &clock, Options options, QObject *parent = nullptr);
    ~Workers() override; // stops

    template <class Work, class Then>
    void act(QObject *context, Work work, Then then)
    {
        using Returned = std::invoke_result_t<Work, Session &>;
        using Answer = typename ResultOf<Returned>::type;
        auto box = std::make_shared<Answer>(std::unexpected(Refusal{}));
        auto job = [box, work = std::move(work)](Session &session) mutable {
            if constexpr (std::is_void_v<Returned>) {
                work(session);
                *box = Answer();
            } else {
                *box = work(session);
            }
        };
        auto refused = [box](const Refusal &refusal) { *box = std::unexpected(refusal); };
        auto answer = [context = QPointer<QObject>(context), box, then = std::move(then)]() mutable {
            if (context)
                deliver(context.data(), then, std::move(*box));
        };
        enqueue({.run = std::move(job), .refused = std::move(refused), .then = std::move(answer)});
    }
    // For an act whose answer nobody awaits.
    template <class Work>
    void act(Work work)
    {
        act(this, std::move(work), [](const auto &) { });
    }

    // Turns new acts away, lets the queued ones run to their end, and joins the threads. Answers that are on their way
    // still arrive as long as this object and the event loop live.
    void stop();
    Load load() const; // from any thread
    const Options &options() const { return m_options; }

private:
    struct Job
    {
        std::function<void(Session &)> run;
        std::function<void(const Refusal &)> refused;
        std::function<void()> then;
    };
    using SharedJob = std::shared_ptr<Job>;
    void enqueue(Job job);
    void run();
    SharedJob next();
    bool attempt(Session &session, Job &job);
    void post(SharedJob job);
    void finished(bool well);

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

    const Target m_target;
    const Clock &m_clock;
    const Options m_options;
    mutable std::mutex m_mutex; // guards what follows
    std::condition_variable m_wake;
    std::deque<SharedJob> m_queue;
    bool m_stopping = false;
    Load m_load;
    std::vector<std::unique_ptr<QThread>> m_threads;
};

} // namespace companion::db
