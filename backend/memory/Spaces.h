#pragma once

#include "memory/VectorStore.h"

#include <memory>

namespace companion::memory {

// Where vectors are and what made them: one store and one embedder. Vectors of two spaces are never compared.
// As text "postgres/glove-sif-100/1": the store's name up to the first slash, then the embedder's.
struct Space
{
    QString store;
    QString embedder;

    static Space parse(const QString &name);
    QString name() const { return store + u'/' + embedder; }
    bool operator==(const Space &) const = default;
};

inline constexpr auto inPostgres = QLatin1StringView("postgres");

// The embedders and stores that this instance can use: the configured ones, and the built-in ones always, so that a
// change of configuration finds what was there before. Filled at start, then only read: names and the built-in embedder
// on any thread, and whatever may be gone before the last act, embedderFor() and storeFor(), on the loop.
class Spaces
{
public:
    explicit Spaces(const LocalEmbedder &local)
        : m_local(local)
    {
        use(nullptr, nullptr);
    }

    const LocalEmbedder &local() const { return m_local; }
    // What vectors are made by and kept in from now on; without a call the built-in embedder and PostgreSQL.
    void use(Embedder *embedder, VectorStore *store);
    // An embedder that was used before, for questions to its vectors.
    void know(Embedder *embedder) { m_known.push_back(embedder); }

    const Space &target() const { return m_target; }
    bool isLocal(const Space &space) const; // no waiting: the built-in embedder and our own database
    const LocalEmbedder *localFor(const Space &space) const;
    Embedder *embedderFor(const Space &space) const; // remote; null where it is the local one or is not known
    VectorStore *storeFor(const Space &space) const; // null: PostgreSQL, or one that is not configured

private:
    const LocalEmbedder &m_local;
    Space m_target;
    Embedder *m_embedder = nullptr;
    VectorStore *m_store = nullptr;
    std::vector<Embedder *> m_known;
};

} // namespace companion::memory
