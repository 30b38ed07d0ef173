#include "memory/retrieval/Asked.h"

#include <QSet>
#include <algorithm>
#include <array>
#include <cmath>

namespace companion::memory {

namespace {

using Words = std::vector<QString>;

template <size_t N>
bool isOneOf(const QString &word, const std::array<const char *, N> &list)
{
    return std::ranges::any_of(list, [&](const char *each) { return word == QLatin1StringView(each); });
}

constexpr std::array sayingWords{"said",     "say",     "tell",  "told",      "mention", "mentioned", "promise",
                                 "promised", "ask",     "asked", "recommend", "suggest", "suggested", "recommended",
                                 "advise",   "advised", "call",  "called",    "write",   "wrote",     "talk"};
constexpr std::array selfWords{"i", "my", "me", "mine", "im", "ive", "we", "our"};

// "what did I tell you", "you said": the first of the two that is followed by a word of saying within two words.
std::optional<Speaker> whoSays(const Words &words)
{
    for (size_t i = 0; i < words.size(); ++i) {
        const bool self = words[i] == QLatin1StringView("i");
        if (!self && words[i] != QLatin1StringView("you"))
            continue;
        for (size_t j = i + 1; j < std::min(words.size(), i + 3); ++j)
            if (isOneOf(words[j], sayingWords))
                return self ? Speaker::User : Speaker::Companion;
    }
    return std::nullopt;
}

bool hasWord(const Words &words, const QString &word)
{
    return std::ranges::find(words, word) != words.end();
}

// All words that one slip of the finger makes of another: a letter left out, added, exchanged, or two swapped.
std::vector<QString> slipsOf(const QString &word)
{
    std::vector<QString> out;
    for (qsizetype i = 0; i < word.size(); ++i) {
        out.push_back(QString(word).remove(i, 1));
        if (i + 1 < word.size()) {
            QString swapped = word;
            std::swap(swapped[i], swapped[i + 1]);
            out.push_back(swapped);
        }
        for (char16_t c = u'a'; c <= u'z'; ++c) {
            out.push_back(QString(word).replace(i, 1, QChar(c)));
            out.push_back(QString(word).insert(i + 1, QChar(c)));
        }
    }
    return out;
}

class QuestionReader
{
public:
    QuestionReader(const Corpus::Index &index, const Question &question, const RankingWeights &weights)
        : m_index(index)
        , m_weights(weights)
        , m_words(wordsOf(question.text))
        , m_user(wordsOf(question.userName))
        , m_companion(wordsOf(question.companionName))
    {
        for (const DatedPhrase &phrase : datesIn(question.text, question.askedAt.date()))
            m_asked.dates.push_back(phrase.span);
    }

    Asked read()
    {
        TermId last = 0;
        for (const QString &word : m_words) {
            if (isStopWord(word))
                continue;
            const TermId id = termIdOf(word);
            const bool name = hasWord(m_user, word) || hasWord(m_companion, word);
            if (!m_seen.contains(id))
                takeWord(word, id, name);
            if (last != 0 && !name)
                m_asked.pairs.push_back({last, id, 0});
            last = name ? 0 : id;
            m_asked.hasContent |= !name;
            m_seen.insert(id);
        }
        shareWeights();
        m_asked.hasContent |= !m_asked.dates.empty();
        m_asked.about = about();
        return m_asked;
    }

private:
    float rarity(TermId term) const
    {
        const PostingTable::List *list = m_index.postings.find(term);
        const double having = list ? list->live : 0;
        return float(std::log(1.0 + (m_index.live - having + 0.5) / (having + 0.5)));
    }

    void takeWord(const QString &word, TermId id, bool name)
    {
        Asked::Word asked;
        asked.forms.push_back({id, 1.0F});
        asked.weight = rarity(id) * (name ? float(m_weights.nameTerm) : 1.0F);
        if (!name && m_index.words)
            addSlips(word, asked);
        m_asked.words.push_back(asked);
    }

    // A word that neither the memories nor the dictionary have is taken for a slip of one that the memories have.
    void addSlips(const QString &word, Asked::Word &asked)
    {
        constexpr float likeness = 0.8F;
        if (word.size() < 5 || word.size() > 20 || m_slipsSought == 3 || m_index.postings.find(asked.forms[0].id)
            || m_index.words->knows(word))
            return;
        ++m_slipsSought;
        quint32 most = 0;
        TermId best = 0;
        for (const QString &slip : slipsOf(word)) {
            const PostingTable::List *list =
                m_index.words->knows(slip) ? m_index.postings.find(termIdOf(slip)) : nullptr;
            if (list && list->live > most) {
                most = list->live;
                best = termIdOf(slip);
            }
        }
        if (most > 0) {
            asked.forms.push_back({best, likeness});
            asked.weight = rarity(best);
        }
    }

    void shareWeights()
    {
        float all = 0;
        for (const Asked::Word &word : m_asked.words)
            all += word.weight;
        for (Asked::Word &word : m_asked.words)
            word.weight = all > 0 ? word.weight / all : 0.0F;
        for (Asked::Pair &pair : m_asked.pairs)
            pair.weight = weightOf(pair.first) + weightOf(pair.second);
    }

    float weightOf(TermId id) const
    {
        const auto word =
            std::ranges::find(m_asked.words, id, [](const Asked::Word &each) { return each.forms[0].id; });
        return word != m_asked.words.end() ? word->weight : 0.0F;
    }

    std::optional<Speaker> about() const
    {
        const auto named = [this](const Words &name) {
            return std::ranges::any_of(m_words, [&](const QString &word) { return hasWord(name, word); });
        };
        const bool user = named(m_user);
        const bool companion = named(m_companion);
        if (user != companion)
            return user ? Speaker::User : Speaker::Companion;
        if (const auto saying = whoSays(m_words))
            return saying;
        const bool self = std::ranges::any_of(m_words, [](const QString &word) { return isOneOf(word, selfWords); });
        return self && !user ? std::optional(Speaker::User) : std::nullopt;
    }

    const Corpus::Index &m_index;
    const RankingWeights &m_weights;
    Words m_words;
    Words m_user;
    Words m_companion;
    QSet<TermId> m_seen;
    int m_slipsSought = 0;
    Asked m_asked;
};

} // namespace

Asked understand(const Corpus::Index &index, const Question &question, const RankingWeights &weights)
{
    return QuestionReader(index, question, weights).read();
}

QString bareQuestion(const Question &question)
{
    const Words user = wordsOf(question.userName);
    const Words companion = wordsOf(question.companionName);
    QStringList kept;
    for (const QString &word : wordsOf(question.text))
        if (!hasWord(user, word) && !hasWord(companion, word))
            kept += word;
    return kept.join(u' ');
}

} // namespace companion::memory
