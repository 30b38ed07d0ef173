#include "memory/Spaces.h"

namespace companion::memory {

Space Space::parse(const QString &name)
{
    const auto slash = name.indexOf(u'/');
    return slash < 0 ? Space{} : Space{name.left(slash), name.sliced(slash + 1)};
}

void Spaces::use(Embedder *embedder, VectorStore *store)
{
    m_embedder = embedder;
    m_store = store;
    m_target = {store ? store->name() : QString(inPostgres),
                embedder ? embedder->identity().name : m_local.identity().name};
}

bool Spaces::isLocal(const Space &space) const
{
    return space.store == inPostgres && localFor(space);
}

const LocalEmbedder *Spaces::localFor(const Space &space) const
{
    return space.embedder == m_local.identity().name ? &m_local : nullptr;
}

Embedder *Spaces::embedderFor(const Space &space) const
{
    if (m_embedder && m_embedder->identity().name == space.embedder)
        return m_embedder;
    for (Embedder *known : m_known)
        if (known->identity().name == space.embedder)
            return known;
    return nullptr;
}

VectorStore *Spaces::storeFor(const Space &space) const
{
    return m_store && m_store->name() == space.store ? m_store : nullptr;
}

} // namespace companion::memory
