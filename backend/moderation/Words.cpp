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

// A letter that was starred out; what stands there is tried.
constexpr char anyLetter = '?';

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
    {U'ł', 'l'}, {U'đ', 'd'}, {U'ħ', 'h'}, {U'ø', 'o'}, {U'ŧ', 't'}, {U'ɑ', 'a'}, {U'ɡ', 'g'}, {U'ʏ', 'y'}, {U'ь', 'b'},
    {U'ƅ', 'b'}, {U'γ', 'y'}, {U'ϲ', 'c'}, {U'℮', 'e'}, {U'є', 'e'}, {U'ґ', 'r'}, {U'г', 'r'}, {U'п', 'n'}, {U'ո', 'n'},
    {U'օ', 'o'}, {U'ս', 'u'}, {U'հ', 'h'}, {U'ց', 'g'}, {U'զ', 'q'}, {U'տ', 's'}, {U'ʟ', 'l'}, {U'ɴ', 'n'}, {U'ʀ', 'r'},
    {U'ʜ', 'h'}, {U'ɪ', 'i'}, {U'ɢ', 'g'}, {U'ʙ', 'b'}, {U'ᴀ', 'a'}, {U'ᴄ', 'c'}, {U'ᴅ', 'd'}, {U'ᴇ', 'e'}, {U'ꜰ', 'f'},
    {U'ᴊ', 'j'}, {U'ᴋ', 'k'}, {U'ᴍ', 'm'}, {U'ᴏ', 'o'}, {U'ᴘ', 'p'}, {U'ꜱ', 's'}, {U'ᴛ', 't'}, {U'ᴜ', 'u'}, {U'ᴠ', 'v'},
    {U'ᴡ', 'w'}, {U'ᴢ', 'z'}, {U'σ', 'o'}, {U'ω', 'w'}, {U'ɩ', 'i'}, {U'ӓ', 'a'},
};

// Characters that are letters by their category and show nothing.
bool isInvisible(char32_t character)
{
    return character == 0x3164 || character == 0x115f || character == 0x1160 || character == 0xffa0
        || character == 0x2800 || character == 0x180e || character == 0x034f;
}

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
    case '|':
        return {Sort::Sign, {'i'}};
    case '+':
        return {Sort::Sign, {'t'}};
    case '*':
        return {Sort::Sign, {anyLetter}};
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
    if (character == U'€')
        return {Sort::Sign, {'e'}};
    if (isInvisible(character))
        return {Sort::Dropped};
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
    if (isInvisible(character))
        return {Sort::Dropped};
    const bool isDisguise = (character >= 0x1d400 && character <= 0x1d7ff) // mathematical letters
        || (character >= 0xff01 && character <= 0xff5e) // full width
        || (character >= 0x1f100 && character <= 0x1f1ff) // enclosed letters
        || (character >= 0x2100 && character <= 0x24ff) || (character >= 0xa730 && character <= 0xa7ff)
        || (character >= 0xfe00 && character <= 0xfe0f) || character == 0xfeff
        || (character >= 0xe0000 && character <= 0xe01ef) || character == U'。';
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
    case '9':
        return 'g';
    default:
        return sign;
    }
}

bool isDigit(char character)
{
    return character >= '0' && character <= '9';
}

// A run of one letter, as it stands in a word.
struct Run
{
    char letter;
    std::size_t length;
};

std::vector<Run> runsOf(const std::string &spelling)
{
    std::vector<Run> runs;
    for (const char letter : spelling)
        if (!runs.empty() && runs.back().letter == letter)
            ++runs.back().length;
        else
            runs.push_back({letter, 1});
    return runs;
}

// What a word with repeated letters could stand for: each run as one letter or as two ("kiiilll": kill, kil, kiill, …).
// A single doubled letter is ordinary spelling: it is also read as one.
void addRuns(const std::string &spelling, std::vector<std::string> &variants)
{
    const std::vector<Run> runs = runsOf(spelling);
    const auto repeated =
        std::ranges::count_if(runs, [](const Run &run) { return run.length > 1 && !isDigit(run.letter); });
    if (repeated == 0)
        return;
    constexpr std::ptrdiff_t mostRuns = 3; // beyond them all are read alike
    const unsigned choices = 1U << std::min(repeated, mostRuns);
    for (unsigned choice = 0; choice < choices; ++choice) {
        std::string variant;
        unsigned bit = 0;
        for (const Run &run : runs) {
            const bool isRepeated = run.length > 1 && !isDigit(run.letter);
            const bool isTwo = isRepeated && (choice >> std::min<unsigned>(bit, mostRuns - 1)) & 1U;
            bit += isRepeated;
            variant.append(isTwo ? 2 : isRepeated ? 1 : run.length, run.letter);
        }
        if (variant != spelling)
            variants.push_back(std::move(variant));
    }
}

bool hasLongRun(const std::string &spelling)
{
    for (std::size_t i = 2; i < spelling.size(); ++i)
        if (spelling[i] == spelling[i - 1] && spelling[i] == spelling[i - 2] && !isDigit(spelling[i]))
            return true;
    return false;
}

// Numbers are written with their unit: everything else that begins with a digit and goes on in letters is a disguise.
bool isUnit(std::string_view letters)
{
    constexpr std::string_view units[] = {"yo",  "yr",  "yrs", "year", "years", "old",   "th",   "st",    "nd",
                                          "rd",  "am",  "pm",  "min",  "mins",  "kg",    "km",   "mg",    "cm",
                                          "mm",  "ml",  "lbs", "usd",  "eur",   "jahre", "anos", "tahun", "thn",
                                          "mio", "bit", "fps", "mph",  "kmh",   "gb",    "mb",   "px"};
    return letters.size() == 1 || std::ranges::find(units, letters) != std::ranges::end(units);
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
        joinCut();
        joinSpelledOut();
        return std::move(m_words);
    }

private:
    bool isPair(qsizetype at) const
    {
        return m_text[at].isHighSurrogate() && at + 1 < m_text.size() && m_text[at + 1].isLowSurrogate();
    }

    // Signs that stand for a letter at a word's beginning too; others begin emphasis, sums, tables.
    bool isLetterSign(qsizetype at) const { return QStringView(u"@$€").contains(m_text[at]); }

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
        case Sort::Sign: // "p@ss", "$ex": part of a word only where letters follow; "b*mb" only between letters
            if (wordGoesOnAt(next) && (isLetterSign(at) || (m_open && m_letters > 0)))
                return appendSign(fold.letters[0], at, next);
            return endWord();
        case Sort::SentenceEnd:
            if (fold.letters[0] && m_open && wordGoesOnAt(next))
                return appendSign(fold.letters[0], at, next);
            if (!m_open && at > 0 && m_text[at - 1] == u' ' && m_text[at] == u'.')
                return; // a sign by itself between words ends no sentence
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
        word.isDisguised = hasLongRun(word.spelling);
        addRuns(word.spelling, word.variants);
        m_words.push_back(std::move(word));
    }

    // Digits first, then letters: a number and its unit ("15yo"). Digits among letters: a disguise ("su1c1de").
    void addMixed()
    {
        std::string plain = m_spelling;
        std::ranges::transform(plain, plain.begin(), letterFor);
        const auto firstLetter = std::ranges::find_if_not(m_spelling, isDigit);
        const bool isNumberAndUnit = firstLetter != m_spelling.begin()
            && std::none_of(firstLetter, m_spelling.end(), isDigit) && !m_signs
            && isUnit(std::string_view(m_spelling).substr(static_cast<std::size_t>(firstLetter - m_spelling.begin())));
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

    // "1" is an i or an l.
    static void addVariants(Word &word, const std::string &plain)
    {
        word.isDisguised = true;
        std::vector<std::string> readings{plain};
        for (std::size_t i = 0; i < plain.size(); ++i)
            if (word.spelling.size() == plain.size() && word.spelling[i] == '1') {
                readings.push_back(plain);
                readings.back()[i] = 'l';
            }
        if (readings.size() > 2) { // all of them
            readings.push_back(plain);
            for (std::size_t i = 0; i < plain.size(); ++i)
                if (word.spelling[i] == '1')
                    readings.back()[i] = 'l';
        }
        for (const std::string &reading : readings) {
            word.variants.push_back(reading);
            addRuns(reading, word.variants);
        }
    }

    // "bo.mb", "bo-mb": what one sign cuts is read whole as well, beside its pieces.
    void joinCut()
    {
        for (std::size_t first = 0; first + 1 < m_words.size(); ++first) {
            std::string whole = m_words[first].spelling;
            for (std::size_t next = first + 1; next < std::min(first + 4, m_words.size()) && isCut(next); ++next) {
                whole += m_words[next].spelling;
                if (whole.size() >= 4)
                    m_words[first].variants.push_back(whole);
            }
        }
    }

    bool isCut(std::size_t word) const
    {
        const Word &before = m_words[word - 1];
        const qsizetype end = before.start + before.length;
        const bool areLetters = !before.spelling.empty() && !m_words[word].spelling.empty() && before.number < 0
            && m_words[word].number < 0;
        return areLetters && m_words[word].start == end + 1 && QStringView(u".-_~·/\\,:").contains(m_text[end]);
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
        while (end < m_words.size() && m_words[end].spelling.size() == 1 && !isDigit(m_words[end].spelling[0])
               && (end < first + 2 || gapBefore(end) == gapBefore(first + 1)))
            ++end;
        return end;
    }

    // What stands between a letter and the one before it: one word is spelled out in one way.
    QStringView gapBefore(std::size_t word) const
    {
        const qsizetype from = m_words[word - 1].start + m_words[word - 1].length;
        return m_text.sliced(from, std::max<qsizetype>(0, m_words[word].start - from));
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
        word.variants.clear();
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
