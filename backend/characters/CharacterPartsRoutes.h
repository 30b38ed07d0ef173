#pragma once

#include "api/Api.h"
#include "characters/CharacterStore.h"

namespace companion::identity {
class AuditLog;
}

namespace companion::characters {

class CharacterService;

// The picture with its ETag; kept for a year where the URL names its digest (`v`), else for a minute.
QList<api::Answer> avatarAnswers();
http::Reply avatarReply(const api::Call &call, const Avatar &avatar, bool isPublic);

// The part of addCharacterRoutes() that stands in CharacterAdminRoutes.cpp.
void addCharacterAdminRoutes(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit);

} // namespace companion::characters
