#pragma once

#include "characters/CharacterService.h"

#include <QHash>
#include <mutex>

namespace companion::characters {

// The personas of published versions, which never change, kept by the process: at most `limit`, then begun anew.
// Safe on any worker.
class PersonaCache
{
public:
    explicit PersonaCache(const CharacterService &characters, int limit = 1000)
        : m_characters(characters)
        , m_limit(limit)
    {
    }

    // As CharacterService::personaFor, but `status` is of the moment when it was first asked for. not_found
    Result<VersionedPersona> of(db::Session &db, const CharacterId &id, int version);

private:
    const CharacterService &m_characters;
    const int m_limit;
    std::mutex m_mutex; // guards what follows
    QHash<std::pair<CharacterId, int>, VersionedPersona> m_known;
};

} // namespace companion::characters
