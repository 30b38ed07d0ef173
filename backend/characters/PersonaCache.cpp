#include "characters/PersonaCache.h"

namespace companion::characters {

Result<VersionedPersona> PersonaCache::of(db::Session &db, const CharacterId &id, int version)
{
    const std::pair key(id, version);
    {
        const std::lock_guard lock(m_mutex);
        if (const auto known = m_known.constFind(key); known != m_known.constEnd())
            return *known;
    }
    auto persona = m_characters.personaFor(db, id, version);
    if (persona) {
        const std::lock_guard lock(m_mutex);
        if (m_known.size() >= m_limit)
            m_known.clear();
        m_known.insert(key, *persona);
    }
    return persona;
}

} // namespace companion::characters
