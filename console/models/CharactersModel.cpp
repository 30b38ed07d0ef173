#include "console/models/CharactersModel.h"

#include "console/models/Format.h"
#include "console/models/Words.h"

#include <QUrl>

namespace companion::console {

namespace {

QVariant nameCell(const AdminCharacter &character, int role)
{
    if (role == ImageRole)
        return QUrl(character.avatarUrl);
    if (role == KeyRole)
        return character.id.toString();
    return cells::text(character.persona.name, role);
}

QVariant statusCell(const AdminCharacter &character, int role)
{
    if (character.status == CharacterStatus::Published && character.hasUnpublishedChanges)
        return cells::state(CharactersModel::tr("Published, edited"), Tone::Warning, role);
    return cells::state(words::characterStatus(character.status), words::tone(character.status), role);
}

QString modesText(const Persona &persona)
{
    return persona.spicyEnabled ? CharactersModel::tr("Normal, spicy") : CharactersModel::tr("Normal");
}

using Align = TableModel::Align;

} // namespace

CharactersModel::CharactersModel(QObject *parent)
    : RowsModel({{{words::title(&Persona::name)}, nameCell},
                 {{words::title(&Persona::tagline)},
                  [](const AdminCharacter &c, int role) { return cells::quiet(c.persona.tagline, role); }},
                 {{words::title(&AdminCharacter::status)}, statusCell},
                 {{tr("Version")}, [](const AdminCharacter &c, int role) { return cells::text(versionText(c), role); }},
                 {{tr("Modes")},
                  [](const AdminCharacter &c, int role) { return cells::quiet(modesText(c.persona), role); }},
                 {{tr("Price"), Align::Right},
                  [](const AdminCharacter &c, int role) {
                      return cells::text(format::factor(c.persona.priceMultiplier), role);
                  }},
                 {{words::title(&AdminCharacter::updatedAt), Align::Right},
                  [](const AdminCharacter &c, int role) { return cells::time(c.updatedAt, role); }}},
                parent)
{
}

int CharactersModel::rowOf(const CharacterId &id) const
{
    for (int row = 0; row < rows().size(); ++row)
        if (rows().at(row).id == id)
            return row;
    return -1;
}

const AdminCharacter *CharactersModel::find(const QString &idOrSlug) const
{
    for (const AdminCharacter &character : rows())
        if (character.slug == idOrSlug || character.id.toString() == idOrSlug)
            return &character;
    return nullptr;
}

QString versionText(const AdminCharacter &character)
{
    const QString draft = CharactersModel::tr("draft v%1").arg(character.draftVersion);
    if (!character.publishedVersion)
        return draft;
    const QString published = QStringLiteral("v%1").arg(*character.publishedVersion);
    return character.hasUnpublishedChanges ? CharactersModel::tr("%1, %2").arg(published, draft) : published;
}

VersionsModel::VersionsModel(QObject *parent)
    : RowsModel({{{words::title(&CharacterVersion::version)},
                  [](const CharacterVersion &v, int role) {
                      return cells::text(QStringLiteral("v%1").arg(v.version), role);
                  }},
                 {{words::title(&CharacterVersion::author)},
                  [](const CharacterVersion &v, int role) { return cells::quiet(v.author, role); }},
                 {{words::title(&CharacterVersion::createdAt)},
                  [](const CharacterVersion &v, int role) { return cells::time(v.createdAt, role); }},
                 {{words::title(&CharacterVersion::publishedAt)},
                  [](const CharacterVersion &v, int role) {
                      return cells::time(v.publishedAt.value_or(QDateTime()), role);
                  }}},
                parent)
{
}

} // namespace companion::console
