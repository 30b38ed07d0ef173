#include "moderation/Crisis.h"

#include "moderation/JsonFile.h"

#include <QDir>

#include <algorithm>

namespace companion::moderation {

namespace {

// "Samaritans: call 116 123, https://… (24/7)"
QString lineText(const HelpLine &line)
{
    QStringList ways;
    for (const QString &way : {line.phone, line.text, line.url})
        if (!way.isEmpty())
            ways.append(way);
    QString text = QStringLiteral("• %1: %2").arg(line.name, ways.join(QStringLiteral(" · ")));
    if (!line.hours.isEmpty())
        text += QStringLiteral(" (%1)").arg(line.hours);
    return text;
}

std::expected<HelpLines::Region, QString> regionOf(const QString &code, const QJsonObject &source)
{
    HelpLines::Region region{source[QStringLiteral("emergency")].toString(), {}};
    for (const QJsonValue &value : source[QStringLiteral("lines")].toArray()) {
        const auto line = fromJson<HelpLine>(value, UnknownFields::Ignore);
        const bool isReachable = line && !QString(line->phone + line->text + line->url).isEmpty();
        if (!isReachable)
            return std::unexpected(
                QStringLiteral("help-lines.json: %1 has a line without a name or a way to it").arg(code));
        region.lines.append(*line);
    }
    if (region.emergency.isEmpty() || region.lines.isEmpty())
        return std::unexpected(QStringLiteral("help-lines.json: %1 needs an emergency number and a line").arg(code));
    return region;
}

HelpLines::Wording wordingOf(const QJsonObject &source)
{
    return {source[QStringLiteral("opening")].toString(), source[QStringLiteral("lines")].toString(),
            source[QStringLiteral("emergency")].toString(), source[QStringLiteral("closing")].toString()};
}

bool isWhole(const HelpLines::Wording &wording)
{
    return !wording.opening.isEmpty() && !wording.lines.isEmpty() && wording.emergency.contains(QStringLiteral("%1"))
        && !wording.closing.isEmpty();
}

} // namespace

QString HelpLines::builtInFolder()
{
    return QStringLiteral(":/companion/help-lines");
}

std::expected<std::shared_ptr<const HelpLines>, QStringList> HelpLines::load(const QString &folder)
{
    std::shared_ptr<HelpLines> lines(new HelpLines);
    if (const QStringList mistakes = lines->read(folder); !mistakes.isEmpty())
        return std::unexpected(mistakes);
    return lines;
}

QStringList HelpLines::read(const QString &folder)
{
    const auto lines = readJsonFile(QDir(folder).filePath(QStringLiteral("help-lines.json")));
    const auto texts = readJsonFile(QDir(folder).filePath(QStringLiteral("texts.json")));
    if (!lines || !texts)
        return {!lines ? lines.error() : texts.error()};
    QStringList mistakes;
    const auto addRegion = [&](const QString &code, const QJsonObject &source) {
        if (const auto region = regionOf(code, source))
            m_regions.insert(code, *region);
        else
            mistakes.append(region.error());
    };
    addRegion(QString(), lines->value(QStringLiteral("international")).toObject());
    const QJsonObject regions = lines->value(QStringLiteral("regions")).toObject();
    for (auto it = regions.begin(); it != regions.end(); ++it)
        addRegion(it.key(), it.value().toObject());
    for (auto it = texts->begin(); it != texts->end(); ++it) {
        m_wordings.insert(it.key(), wordingOf(it.value().toObject()));
        if (!isWhole(m_wordings[it.key()]))
            mistakes.append(QStringLiteral("texts.json: %1 is not whole").arg(it.key()));
    }
    if (!m_wordings.contains(QStringLiteral("en")))
        mistakes.append(QStringLiteral("texts.json: there must be English"));
    return mistakes;
}

CrisisAnswer HelpLines::answer(const std::optional<QString> &region, const QString &locale) const
{
    const QString code = m_regions.contains(region.value_or(QString())) ? region.value_or(QString()) : QString();
    const Region &there = *m_regions.constFind(code);
    const QString language = locale.section(u'-', 0, 0).toLower();
    const Wording &wording = *m_wordings.constFind(m_wordings.contains(language) ? language : QStringLiteral("en"));
    // A number can fall out of date: the international directory always stands below.
    QList<HelpLine> lines = there.lines;
    if (!code.isEmpty())
        lines.append(m_regions.constFind(QString())->lines.first());
    QStringList parts{wording.lines};
    for (const HelpLine &line : lines)
        parts.append(lineText(line));
    const QString emergency = QString(wording.emergency).replace(QStringLiteral("%1"), there.emergency);
    return {QStringList{wording.opening, parts.join(u'\n'), emergency, wording.closing}.join(QStringLiteral("\n\n")),
            {code, lines}};
}

QStringList HelpLines::countries() const
{
    QStringList codes = m_regions.keys();
    codes.removeAll(QString());
    std::ranges::sort(codes);
    return codes;
}

} // namespace companion::moderation
