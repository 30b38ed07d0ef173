#pragma once

#include "memory/Embedder.h"
#include "memory/retrieval/Digest.h"
#include "memory/retrieval/Scan.h"

#include <QUuid>
#include <memory>
#include <optional>
#include <utility>

namespace companion::memory {

enum class Speaker : quint8 { User, Companion };

// One remembered turn, as ranking sees it.
struct MemoryEntry
{
    QUuid id;           // the memory's own id; unique within the corpus
    QUuid conversation; // the chat session: neighbours are looked for within it
    QUuid scope;        // the character it was said with; a question may be held to one
    qint64 position = 0; // order within the conversation: neighbours are those with the nearest positions
    Speaker speaker = Speaker::User;
    qint64 saidAt_ms = 0; // since the epoch, UTC
    Digest digest;
    std::vector<Half> vector; // the corpus' dimension, or empty: found by its words alone
};

// What is asked.
struct Question
{
    QString text;
    Vector vector;     // of bareQuestion(), by the corpus' embedder; empty or zero: words alone
    // Where the vectors are kept by a store elsewhere (Chroma, Pinecone): the cosines of the nearest, as it told them.
    // They take the place of the scan of the corpus' own vectors; ids that the corpus does not have are passed over.
    std::optional<std::vector<std::pair<QUuid, float>>> nearest = {};
    QDateTime askedAt; // now; "last week" in the question is seen from here
    QUuid scope; // null: all
    QString userName; // names in the question point at who spoke; may be empty
    QString companionName;
    // Memories that the prompt shows anyway (the sliding window): never returned.
    std::vector<QUuid> alreadyShown;
};

// The text that a question's vector is made of: without the names of the two who talk, which say who, not what.
QString bareQuestion(const Question &question);

struct Recalled
{
    QUuid id;
    double score = 0; // comparable within one answer only; the best first
    bool neighbour = false; // returned for the turns around it more than for itself
};

// Weights of the ranking. The defaults are what docs/memory-retrieval.md measures.
struct RankingWeights;

// One user's memories, in process. Concurrent rank() calls are safe; append, remove, setVector and clear need the
// corpus to themselves (the holder locks). No call blocks, throws for reasons of data, or reads a clock.
class Corpus
{
public:
    // `words` (may be null) tells slips of the finger from words; it must outlive the corpus.
    explicit Corpus(int dimension, const LocalEmbedder *words = nullptr);
    Corpus(Corpus &&) noexcept;
    Corpus &operator=(Corpus &&) noexcept;
    ~Corpus();

    int dimension() const;
    int size() const; // without the removed ones
    size_t bytes() const; // of memory, roughly: for the cache's bound
    bool contains(const QUuid &id) const;

    void reserve(int memories);
    // In any order; an id that is there already is replaced. A vector of another dimension counts as none.
    void append(const MemoryEntry &entry);
    void remove(const QUuid &id);
    void removeConversation(const QUuid &conversation);
    void setVector(const QUuid &id, std::span<const Half> vector);

    // At most k turns, neighbours included, no two that say the same, best first. Nothing where the question has no
    // word of meaning and no day ("how are you?").
    std::vector<Recalled> rank(const Question &question, int k) const;
    std::vector<Recalled> rank(const Question &question, int k, const RankingWeights &weights) const;

    struct Index;

private:
    std::unique_ptr<Index> m_index;
};

} // namespace companion::memory
