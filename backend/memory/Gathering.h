#pragma once

#include "memory/MemoryService.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QTimer>

namespace companion::memory {

// What a recollection needs from the network, in the time a turn has for it: the question's vector, and the nearest of
// a store elsewhere. Whatever does not answer in time is done without, and told. An embedder or store that failed a few
// times in a row is not asked for a while, so that turns do not wait for what is down. Loop thread.
class Gatherer : public QObject
{
    Q_OBJECT
public:
    using Then = std::function<void(const Gathered &)>;

    Gatherer(const Spaces &spaces, const MemoryTerms &terms, QObject *parent = nullptr);

    // `then` is called once, within terms.gatherWithin_ms, never from inside the call, and not when the context is
    // gone by then.
    void gather(const UserId &user, const QString &space, const QString &text, QObject *context, Then then);

private:
    friend class Gathering;
    bool isResting() const { return m_rest.isValid() && !m_rest.hasExpired(restFor_ms); }
    void succeeded() { m_failures = 0; }
    void failed();

    static constexpr int restFor_ms = 10'000;
    static constexpr int restAfter = 3;
    const Spaces &m_spaces;
    const MemoryTerms &m_terms;
    int m_failures = 0;
    QElapsedTimer m_rest;
};

// One of them; deletes itself at its end.
class Gathering : public QObject
{
    Q_OBJECT
public:
    Gathering(Gatherer &gatherer, const UserId &user, const QString &space, const QString &text, QObject *context,
              Gatherer::Then then);

private:
    void begin(const QString &text);
    void embedded(const Result<Vectors> &vectors);
    void search();
    void finish(bool well);

    Gatherer &m_gatherer;
    const UserId m_user;
    const Space m_space;
    const QPointer<QObject> m_context;
    const Gatherer::Then m_then;
    QPointer<Embedding> m_embedding;
    Gathered m_gathered;
    QTimer m_limit;
    bool m_finished = false;
};

} // namespace companion::memory
