#include "api/Api.h"
#include "characters/CharacterPartsRoutes.h"
#include "characters/CharacterService.h"
#include "identity/AuditLog.h"

namespace companion::characters {

using namespace Qt::StringLiterals;

namespace {

const QList<Role> adminReaders{Role::Qa, Role::Support, Role::Finance, Role::Viewer};
const QList<Role> draftEditors{Role::Qa};
const QList<Role> admins{}; // an admin may whatever any other role may

api::Endpoint adminEndpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    return {.method = method,
            .path = u"/api/v1/admin/characters"_s + path,
            .tag = u"Admin: characters"_s,
            .summary = summary,
            .access = api::Access::operators(roles)};
}

// A change of what has an ETag.
api::Endpoint changeEndpoint(http::Method method, const QString &path, const QString &summary, const QList<Role> &roles)
{
    auto endpoint = adminEndpoint(method, path, summary, roles);
    endpoint.answers = {api::answer<AdminCharacter>()};
    endpoint.refusals = {ErrorCode::Conflict};
    endpoint.etag = true;
    endpoint.ifMatchRequired = true;
    return endpoint;
}

QByteArray etagOf(const EditedCharacter &edited)
{
    return "c" + QByteArray::number(edited.rowVersion);
}

http::Reply reply(const EditedCharacter &edited, int status = 200)
{
    return api::ok(edited.character, status).with("ETag", '"' + etagOf(edited) + '"');
}

Author authorOf(const api::Call &call)
{
    const User &user = call.account().user;
    return {user.id, user.displayName.isEmpty() ? user.email : user.displayName};
}

// What the log keeps of a character: its standing, and of the persona what changed hands; prompts stay in the versions.
QJsonObject logged(const EditedCharacter &edited)
{
    QJsonObject state = toJson(edited.character);
    QJsonObject persona = state.take(u"persona"_s).toObject();
    for (const QString &prompt : {u"system_prompt"_s, u"spicy_prompt"_s, u"example_dialogue"_s})
        persona.insert(prompt, u"%1 characters"_s.arg(persona.value(prompt).toString().size()));
    state.insert(u"persona"_s, persona);
    state.remove(u"updated_at"_s);
    return state;
}

// One change of one character: If-Match, the change itself, the log's line, the answer.
class Change
{
public:
    Change(const CharacterService &characters, const identity::AuditLog &audit)
        : m_characters(characters)
        , m_audit(audit)
    {
    }

    using Step = std::function<Result<CharacterChange>(const CharacterId &, qint64 expected)>;
    Result<http::Reply> perform(const api::Call &call, db::Session &db, const QString &act, const QString &reason,
                                const Step &step) const
    {
        const auto id = call.id<CharacterId>();
        const auto before = id ? m_characters.find(db, *id) : std::unexpected(id.error());
        if (!before)
            return std::unexpected(before.error());
        if (const auto matches = call.checkIfMatch(etagOf(*before)); !matches)
            return std::unexpected(matches.error());
        const auto change = step(*id, before->rowVersion);
        if (!change)
            return std::unexpected(change.error());
        log(call, db, act, reason, *change);
        return reply(change->after);
    }

    void log(const api::Call &call, db::Session &db, const QString &act, const QString &reason,
             const CharacterChange &change) const
    {
        m_audit.append(db,
                       {.actor = call.user().toString(),
                        .act = act,
                        .target = u"character:"_s + change.after.character.id.toString(),
                        .reason = reason,
                        .before = change.before ? std::optional(logged(*change.before)) : std::nullopt,
                        .after = logged(change.after),
                        .requestId = QString::fromLatin1(call.request().id)});
    }

private:
    const CharacterService &m_characters;
    const identity::AuditLog &m_audit;
};

void addReading(api::Api &api, const CharacterService &characters)
{
    auto list = adminEndpoint(http::Method::Get, {}, u"All characters, the last changed first"_s, adminReaders);
    list.answers = {api::answer<Page<AdminCharacter>>()};
    list.query = {{"status", "draft, published or archived", JsonType<CharacterStatus>::schema({})},
                  {"tag", "Only those with this tag in the draft"},
                  {"q", "Only those with this in name, slug or tagline"},
                  {"mode", "Only those whose draft offers this mode", JsonType<Mode>::schema({})}};
    list.paged = true;
    api.act(list, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto mode = page ? call.queryValue<Mode>(u"mode"_s) : std::unexpected(page.error());
        const auto status = mode ? call.queryValue<CharacterStatus>(u"status"_s) : std::unexpected(mode.error());
        if (!status)
            return std::unexpected(status.error());
        return api::ok(characters.list(db, {call.query(u"tag"_s), call.query(u"q"_s), *mode, *status}, *page));
    });

    auto one = adminEndpoint(http::Method::Get, u"/{id}"_s, u"One character with its draft and ETag"_s, adminReaders);
    one.answers = {api::answer<AdminCharacter>()};
    one.etag = true;
    api.act(one, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<CharacterId>();
        const auto found = id ? characters.find(db, *id) : std::unexpected(id.error());
        return found ? Result<http::Reply>(reply(*found)) : std::unexpected(found.error());
    });
}

void addVersions(api::Api &api, const CharacterService &characters)
{
    auto list = adminEndpoint(http::Method::Get, u"/{id}/versions"_s, u"Its versions, the draft first"_s, adminReaders);
    list.answers = {api::answer<Page<CharacterVersion>>()};
    list.paged = true;
    api.act(list, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto page = call.page();
        const auto id = page ? call.id<CharacterId>() : std::unexpected(page.error());
        const auto versions = id ? characters.versions(db, *id, *page) : std::unexpected(id.error());
        return versions ? Result<http::Reply>(api::ok(*versions)) : std::unexpected(versions.error());
    });
}

void addAvatarReading(api::Api &api, const CharacterService &characters)
{
    auto avatar = adminEndpoint(http::Method::Get, u"/{id}/avatar"_s, u"Its picture, published or not"_s, adminReaders);
    avatar.answers = avatarAnswers();
    avatar.etag = true;
    avatar.query = {{"v", "What avatar_url carries; it changes with the picture"}};
    api.act(avatar, [&characters](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto id = call.id<CharacterId>();
        const auto found = id ? characters.avatarForOperators(db, *id) : std::unexpected(id.error());
        return found ? Result<http::Reply>(avatarReply(call, *found, false)) : std::unexpected(found.error());
    });
}

void addDrafting(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    auto create = adminEndpoint(http::Method::Post, {}, u"Make a character; it begins as a draft"_s, draftEditors);
    create.body = schemaOf<NewCharacter>();
    create.answers = {api::answer<AdminCharacter>(201)};
    create.refusals = {ErrorCode::Conflict};
    create.etag = true;
    api.act(create, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<NewCharacter>();
        if (!wanted)
            return std::unexpected(wanted.error());
        const auto made = characters.create(db, *wanted, authorOf(call));
        if (!made)
            return std::unexpected(made.error());
        Change(characters, audit).log(call, db, u"character.create"_s, {}, *made);
        return reply(made->after, 201);
    });

    auto edit = changeEndpoint(http::Method::Put, u"/{id}"_s, u"Replace the draft's persona"_s, draftEditors);
    edit.body = schemaOf<Persona>();
    api.act(edit, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto persona = call.body<Persona>();
        if (!persona)
            return std::unexpected(persona.error());
        return Change(characters, audit)
            .perform(call, db, u"character.edit"_s, {}, [&](const CharacterId &id, qint64 expected) {
                return characters.edit(db, id, expected, *persona, authorOf(call));
            });
    });
}

void addAvatarWriting(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    auto put =
        changeEndpoint(http::Method::Put, u"/{id}/avatar"_s,
                       u"Set the picture: PNG, JPEG or WebP, at most 512 KiB, as the body itself"_s, draftEditors);
    put.bodyTypes = {u"image/png"_s, u"image/jpeg"_s, u"image/webp"_s};
    api.act(put, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        return Change(characters, audit)
            .perform(call, db, u"character.avatar"_s, {}, [&](const CharacterId &id, qint64 expected) {
                return characters.setAvatar(db, id, expected, call.request().body);
            });
    });
}

void addPublishing(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    auto publish = changeEndpoint(http::Method::Post, u"/{id}/publish"_s,
                                  u"Publish the draft as the next version; the body may be missing"_s, admins);
    publish.body = schemaOf<PublishRequest>();
    publish.bodyOptional = true;
    api.act(publish, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.request().body.isEmpty() ? PublishRequest{} : call.body<PublishRequest>();
        if (!wanted)
            return std::unexpected(wanted.error());
        return Change(characters, audit)
            .perform(call, db, u"character.publish"_s, wanted->reason.value_or(QString()),
                     [&](const CharacterId &id, qint64 expected) { return characters.publish(db, id, expected); });
    });

    auto rollback =
        changeEndpoint(http::Method::Post, u"/{id}/rollback"_s, u"Publish an earlier version again"_s, admins);
    rollback.body = schemaOf<RollbackRequest>();
    api.act(rollback, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        const auto wanted = call.body<RollbackRequest>();
        if (!wanted)
            return std::unexpected(wanted.error());
        return Change(characters, audit)
            .perform(call, db, u"character.rollback"_s, wanted->reason, [&](const CharacterId &id, qint64 expected) {
                return characters.rollback(db, id, expected, wanted->version);
            });
    });
}

void addArchiving(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    auto archive = changeEndpoint(http::Method::Delete, u"/{id}"_s,
                                  u"Archive: no new sessions; those that run keep their version"_s, admins);
    api.act(archive, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        return Change(characters, audit)
            .perform(call, db, u"character.archive"_s, {},
                     [&](const CharacterId &id, qint64 expected) { return characters.archive(db, id, expected); });
    });

    auto restore = changeEndpoint(http::Method::Post, u"/{id}/restore"_s, u"Undo archiving"_s, admins);
    api.act(restore, [&characters, &audit](const api::Call &call, db::Session &db) -> Result<http::Reply> {
        return Change(characters, audit)
            .perform(call, db, u"character.restore"_s, {},
                     [&](const CharacterId &id, qint64 expected) { return characters.restore(db, id, expected); });
    });
}

} // namespace

void addCharacterAdminRoutes(api::Api &api, const CharacterService &characters, const identity::AuditLog &audit)
{
    addReading(api, characters);
    addVersions(api, characters);
    addAvatarReading(api, characters);
    addDrafting(api, characters, audit);
    addAvatarWriting(api, characters, audit);
    addPublishing(api, characters, audit);
    addArchiving(api, characters, audit);
}

} // namespace companion::characters
