#pragma once

#include "common/models/Character.h"
#include "console/client/Problem.h"

namespace companion::console {

// Traits as people write them, one a line: "warmth: 0.8". Text without a colon is a mistake and named as such.
namespace traits {
QString toText(const QJsonObject &traits);
std::expected<QJsonObject, QString> fromText(const QString &text);
} // namespace traits

QStringList splitTags(const QString &text); // "calm, old friend" → two tags; blanks and doubles dropped

// The editor's fields as typed. persona() is what would be saved, or every wrong place by JSON Pointer ("/name").
struct CharacterForm
{
    QString name;
    QString tagline;
    QString description;
    QString tags;
    QString traits;
    QString greeting;
    QString exampleDialogue;
    QString systemPrompt;
    QString spicyPrompt;
    bool spicyEnabled = false;
    QString priceMultiplier;

    static CharacterForm of(const Persona &persona);
    std::expected<Persona, Problem> persona() const;
    bool operator==(const CharacterForm &) const = default;
};

QString slugFor(const QString &name); // "Aria of the North" → "aria-of-the-north"

} // namespace companion::console
