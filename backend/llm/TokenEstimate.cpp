#include "llm/LanguageModel.h"

#include <algorithm>
#include <array>
#include <string_view>

// Costs are thousandths of a token, measured against o200k (tests/llm/token_estimate.cjs; figures in docs/models.md).
// Words are judged in blocks: a block with enough of English's smallest words has English's prices, which o200k's
// vocabulary favours; any other Latin text pays by length.
namespace companion::llm {

namespace {

constexpr int blockWords = 32;
constexpr int perMessage = 4;
constexpr int replyStart = 3;

enum class Script { Latin, Cyrillic, Greek, Semitic, Indic, Thai, Kana, Hangul, Han, Rare, None };

    // Whole ranges, not exact scripts: what matters is what a character costs.
Script scriptOf(char32_t c)
{
    if (c < 0x370)
        return Script::Latin;
    if (c >= 0x400 && c < 0x530)
        return Script::Cyrillic;
    if (c < 0x400)
        return Script::Greek;
    if (c < 0x780)
        return Script::Semitic; // with Armenian
    if (c >= 0x900 && c < 0xe00)
        return Script::Indic;
    if (c >= 0xe00 && c < 0xe80)
        return Script::Thai;
    if (c >= 0x1e00 && c < 0x2000)
        return Script::Latin;
    if (c >= 0x3040 && c < 0x3100)
        return Script::Kana;
    if ((c >= 0x3400 && c < 0xa000) || (c >= 0xf900 && c < 0xfb00))
        return Script::Han;
    return c >= 0xac00 && c < 0xd7b0 ? Script::Hangul : Script::Rare;
}

bool isAsciiLetter(char32_t c)
{
    return (c | 0x20) >= U'a' && (c | 0x20) <= U'z';
}

// What nearly every character is needs no tables.
bool isWordCharacter(char32_t c)
{
    return c < 0x80 ? isAsciiLetter(c) : QChar::isLetter(c) || QChar::isMark(c);
}

bool isMark(char32_t c)
{
    return c >= 0x300 && QChar::isMark(c);
}

bool isUpper(char32_t c)
{
    return c < 0x80 ? c >= U'A' && c <= U'Z' : QChar::isUpper(c);
}

// Up to four characters as one number: words are looked up by it.
constexpr quint64 packed(std::u16string_view word)
{
    quint64 number = 0;
    for (const char16_t c : word)
        number = number << 16 | c;
    return number;
}

constexpr auto smallEnglishWords = [] {
    std::array words{
        packed(u"the"),  packed(u"and"),  packed(u"to"),   packed(u"of"),   packed(u"a"),    packed(u"is"),
        packed(u"in"),   packed(u"it"),   packed(u"you"),  packed(u"that"), packed(u"i"),    packed(u"for"),
        packed(u"my"),   packed(u"me"),   packed(u"we"),   packed(u"was"),  packed(u"are"),  packed(u"be"),
        packed(u"on"),   packed(u"at"),   packed(u"with"), packed(u"this"), packed(u"have"), packed(u"your"),
        packed(u"not"),  packed(u"so"),   packed(u"but"),  packed(u"do"),   packed(u"what"), packed(u"how"),
        packed(u"they"), packed(u"he"),   packed(u"she"),  packed(u"his"),  packed(u"her"),  packed(u"or"),
        packed(u"as"),   packed(u"if"),   packed(u"an"),   packed(u"by"),   packed(u"can"),  packed(u"all"),
        packed(u"just"), packed(u"from"), packed(u"has"),  packed(u"had"),  packed(u"our"),  packed(u"been"),
        packed(u"it's"), packed(u"i'm"),  packed(u"its"),  packed(u"will"),
    };
    std::ranges::sort(words);
    return words;
}();

bool isSmallEnglishWord(QStringView word)
{
    if (word.size() > 4)
        return false;
    quint64 number = 0;
    for (const QChar c : word)
        number = number << 16 | (c >= u'A' && c <= u'Z' ? c.unicode() + 32u : c.unicode());
    return std::ranges::binary_search(smallEnglishWords, number);
}

bool isAsciiSymbol(QChar c)
{
    return c > u' ' && c < QChar(0x7f) && !c.isLetterOrNumber();
}

struct Word
{
    int letters = 0;
    int beyondAscii = 0;
    int extended = 0; // Latin letters beyond those of western Europe
    int marks = 0; // that stand alone: only odd Latin has them
    int astral = 0; // beyond the basic plane
    int capitals = 0; // after the first letter
    Script script = Script::None;
    bool smallEnglish = false;
};

int englishCost(const Word &word)
{
    const int byLength = word.letters <= 6 ? 1030 : word.letters <= 10 ? 1120 : 1150 + (word.letters - 10) * 200;
    return byLength + word.capitals * 400;
}

int latinCost(const Word &word)
{
    return 1000 + std::max(0, word.letters - 3) * 255 + word.beyondAscii * 350 + word.marks * 1300
        + word.capitals * 300;
}

int foreignCost(const Word &word)
{
    switch (word.script) {
    case Script::Cyrillic:
        return 1000 + std::max(0, word.letters - 3) * 380;
    case Script::Greek:
        return 1000 + std::max(0, word.letters - 3) * 590;
    case Script::Semitic:
        return 1000 + std::max(0, word.letters - 2) * 520;
    case Script::Indic:
        return 600 + word.letters * 360;
    case Script::Thai:
        return 700 + word.letters * 470;
    case Script::Kana:
        return 300 + word.letters * 780;
    case Script::Hangul:
        return 400 + word.letters * 780;
    case Script::Han:
        return 200 + word.letters * 1000;
    default:
        return 500 + word.letters * 1900 + word.astral * 2200;
    }
}

    // Adds up one text.
class Estimate
{
public:
    explicit Estimate(QStringView text)
        : m_text(text)
    {
    }

    int tokens()
    {
        while (m_at < m_text.size()) {
            const char32_t c = codePoint(m_at);
            if (isWordCharacter(c))
                takeWord();
            else if (QChar::isDigit(c))
                takeDigits();
            else if (QChar::isSpace(c))
                takeBlanks();
            else
                takeSymbol(c);
        }
        closeBlock();
        return int((m_thousandths + 999) / 1000);
    }

private:
    char32_t codePoint(qsizetype at) const
    {
        const QChar first = m_text[at];
        const bool pair = first.isHighSurrogate() && at + 1 < m_text.size() && m_text[at + 1].isLowSurrogate();
        return pair ? QChar::surrogateToUcs4(first, m_text[at + 1]) : char32_t(first.unicode());
    }

        // Letters of one script; an apostrophe within Latin belongs to the word.
    void takeWord()
    {
        const qsizetype start = m_at;
        Word word{.script = scriptOf(codePoint(m_at))};
        while (m_at < m_text.size()) {
            const char32_t c = codePoint(m_at);
            const bool apostrophe =
                c == U'\'' && m_at > start && m_at + 1 < m_text.size() && m_text[m_at + 1].isLetter();
            if (!apostrophe && (!isWordCharacter(c) || (scriptOf(c) != word.script && !isMark(c))))
                break;
            ++word.letters;
            word.beyondAscii += c >= 0x80;
            word.extended += c >= 0x100;
            word.marks += isMark(c);
            word.astral += c >= 0x10000;
            word.capitals += m_at > start && isUpper(c);
            m_at += QChar::requiresSurrogates(c) ? 2 : 1;
        }
        if (word.script != Script::Latin) {
            m_thousandths += foreignCost(word);
            return;
        }
        word.smallEnglish = isSmallEnglishWord(m_text.sliced(start, m_at - start));
        addToBlock(word);
    }

    void addToBlock(const Word &word)
    {
        ++m_words;
        m_smallEnglish += word.smallEnglish;
        m_asEnglish += englishCost(word) + word.beyondAscii * 400 + word.marks * 1300;
        m_asLatin += latinCost(word);
        m_extended += word.extended > 0;
        m_letters += word.letters;
        if (m_words == blockWords)
            closeBlock();
    }

    void closeBlock()
    {
        const bool english = m_smallEnglish * 5 >= m_words; // a fifth; German and French stay under a tenth
        // Polish, Czech, Turkish and their like: many rarer word parts, with or without the letters that give them away
        const int eastern = m_extended * 12 >= m_words ? m_letters * 140 : 0;
        m_thousandths += english ? m_asEnglish : m_asLatin + eastern;
        m_words = m_smallEnglish = m_extended = m_letters = 0;
        m_asEnglish = m_asLatin = 0;
    }

    void takeDigits()
    {
        const qsizetype start = m_at;
        while (m_at < m_text.size() && m_text[m_at].isDigit())
            ++m_at;
        const bool ascii = m_text[start].unicode() < 0x80;
        m_thousandths += ascii ? (m_at - start + 2) / 3 * 1000 : (m_at - start) * 1000;
        if (m_at == start) // a digit outside the basic plane
            takeSymbol(codePoint(m_at));
    }

    // One blank before a word is part of its token.
    void takeBlanks()
    {
        const qsizetype start = m_at;
        while (m_at < m_text.size() && m_text[m_at].isSpace())
            ++m_at;
        const bool joins =
            m_at - start == 1 && m_text[start] == u' ' && m_at < m_text.size() && !m_text[m_at].isDigit();
        m_thousandths += joins ? 0 : (m_at - start + 7) / 8 * 1000;
    }

    void takeSymbol(char32_t c)
    {
        const bool follows = c < 0x80 && m_at > 0 && isAsciiSymbol(m_text[m_at - 1]);
        const bool joiner = c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f);
        m_at += QChar::requiresSurrogates(c) ? 2 : 1;
        m_thousandths += follows ? 650 : c < 0x80 || joiner ? 1000 : c >= 0x10000 ? 2300 : 1400;
    }

    QStringView m_text;
    qsizetype m_at = 0;
    qint64 m_thousandths = 0;
    int m_words = 0;
    int m_smallEnglish = 0;
    int m_extended = 0;
    int m_letters = 0;
    qint64 m_asEnglish = 0;
    qint64 m_asLatin = 0;
};

} // namespace

int estimateTokens(QStringView text)
{
    return Estimate(text).tokens();
}

int estimateTokens(const QList<ChatMessage> &messages)
{
    int sum = replyStart;
    for (const ChatMessage &message : messages)
        sum += perMessage + estimateTokens(message.content);
    return sum;
}

} // namespace companion::llm
