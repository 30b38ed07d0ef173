#include "moderation/Disclosure.h"

#include "moderation/JsonFile.h"
#include "moderation/RuleBook.h"

#include <QDir>

#include <algorithm>

namespace companion::moderation {

namespace {

QString languageOf(const QString &locale)
{
    return locale.section(u'-', 0, 0).toLower();
}

} // namespace

QString Disclosure::builtInFolder()
{
    return QStringLiteral(":/companion/rules/disclosure");
}

std::expected<std::shared_ptr<const Disclosure>, QStringList> Disclosure::load(const QString &folder,
                                                                               DisclosureTimes times)
{
    const QDir dir(folder);
    auto questions = RuleBook::load({dir.filePath(QStringLiteral("questions.json"))});
    const auto texts = readJsonFile(dir.filePath(QStringLiteral("texts.json")));
    QStringList mistakes = questions ? QStringList() : questions.error();
    if (!texts)
        mistakes.append(texts.error());
    if (!mistakes.isEmpty())
        return std::unexpected(mistakes);

    std::shared_ptr<Disclosure> disclosure(new Disclosure);
    disclosure->m_questions = std::move(*questions);
    disclosure->m_times = std::move(times);
    for (auto language = texts->begin(); language != texts->end(); ++language)
        for (const auto &[reason, name] : EnumNames<DisclosureReason>::values) {
            const QString text = language.value()[QLatin1StringView(name)].toString();
            if (text.isEmpty())
                mistakes.append(
                    QStringLiteral("texts.json: %1 has no %2").arg(language.key(), QLatin1StringView(name)));
            disclosure->m_texts[language.key()].insert(reason, text);
        }
    if (!disclosure->m_texts.contains(QStringLiteral("en")))
        mistakes.append(QStringLiteral("texts.json: there must be English"));
    if (!mistakes.isEmpty())
        return std::unexpected(mistakes);
    return disclosure;
}

std::chrono::seconds DisclosureTimes::of(const std::optional<QString> &region, bool ageVerified) const
{
    const auto usual = byRegion.value(region.value_or(QString()), every);
    return ageVerified || !unverified ? usual : std::min(usual, *unverified);
}

std::optional<DisclosureNotice> Disclosure::due(const Occasion &occasion) const
{
    const auto notice = [&](DisclosureReason reason, const QString &locale) {
        return DisclosureNotice{reason, textFor(reason, locale, occasion.characterName)};
    };
    if (const auto language = askedIn(occasion.message))
        return notice(DisclosureReason::Asked, *language);
    if (!occasion.lastTold)
        return notice(DisclosureReason::SessionStart, occasion.locale);
    const auto every = m_times.of(occasion.region, occasion.ageVerified);
    if (occasion.lastTold->secsTo(occasion.now) >= every.count())
        return notice(DisclosureReason::Interval, occasion.locale);
    return std::nullopt;
}

std::optional<QString> Disclosure::askedIn(QStringView message) const
{
    const auto hit = m_questions->findAny(message);
    return hit ? std::optional(hit->rule->category) : std::nullopt;
}

QString Disclosure::textFor(DisclosureReason reason, const QString &locale, const QString &name) const
{
    const auto texts = m_texts.constFind(languageOf(locale));
    const auto &wording = texts == m_texts.constEnd() ? *m_texts.constFind(QStringLiteral("en")) : *texts;
    return QString(wording.value(reason)).replace(QStringLiteral("%1"), name);
}

} // namespace companion::moderation
