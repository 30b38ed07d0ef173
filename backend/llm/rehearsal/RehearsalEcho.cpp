#include "llm/rehearsal/RehearsalEcho.h"

#include <QHash>
#include <QRegularExpression>

namespace companion::llm {

namespace {

constexpr qsizetype longestEcho = 80;

QRegularExpression loose(const QString &text)
{
    return QRegularExpression(text,
                              QRegularExpression::CaseInsensitiveOption
                                  | QRegularExpression::UseUnicodePropertiesOption);
}

const QHash<QString, QString> &turnedWords()
{
    static const QHash<QString, QString> words{
        {"i", "you"},  {"i'm", "you're"}, {"i've", "you've"}, {"i'd", "you'd"},       {"i'll", "you'll"},
        {"me", "you"}, {"my", "your"},    {"mine", "yours"},  {"myself", "yourself"}, {"am", "are"},
    };
    return words;
}

QString turned(const QString &clause)
{
    QStringList words = clause.split(u' ', Qt::SkipEmptyParts);
    bool subjectJustSaid = false;
    for (QString &word : words) {
        const QString lower = word.toLower();
        if (subjectJustSaid && lower == QLatin1StringView("was"))
            word = QStringLiteral("were");
        subjectJustSaid = lower == QLatin1StringView("i");
        word = turnedWords().value(lower, word);
    }
    return words.join(u' ');
}

QStringList clauses(const QString &message)
{
    static const auto borders = loose(QStringLiteral(R"([.!?;:\n()]+|, |\s[-–—]\s|\s(?:but|because|so that)\s)"));
    const QString straight = QString(message).replace(QChar(0x2019), u'\'');
    QStringList found;
    for (const QString &part : straight.split(borders, Qt::SkipEmptyParts))
        found.append(part.simplified());
    return found;
}

// "and I miss my sister" → "you miss your sister"; empty where it does not speak of the speaker alone.
QString turnedClause(const QString &clause)
{
    static const auto lead = loose(QStringLiteral(
        R"(^(?:(?:and|well|so|yes|yeah|no|oh|hm+|actually|honestly|today|yesterday|sometimes|also|then|hi|hello|hey) )+)"));
    static const auto aboutMe = loose(QStringLiteral(R"(^(?:I|I'm|I've|I'd|I'll|my [\p{L}]+) \S)"));
    static const auto aboutYou = loose(QStringLiteral(R"(\byou(?:r|rs|rself|'re|'ve|'d|'ll)?\b)"));
    const QString plain = QString(clause).remove(lead);
    const bool usable = aboutMe.match(plain).hasMatch() && !aboutYou.match(plain).hasMatch();
    return usable && plain.size() <= longestEcho ? turned(plain) : QString();
}

bool worthRemembering(const QString &clause)
{
    static const auto telling = loose(QStringLiteral(
        R"(^(?:you (?:really )?(?:love|like|enjoy|hate|live|work|play|study|come|grew|have|collect|speak|are from|are an?|used to)\b|you're (?:from|an?)\b|your \p{L}+(?: \p{L}+)? (?:is|was|are|were|lives?|loves?)\b))"));
    return telling.match(clause).hasMatch();
}

QString userNameIn(const QString &message)
{
    static const auto told = loose(QStringLiteral(
        R"(\b(?:my name is|my name's|call me|i am called|i'm called|ich heiße|ich heisse|mein name ist|me llamo)\s+(\p{L}[\p{L}-]{1,30}))"));
    static const QRegularExpression introduced(QStringLiteral(R"(\b[Ii](?:'m| am) (\p{Lu}\p{Ll}{1,30})(?=[.!,]|$))"),
                                               QRegularExpression::UseUnicodePropertiesOption);
    const QString straight = QString(message).replace(QChar(0x2019), u'\'');
    QString name = told.match(straight).captured(1);
    if (name.isEmpty())
        name = introduced.match(straight).captured(1);
    return name.isEmpty() ? name : name.at(0).toUpper() + name.mid(1);
}

} // namespace

QString echoOf(const QString &message)
{
    for (const QString &clause : clauses(message)) {
        if (const QString echo = turnedClause(clause); !echo.isEmpty())
            return echo;
    }
    return {};
}

RehearsalMemory RehearsalMemory::read(const QStringList &userMessages)
{
    RehearsalMemory memory;
    for (const QString &message : userMessages) {
        if (const QString name = userNameIn(message); !name.isEmpty())
            memory.userName = name;
        for (const QString &clause : clauses(message)) {
            const QString fact = turnedClause(clause);
            if (worthRemembering(fact) && !fact.startsWith(QLatin1StringView("your name"))
                && !memory.facts.contains(fact))
                memory.facts.append(fact);
        }
    }
    return memory;
}

} // namespace companion::llm
