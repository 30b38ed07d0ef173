#include "console/models/CharacterDraft.h"

#include <QJsonDocument>
#include <QRegularExpression>

namespace companion::console {

namespace {

QString valueText(const QJsonValue &value)
{
    if (value.isString()) {
        // Text that would read back as something else keeps its quotes.
        const QString text = value.toString();
        const QByteArray wrapped = "[" + text.toUtf8() + "]";
        const bool plain =
            !QJsonDocument::fromJson(wrapped).isArray() && !text.contains(u'\n') && text == text.trimmed();
        if (plain && !text.isEmpty())
            return text;
    }
    const QByteArray array = QJsonDocument(QJsonArray{value}).toJson(QJsonDocument::Compact);
    return QString::fromUtf8(array.mid(1, array.size() - 2));
}

QJsonValue valueOf(const QString &text)
{
    const QJsonDocument wrapped = QJsonDocument::fromJson("[" + text.toUtf8() + "]");
    if (wrapped.isArray() && wrapped.array().size() == 1)
        return wrapped.array().first();
    return text;
}

} // namespace

QString traits::toText(const QJsonObject &traits)
{
    QStringList lines;
    for (auto it = traits.begin(); it != traits.end(); ++it)
        lines.append(it.key() + QStringLiteral(": ") + valueText(it.value()));
    return lines.join(u'\n');
}

std::expected<QJsonObject, QString> traits::fromText(const QString &text)
{
    QJsonObject traits;
    for (const QString &line : text.split(u'\n', Qt::SkipEmptyParts)) {
        if (line.trimmed().isEmpty())
            continue;
        const qsizetype colon = line.indexOf(u':');
        const QString key = line.left(colon).trimmed();
        if (colon < 0 || key.isEmpty())
            return std::unexpected(Problem::tr("needs a name and a value on each line, like \"warmth: 0.8\""));
        traits.insert(key, valueOf(line.mid(colon + 1).trimmed()));
    }
    return traits;
}

QStringList splitTags(const QString &text)
{
    QStringList tags;
    for (const QString &part : text.split(u',')) {
        const QString tag = part.simplified();
        if (!tag.isEmpty() && !tags.contains(tag))
            tags.append(tag);
    }
    return tags;
}

CharacterForm CharacterForm::of(const Persona &persona)
{
    return {.name = persona.name,
            .tagline = persona.tagline,
            .description = persona.description,
            .tags = persona.tags.join(QStringLiteral(", ")),
            .traits = traits::toText(persona.traits),
            .greeting = persona.greeting,
            .exampleDialogue = persona.exampleDialogue,
            .systemPrompt = persona.systemPrompt,
            .spicyPrompt = persona.spicyPrompt,
            .spicyEnabled = persona.spicyEnabled,
            .priceMultiplier = persona.priceMultiplier.toString()};
}

// The shared model's own description checks the fields, so the form refuses exactly what the server would.
std::expected<Persona, Problem> CharacterForm::persona() const
{
    Problem problem{.status = 422, .code = QString::fromLatin1(describe(ErrorCode::Invalid).name)};
    const auto parsedTraits = traits::fromText(traits);
    if (!parsedTraits)
        problem.errors.append({QStringLiteral("/traits"), parsedTraits.error()});
    const auto multiplier = Factor::parse(priceMultiplier.trimmed());
    if (!multiplier || multiplier->isNegative())
        problem.errors.append({QStringLiteral("/price_multiplier"), Problem::tr("must be a number, 0 or more")});
    if (spicyEnabled && spicyPrompt.trimmed().isEmpty())
        problem.errors.append({QStringLiteral("/spicy_prompt"), Problem::tr("is needed for spicy mode")});
    const Persona typed{.name = name.trimmed(),
                        .tagline = tagline.trimmed(),
                        .description = description,
                        .tags = splitTags(tags),
                        .traits = parsedTraits.value_or(QJsonObject()),
                        .greeting = greeting,
                        .exampleDialogue = exampleDialogue,
                        .systemPrompt = systemPrompt,
                        .spicyPrompt = spicyPrompt,
                        .spicyEnabled = spicyEnabled,
                        .priceMultiplier = multiplier.value_or(Factor())};
    if (const Result<Persona> checked = fromJson<Persona>(toJson(typed)); !checked)
        problem.errors += checked.error().errors;
    if (!problem.errors.isEmpty())
        return std::unexpected(problem);
    return typed;
}

QString slugFor(const QString &name)
{
    static const QRegularExpression marks(QStringLiteral("\\p{M}"));
    static const QRegularExpression others(QStringLiteral("[^a-z0-9]+"));
    QString slug =
        name.normalized(QString::NormalizationForm_KD).remove(marks).toLower().replace(others, QStringLiteral("-"));
    while (slug.startsWith(u'-'))
        slug.remove(0, 1);
    slug.truncate(40);
    while (slug.endsWith(u'-'))
        slug.chop(1);
    return slug;
}

} // namespace companion::console
