#pragma once

#include "common/models/Character.h"
#include "console/client/ApiClient.h"

namespace companion::console {

class CharactersApi
{
public:
    explicit CharactersApi(ApiClient &client)
        : m_client(client)
    {
    }
    ApiCall<Page<AdminCharacter>> list(int limit, qint64 offset);
    ApiCall<Tagged<AdminCharacter>> one(const CharacterId &id);
    ApiCall<Tagged<AdminCharacter>> create(const NewCharacter &character);
    // 412 when somebody else saved since `etag`.
    ApiCall<Tagged<AdminCharacter>> saveDraft(const CharacterId &id, const Persona &persona, const QByteArray &etag);
    ApiCall<Tagged<AdminCharacter>> publish(const CharacterId &id, const QByteArray &etag);
    ApiCall<Page<CharacterVersion>> versions(const CharacterId &id);

private:
    ApiClient &m_client;
};

} // namespace companion::console
