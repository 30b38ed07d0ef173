#pragma once

#include "common/Ids.h"
#include "common/Result.h"
#include "memory/Embedder.h"

#include <QObject>
#include <functional>

namespace companion::memory {

// A memory's vector on its way to a store.
struct StoredVector
{
    MemoryId id;
    Vector vector;
};

// How near a memory is to a question: the cosine, -1 to 1.
struct Nearest
{
    MemoryId id;
    float score = 0;
};

// Vectors kept in another system. Each user has a place of their own in it for each embedder; which place, the store
// makes of the user's id alone, and nothing that a user writes is ever part of a name, a filter or an id. Loop thread.
// `then` is called exactly once, never from inside the call, and not at all when the context is gone by then.
// A refusal is model_failed, model_timeout or overloaded, and leaves things as they were or half done: what is done
// again does no harm.
class VectorStore : public QObject
{
    Q_OBJECT
public:
    using Done = std::function<void(const Result<bool> &)>;
    using Found = std::function<void(const Result<std::vector<Nearest>> &)>;
    using Ids = std::function<void(const Result<QList<MemoryId>> &)>;

    virtual QString name() const = 0; // as VECTOR_STORE names it
    virtual void upsert(const UserId &user, const QString &embedder, const std::vector<StoredVector> &vectors,
                        QObject *context, Done then) = 0;
    // The nearest first; a user without vectors has none.
    virtual void query(const UserId &user, const QString &embedder, const Vector &question, int count,
                       std::chrono::milliseconds within, QObject *context, Found then) = 0;
    // Ids that are not there are no mistake.
    virtual void remove(const UserId &user, const QString &embedder, const QList<MemoryId> &ids, QObject *context,
                        Done then) = 0;
    virtual void removeAll(const UserId &user, const QString &embedder, QObject *context, Done then) = 0;
    // Everything that is kept of a user, for the sweep that proves deletion.
    virtual void list(const UserId &user, const QString &embedder, QObject *context, Ids then) = 0;
    // ok, degraded or down with one line of why.
    virtual std::pair<QString, QString> health() const = 0;
};

} // namespace companion::memory
