#pragma once

#include "common/describe/Json.h"

#include <array>

namespace companion {

enum class Mode { Normal, Spicy };
template <>
struct EnumNames<Mode>
{
    static constexpr std::array values{std::pair{Mode::Normal, "normal"}, std::pair{Mode::Spicy, "spicy"}};
};

// What everybody may see of a published character. Prompts are never in it.
struct PublicCharacter
{
    CharacterId id;
    QString slug;
    QString name;
    QString tagline;
    QString description;
    QString avatarUrl;
    QStringList tags;
    QJsonObject traits;
    QString greeting;
    QList<Mode> modes;
    Factor priceMultiplier;

    static constexpr const char *modelName = "Character";
    static constexpr auto fields()
    {
        using C = PublicCharacter;
        return std::tuple(field("id", &C::id), field("slug", &C::slug), field("name", &C::name, {.title = "Name"}),
                          field("tagline", &C::tagline, {.title = "Tagline"}), field("description", &C::description),
                          field("avatar_url", &C::avatarUrl), field("tags", &C::tags, {.title = "Tags"}),
                          field("traits", &C::traits), field("greeting", &C::greeting),
                          field("modes", &C::modes, {.title = "Modes"}),
                          field("price_multiplier", &C::priceMultiplier, {.title = "Price"}));
    }
};

// The whole persona, as the console edits it. A spicy prompt that is empty means the character has no spicy mode.
struct Persona
{
    QString name;
    QString tagline;
    QString description;
    QStringList tags;
    QJsonObject traits;
    QString greeting;
    QString exampleDialogue;
    QString systemPrompt;
    QString spicyPrompt;
    bool spicyEnabled = false;
    Factor priceMultiplier = Factor::fromUnits(10000);

    static constexpr const char *modelName = "Persona";
    static constexpr auto fields()
    {
        using P = Persona;
        return std::tuple(
            field("name", &P::name, {.title = "Name", .minLength = 1, .maxLength = 80}),
            field("tagline", &P::tagline, {.title = "Tagline", .maxLength = 160, .hasDefault = true}),
            field("description", &P::description, {.title = "Description", .maxLength = 4000, .hasDefault = true}),
            field("tags", &P::tags, {.title = "Tags", .maxLength = 20, .hasDefault = true}),
            field("traits", &P::traits, {.title = "Traits", .hasDefault = true}),
            field("greeting", &P::greeting, {.title = "Greeting", .maxLength = 4000, .hasDefault = true}),
            field("example_dialogue", &P::exampleDialogue,
                  {.title = "Example dialogue", .maxLength = 16000, .hasDefault = true}),
            field("system_prompt", &P::systemPrompt, {.title = "System prompt", .minLength = 1, .maxLength = 16000}),
            field("spicy_prompt", &P::spicyPrompt, {.title = "Spicy prompt", .maxLength = 16000, .hasDefault = true}),
            field("spicy_enabled", &P::spicyEnabled, {.title = "Spicy mode", .hasDefault = true}),
            field("price_multiplier", &P::priceMultiplier,
                  {.title = "Price multiplier", .description = "0 makes the character free", .hasDefault = true}));
    }
};

enum class CharacterStatus { Draft, Published, Archived };
template <>
struct EnumNames<CharacterStatus>
{
    using S = CharacterStatus;
    static constexpr std::array values{std::pair{S::Draft, "draft"}, std::pair{S::Published, "published"},
                                       std::pair{S::Archived, "archived"}};
};

// GET /admin/characters/{id}: the draft that is edited, beside what is published.
struct AdminCharacter
{
    CharacterId id;
    QString slug;
    CharacterStatus status = CharacterStatus::Draft;
    std::optional<int> publishedVersion;
    int draftVersion = 1;
    bool hasUnpublishedChanges = false;
    QString avatarUrl;
    QDateTime updatedAt;
    Persona persona; // the draft

    static constexpr const char *modelName = "AdminCharacter";
    static constexpr auto fields()
    {
        using C = AdminCharacter;
        return std::tuple(field("id", &C::id), field("slug", &C::slug, {.title = "Slug"}),
                          field("status", &C::status, {.title = "Status"}),
                          field("published_version", &C::publishedVersion, {.title = "Published", .nullable = true}),
                          field("draft_version", &C::draftVersion, {.title = "Draft"}),
                          field("has_unpublished_changes", &C::hasUnpublishedChanges),
                          field("avatar_url", &C::avatarUrl), field("updated_at", &C::updatedAt, {.title = "Updated"}),
                          field("persona", &C::persona));
    }
};

struct NewCharacter
{
    QString slug;
    Persona persona;

    static constexpr const char *modelName = "NewCharacter";
    static constexpr auto fields()
    {
        return std::tuple(field("slug", &NewCharacter::slug, {.maxLength = 40, .pattern = "[a-z0-9]+(-[a-z0-9]+)*"}),
                          field("persona", &NewCharacter::persona));
    }
};

// GET /admin/characters/{id}/versions
struct CharacterVersion
{
    int version = 1;
    QDateTime createdAt;
    std::optional<QDateTime> publishedAt;
    QString author; // display name of the operator
    Persona persona;

    static constexpr const char *modelName = "CharacterVersion";
    static constexpr auto fields()
    {
        using V = CharacterVersion;
        return std::tuple(field("version", &V::version, {.title = "Version"}),
                          field("created_at", &V::createdAt, {.title = "Made"}),
                          field("published_at", &V::publishedAt, {.title = "Published", .nullable = true}),
                          field("author", &V::author, {.title = "By"}), field("persona", &V::persona));
    }
};

// POST /admin/characters/{id}/publish; the whole body may be missing.
struct PublishRequest
{
    std::optional<QString> reason;

    static constexpr const char *modelName = "PublishRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("reason", &PublishRequest::reason, {.minLength = 1, .maxLength = 500}));
    }
};

// POST /admin/characters/{id}/rollback: publishes an earlier version again.
struct RollbackRequest
{
    int version = 1;
    QString reason;

    static constexpr const char *modelName = "RollbackRequest";
    static constexpr auto fields()
    {
        return std::tuple(field("version", &RollbackRequest::version, {.minimum = 1}),
                          field("reason", &RollbackRequest::reason, {.minLength = 3, .maxLength = 500}));
    }
};

} // namespace companion
