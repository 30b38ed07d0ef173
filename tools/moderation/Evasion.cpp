#include "Evasion.h"

#include <QHash>
#include <QStringList>

namespace companion::lab {

namespace {

using Random = std::mt19937;
using Letter = std::function<QString(QChar, Random &)>;

bool chance(Random &random, unsigned percent)
{
    return random() % 100 < percent;
}

QString one(const QStringList &choices, Random &random)
{
    return choices[static_cast<qsizetype>(random() % static_cast<unsigned>(choices.size()))];
}

// Changes letters of words of four and more, each with the given chance.
Disguise byLetter(const char *name, unsigned percent, Letter letter)
{
    return {name, [percent, letter](const QString &text, Random &random) {
                QStringList words = text.split(u' ');
                for (QString &word : words) {
                    if (word.size() < 4)
                        continue;
                    QString disguised;
                    for (const QChar c : word)
                        disguised += c.isLetter() && chance(random, percent) ? letter(c, random) : QString(c);
                    word = disguised;
                }
                return words.join(u' ');
            }};
}

Disguise byWord(const char *name, unsigned percent, std::function<QString(const QString &, Random &)> change)
{
    return {name, [percent, change](const QString &text, Random &random) {
                QStringList words = text.split(u' ');
                for (QString &word : words)
                    if (word.size() >= 4 && chance(random, percent))
                        word = change(word, random);
                return words.join(u' ');
            }};
}

Letter from(const QHash<QChar, QStringList> &table)
{
    return [table](QChar c, Random &random) {
        const auto found = table.constFind(c.toLower());
        return found == table.constEnd() ? QString(c) : one(*found, random);
    };
}

QString spread(const QString &word, const QString &sign)
{
    QStringList letters;
    for (const QChar c : word)
        letters.append(c);
    return letters.join(sign);
}

const QHash<QChar, QStringList> &leet()
{
    static const QHash<QChar, QStringList> table{{u'a', {QStringLiteral("4"), QStringLiteral("@")}},
                                                 {u'e', {QStringLiteral("3"), QStringLiteral("€")}},
                                                 {u'i',
                                                  {QStringLiteral("1"), QStringLiteral("!"), QStringLiteral("|")}},
                                                 {u'o', {QStringLiteral("0")}},
                                                 {u's', {QStringLiteral("5"), QStringLiteral("$")}},
                                                 {u't', {QStringLiteral("7"), QStringLiteral("+")}},
                                                 {u'b', {QStringLiteral("8")}},
                                                 {u'l', {QStringLiteral("1")}},
                                                 {u'g', {QStringLiteral("9")}}};
    return table;
}

const QHash<QChar, QStringList> &lookAlike()
{
    static const QHash<QChar, QStringList> table{
        {u'a', {QStringLiteral("а"), QStringLiteral("α"), QStringLiteral("ａ")}},
        {u'c', {QStringLiteral("с"), QStringLiteral("ϲ")}},
        {u'e', {QStringLiteral("е"), QStringLiteral("ε"), QStringLiteral("℮")}},
        {u'i', {QStringLiteral("і"), QStringLiteral("ı"), QStringLiteral("ι")}},
        {u'k', {QStringLiteral("к"), QStringLiteral("κ")}},
        {u'l', {QStringLiteral("ӏ"), QStringLiteral("ⅼ")}},
        {u'm', {QStringLiteral("м"), QStringLiteral("ⅿ")}},
        {u'n', {QStringLiteral("η"), QStringLiteral("ո")}},
        {u'o', {QStringLiteral("о"), QStringLiteral("ο"), QStringLiteral("օ")}},
        {u'p', {QStringLiteral("р"), QStringLiteral("ρ")}},
        {u's', {QStringLiteral("ѕ"), QStringLiteral("ꜱ")}},
        {u't', {QStringLiteral("т"), QStringLiteral("τ")}},
        {u'u', {QStringLiteral("υ"), QStringLiteral("ս")}},
        {u'x', {QStringLiteral("х"), QStringLiteral("χ")}},
        {u'y', {QStringLiteral("у"), QStringLiteral("γ")}},
        {u'b', {QStringLiteral("Ь"), QStringLiteral("ƅ")}},
        {u'd', {QStringLiteral("ԁ"), QStringLiteral("ⅾ")}},
        {u'h', {QStringLiteral("һ")}}};
    return table;
}

} // namespace

const std::vector<Disguise> &disguises()
{
    static const std::vector<Disguise> all{
        byLetter("leetspeak, every letter", 100, from(leet())),
        byLetter("leetspeak, some letters", 40, from(leet())),
        byLetter("look-alike letters", 60, from(lookAlike())),
        byLetter("full width", 100,
                 [](QChar c, Random &) {
                     return QString(QChar(c.unicode() < 0x7f ? c.unicode() + 0xfee0 : c.unicode()));
                 }),
        byLetter("mathematical letters", 100,
                 [](QChar c, Random &random) {
                     const char32_t base = random() % 2 ? 0x1d5ee : 0x1d4ea;
                     const QChar lower = c.toLower();
                     if (lower < u'a' || lower > u'z')
                         return QString(c);
                     const char32_t styled = base + static_cast<char32_t>(lower.unicode() - u'a');
                     return QString::fromUcs4(&styled, 1);
                 }),
        byLetter("enclosed letters", 100,
                 [](QChar c, Random &) {
                     const QChar lower = c.toLower();
                     return lower < u'a' || lower > u'z' ? QString(c)
                                                         : QString(QChar(0x24d0 + (lower.unicode() - u'a')));
                 }),
        byLetter("accents and stacked marks", 60,
                 [](QChar c, Random &random) {
                     QString marked(c);
                     for (unsigned i = 0; i <= random() % 3; ++i)
                         marked += QChar(static_cast<char16_t>(0x300 + random() % 0x30));
                     return marked;
                 }),
        byLetter("invisible characters", 50,
                 [](QChar c, Random &random) {
                     return c
                         + one({QStringLiteral("\u200b"), QStringLiteral("\u200d"), QStringLiteral("\u00ad"),
                                QStringLiteral("\u2060"), QStringLiteral("\ufeff"), QStringLiteral("\u180e"),
                                QStringLiteral("\u3164"), QStringLiteral("\u2062")},
                               random);
                 }),
        byLetter("repeated letters", 25,
                 [](QChar c, Random &random) { return QString(static_cast<qsizetype>(2 + random() % 4), c); }),
        byLetter("mixed case", 50, [](QChar c, Random &) { return QString(c.toUpper()); }),
        byWord("spelled out with blanks", 60,
               [](const QString &word, Random &) { return spread(word, QStringLiteral(" ")); }),
        byWord("spelled out with signs", 60,
               [](const QString &word, Random &random) {
                   return spread(word,
                                 one({QStringLiteral("."), QStringLiteral("-"), QStringLiteral("_"),
                                      QStringLiteral("*"), QStringLiteral(" . "), QStringLiteral("·"),
                                      QStringLiteral("/")},
                                     random));
               }),
        byWord("cut by a sign", 60,
               [](const QString &word, Random &random) {
                   QString cut = word;
                   return cut.insert(static_cast<qsizetype>(1 + random() % static_cast<unsigned>(word.size() - 1)),
                                     one({QStringLiteral("."), QStringLiteral("-"), QStringLiteral("*"),
                                          QStringLiteral("_"), QStringLiteral("~")},
                                         random));
               }),
        byWord("cut by a blank", 40,
               [](const QString &word, Random &random) {
                   QString cut = word;
                   return cut.insert(static_cast<qsizetype>(
                                         2 + random() % static_cast<unsigned>(std::max<qsizetype>(1, word.size() - 3))),
                                     u' ');
               }),
        byWord("a letter starred out", 50,
               [](const QString &word, Random &random) {
                   QString starred = word;
                   const auto at = static_cast<qsizetype>(1 + random() % static_cast<unsigned>(word.size() - 1));
                   return starred.replace(at, 1, QStringLiteral("*"));
               }),
        byWord("two letters swapped", 40,
               [](const QString &word, Random &random) {
                   QString typo = word;
                   const auto at = static_cast<qsizetype>(
                       1 + random() % static_cast<unsigned>(std::max<qsizetype>(1, word.size() - 2)));
                   const QChar kept = typo[at];
                   if (at + 1 < typo.size()) {
                       typo[at] = typo[at + 1];
                       typo[at + 1] = kept;
                   }
                   return typo;
               }),
        {"blanks taken out", [](const QString &text, Random &) { return QString(text).remove(u' '); }},
        {"underscores for blanks", [](const QString &text, Random &) { return QString(text).replace(u' ', u'_'); }},
        {"new lines for blanks", [](const QString &text, Random &) { return QString(text).replace(u' ', u'\n'); }},
        {"signs between words",
         [](const QString &text, Random &) {
             return QString(text).replace(QStringLiteral(" "), QStringLiteral(" . "));
         }},
    };
    return all;
}

} // namespace companion::lab
