#pragma once

#include "common/Result.h"
#include "common/models/Character.h"
#include "common/models/Page.h"
#include "db/Session.h"

namespace companion::characters {

struct CharacterFilter
{
    std::optional<QString> tag;
    std::optional<QString> q; // part of the name, slug or tagline, in any case
    std::optional<Mode> mode;
    std::optional<CharacterStatus> status; // operators only
};

// The persona of one exact version, as a session uses it.
struct VersionedPersona
{
    CharacterId character;
    QString slug;
    int version = 1;
    CharacterStatus status = CharacterStatus::Published; // of the character, now
    Persona persona;

    bool offers(Mode mode) const
    {
        return mode == Mode::Normal || (persona.spicyEnabled && !persona.spicyPrompt.isEmpty());
    }
    const QString &prompt(Mode mode) const { return mode == Mode::Spicy ? persona.spicyPrompt : persona.systemPrompt; }
};

struct Avatar
{
    QByteArray bytes;
    QString contentType; // image/png, image/jpeg or image/webp
    QString sha256; // hex
};

// The row with its draft, as its editor sees it, and the number that its ETag is made of: every change of any kind
// counts it up.
struct EditedCharacter
{
    AdminCharacter character;
    qint64 rowVersion = 1;
};

// The modes a persona offers; normal always comes first.
QList<Mode> modesOf(const Persona &persona);

// The SQL of characters: reads rows, writes rows, knows no rule.
class CharacterStore
{
public:
    QList<PublicCharacter> published(db::Session &db, const CharacterFilter &filter, const PageRequest &page) const;
    qint64 countPublished(db::Session &db, const CharacterFilter &filter) const;
    std::optional<PublicCharacter> publishedOne(db::Session &db, const QString &idOrSlug) const;

    std::optional<VersionedPersona> current(db::Session &db, const QString &idOrSlug) const;
    std::optional<VersionedPersona> version(db::Session &db, const CharacterId &id, int version) const;
    std::optional<VersionedPersona> draft(db::Session &db, const CharacterId &id) const;

    QList<AdminCharacter> list(db::Session &db, const CharacterFilter &filter, const PageRequest &page) const;
    qint64 count(db::Session &db, const CharacterFilter &filter) const;
    std::optional<EditedCharacter> find(db::Session &db, const CharacterId &id) const;
    std::optional<EditedCharacter> lock(db::Session &db, const CharacterId &id) const; // FOR UPDATE
    std::optional<CharacterId> idOfSlug(db::Session &db, const QString &slug) const;
    QList<CharacterVersion> versions(db::Session &db, const CharacterId &id, const PageRequest &page) const;
    qint64 countVersions(db::Session &db, const CharacterId &id) const;
    std::optional<CharacterVersion> versionRecord(db::Session &db, const CharacterId &id, int version) const;

    // False when the slug is taken (waits for a concurrent insert of the same slug to end).
    bool insert(db::Session &db, const CharacterId &id, const QString &slug) const;
    void insertDraft(db::Session &db, const CharacterId &id, int version, const Persona &persona,
                     const std::optional<UserId> &author, const QString &authorName) const;
    void updateDraft(db::Session &db, const CharacterId &id, const Persona &persona,
                     const std::optional<UserId> &author, const QString &authorName) const;
    void sealDraft(db::Session &db, const CharacterId &id) const; // it becomes an immutable version
    void copyToNextDraft(db::Session &db, const CharacterId &id) const; // from the version sealed last
    void setPublished(db::Session &db, const CharacterId &id, int version) const;
    void setStatus(db::Session &db, const CharacterId &id, CharacterStatus status) const;
    void touch(db::Session &db, const CharacterId &id) const; // counts the row version up
    void setAvatar(db::Session &db, const CharacterId &id, const Avatar &avatar) const;
    // Only where it is or was published, unless `drafts`.
    std::optional<Avatar> avatar(db::Session &db, const QString &idOrSlug, bool drafts) const;
};

} // namespace companion::characters
