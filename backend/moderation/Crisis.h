#pragma once

#include "common/models/Chat.h"

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
    static QString builtInFile();
    static std::expected<std::shared_ptr<const HelpLines>, QString> load(const QString &file = builtInFile());

    // `region` is an ISO 3166-1 alpha-2 code; an unknown or missing one gets the international lines (region "").
    // `locale` is the user's, BCP 47; a language there is no text for gets English.
    CrisisAnswer answer(const std::optional<QString> &region, const QString &locale) const;
    int countries() const;

    struct Region
    {
        QString emergency; // the number of the emergency services
        QList<HelpLine> lines;
    };

private:
    QHash<QString, Region> m_regions; // "" is everywhere else
};

} // namespace companion::moderation
