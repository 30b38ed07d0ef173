#include "moderation/Words.h"

#include <QChar>
#include <QList>
#include <QString>

#include <algorithm>
#include <array>
#include <string_view>

namespace companion::moderation {

namespace {

// What one character is for the rules: text of a word, a sign that may stand for a letter, nothing at all, or a gap.
enum class Sort : quint8 { Gap, SentenceEnd, Letters, Digit, Sign, Other, Dropped };

struct Fold
{
    Sort sort = Sort::Gap;
    char letters[3] = {}; // for Letters and Digit; a sign's letter for Sign
};

// Letters of other scripts that look like Latin ones, where NFKD does not say so.
constexpr std::pair<char32_t, char> lookAlikes[] = {
    {U'а', 'a'}, {U'в', 'b'}, {U'с', 'c'}, {U'ԁ', 'd'}, {U'е', 'e'}, {U'ё', 'e'}, {U'һ', 'h'}, {U'і', 'i'}, {U'ї', 'i'},
    {U'ј', 'j'}, {U'к', 'k'}, {U'ӏ', 'l'}, {U'м', 'm'}, {U'н', 'h'}, {U'о', 'o'}, {U'р', 'p'}, {U'ԛ', 'q'}, {U'ѕ', 's'},
    {U'т', 't'}, {U'у', 'y'}, {U'ѵ', 'v'}, {U'ԝ', 'w'}, {U'х', 'x'}, {U'α', 'a'}, {U'β', 'b'}, {U'ε', 'e'}, {U'η', 'n'},
    {U'ι', 'i'}, {U'κ', 'k'}, {U'ν', 'v'}, {U'ο', 'o'}, {U'ρ', 'p'}, {U'τ', 't'}, {U'υ', 'u'}, {U'χ', 'x'}, {U'ı', 'i'},
    {U'ł', 'l'}, {U'đ', 'd'}, {U'ħ', 'h'}, {U'ø', 'o'}, {U'ŧ', 't'}, {U'ɑ', 'a'}, {U'ɡ', 'g'}, {U'ı', 'i'}, {U'ʏ', 'y'},
};

Fold foldAscii(char character)
{
    if (character >= 'a' && character <= 'z')
        return {Sort::Letters, {character}};
    if (character >= 'A' && character <= 'Z')
        return {Sort::Letters, {static_cast<char>(character + 32)}};
    if (character >= '0' && character <= '9')
        return {Sort::Digit, {character}};
    switch (character) {
    case '\'':
        return {Sort::Dropped};
    case '.':
    case '!':
    case '?':
    case '\n':
    case ';':
        return {Sort::SentenceEnd, {character == '!' ? 'i' : '\0'}};
    case '@':
        return {Sort::Sign, {'a'}};
    case '$':
        return {Sort::Sign, {'s'}};
    default:
        return {};
    }
}

Fold lettersFold(QStringView letters)
{
    Fold fold{Sort::Letters};
    for (qsizetype i = 0; i < std::min<qsizetype>(letters.size(), 2); ++i)
        fold.letters[i] = letters[i].toLatin1();
    return fold;
}

Fold computeFold(char32_t character)
{
    if (character == U'’' || character == U'ʼ' || character == U'´')
        return {Sort::Dropped};
    if (character == U'…' || character == U'。' || character == U'¿' || character == U'¡')
        return {Sort::SentenceEnd};
    if (character == U'ß')
        return lettersFold(u"ss");
    const char32_t lower = QChar::toLower(character);
    for (const auto &[other, latin] : lookAlikes)
        if (lower == other)
            return {Sort::Letters, {latin}};
    QString plain;
    for (const QChar part : QString::fromUcs4(&lower, 1).normalized(QString::NormalizationForm_KD).toLower())
        if (part.unicode() < 0x80)
            plain.append(part);
    if (plain.size() == 1)
        return foldAscii(plain[0].toLatin1());
    if (!plain.isEmpty() && std::ranges::all_of(plain, [](QChar part) { return part.isLetter(); }))
        return lettersFold(plain);
    const auto category = QChar::category(character);
    if (category == QChar::Mark_NonSpacing || category == QChar::Other_Format || category == QChar::Mark_Enclosing)
        return {Sort::Dropped};
    return QChar::isLetterOrNumber(character) ? Fold{Sort::Other} : Fold{};
}

// Folding one character takes a normalisation; those of the alphabets that people disguise Latin with are kept ready.
constexpr char32_t tableEnd = 0x2100;

const std::array<Fold, tableEnd> &foldTable()
{
    static const auto table = [] {
        std::array<Fold, tableEnd> folds;
        for (char32_t c = 0; c < tableEnd; ++c)
            folds[c] = c < 0x80 ? foldAscii(static_cast<char>(c)) : computeFold(c);
        return folds;
    }();
    return table;
}

Fold foldOf(char32_t character)
{
    if (character < tableEnd)
        return foldTable()[character];
    const bool isDisguise = (character >= 0x1d400 && character <= 0x1d7ff) // mathematical letters
        || (character >= 0xff01 && character <= 0xff5e) // full width
        || (character >= 0x1f100 && character <= 0x1f1ff) // enclosed letters
        || (character >= 0x2100 && character <= 0x24ff) || (character >= 0xfe00 && character <= 0xfe0f)
        || character == 0xfeff || (character >= 0xe0000 && character <= 0xe01ef) || character == U'。';
    if (isDisguise)
        return computeFold(character);
    return QChar::isLetterOrNumber(character) ? Fold{Sort::Other} : Fold{};
}

char letterFor(char sign)
{
    switch (sign) {
    case '0':
        return 'o';
    case '1':
        return 'i';
    case '3':
        return 'e';
    case '4':
        return 'a';
    case '5':
        return 's';
    case '7':
        return 't';
    case '8':
        return 'b';
    default:
        return sign;
    }
}

bool isDigit(char character)
{
    return character >= '0' && character <= '9';
}

std::string withRunsOf(const std::string &spelling, std::size_t most)
{
    std::string result;
    for (const char character : spelling) {
        const bool isRun = result.size() >= most
            && std::all_of(result.end() - static_cast<std::ptrdiff_t>(most), result.end(),
                           [=](char before) { return before == character; });
        if (!isRun)
            result.push_back(character);
    }
    return result;
}

bool hasLongRun(const std::string &spelling)
{
    for (std::size_t i = 2; i < spelling.size(); ++i)
        if (spelling[i] == spelling[i - 1] && spelling[i] == spelling[i - 2] && !isDigit(spelling[i]))
            return true;
    return false;
}

// The end of a sentence parts its words like three words between them.
constexpr int sentenceGap = 3;

// Reads the text once, left to right.
class Cutter
{
public:
    Cutter(QStringView text, int firstPosition)
        : m_text(text)
        , m_position(firstPosition)
    {
        m_words.reserve(static_cast<std::size_t>(text.size()) / 5 + 1);
    }

    std::vector<Word> cut()
    {
        for (qsizetype at = 0; at < m_text.size();) {
            const qsizetype next = at + (isPair(at) ? 2 : 1);
            const char32_t character =
                isPair(at) ? QChar::surrogateToUcs4(m_text[at], m_text[at + 1]) : m_text[at].unicode();
            take(foldOf(character), at, next);
            at = next;
        }
        endWord();
        joinSpelledOut();
        return std::move(m_words);
    }

private:
    bool isPair(qsizetype at) const
    {
        return m_text[at].isHighSurrogate() && at + 1 < m_text.size() && m_text[at + 1].isLowSurrogate();
    }

    bool wordGoesOnAt(qsizetype at) const
    {
        if (at >= m_text.size() || m_text[at].unicode() >= tableEnd)
            return false;
        const Sort sort = foldTable()[m_text[at].unicode()].sort;
        return sort == Sort::Letters || sort == Sort::Digit || sort == Sort::Sign;
    }

    void take(const Fold &fold, qsizetype at, qsizetype next)
    {
        switch (fold.sort) {
        case Sort::Dropped:
            return;
        case Sort::Letters:
        case Sort::Digit:
            append(fold, at, next);
            return;
        case Sort::Other:
            m_other = true;
            append(fold, at, next);
            return;
        case Sort::Sign: // "p@ss", "$ex": part of a word only where letters follow
            if (wordGoesOnAt(next))
                return appendSign(fold.letters[0], at, next);
            return endWord();
        case Sort::SentenceEnd:
            if (fold.letters[0] && m_open && wordGoesOnAt(next))
                return appendSign(fold.letters[0], at, next);
            endWord();
            if (!wordGoesOnAt(next))
                m_sentenceEnded = true;
            return;
        case Sort::Gap:
            return endWord();
        }
    }

    void append(const Fold &fold, qsizetype at, qsizetype next)
    {
        open(at);
        for (const char letter : fold.letters) {
            if (!letter)
                break;
            m_spelling.push_back(letter);
            m_letters += !isDigit(letter);
            m_digits += isDigit(letter);
        }
        m_end = next;
    }

    void appendSign(char letter, qsizetype at, qsizetype next)
    {
        open(at);
        m_spelling.push_back(letter);
        m_signs = true;
        ++m_letters;
        m_end = next;
    }

    void open(qsizetype at)
    {
        if (m_open)
            return;
        m_open = true;
        m_start = at;
        m_spelling.clear();
        m_letters = m_digits = 0;
        m_signs = m_other = false;
    }

    void endWord()
    {
        if (!m_open)
            return;
        m_open = false;
        if (m_sentenceEnded && !m_words.empty())
            m_position += sentenceGap;
        m_sentenceEnded = false;
        if (m_other)
            return add({}, m_start, m_end); // of a script the rules do not read: it only takes its place
        if (m_digits && m_letters)
            return addMixed();
        add(m_spelling, m_start, m_end);
    }

    void add(std::string spelling, qsizetype start, qsizetype end)
    {
        Word word{.spelling = std::move(spelling),
                  .variants = {},
                  .position = m_position++,
                  .start = start,
                  .length = end - start};
        if (m_digits && !word.spelling.empty() && word.spelling.size() <= 4
            && std::ranges::all_of(word.spelling, isDigit))
            word.number = std::stoi(word.spelling);
        if (hasLongRun(word.spelling))
            word.variants = {withRunsOf(word.spelling, 2), withRunsOf(word.spelling, 1)};
        m_words.push_back(std::move(word));
    }

    // Digits first, then letters: a number and its unit ("15yo"). Digits among letters: a disguise ("su1c1de").
    void addMixed()
    {
        std::string plain = m_spelling;
        std::ranges::transform(plain, plain.begin(), letterFor);
        const auto firstLetter = std::ranges::find_if_not(m_spelling, isDigit);
        const bool isNumberAndUnit =
            firstLetter != m_spelling.begin() && std::none_of(firstLetter, m_spelling.end(), isDigit) && !m_signs;
        if (!isNumberAndUnit) {
            add(m_spelling, m_start, m_end);
            return addVariants(m_words.back(), plain);
        }
        const auto digits = firstLetter - m_spelling.begin();
        const std::string unit(firstLetter, m_spelling.end());
        add(m_spelling.substr(0, static_cast<std::size_t>(digits)), m_start, m_start + digits);
        addVariants(m_words.back(), plain);
        add(unit, m_start + digits, m_end);
    }

    static void addVariants(Word &word, const std::string &plain)
    {
        word.variants.push_back(plain);
        if (hasLongRun(plain)) {
            word.variants.push_back(withRunsOf(plain, 2));
            word.variants.push_back(withRunsOf(plain, 1));
        }
    }

    // Three or more single letters in a row are the one word they spell; a leading "I" or "a" may be a word of its own.
    void joinSpelledOut()
    {
        std::vector<Word> words;
        words.reserve(m_words.size());
        int shift = 0;
        for (std::size_t first = 0; first < m_words.size();) {
            const std::size_t end = endOfLetters(first);
            if (end - first >= 3) {
                joinLetters(first, end, words, shift);
                first = end;
                continue;
            }
            words.push_back(std::move(m_words[first++]));
            words.back().position -= shift;
        }
        m_words = std::move(words);
    }

    std::size_t endOfLetters(std::size_t first) const
    {
        std::size_t end = first;
        while (end < m_words.size() && m_words[end].spelling.size() == 1 && !isDigit(m_words[end].spelling[0]))
            ++end;
        return end;
    }

    void joinLetters(std::size_t first, std::size_t end, std::vector<Word> &words, int &shift) const
    {
        const auto joined = [&](std::size_t from) {
            std::string spelling;
            for (std::size_t i = from; i < end; ++i)
                spelling += m_words[i].spelling;
            return spelling;
        };
        const bool hasOwnFirst = end - first >= 4 && (m_words[first].spelling == "i" || m_words[first].spelling == "a");
        if (hasOwnFirst) {
            words.push_back(m_words[first]);
            words.back().position -= shift;
        }
        const std::size_t from = hasOwnFirst ? first + 1 : first;
        Word word = m_words[from];
        word.position -= shift;
        word.spelling = joined(from);
        if (hasOwnFirst)
            word.variants.push_back(joined(first));
        word.length = m_words[end - 1].start + m_words[end - 1].length - word.start;
        words.push_back(std::move(word));
        shift += static_cast<int>(end - from) - 1;
    }

    QStringView m_text;
    std::vector<Word> m_words;
    int m_position;
    std::string m_spelling;
    qsizetype m_start = 0;
    qsizetype m_end = 0;
    int m_letters = 0;
    int m_digits = 0;
    bool m_signs = false;
    bool m_other = false;
    bool m_open = false;
    bool m_sentenceEnded = false;
};

} // namespace

std::vector<Word> wordsOf(QStringView text, int firstPosition)
{
    return Cutter(text, firstPosition).cut();
}

std::string folded(QStringView word)
{
    std::string result;
    for (const char32_t character : word.toUcs4()) {
        const Fold fold = foldOf(character);
        if (fold.sort == Sort::Letters || fold.sort == Sort::Digit)
            result += fold.letters;
    }
    return result;
}

} // namespace companion::moderation
