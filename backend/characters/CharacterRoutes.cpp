#include "characters/CharacterRoutes.h"

#include "api/Api.h"
#include "characters/CharacterPartsRoutes.h"
#include "characters/CharacterService.h"

#include <QCryptographicHash>

namespace companion::characters {

using namespace Qt::StringLiterals;

namespace {

const api::Parameter idOrSlug{"id",
                              "Its id or its slug",
                              {{u"type"_s, u"string"_s}, {u"examples"_s, QJsonArray{u"aria"_s}}}};

api::Endpoint publicEndpoint(const QString &path, const QString &summary)
{
    return {.path = u"/api/v1/config/characters"_s + path,
            .tag = u"Characters"_s,
            .summary = summary,
            .access = api::Access::everybody()};
}

bool clientHas(const http::Request &request, const QByteArray &etag)
{
    for (QByteArray candidate : request.headers.value("If-None-Match").split(',')) {
        candidate = candidate.trimmed();
        if (candidate == "*" || candidate == etag || candidate == "W/" + etag)
            return true;
    }
    return false;
}

// 304 where the client has it already.
http::Reply cached(const http::Request &request, http::Reply reply, const QByteArray &etag,
                   const QByteArray &cacheControl)
{
    if (clientHas(request, etag)) {
        reply = http::Reply{};
        reply.status = 304;
    }
    return reply.with("ETag", etag).with("Cache-Control", cacheControl);
}

http::Reply cachedJson(const http::Request &request, http::Reply reply)
{
    const auto digest = QCryptographicHash::hash(reply.body, QCryptographicHash::Sha256).toHex().first(32);
    return cached(request, std::move(reply), '"' + digest + '"', "public, max-age=60");
}

void addList(api::Api &api, const CharacterService &characters)
{
    auto list = publicEndpoint({}, u"The published characters, by name"_s);
    list.answers = {api::answer<Page<PublicCharacter>>(), {304}};
    list.etag = true;
    list.query = {{"tag", "Only those with this tag"},
                  {"q", "Only those with this in name, slug or tagline"},
                  {"mode", "Only those that offer this mode", JsonType<Mode>::schema({})}};
    list.paged = true;
    api.act(list, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto mode = page ? call.queryValue<Mode>(u"mode"_s) : std::unexpected(page.error());
        if (!mode)
            return std::unexpected(mode.error());
        const CharacterFilter filter{call.query(u"tag"_s), call.query(u"q"_s), *mode, std::nullopt};
        return cachedJson(call.request(), api::ok(characters.published(db, filter, *page)));
    });
}

void addOne(api::Api &api, const CharacterService &characters)
{
    auto one = publicEndpoint(u"/{id}"_s, u"One published character, by id or slug"_s);
    one.answers = {api::answer<PublicCharacter>(), {304}};
    one.etag = true;
    one.segments = {idOrSlug};
    api.act(one, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto character = characters.publishedOne(db, call.request().param(u"id"_s));
        if (!character)
            return std::unexpected(character.error());
        return cachedJson(call.request(), api::ok(*character));
    });
}

void addAvatar(api::Api &api, const CharacterService &characters)
{
    auto avatar = publicEndpoint(u"/{id}/avatar"_s, u"A character's picture"_s);
    avatar.answers = avatarAnswers();
    avatar.etag = true;
    avatar.segments = {idOrSlug};
    avatar.query = {{"v", "What avatar_url carries; it changes with the picture"}};
    api.act(avatar, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto found = characters.avatar(db, call.request().param(u"id"_s));
        if (!found)
            return std::unexpected(found.error());
        return avatarReply(call, *found, true);
    });
}

} // namespace

QList<api::Answer> avatarAnswers()
{
    QList<api::Answer> answers{{304}};
    for (const char *type : {"image/png", "image/jpeg", "image/webp"})
        answers.append({200, {{u"contentMediaType"_s, QString::fromLatin1(type)}}, type});
    return answers;
}

http::Reply avatarReply(const api::Call &call, const Avatar &avatar, bool isPublic)
{
    // A URL that names the picture's digest never changes its answer.
    const QByteArray scope = isPublic ? "public" : "private";
    const bool isPinned = call.query(u"v"_s) == avatar.sha256.first(12);
    const QByteArray age = isPinned ? ", max-age=31536000, immutable" : ", max-age=60";
    auto reply = http::Reply::text(avatar.bytes, avatar.contentType.toLatin1());
    return cached(call.request(), std::move(reply), '"' + avatar.sha256.toLatin1().first(32) + '"', scope + age)
        .with("X-Content-Type-Options", "nosniff");
}

void addCharacterRoutes(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    addList(api, characters);
    addOne(api, characters);
    addAvatar(api, characters);
    addCharacterAdminRoutes(api, characters, audit);
}

} // namespace companion::characters
