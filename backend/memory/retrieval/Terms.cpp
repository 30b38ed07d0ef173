#include "memory/retrieval/Terms.h"

#include "memory/retrieval/Stem.h"

#include <QString>
#include <algorithm>
#include <array>
#include <string_view>

namespace companion::memory {

namespace {

// Sorted. Words that nearly every turn has, and what conversation adds to them.
constexpr auto stopWords = std::to_array<std::string_view>(
    {"a",    "about",  "after", "again", "ah",    "all",  "also",  "am",    "an",     "and",   "any",    "are",
     "as",   "at",     "be",    "been",  "being", "both", "but",   "by",    "can",    "could", "did",    "do",
     "does", "doing",  "done",  "for",   "from",  "had",  "has",   "have",  "having", "he",    "hello",  "her",
     "hers", "hey",    "hi",    "him",   "his",   "how",  "i",     "if",    "in",     "into",  "is",     "it",
     "its",  "just",   "let",   "lets",  "like",  "may",  "me",    "might", "much",   "must",  "my",     "no",
     "not",  "of",     "oh",    "ok",    "okay",  "on",   "or",    "our",   "ours",   "re",    "really", "shall",
     "she",  "should", "so",    "some",  "such",  "sure", "than",  "that",  "thats",  "the",   "their",  "theirs",
     "them", "then",   "there", "these", "they",  "this", "those", "to",    "too",    "up",    "us",     "very",
     "was",  "we",     "well",  "were",  "what",  "when", "where", "which", "while",  "who",   "whom",   "whose",
     "why",  "will",   "with",  "would", "wow",   "yeah", "yes",   "you",   "your",   "yours"});

bool isIdeograph(char16_t c)
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af);
}

bool isApostrophe(QChar c)
{
    return c == u'\'' || c == u'’' || c == u'ʼ';
}

QString folded(QStringView text)
{
    if (std::ranges::all_of(text, [](QChar c) { return c.unicode() < 0x80; }))
        return text.toString().toLower();
    const QString decomposed = text.toString().normalized(QString::NormalizationForm_KD).toLower();
    QString out;
    out.reserve(decomposed.size());
    for (const QChar c : decomposed)
        if (c.category() != QChar::Mark_NonSpacing)
            out += c;
    // NFKD takes Hangul syllables apart; they are words' letters, together again.
    return out.normalized(QString::NormalizationForm_C);
}

// What stands after an apostrophe: a clitic is dropped ("Anna's", "I've"), a part of the word is joined ("O'Brien").
bool isClitic(QStringView part)
{
    static constexpr std::array clitics{u"s", u"t", u"re", u"ve", u"ll", u"m", u"d"};
    return std::ranges::any_of(clitics, [&](const char16_t *clitic) { return part == QStringView(clitic); });
}

class WordReader
{
public:
    explicit WordReader(const QString &text)
        : m_text(text)
    {
    }

    template <class Take>
    void read(const Take &take)
    {
        while (m_at < m_text.size()) {
            const QChar c = m_text[m_at];
            if (isIdeograph(c.unicode()))
                takeIdeographs(take);
            else if (c.isLetterOrNumber())
                takeWord(take);
            else
                ++m_at;
        }
    }

private:
    qsizetype runFrom(qsizetype at) const
    {
        while (at < m_text.size() && m_text[at].isLetterOrNumber() && !isIdeograph(m_text[at].unicode()))
            ++at;
        return at;
    }

    template <class Take>
    void takeWord(const Take &take)
    {
        const qsizetype start = m_at;
        m_at = runFrom(start);
        QString word = m_text.sliced(start, m_at - start);
        while (m_at + 1 < m_text.size() && isApostrophe(m_text[m_at]) && m_text[m_at + 1].isLetter()) {
            const qsizetype end = runFrom(m_at + 1);
            const QStringView part = QStringView(m_text).sliced(m_at + 1, end - m_at - 1);
            m_at = end;
            if (!isClitic(part))
                word += part;
            else if (part == u"t" && word.endsWith(u'n') && word.size() > 2)
                word.chop(1); // "don't" is "do"
        }
        take(word);
    }

    template <class Take>
    void takeIdeographs(const Take &take)
    {
        const qsizetype start = m_at;
        while (m_at < m_text.size() && isIdeograph(m_text[m_at].unicode()))
            ++m_at;
        for (qsizetype i = start; i < m_at; ++i) {
            take(m_text.sliced(i, 1));
            if (i + 1 < m_at)
                take(m_text.sliced(i, 2));
        }
    }

    const QString &m_text;
    qsizetype m_at = 0;
};

bool isAscii(QStringView word)
{
    return std::ranges::all_of(word, [](QChar c) { return c.unicode() < 0x80; });
}

TermId hashOf(std::string_view bytes)
{
    quint64 h = 0xcbf29ce484222325; // FNV-1a, 64 bits, folded to 32
    for (const char c : bytes)
        h = (h ^ static_cast<uchar>(c)) * 0x100000001b3;
    return static_cast<TermId>(h ^ (h >> 32));
}

} // namespace

std::vector<QString> wordsOf(QStringView text)
{
    std::vector<QString> words;
    const QString plain = folded(text);
    WordReader(plain).read([&](const QString &word) { words.push_back(word); });
    return words;
}

QString stemOf(const QString &foldedWord)
{
    return isAscii(foldedWord) ? QString::fromStdString(stemmed(foldedWord.toStdString())) : foldedWord;
}

TermId termIdOf(const QString &foldedWord)
{
    const std::string word = foldedWord.toStdString();
    return hashOf(isAscii(foldedWord) ? stemmed(word) : word);
}

bool isStopWord(const QString &foldedWord)
{
    if (foldedWord.size() > 6 || !isAscii(foldedWord))
        return false;
    return std::ranges::binary_search(stopWords, std::string_view(foldedWord.toLatin1()));
}

Terms termsOf(QStringView text)
{
    constexpr size_t atMost = 65535;
    Terms terms;
    const QString plain = folded(text);
    WordReader(plain).read([&](const QString &word) {
        if (terms.size() < atMost && !isStopWord(word))
            terms.push_back(termIdOf(word));
    });
    return terms;
}

} // namespace companion::memory
