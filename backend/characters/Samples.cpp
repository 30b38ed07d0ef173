#include "characters/CharacterService.h"
#include "common/Ensure.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>

namespace companion::characters {

namespace {

const QString samplesFolder = QStringLiteral(":/companion/characters");

QByteArray contentOf(const QString &path)
{
    QFile file(path);
    ensure(file.open(QIODevice::ReadOnly), "a sample's file opens");
    return file.readAll();
}

NewCharacter sampleOf(const QString &path)
{
    const auto sample = fromJson<NewCharacter>(QJsonDocument::fromJson(contentOf(path)).object());
    ensure(sample.has_value(), "a sample is a valid character");
    return *sample;
}

// False when somebody else, or an earlier start, made it.
bool install(db::Session &db, const NewCharacter &sample, const QByteArray &avatar)
{
    const CharacterService characters;
    if (characters.findBySlug(db, sample.slug))
        return false;
    const auto made = characters.create(db, sample, {std::nullopt, QStringLiteral("Companion samples")});
    if (!made && made.error().code == ErrorCode::Conflict)
        return false;
    ensure(made.has_value(), "a sample can be made");
    const CharacterId id = made->after.character.id;
    ensure(characters.setAvatar(db, id, std::nullopt, avatar).has_value(), "a sample's avatar is accepted");
    ensure(characters.publish(db, id, std::nullopt).has_value(), "a sample can be published");
    return true;
}

} // namespace

int installSampleCharacters(db::Session &db)
{
    int made = 0;
    const QDir folder(samplesFolder);
    for (const QString &name : folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name)) {
        const QString base = folder.filePath(name.chopped(5));
        made += install(db, sampleOf(base + QStringLiteral(".json")), contentOf(base + QStringLiteral(".png")));
    }
    return made;
}

} // namespace companion::characters
