#pragma once

namespace companion::api {
class Api;
}
namespace companion::identity {
class AuditLog;
}

namespace companion::characters {

class CharacterService;

// /config/characters: what everybody may see, cacheable (an ETag over the answer, 304 for If-None-Match); and
// /admin/characters: who may do what stands in docs/roles.md, every change is in the audit log.
void addCharacterRoutes(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit);

} // namespace companion::characters
