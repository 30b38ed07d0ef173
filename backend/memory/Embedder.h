#pragma once

#include "common/Result.h"

#include <QObject>
#include <QStringList>
#include <span>
#include <vector>

namespace companion::memory {

// What made a vector. Recorded with every memory: vectors of different embedders are never compared.
struct EmbedderIdentity
{
    QString name; // with its version: "glove-sif-100/1", "openai/text-embedding-3-small"
    int dimension = 0;
    bool operator==(const EmbedderIdentity &) const = default;
};

// `dimension` floats of length 1, or all zeros where the embedder knows nothing of the text (no vector score then).
using Vector = std::vector<float>;
using Vectors = std::vector<Vector>; // in the order of the texts

// One running request for vectors. Lives on the loop thread and deletes itself after finished(), which comes exactly
// once and never from inside start(). A refusal is model_failed, model_timeout or overloaded.
class Embedding : public QObject
{
    Q_OBJECT
public:
    virtual void stop() = 0; // finished() follows with model_failed

Q_SIGNALS:
    void finished(const companion::Result<companion::memory::Vectors> &vectors);
};

// An embedder that computes in process: no waiting, no failure. Any thread, several at once.
class LocalEmbedder
{
public:
    virtual ~LocalEmbedder() = default;
    virtual EmbedderIdentity identity() const = 0;
    virtual Vector embed(QStringView text) const = 0;
    // Whether it has the word: ranking takes what nobody knows for a slip of the finger.
    virtual bool knows(QStringView word) const = 0;
};

// Something that turns texts into vectors. Loop thread only, but for local() and identity().
class Embedder : public QObject
{
    Q_OBJECT
public:
    virtual EmbedderIdentity identity() const = 0;
    virtual Embedding *start(const QStringList &texts) = 0;
    // Where it computes in process: the same vectors without waiting, from a worker. Null for a remote one.
    virtual const LocalEmbedder *local() const { return nullptr; }
    // ok, degraded or down with one line of why: for /health/ready and the console.
    virtual std::pair<QString, QString> health() const = 0;
};

} // namespace companion::memory
