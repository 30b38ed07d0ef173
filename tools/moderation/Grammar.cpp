#include "Grammar.h"

#include <QFile>
#include <QSet>

namespace companion::lab {

namespace {

constexpr int deepest = 20;

qsizetype closingOf(QStringView line, qsizetype open)
{
    int depth = 0;
    for (qsizetype at = open; at < line.size(); ++at) {
        depth += line[at] == u'(' ? 1 : line[at] == u')' ? -1 : 0;
        if (depth == 0)
            return at;
    }
    return line.size();
}

QList<QStringView> alternativesOf(QStringView inside)
{
    QList<QStringView> alternatives;
    int depth = 0;
    qsizetype from = 0;
    for (qsizetype at = 0; at < inside.size(); ++at) {
        depth += inside[at] == u'(' ? 1 : inside[at] == u')' ? -1 : 0;
        if (depth == 0 && inside[at] == u'|') {
            alternatives.append(inside.sliced(from, at - from));
            from = at + 1;
        }
    }
    alternatives.append(inside.sliced(from));
    return alternatives;
}

} // namespace

std::expected<QStringList, QString> Grammar::expand(const QString &path, unsigned seed)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return std::unexpected(QStringLiteral("%1: %2").arg(path, file.errorString()));
    Grammar grammar;
    grammar.m_random.seed(seed);
    QStringList texts;
    int count = 20;
    for (QString line : QString::fromUtf8(file.readAll()).split(u'\n')) {
        line = line.trimmed();
        if (line.isEmpty() || line.startsWith(u'#'))
            continue;
        if (line.startsWith(u'=')) {
            count = line.mid(1).trimmed().toInt();
            continue;
        }
        if (line.startsWith(u'@') && line.contains(QStringLiteral(" = "))) {
            const qsizetype sign = line.indexOf(QStringLiteral(" = "));
            grammar.m_definitions.insert(line.mid(1, sign - 1).trimmed(), line.mid(sign + 3));
            continue;
        }
        QSet<QString> seen;
        for (int i = 0; i < count; ++i) {
            const QString text = grammar.expanded(line, 0).simplified();
            if (!seen.contains(text))
                texts.append(text);
            seen.insert(text);
        }
    }
    return texts;
}

QString Grammar::expanded(QStringView line, int depth)
{
    if (depth > deepest)
        return {};
    QString text;
    for (qsizetype at = 0; at < line.size();) {
        if (line[at] == u'(' || line[at] == u'@') {
            text += choice(line, at, depth);
            continue;
        }
        text += line[at++];
    }
    return text;
}

QString Grammar::choice(QStringView line, qsizetype &at, int depth)
{
    QStringView inside;
    if (line[at] == u'(') {
        const qsizetype end = closingOf(line, at);
        inside = line.sliced(at + 1, end - at - 1);
        at = std::min(end + 1, line.size());
    } else {
        qsizetype end = at + 1;
        while (end < line.size() && (line[end].isLetterOrNumber() || line[end] == u'_'))
            ++end;
        const auto definition = m_definitions.constFind(line.sliced(at + 1, end - at - 1).toString());
        at = end;
        if (definition == m_definitions.constEnd())
            qFatal("the grammar has no @%s", qPrintable(line.toString()));
        inside = *definition;
    }
    const auto alternatives = alternativesOf(inside);
    return expanded(alternatives[static_cast<qsizetype>(m_random() % static_cast<unsigned>(alternatives.size()))],
                    depth + 1);
}

} // namespace companion::lab
