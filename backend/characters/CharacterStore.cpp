#include "characters/CharacterStore.h"

#include "common/Ensure.h"

namespace companion::characters {

namespace {

Persona personaOf(const db::Row &row)
{
    const auto persona = fromJson<Persona>(row.object("persona"), UnknownFields::Ignore);
    ensure(persona.has_value(), "a stored persona is readable");
    return *persona;
}

// Changes with the image, so that clients may keep an avatar for as long as they like.
QString avatarUrlOf(const db::Row &row, const char *base)
{
    const auto sha256 = row.maybeText("avatar_sha256");
    if (!sha256)
        return {};
    return QStringLiteral("/api/v1/%1/%2/avatar?v=%3")
        .arg(QLatin1StringView(base), row.text("id"), QStringView(*sha256).first(12));
}

PublicCharacter publicOf(const db::Row &row)
{
    const Persona persona = personaOf(row);
    return {.id = row.id<CharacterId>("id"),
            .slug = row.text("slug"),
            .name = persona.name,
            .tagline = persona.tagline,
            .description = persona.description,
            .avatarUrl = avatarUrlOf(row, "config/characters"),
            .tags = persona.tags,
            .traits = persona.traits,
            .greeting = persona.greeting,
            .modes = modesOf(persona),
            .priceMultiplier = persona.priceMultiplier};
}

EditedCharacter rowOf(const db::Row &row)
{
    const auto published = row.maybeInteger("published_version");
    AdminCharacter character{.id = row.id<CharacterId>("id"),
                             .slug = row.text("slug"),
                             .status = row.value<CharacterStatus>("status"),
                             .publishedVersion = published ? std::optional(static_cast<int>(*published)) : std::nullopt,
                             .draftVersion = static_cast<int>(row.integer("draft_version")),
                             .hasUnpublishedChanges = row.boolean("has_unpublished_changes"),
                             .avatarUrl = avatarUrlOf(row, "admin/characters"),
                             .updatedAt = row.time("updated_at"),
                             .persona = personaOf(row)};
    return {std::move(character), row.integer("row_version")};
}

VersionedPersona versionedOf(const db::Row &row)
{
    return {row.id<CharacterId>("id"), row.text("slug"), static_cast<int>(row.integer("version")),
            row.value<CharacterStatus>("status"), personaOf(row)};
}

CharacterVersion recordOf(const db::Row &row)
{
    return {static_cast<int>(row.integer("version")), row.time("created_at"), row.maybeTime("published_at"),
            row.text("author"), personaOf(row)};
}

// A path segment names a character by its id or by its slug; a slug is never a UUID's 36 characters with our pattern
// read as one, so at most one of the two finds it.
std::pair<std::optional<CharacterId>, QString> nameOf(const QString &idOrSlug)
{
    return {CharacterId::parse(idOrSlug), idOrSlug};
}

template <class T, class Read>
std::optional<T> maybe(const std::optional<db::Row> &row, Read read)
{
    return row ? std::optional<T>(read(*row)) : std::nullopt;
}

template <class T, class Read>
QList<T> all(const db::Rows &rows, Read read)
{
    QList<T> items;
    items.reserve(rows.size());
    for (const db::Row &row : rows)
        items.append(read(row));
    return items;
}

} // namespace

QList<Mode> modesOf(const Persona &persona)
{
    QList<Mode> modes{Mode::Normal};
    if (persona.spicyEnabled && !persona.spicyPrompt.isEmpty())
        modes.append(Mode::Spicy);
    return modes;
}

QList<PublicCharacter> CharacterStore::published(db::Session &db, const CharacterFilter &filter,
                                                 const PageRequest &page) const
{
    return all<PublicCharacter>(db.rows("characters.published",
                                        {{"tag", filter.tag},
                                         {"mode", filter.mode},
                                         {"q", filter.q},
                                         {"limit", page.limit},
                                         {"offset", page.offset}}),
                                publicOf);
}

qint64 CharacterStore::countPublished(db::Session &db, const CharacterFilter &filter) const
{
    return db.one("characters.count_published", {{"tag", filter.tag}, {"mode", filter.mode}, {"q", filter.q}})
        .integer("total");
}

std::optional<PublicCharacter> CharacterStore::publishedOne(db::Session &db, const QString &idOrSlug) const
{
    const auto [id, slug] = nameOf(idOrSlug);
    return maybe<PublicCharacter>(db.first("characters.published_one", {{"id", id}, {"slug", slug}}), publicOf);
}

std::optional<VersionedPersona> CharacterStore::current(db::Session &db, const QString &idOrSlug) const
{
    const auto [id, slug] = nameOf(idOrSlug);
    return maybe<VersionedPersona>(db.first("characters.current", {{"id", id}, {"slug", slug}}), versionedOf);
}

std::optional<VersionedPersona> CharacterStore::version(db::Session &db, const CharacterId &id, int version) const
{
    return maybe<VersionedPersona>(db.first("characters.version", {{"id", id}, {"version", version}}), versionedOf);
}

std::optional<VersionedPersona> CharacterStore::draft(db::Session &db, const CharacterId &id) const
{
    return maybe<VersionedPersona>(db.first("characters.draft", {{"id", id}}), versionedOf);
}

QList<AdminCharacter> CharacterStore::list(db::Session &db, const CharacterFilter &filter,
                                           const PageRequest &page) const
{
    return all<AdminCharacter>(db.rows("characters.list",
                                       {{"status", filter.status},
                                        {"tag", filter.tag},
                                        {"mode", filter.mode},
                                        {"q", filter.q},
                                        {"limit", page.limit},
                                        {"offset", page.offset}}),
                               [](const db::Row &row) { return rowOf(row).character; });
}

qint64 CharacterStore::count(db::Session &db, const CharacterFilter &filter) const
{
    return db
        .one("characters.count",
             {{"status", filter.status}, {"tag", filter.tag}, {"mode", filter.mode}, {"q", filter.q}})
        .integer("total");
}

std::optional<EditedCharacter> CharacterStore::find(db::Session &db, const CharacterId &id) const
{
    return maybe<EditedCharacter>(db.first("characters.find", {{"id", id}}), rowOf);
}

std::optional<EditedCharacter> CharacterStore::lock(db::Session &db, const CharacterId &id) const
{
    return db.first("characters.lock", {{"id", id}}) ? find(db, id) : std::nullopt;
}

std::optional<CharacterId> CharacterStore::idOfSlug(db::Session &db, const QString &slug) const
{
    return maybe<CharacterId>(db.first("characters.id_of_slug", {{"slug", slug}}),
                              [](const db::Row &row) { return row.id<CharacterId>("id"); });
}

QList<CharacterVersion> CharacterStore::versions(db::Session &db, const CharacterId &id, const PageRequest &page) const
{
    return all<CharacterVersion>(db.rows("characters.versions",
                                         {{"id", id}, {"limit", page.limit}, {"offset", page.offset}}),
                                 recordOf);
}

qint64 CharacterStore::countVersions(db::Session &db, const CharacterId &id) const
{
    return db.one("characters.count_versions", {{"id", id}}).integer("total");
}

std::optional<CharacterVersion> CharacterStore::versionRecord(db::Session &db, const CharacterId &id, int version) const
{
    return maybe<CharacterVersion>(db.first("characters.version_record", {{"id", id}, {"version", version}}), recordOf);
}

bool CharacterStore::insert(db::Session &db, const CharacterId &id, const QString &slug) const
{
    return db.execute("characters.insert", {{"id", id}, {"slug", slug}, {"now", db.now()}}) == 1;
}

void CharacterStore::insertDraft(db::Session &db, const CharacterId &id, int version, const Persona &persona,
                                 const std::optional<UserId> &author, const QString &authorName) const
{
    db.execute("characters.insert_draft",
               {{"id", id},
                {"version", version},
                {"persona", toJson(persona)},
                {"author_id", author},
                {"author", authorName},
                {"now", db.now()}});
}

void CharacterStore::updateDraft(db::Session &db, const CharacterId &id, const Persona &persona,
                                 const std::optional<UserId> &author, const QString &authorName) const
{
    db.execute("characters.update_draft",
               {{"id", id}, {"persona", toJson(persona)}, {"author_id", author}, {"author", authorName}});
}

void CharacterStore::sealDraft(db::Session &db, const CharacterId &id) const
{
    db.execute("characters.seal_draft", {{"id", id}, {"now", db.now()}});
}

void CharacterStore::copyToNextDraft(db::Session &db, const CharacterId &id) const
{
    db.execute("characters.copy_to_next_draft", {{"id", id}, {"now", db.now()}});
}

void CharacterStore::setPublished(db::Session &db, const CharacterId &id, int version) const
{
    db.execute("characters.set_published", {{"id", id}, {"version", version}, {"now", db.now()}});
}

void CharacterStore::setStatus(db::Session &db, const CharacterId &id, CharacterStatus status) const
{
    db.execute("characters.set_status", {{"id", id}, {"status", status}, {"now", db.now()}});
}

void CharacterStore::touch(db::Session &db, const CharacterId &id) const
{
    db.execute("characters.touch", {{"id", id}, {"now", db.now()}});
}

void CharacterStore::setAvatar(db::Session &db, const CharacterId &id, const Avatar &avatar) const
{
    db.execute("characters.set_avatar",
               {{"id", id},
                {"avatar", avatar.bytes},
                {"type", avatar.contentType},
                {"sha256", avatar.sha256},
                {"now", db.now()}});
}

std::optional<Avatar> CharacterStore::avatar(db::Session &db, const QString &idOrSlug, bool drafts) const
{
    const auto [id, slug] = nameOf(idOrSlug);
    return maybe<Avatar>(db.first("characters.avatar", {{"id", id}, {"slug", slug}, {"drafts", drafts}}),
                         [](const db::Row &row) {
                             return Avatar{row.bytes("avatar"), row.text("avatar_type"), row.text("avatar_sha256")};
                         });
}

} // namespace companion::characters
