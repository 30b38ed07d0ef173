#pragma once

#include "common/models/Character.h"
#include "console/models/TableModel.h"

namespace companion::console {

class CharactersModel : public RowsModel<AdminCharacter>
{
    Q_OBJECT
public:
    enum Column { Name, Tagline, Status, Version, Modes, Price, Updated };

    explicit CharactersModel(QObject *parent = nullptr);
    int rowOf(const CharacterId &id) const; // -1 where it is not in the list
    const AdminCharacter *find(const QString &idOrSlug) const;
};

// What waits to be published, in words: "v3", "v3, draft v4", "draft v1".
QString versionText(const AdminCharacter &character);

class VersionsModel : public RowsModel<CharacterVersion>
{
    Q_OBJECT
public:
    enum Column { Version, Author, Made, Published };
    explicit VersionsModel(QObject *parent = nullptr);
};

} // namespace companion::console
