#pragma once

#include "common/models/Chat.h"

#include <QHash>
#include <expected>
#include <memory>

namespace companion::moderation {

// What is said instead of the character's reply when somebody speaks of suicide or self-harm: kind, out of role, with
// the lines of their country.
struct CrisisAnswer
{
    QString text; // plain text; names the lines too, so that a client that shows only the reply shows them
    Crisis crisis;
};

// The help lines, by region, from a file (docs/moderation.md has its form and sources). Immutable, safe on any thread.
class HelpLines
{
public:
    // The folder holds help-lines.json and texts.json.
    static QString builtInFolder();
    static std::expected<std::shared_ptr<const HelpLines>, QStringList> load(const QString &folder = builtInFolder());

    // `region` is an ISO 3166-1 alpha-2 code; an unknown or missing one gets the international lines (region "").
    // `locale` is the user's, BCP 47; a language there is no text for gets English.
    CrisisAnswer answer(const std::optional<QString> &region, const QString &locale) const;
    QStringList countries() const;

    struct Region
    {
        QString emergency; // the number of the emergency services
        QList<HelpLine> lines;
    };

    struct Wording // of one language
    {
        QString opening;
        QString lines; // before the lines
        QString emergency; // %1 is the number
        QString closing;
    };

private:
    HelpLines() = default;
    QStringList read(const QString &folder);

    QHash<QString, Region> m_regions; // "" is everywhere else
    QHash<QString, Wording> m_wordings; // by language
};

} // namespace companion::moderation
