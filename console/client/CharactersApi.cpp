#include "console/client/CharactersApi.h"

namespace companion::console {

namespace {

QString characterPath(const CharacterId &id, const QString &below = QString())
{
    return QStringLiteral("/admin/characters/") + id.toString() + below;
}

} // namespace

ApiCall<Page<AdminCharacter>> CharactersApi::list(int limit, qint64 offset)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("limit"), QString::number(limit));
    query.addQueryItem(QStringLiteral("offset"), QString::number(offset));
    return m_client.call<Page<AdminCharacter>>({.path = QStringLiteral("/admin/characters"), .query = query});
}

ApiCall<Tagged<AdminCharacter>> CharactersApi::one(const CharacterId &id)
{
    return m_client.call<Tagged<AdminCharacter>>({.path = characterPath(id)});
}

ApiCall<Tagged<AdminCharacter>> CharactersApi::create(const NewCharacter &character)
{
    return m_client.call<Tagged<AdminCharacter>>(
        {.method = "POST", .path = QStringLiteral("/admin/characters"), .body = toJson(character)});
}

ApiCall<Tagged<AdminCharacter>> CharactersApi::saveDraft(const CharacterId &id, const Persona &persona,
                                                         const QByteArray &etag)
{
    return m_client.call<Tagged<AdminCharacter>>(
        {.method = "PUT", .path = characterPath(id), .body = toJson(persona), .ifMatch = etag});
}

ApiCall<Tagged<AdminCharacter>> CharactersApi::publish(const CharacterId &id, const QByteArray &etag)
{
    return m_client.call<Tagged<AdminCharacter>>(
        {.method = "POST", .path = characterPath(id, QStringLiteral("/publish")), .ifMatch = etag});
}

ApiCall<Page<CharacterVersion>> CharactersApi::versions(const CharacterId &id)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("limit"), QStringLiteral("100"));
    return m_client.call<Page<CharacterVersion>>(
        {.path = characterPath(id, QStringLiteral("/versions")), .query = query});
}

} // namespace companion::console
