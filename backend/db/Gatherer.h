#pragma once

#include "db/Workers.h"

#include <QTimer>
#include <algorithm>
#include <memory>
#include <vector>

namespace companion::db {

// Acts of one kind, done together: at most `lanes` of them are under way, and what is asked for meanwhile waits and
// goes with all the others into the next. Where little is asked for, each goes alone and at once; the more, the less
// each costs. An act costs as much for itself as for a dozen orders: while much is asked for, one that would go with
// few waits a moment for more.
//
//   gatherer.submit(this, order, &ChatTurn::looked);
//
// The act runs on a worker with all the orders of its turn and answers as many Result<Answer>, in their order. `then`
// gets its own on the context's thread, or is dropped when the context is gone by then. Without the act having run to
// its end each gets the Workers' refusal. More than `limit` orders waiting: `overloaded`. Loop thread.
template <class Order, class Answer>
class Gatherer : public QObject
{
public:
    using Act = std::function<std::vector<Result<Answer>>(Session &, const std::vector<Order> &)>;
    using Then = std::function<void(Result<Answer>)>;
    struct Options
    {
        int lanes = 1;
        int most = 32; // orders in one act
        int enough = 16; // orders that an act is worth; half of it in the last act is much
        int linger_ms = 3; // the longest that fewer wait for more
        int limit = 1000;
    };

    Gatherer(Workers &workers, Act act, Options options)
        : m_workers(workers)
        , m_act(std::move(act))
        , m_options(options)
    {
        m_linger.setSingleShot(true);
        m_linger.setTimerType(Qt::PreciseTimer);
        m_linger.callOnTimeout(this, [this] { startNext(); });
    }

    template <class C>
    void submit(C *context, Order order, void (C::*then)(Result<Answer>))
    {
        submit(context, std::move(order),
               [context, then](Result<Answer> answer) { (context->*then)(std::move(answer)); });
    }
    void submit(QObject *context, Order order, Then then)
    {
        if (int(m_waiting.size()) >= m_options.limit)
            return refuseLater(context, std::move(then));
        m_waiting.push_back({QPointer<QObject>(context), std::move(order), std::move(then)});
        startNext();
    }
    int waiting() const { return int(m_waiting.size()); }

private:
    struct Waiting
    {
        QPointer<QObject> context;
        Order order;
        Then then;
    };
    using Batch = std::vector<Waiting>;
    using Answers = std::vector<Result<Answer>>;

    void startNext()
    {
        while (m_underWay < m_options.lanes && !m_waiting.empty() && !lingers()) {
            ++m_underWay;
            start(nextBatch());
        }
    }

    bool lingers()
    {
        if (m_linger.isActive() && int(m_waiting.size()) < m_options.enough)
            return true;
        const bool worthIt = m_lastSize * 2 >= m_options.enough && int(m_waiting.size()) < m_options.enough;
        m_linger.stop();
        m_lastSize = 0;
        if (worthIt)
            m_linger.start(m_options.linger_ms);
        return worthIt;
    }

    Batch nextBatch()
    {
        const auto end = m_waiting.begin() + std::min<qsizetype>(m_options.most, qsizetype(m_waiting.size()));
        Batch batch(std::make_move_iterator(m_waiting.begin()), std::make_move_iterator(end));
        m_waiting.erase(m_waiting.begin(), end);
        m_lastSize = int(batch.size());
        return batch;
    }

    void start(Batch batch)
    {
        std::vector<Order> orders;
        for (Waiting &one : batch)
            orders.push_back(std::move(one.order));
        m_workers.act(
            this,
            [act = m_act, orders = std::move(orders)](Session &session) {
                Answers answers = act(session, orders);
                ensure(answers.size() == orders.size(), "each order has its answer");
                return answers;
            },
            [this, batch = std::make_shared<Batch>(std::move(batch))](Result<Answers> answers) {
                --m_underWay;
                startNext(); // before the answers' own work: the database need not wait for it
                for (std::size_t i = 0; i < batch->size(); ++i)
                    if ((*batch)[i].context)
                        (*batch)[i].then(answers ? std::move((*answers)[i])
                                                 : Result<Answer>(std::unexpected(answers.error())));
            });
    }

    void refuseLater(QObject *context, Then then)
    {
        QMetaObject::invokeMethod(
            context,
            [then = std::move(then)] {
                then(std::unexpected(Refusal{.code = ErrorCode::Overloaded,
                                             .detail = QStringLiteral("Too much is going on at the moment."),
                                             .retryAfter_s = 1}));
            },
            Qt::QueuedConnection);
    }

    Workers &m_workers;
    const Act m_act;
    const Options m_options;
    std::deque<Waiting> m_waiting;
    int m_underWay = 0;
    int m_lastSize = 0; // of the last act that began; 0 once it has been lingered for
    QTimer m_linger;
};

} // namespace companion::db
