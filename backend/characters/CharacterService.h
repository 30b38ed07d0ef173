#pragma once

#include "characters/CharacterStore.h"

namespace companion::characters {

// Who changes a character: an operator, or nobody in person (the samples).
struct Author
{
    std::optional<UserId> id;
    QString name;
};

// For the audit log: `before` is missing for what has just been made.
struct CharacterChange
{
    std::optional<EditedCharacter> before;
    EditedCharacter after;
};

// The rules about personas. A character has one draft, which is edited, and numbered versions, which never change once
// they were published; the published version is the one that new sessions get. Stateless; safe on any worker; every
// function may run inside a caller's transaction, and those that change something must.
//
// `expected` is the row version of the caller's If-Match: precondition_failed when the row has moved on; nullopt
// accepts any.
class CharacterService
{
public:
    // What everybody may see: published characters only. Ordered by name.
    Page<PublicCharacter> published(db::Session &db, const CharacterFilter &filter, const PageRequest &page) const;
    Result<PublicCharacter> publishedOne(db::Session &db, const QString &idOrSlug) const; // not_found

    // For chat. current: the published version, for a new session. personaFor: exactly the version a session stays on,
    // also after newer ones and after archiving; both need only the app role. draft: for persona tests, operator role.
    Result<VersionedPersona> current(db::Session &db, const QString &idOrSlug) const; // not_found
    Result<VersionedPersona> personaFor(db::Session &db, const CharacterId &id, int version) const; // not_found
    Result<VersionedPersona> draft(db::Session &db, const CharacterId &id) const; // not_found

    // Operators. Listed by the time of the last change, newest first.
    Page<AdminCharacter> list(db::Session &db, const CharacterFilter &filter, const PageRequest &page) const;
    Result<EditedCharacter> find(db::Session &db, const CharacterId &id) const; // not_found
    Result<EditedCharacter> findBySlug(db::Session &db, const QString &slug) const;
    Result<Page<CharacterVersion>> versions(db::Session &db, const CharacterId &id, const PageRequest &page) const;
    Result<CharacterVersion> version(db::Session &db, const CharacterId &id, int version) const;

    // conflict: the slug is taken. invalid: the persona breaks a rule (see problemsOf).
    Result<CharacterChange> create(db::Session &db, const NewCharacter &wanted, const Author &author) const;
    Result<CharacterChange> edit(db::Session &db, const CharacterId &id, std::optional<qint64> expected,
                                 const Persona &persona, const Author &author) const;
    // The draft becomes an immutable version and the next draft starts as its copy. conflict: nothing has changed since
    // the published version, or the character is archived.
    Result<CharacterChange> publish(db::Session &db, const CharacterId &id, std::optional<qint64> expected) const;
    // Publishes an earlier version again; the draft stays as it is. conflict: the version was never published, is the
    // published one already, or the character is archived.
    Result<CharacterChange> rollback(db::Session &db, const CharacterId &id, std::optional<qint64> expected,
                                     int version) const;
    // No new sessions; those that run keep their version. restore undoes it. conflict: it is (not) archived already.
    Result<CharacterChange> archive(db::Session &db, const CharacterId &id, std::optional<qint64> expected) const;
    Result<CharacterChange> restore(db::Session &db, const CharacterId &id, std::optional<qint64> expected) const;
    // PNG, JPEG or WebP by their first bytes, at most maxAvatarBytes and 64 to 2048 pixels a side; never SVG (it can
    // hold scripts). payload_too_large, unsupported_media_type, invalid.
    Result<CharacterChange> setAvatar(db::Session &db, const CharacterId &id, std::optional<qint64> expected,
                                      const QByteArray &image) const;
    // The avatar of a character that is or was published (for everybody), or of any (for operators).
    Result<Avatar> avatar(db::Session &db, const QString &idOrSlug) const;
    Result<Avatar> avatarForOperators(db::Session &db, const CharacterId &id) const;

    static constexpr qsizetype maxAvatarBytes = 512 * 1024;

private:
    Result<EditedCharacter> locked(db::Session &db, const CharacterId &id, std::optional<qint64> expected) const;
    CharacterChange changed(db::Session &db, const EditedCharacter &before) const;

    CharacterStore m_store;
};

// What is wrong with a persona beyond its fields' own rules: a spicy mode without a prompt, tags that are not short
// lower-case words, trait values that are not texts or lists of texts, a multiplier outside 0 to 100. Pointers begin
// with `base`.
QList<FieldError> problemsOf(const Persona &persona, const QString &base = {});

// Makes and publishes the six sample characters where no character of their slug is there yet; says how many it made.
// In one transaction; any number of instances may do it at the same moment.
int installSampleCharacters(db::Session &db);

} // namespace companion::characters
