#include "llm/rehearsal/RehearsalPersona.h"

#include <QRegularExpression>
#include <algorithm>
#include <array>

namespace companion::llm {

namespace {

QRegularExpression pattern(const QString &text)
{
    return QRegularExpression(text,
                              QRegularExpression::CaseInsensitiveOption
                                  | QRegularExpression::UseUnicodePropertiesOption);
}

// How often the prompt uses words of this kind, those it forbids ("never teasing") left out.
int mentions(const QString &prompt, const QString &words)
{
    static const auto forbidden =
        pattern(QStringLiteral(R"(\b(no|not|never|avoid|without|don't|isn't)\b[^.;\n]{0,25}$)"));
    int count = 0;
    for (auto found = pattern(uR"(\b(?:)" + words + u")").globalMatch(prompt); found.hasNext();) {
        const qsizetype at = found.next().capturedStart();
        const qsizetype from = std::max<qsizetype>(0, at - 40);
        count += !forbidden.match(prompt.mid(from, at - from)).hasMatch();
    }
    return count;
}

struct ToneWords
{
    Tone tone;
    const char *words;
};

constexpr std::array toneWords{
    ToneWords{Tone::Quiet, "quiet|calm|gentle|soft|serene|shy|introvert|patient|still|thoughtful|few words|reserved"},
    ToneWords{Tone::Playful, "playful|teas|witty|mischiev|cheeky|jok|humou?r|banter|quick-witted|impish|cheerful"},
    ToneWords{Tone::Formal, "formal|polite|courteous|dignif|proper|eloquent|refined|butler|professor|old-fashioned"},
    ToneWords{Tone::Bold, "bold|energetic|fierce|adventur|blunt|direct|daring|loud|passionate|fearless|competitive"},
    ToneWords{Tone::Warm, "warm|kind|caring|empath|tender|friendly|nurtur|affection|supportive|motherly|comfort"},
};

Tone toneOf(const QString &prompt)
{
    Tone best = Tone::Warm;
    int most = 0;
    for (const auto &[tone, words] : toneWords) {
        const int count = mentions(prompt, QString::fromLatin1(words));
        if (count > most) {
            most = count;
            best = tone;
        }
    }
    return best;
}

// Only plain lower-case words: a name, a number or a secret of the prompt is never repeated.
QString plainPhrase(const QString &prompt, const QString &before)
{
    static const QRegularExpression lastSmallWord(
        QStringLiteral(R"(\s+(?:a|an|the|and|or|of|to|in|on|at|with|who|that|by|for|from|her|his|their)$)"));
    const QRegularExpression phrase(before + uR"(((?:[\p{Ll}'’-]+ ?){1,8})(?=[ .,;:\n—–]|$))",
                                    QRegularExpression::UseUnicodePropertiesOption);
    QString found = phrase.match(prompt).captured(1).trimmed();
    while (found.contains(lastSmallWord))
        found.remove(lastSmallWord);
    return found.size() <= 60 ? found : QString();
}

QString personaNameIn(const QString &prompt)
{
    static const QRegularExpression you(QStringLiteral(
                                            R"(\b[Yy]ou are (?:called |named |playing )?(\p{Lu}[\p{L}'’-]{1,30})\b)"),
                                        QRegularExpression::UseUnicodePropertiesOption);
    static const QRegularExpression named(QStringLiteral(R"(\b(?:[Nn]ame is|[Nn]ame:) *(\p{Lu}[\p{L}'’-]{1,30})\b)"),
                                          QRegularExpression::UseUnicodePropertiesOption);
    const QString direct = you.match(prompt).captured(1);
    return direct.isEmpty() ? named.match(prompt).captured(1) : direct;
}

} // namespace

RehearsalPersona RehearsalPersona::read(const QString &systemPrompt, const QString &fallbackName)
{
    RehearsalPersona persona;
    persona.name = fallbackName.isEmpty() ? personaNameIn(systemPrompt) : fallbackName;
    persona.role = plainPhrase(systemPrompt, QStringLiteral(R"(\b[Yy]ou are [^.\n]{0,40}?(?=\ban? ))"));
    persona.interest =
        plainPhrase(systemPrompt,
                    QStringLiteral(R"(\b(?:[Ll]oves?|[Ee]njoys?|fond of|passionate about|interested in) )"));
    persona.tone = toneOf(systemPrompt);
    persona.spicy = mentions(systemPrompt, QStringLiteral("flirt|seducti|sensual|spicy|erotic|adult content")) > 0;
    return persona;
}

} // namespace companion::llm
