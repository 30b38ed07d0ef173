#include "memory/retrieval/Facts.h"

#include "memory/retrieval/Dates.h"
#include "memory/retrieval/FactPatterns.h"
#include "memory/retrieval/Terms.h"

#include <QHash>
#include <QSet>
#include <algorithm>
#include <array>

namespace companion::memory {

namespace {

using Check = FactPattern::Check;

// A thread keeps what it has compiled.
const QRegularExpression &insensitive(const QString &pattern)
{
    thread_local QHash<QString, QRegularExpression> cache;
    auto known = cache.find(pattern);
    if (known == cache.end())
        known = cache.insert(pattern,
                             QRegularExpression(pattern,
                                                QRegularExpression::CaseInsensitiveOption
                                                    | QRegularExpression::UseUnicodePropertiesOption));
    return *known;
}

// What is quoted, played or told as a story is nobody's life.
QString withoutQuotes(QStringView message)
{
    QString text = message.toString();
    text.replace(u'’', u'\'').replace(u'ʼ', u'\'');
    text.remove(insensitive(QStringLiteral("\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|\\*[^*\\n]+\\*|`[^`]*`|(?m)^>.*$")));
    return text;
}

// "*takes your hand*", "*smiles* …": whoever writes so is on a stage. One word amid a sentence is only stressed.
bool isStaged(QStringView message)
{
    return message.toString().contains(insensitive(QStringLiteral("^\\s*\\*[^*\\n]+\\*|\\*\\w+ [^*\\n]+\\*")));
}

bool isPlay(const QString &text)
{
    return text.contains(insensitive(
        QStringLiteral("\\b(?:role-?play|let'?s (?:pretend|play|say|imagine)|pretend (?:that|you|i|to)|imagine "
                       "(?:that|you|i|we)|in this "
                       "(?:story|scene|scenario|game)|act as|you play|i'?ll play|i play (?:a|an|the) \\w+ "
                       "(?:and|who)|my character|as your|"
                       "hypothetically|lyrics?|the song goes|write (?:me )?a (?:story|poem|song)|ooc)\\b")));
}

// Words before a statement, or in it, that make it a wish, a condition, a doubt or somebody else's saying.
bool isUnreal(const QString &untilEnd)
{
    return untilEnd.contains(insensitive(QStringLiteral(
        "\\b(?:if|unless|wish|imagine|suppose|supposing|as "
        "if|would|wouldn't|could|might|maybe|perhaps|dreamed|dreamt|dream|what if|"
        "in another life|joking|kidding|hope|hoping|not sure|don't think|doubt|never said|not "
        "true|lie|lied|almost|someday|"
        "one day|(?:don't|do not|never) call|wenn|wäre|hätte|würde|vielleicht|falls|ojalá|quizás|si fuera|si tuviera|"
        "(?:he|she|they|you|people|everyone|everybody|someone|somebody|friend|boss|mother|mom|dad|father|sister|"
        "brother|wife|husband|"
        "boyfriend|girlfriend) (?:says?|said|told|tells|thinks?|thought|asked|wrote|claims?|claimed|believes?|keeps? "
        "saying))\\b|'d (?:love|like|be|have|rather)\\b")));
}

QStringList sentencesOf(const QString &text)
{
    QStringList out;
    qsizetype start = 0;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        const bool stop = c == u'!' || c == u'?' || c == u'\n' || c == u';'
            || (c == u'.' && (i + 1 == text.size() || text[i + 1].isSpace()));
        if (!stop)
            continue;
        const QString sentence = text.sliced(start, i - start).trimmed();
        if (c != u'?' && !sentence.isEmpty())
            out += sentence;
        start = i + 1;
    }
    const QString rest = text.sliced(start).trimmed();
    return rest.isEmpty() ? out : out << rest;
}

QString cleaned(QString value)
{
    static const QString tail =
        QStringLiteral("\\s+(?:now|too|though|tho|lol|haha|please|today|yesterday|anymore|any more|as well|a lot|so "
                       "much|very much|btw|by the "
                       "way|then|right now|these days|at the moment|currently|again|actually|last "
                       "(?:week|month|year)|this (?:week|month|year)|"
                       "(?:a|one|two|three|\\w+) (?:weeks?|months?|years?) ago|in (?:19|20)\\d\\d|recently)$");
    value = value.simplified();
    for (QString before; before != value;) {
        before = value;
        value.remove(insensitive(tail));
    }
    while (!value.isEmpty() && !value.back().isLetterOrNumber() && value.back() != u'+' && value.back() != u'#')
        value.chop(1);
    return value;
}

bool startsWithOneOf(const QString &value, const QString &words)
{
    return value.contains(insensitive(QString(QStringLiteral("^(?:") + words + QStringLiteral(")\\b"))));
}

bool isName(const QString &value)
{
    static const QSet<QString> no{QStringLiteral("not"),    QStringLiteral("the"),      QStringLiteral("later"),
                                  QStringLiteral("back"),   QStringLiteral("crazy"),    QStringLiteral("i"),
                                  QStringLiteral("is"),     QStringLiteral("and"),      QStringLiteral("sorry"),
                                  QStringLiteral("so"),     QStringLiteral("here"),     QStringLiteral("good"),
                                  QStringLiteral("was"),    QStringLiteral("has"),      QStringLiteral("who"),
                                  QStringLiteral("fine"),   QStringLiteral("american"), QStringLiteral("german"),
                                  QStringLiteral("spanish")};
    return value.size() >= 2 && !no.contains(value.section(u' ', 0, 0).toLower());
}

// "the city", not "the Netherlands"
bool beginsWithLowerThe(const QString &value)
{
    static const QRegularExpression lowerThe(QStringLiteral("^[Tt]he [^\\p{Lu}]"));
    return value.contains(lowerThe);
}

bool isPlace(const QString &value)
{
    return value.size() >= 2 && value.count(u' ') <= 4 && !beginsWithLowerThe(value)
        && !startsWithOneOf(value,
                            QStringLiteral(
                                "an?|my|his|her|your|our|their|this|that|these|those|it|fear|hope|home|night|hours|"
                                "the moment|the present|the past|the future|myself|money|peace|"
                                "pieces|work|weekends?|\\d+|hell|here|there|einer?|einem|un|una|mi"));
}

// What points at something said before ("the song", "eating them") is no taste that lasts.
bool pointsBack(const QString &value)
{
    static const QString lasting = QStringLiteral(
        "the "
        "(?:beach|ocean|sea|mountains|outdoors|gym|rain|snow|city|countryside|theat(?:re|er)|cinema|opera|piano|guitar|"
        "violin|winter|summer|cold|heat)");
    return value.contains(insensitive(QStringLiteral("\\b(?:it|them|him|her|you|that|there|this|these|those)\\b")))
        || (beginsWithLowerThe(value) && !startsWithOneOf(value, lasting));
}

bool isTaste(const QString &value)
{
    return value.size() >= 2 && value.count(u' ') <= 7 && !pointsBack(value)
        && !startsWithOneOf(value,
                            QStringLiteral(
                                "you|u|it|that|this|these|those|him|her|them|us|me|how|when|what|where|why|the way|"
                                "your|to hear|to see you|talking to you|to know|to be|to think|being|an?|"
                                "many|some|all|most|both|lots|myself|everything|nothing|anything|something|to say|to "
                                "do|one|dich|es"));
}

bool passes(Check check, const QString &value)
{
    switch (check) {
    case Check::Occupation:
        return isOccupation(value) && value.count(u' ') <= 4;
    case Check::Place:
        return isPlace(value);
    case Check::Taste:
        return isTaste(value);
    case Check::NameOf:
        return isName(value);
    case Check::None:
    case Check::Dated:
        break;
    }
    return value.size() >= 2;
}

bool isSoundAge(const Fact &fact)
{
    return fact.kind != FactKind::Age || (fact.value.toInt() >= 1 && fact.value.toInt() <= 120);
}

class Reader
{
public:
    Reader(QString sentence, const QDateTime &saidAt)
        : m_sentence(std::move(sentence))
        , m_saidAt(saidAt)
    {
    }

    void read(std::vector<Fact> &into) const
    {
        for (const FactPattern &pattern : factPatterns())
            for (auto matches = pattern.expression.globalMatch(m_sentence); matches.hasNext();)
                if (const auto fact = factOf(pattern, matches.next()))
                    take(*fact, into);
    }

private:
    std::optional<Fact> factOf(const FactPattern &pattern, const QRegularExpressionMatch &match) const
    {
        if (isUnreal(m_sentence.left(match.capturedEnd())))
            return std::nullopt;
        Fact fact{.kind = pattern.kind,
                  .value = pattern.value,
                  .confidence = pattern.confidence,
                  .saidAt = m_saidAt,
                  .on = {},
                  .ended = pattern.ended};
        if (const QString value = cleaned(match.captured(u"value")); !value.isEmpty())
            fact.value = value;
        if (const QString who = match.captured(u"who").toLower(); !who.isEmpty())
            fact.subject = subjectOf(pattern.kind, who);
        if (!pattern.subject.isEmpty())
            fact.subject = pattern.subject;
        static const QRegularExpression vague(QStringLiteral("^favourite (?:parts?|things?|ways?|ones?|words?)$"));
        if (fact.subject.contains(vague))
            return std::nullopt;
        if (pattern.check == Check::Dated && !date(fact))
            return std::nullopt;
        const bool valueless = pattern.ended && fact.value.isEmpty();
        const bool oneDigit = pattern.kind == FactKind::Age;
        if (!valueless && !oneDigit && !passes(pattern.check, fact.value))
            return std::nullopt;
        return isSoundAge(fact) ? std::optional(fact) : std::nullopt;
    }

    static QString subjectOf(FactKind kind, const QString &who)
    {
        if (kind == FactKind::Likes)
            return QString(QStringLiteral("favourite ") + who);
        static const QHash<QString, QString> same{{QStringLiteral("mom"), QStringLiteral("mother")},
                                                  {QStringLiteral("mum"), QStringLiteral("mother")},
                                                  {QStringLiteral("mommy"), QStringLiteral("mother")},
                                                  {QStringLiteral("dad"), QStringLiteral("father")},
                                                  {QStringLiteral("grandma"), QStringLiteral("grandmother")},
                                                  {QStringLiteral("granny"), QStringLiteral("grandmother")},
                                                  {QStringLiteral("grandpa"), QStringLiteral("grandfather")}};
        return same.value(who, who);
    }

    // The day a birthday, plan or event is on. A plan lies ahead, an event behind.
    bool date(Fact &fact) const
    {
        const QDate said = m_saidAt.date();
        const auto dates = datesIn(fact.kind == FactKind::Birthday ? fact.value : m_sentence, said);
        if (dates.empty())
            return false;
        fact.on = dates.front().span.first;
        if (fact.kind == FactKind::Plan)
            return dates.front().span.last >= said;
        return fact.kind != FactKind::Event || *fact.on <= said;
    }

    static void take(const Fact &fact, std::vector<Fact> &into)
    {
        const QString key = keyOf(fact);
        const auto same = std::ranges::find_if(into, [&](const Fact &each) { return keyOf(each) == key; });
        if (same == into.end())
            into.push_back(fact);
        else if (fact.confidence >= same->confidence || fact.ended != same->ended)
            *same = same->ended && !fact.ended ? fact : (fact.ended && !same->ended ? *same : fact);
    }

    QString m_sentence;
    QDateTime m_saidAt;
};

bool isUnique(const QString &relation)
{
    static const QSet<QString> unique{QStringLiteral("mother"),      QStringLiteral("father"),
                                      QStringLiteral("wife"),        QStringLiteral("husband"),
                                      QStringLiteral("girlfriend"),  QStringLiteral("boyfriend"),
                                      QStringLiteral("partner"),     QStringLiteral("fiance"),
                                      QStringLiteral("fiancé"),      QStringLiteral("fiancée"),
                                      QStringLiteral("best friend"), QStringLiteral("boss")};
    return unique.contains(relation);
}

QString bareValue(const QString &value)
{
    QStringList words;
    for (const QString &word : wordsOf(value))
        words += word;
    return words.join(u' ');
}

bool endsWhat(const Fact &end, const Fact &kept)
{
    return end.kind == kept.kind && end.subject == kept.subject
        && (end.value.isEmpty() || bareValue(end.value) == bareValue(kept.value));
}

} // namespace

QString keyOf(const Fact &fact)
{
    const bool taste = fact.kind == FactKind::Likes || fact.kind == FactKind::Dislikes;
    const QString kind = taste ? QStringLiteral("taste") : QString(toText(fact.kind));
    const QString base = QString(kind + u':' + fact.subject);
    switch (fact.kind) {
    case FactKind::Name:
    case FactKind::Age:
    case FactKind::Birthday:
    case FactKind::Home:
    case FactKind::Origin:
    case FactKind::Job:
    case FactKind::Workplace:
    case FactKind::Study:
    case FactKind::Relationship:
        return base;
    case FactKind::Person:
        if (isUnique(fact.subject))
            return base;
        break;
    case FactKind::Likes:
    case FactKind::Dislikes:
        if (fact.subject.startsWith(u"favourite "))
            return base;
        break;
    default:
        break;
    }
    return QString(base + u':' + bareValue(fact.value));
}

QString sentenceOf(const Fact &fact)
{
    const bool own = fact.subject == u"user";
    const QString who = own ? QString() : QString(QStringLiteral("Their ") + fact.subject + u' ');
    const auto said = [&](const char *verb, const char *othersVerb) {
        return QString((own ? QString::fromUtf8(verb) : QString(who + QString::fromUtf8(othersVerb))) + u' '
                       + fact.value);
    };
    switch (fact.kind) {
    case FactKind::Name:
        return said("Is called", "is called");
    case FactKind::Age:
        return QString(said("Is", "is") + QStringLiteral(" years old"));
    case FactKind::Birthday:
        return said("Has their birthday on", "has their birthday on");
    case FactKind::Home:
        return said("Lives in", "lives in");
    case FactKind::Origin:
        return said("Comes from", "comes from");
    case FactKind::Job:
        return said("Works as", "works as");
    case FactKind::Workplace:
        return said("Works at", "works at");
    case FactKind::Study:
        return said("Studies", "studies");
    case FactKind::Relationship:
        return said("Is", "is");
    case FactKind::Person:
        return fact.value.front().isUpper() ? said("", "is called") : QString(QStringLiteral("Has ") + fact.value);
    case FactKind::Pet:
        return fact.value.front().isUpper() ? said("", "is called") : QString(QStringLiteral("Has ") + fact.value);
    case FactKind::Likes:
        return said("Likes", "is");
    case FactKind::Dislikes:
        return said("Dislikes", "dislikes");
    case FactKind::Health:
        return said("Health:", "has");
    case FactKind::Plan:
        return said("Plans:", "plans:");
    case FactKind::Event:
        return own ? said("Told:", "") : QString(who + fact.value);
    case FactKind::Language:
        return said("Speaks", "speaks");
    case FactKind::Possession:
        return said("Owns", "owns");
    }
    return fact.value;
}

std::vector<Fact> factsIn(QStringView userMessage, const QDateTime &saidAt)
{
    const QString text = withoutQuotes(userMessage);
    if (isStaged(userMessage) || isPlay(text))
        return {};
    std::vector<Fact> found;
    for (const QString &sentence : sentencesOf(text))
        Reader(sentence, saidAt).read(found);
    return found;
}

FactChanges consolidate(const std::vector<Fact> &kept, const std::vector<Fact> &found)
{
    FactChanges changes;
    QSet<size_t> gone;
    const auto supersede = [&](size_t i) {
        if (!gone.contains(i)) {
            gone.insert(i);
            changes.superseded.push_back(i);
        }
    };
    for (const Fact &fact : found) {
        bool known = false;
        for (size_t i = 0; i < kept.size(); ++i) {
            if (fact.ended ? endsWhat(fact, kept[i]) : keyOf(fact) == keyOf(kept[i])) {
                const bool same =
                    !fact.ended && fact.kind == kept[i].kind && bareValue(fact.value) == bareValue(kept[i].value);
                if (same && !known && !gone.contains(i)) {
                    changes.confirmed.push_back(i);
                    known = true;
                } else {
                    supersede(i);
                }
            }
        }
        if (!fact.ended && !known)
            changes.added.push_back(fact);
    }
    return changes;
}

} // namespace companion::memory
