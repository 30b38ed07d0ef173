#include "characters/CharacterService.h"

#include "characters/AvatarImage.h"
#include "common/Ensure.h"

#include <QCryptographicHash>
#include <QRegularExpression>

namespace companion::characters {

namespace {

std::unexpected<Refusal> noSuchCharacter()
{
    return refuse(ErrorCode::NotFound, QStringLiteral("There is no such character."));
}

template <class T>
Result<T> found(std::optional<T> maybe)
{
    if (!maybe)
        return noSuchCharacter();
    return std::move(*maybe);
}

template <class T>
Page<T> pageOf(QList<T> items, qint64 total, const PageRequest &page)
{
    const bool hasMore = page.offset + items.size() < total;
    return {std::move(items), total, page.limit, page.offset, hasMore, std::nullopt};
}

std::unexpected<Refusal> invalid(const QList<FieldError> &errors)
{
    return std::unexpected(Refusal{.code = ErrorCode::Invalid,
                                   .detail = QStringLiteral("The character is not valid; see errors."),
                                   .errors = errors});
}

bool isTag(const QString &tag)
{
    static const QRegularExpression shape(QStringLiteral("^[a-z0-9]+([ -][a-z0-9]+)*$"));
    return tag.size() <= 30 && shape.match(tag).hasMatch();
}

bool isTraitText(const QJsonValue &value)
{
    return value.isString() && !value.toString().isEmpty() && value.toString().size() <= 200;
}

bool isTrait(const QJsonValue &value)
{
    if (!value.isArray())
        return isTraitText(value);
    const QJsonArray list = value.toArray();
    return list.size() <= 20 && std::all_of(list.begin(), list.end(), isTraitText);
}

void checkTags(const Persona &persona, const QString &base, QList<FieldError> &errors)
{
    for (qsizetype i = 0; i < persona.tags.size(); ++i)
        if (!isTag(persona.tags[i]) || persona.tags.indexOf(persona.tags[i]) != i)
            errors.append(
                {QStringLiteral("%1/tags/%2").arg(base).arg(i),
                 QStringLiteral("must be one or more lower-case words, at most 30 characters, and only once")});
}

void checkTraits(const Persona &persona, const QString &base, QList<FieldError> &errors)
{
    if (persona.traits.size() > 20)
        errors.append({base + QStringLiteral("/traits"), QStringLiteral("must have at most 20 entries")});
    for (auto it = persona.traits.begin(); it != persona.traits.end(); ++it)
        if (!isTrait(it.value()))
            errors.append({json::childPointer(base + QStringLiteral("/traits"), it.key()),
                           QStringLiteral("must be a text of 1 to 200 characters or a list of at most 20 of them")});
}

// The slug stands where an id may stand, so it must not read as one.
std::optional<FieldError> slugProblem(const QString &slug)
{
    if (!CharacterId::parse(slug))
        return std::nullopt;
    return FieldError{QStringLiteral("/slug"), QStringLiteral("must not have the form of an id")};
}

Result<Avatar> checkedAvatar(const QByteArray &image)
{
    if (image.size() > CharacterService::maxAvatarBytes)
        return refuse(ErrorCode::PayloadTooLarge, QStringLiteral("An avatar has at most 512 KiB."));
    const auto facts = readImageFacts(image);
    if (!facts)
        return refuse(ErrorCode::UnsupportedMediaType, QStringLiteral("An avatar is a PNG, JPEG or WebP image."));
    const auto [least, most] = std::minmax(facts->width, facts->height);
    if (least < 64 || most > 2048)
        return refuse(ErrorCode::Invalid,
                      QStringLiteral("An avatar measures 64 to 2048 pixels a side, not %1 × %2.")
                          .arg(facts->width)
                          .arg(facts->height));
    const QByteArray sha256 = QCryptographicHash::hash(image, QCryptographicHash::Sha256).toHex();
    return Avatar{image, facts->contentType, QString::fromLatin1(sha256)};
}

} // namespace

QList<FieldError> problemsOf(const Persona &persona, const QString &base)
{
    QList<FieldError> errors;
    if (persona.name.trimmed().isEmpty())
        errors.append({base + QStringLiteral("/name"), QStringLiteral("must not be blank")});
    if (persona.systemPrompt.trimmed().isEmpty())
        errors.append({base + QStringLiteral("/system_prompt"), QStringLiteral("must not be blank")});
    if (persona.spicyEnabled && persona.spicyPrompt.trimmed().isEmpty())
        errors.append({base + QStringLiteral("/spicy_prompt"), QStringLiteral("is needed where spicy mode is on")});
    if (persona.priceMultiplier.isNegative() || persona.priceMultiplier > Factor::fromUnits(100 * 10000))
        errors.append({base + QStringLiteral("/price_multiplier"), QStringLiteral("must be from 0 to 100")});
    checkTags(persona, base, errors);
    checkTraits(persona, base, errors);
    return errors;
}

Page<PublicCharacter> CharacterService::published(db::Session &db, const CharacterFilter &filter,
                                                  const PageRequest &page) const
{
    return pageOf(m_store.published(db, filter, page), m_store.countPublished(db, filter), page);
}

Result<PublicCharacter> CharacterService::publishedOne(db::Session &db, const QString &idOrSlug) const
{
    return found(m_store.publishedOne(db, idOrSlug));
}

Result<VersionedPersona> CharacterService::current(db::Session &db, const QString &idOrSlug) const
{
    return found(m_store.current(db, idOrSlug));
}

Result<VersionedPersona> CharacterService::personaFor(db::Session &db, const CharacterId &id, int version) const
{
    return found(m_store.version(db, id, version));
}

Result<VersionedPersona> CharacterService::draft(db::Session &db, const CharacterId &id) const
{
    return found(m_store.draft(db, id));
}

Page<AdminCharacter> CharacterService::list(db::Session &db, const CharacterFilter &filter,
                                            const PageRequest &page) const
{
    return pageOf(m_store.list(db, filter, page), m_store.count(db, filter), page);
}

Result<EditedCharacter> CharacterService::find(db::Session &db, const CharacterId &id) const
{
    return found(m_store.find(db, id));
}

Result<EditedCharacter> CharacterService::findBySlug(db::Session &db, const QString &slug) const
{
    const auto id = m_store.idOfSlug(db, slug);
    return id ? find(db, *id) : noSuchCharacter();
}

Result<Page<CharacterVersion>> CharacterService::versions(db::Session &db, const CharacterId &id,
                                                          const PageRequest &page) const
{
    const qint64 total = m_store.countVersions(db, id);
    if (total == 0)
        return noSuchCharacter();
    return pageOf(m_store.versions(db, id, page), total, page);
}

Result<CharacterVersion> CharacterService::version(db::Session &db, const CharacterId &id, int version) const
{
    return found(m_store.versionRecord(db, id, version));
}

Result<CharacterChange> CharacterService::create(db::Session &db, const NewCharacter &wanted,
                                                 const Author &author) const
{
    QList<FieldError> errors = problemsOf(wanted.persona, QStringLiteral("/persona"));
    if (const auto problem = slugProblem(wanted.slug))
        errors.prepend(*problem);
    if (!errors.isEmpty())
        return invalid(errors);
    const auto id = CharacterId::create();
    if (!m_store.insert(db, id, wanted.slug))
        return refuse(ErrorCode::Conflict, QStringLiteral("The slug is taken."));
    m_store.insertDraft(db, id, 1, wanted.persona, author.id, author.name);
    return CharacterChange{std::nullopt, *m_store.find(db, id)};
}

Result<CharacterChange> CharacterService::edit(db::Session &db, const CharacterId &id, std::optional<qint64> expected,
                                               const Persona &persona, const Author &author) const
{
    if (const auto errors = problemsOf(persona); !errors.isEmpty())
        return invalid(errors);
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    m_store.updateDraft(db, id, persona, author.id, author.name);
    m_store.touch(db, id);
    return changed(db, *before);
}

Result<CharacterChange> CharacterService::publish(db::Session &db, const CharacterId &id,
                                                  std::optional<qint64> expected) const
{
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    if (before->character.status == CharacterStatus::Archived)
        return refuse(ErrorCode::Conflict, QStringLiteral("The character is archived; restore it first."));
    if (!before->character.hasUnpublishedChanges)
        return refuse(ErrorCode::Conflict, QStringLiteral("Nothing has changed since the published version."));
    m_store.sealDraft(db, id);
    m_store.copyToNextDraft(db, id);
    m_store.setPublished(db, id, before->character.draftVersion);
    return changed(db, *before);
}

Result<CharacterChange> CharacterService::rollback(db::Session &db, const CharacterId &id,
                                                   std::optional<qint64> expected, int version) const
{
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    if (before->character.status == CharacterStatus::Archived)
        return refuse(ErrorCode::Conflict, QStringLiteral("The character is archived; restore it first."));
    if (before->character.publishedVersion == version)
        return refuse(ErrorCode::Conflict, QStringLiteral("That version is the published one."));
    if (!m_store.version(db, id, version))
        return refuse(ErrorCode::Conflict, QStringLiteral("There is no published version of that number."));
    m_store.setPublished(db, id, version);
    return changed(db, *before);
}

Result<CharacterChange> CharacterService::archive(db::Session &db, const CharacterId &id,
                                                  std::optional<qint64> expected) const
{
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    if (before->character.status == CharacterStatus::Archived)
        return refuse(ErrorCode::Conflict, QStringLiteral("The character is archived already."));
    m_store.setStatus(db, id, CharacterStatus::Archived);
    return changed(db, *before);
}

Result<CharacterChange> CharacterService::restore(db::Session &db, const CharacterId &id,
                                                  std::optional<qint64> expected) const
{
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    if (before->character.status != CharacterStatus::Archived)
        return refuse(ErrorCode::Conflict, QStringLiteral("The character is not archived."));
    m_store.setStatus(db, id, before->character.publishedVersion ? CharacterStatus::Published : CharacterStatus::Draft);
    return changed(db, *before);
}

Result<CharacterChange> CharacterService::setAvatar(db::Session &db, const CharacterId &id,
                                                    std::optional<qint64> expected, const QByteArray &image) const
{
    const auto avatar = checkedAvatar(image);
    if (!avatar)
        return std::unexpected(avatar.error());
    const auto before = locked(db, id, expected);
    if (!before)
        return std::unexpected(before.error());
    m_store.setAvatar(db, id, *avatar);
    return changed(db, *before);
}

Result<Avatar> CharacterService::avatar(db::Session &db, const QString &idOrSlug) const
{
    return found(m_store.avatar(db, idOrSlug, false));
}

Result<Avatar> CharacterService::avatarForOperators(db::Session &db, const CharacterId &id) const
{
    return found(m_store.avatar(db, id.toString(), true));
}

Result<EditedCharacter> CharacterService::locked(db::Session &db, const CharacterId &id,
                                                 std::optional<qint64> expected) const
{
    auto row = m_store.lock(db, id);
    if (!row)
        return noSuchCharacter();
    if (expected && *expected != row->rowVersion)
        return refuse(ErrorCode::PreconditionFailed,
                      QStringLiteral("The character was changed by somebody else meanwhile; load it again."));
    return std::move(*row);
}

CharacterChange CharacterService::changed(db::Session &db, const EditedCharacter &before) const
{
    const auto after = m_store.find(db, before.character.id);
    ensure(after.has_value(), "a character that was just changed is there");
    return {before, *after};
}

} // namespace companion::characters
