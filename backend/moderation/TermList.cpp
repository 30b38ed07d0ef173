#include "moderation/TermList.h"

#include "moderation/Term.h"

#include <algorithm>

namespace companion::moderation {

namespace {

// The words of a text beside the numbers that the vocabulary knows them by.
class Reading
{
public:
    Reading(const std::vector<Word> &words, const Vocabulary &vocabulary)
        : m_words(words)
    {
        m_known.reserve(words.size() * 2);
        m_from.reserve(words.size() + 1);
        for (const Word &word : words) {
            m_from.push_back(m_known.size());
            vocabulary.collect(word.spelling, m_known);
            for (const std::string &variant : word.variants)
                vocabulary.collect(variant, m_known);
        }
        m_from.push_back(m_known.size());
    }

    std::size_t size() const { return m_words.size(); }
    const Word &word(std::size_t index) const { return m_words[index]; }
    const int *knownBegin(std::size_t index) const { return m_known.data() + m_from[index]; }
    const int *knownEnd(std::size_t index) const { return m_known.data() + m_from[index + 1]; }
    bool is(std::size_t index, int word) const
    {
        return std::find(knownBegin(index), knownEnd(index), word) != knownEnd(index);
    }

private:
    const std::vector<Word> &m_words;
    std::vector<int> m_known;
    std::vector<std::size_t> m_from;
};

// Tries one term at one place: depth first, the first way through wins.
class Attempt
{
public:
    explicit Attempt(const Reading &reading)
        : m_reading(reading)
    {
    }

    // The last word of the match that begins at `index`.
    std::optional<std::size_t> from(std::size_t index, const Sequence &sequence)
    {
        const int position = m_reading.word(index).position;
        const bool matched = step(sequence, 0, {index, position, position}, nullptr);
        return matched ? std::optional(m_last) : std::nullopt;
    }

private:
    // Where the next word must stand: it is words[index], with a position from `low` to `high`.
    struct Place
    {
        std::size_t index;
        int low;
        int high;
    };
    // What remains to be matched after the present sequence.
    struct Rest
    {
        const Sequence &sequence;
        std::size_t at;
        const Rest *outer;
    };

    bool step(const Sequence &sequence, std::size_t at, Place place, const Rest *rest)
    {
        if (at == sequence.size()) {
            if (rest)
                return step(rest->sequence, rest->at, place, rest->outer);
            m_last = place.index - 1;
            return true;
        }
        const Node &node = sequence[at];
        switch (node.kind) {
        case Node::Kind::Gap:
            return step(sequence, at + 1, {place.index, place.low, place.high + node.high}, rest);
        case Node::Kind::Choice:
            return choose(node, sequence, at, place, rest);
        default:
            return stepWord(node, sequence, at, place, rest);
        }
    }

    bool choose(const Node &node, const Sequence &sequence, std::size_t at, Place place, const Rest *rest)
    {
        if (!node.beginnings.empty() && !canBegin(node, place))
            return false;
        const Rest after{sequence, at + 1, rest};
        return std::ranges::any_of(node.choices,
                                   [&](const Sequence &choice) { return step(choice, 0, place, &after); });
    }

    // Most choices fail at once: none of the words in reach begins any of them.
    bool canBegin(const Node &node, Place place) const
    {
        for (std::size_t index = place.index; index < m_reading.size(); ++index) {
            if (m_reading.word(index).position > place.high)
                return false;
            for (const int *known = m_reading.knownBegin(index); known != m_reading.knownEnd(index); ++known)
                if (static_cast<std::size_t>(*known) < node.beginnings.size()
                    && node.beginnings[static_cast<std::size_t>(*known)])
                    return true;
        }
        return false;
    }

    bool stepWord(const Node &node, const Sequence &sequence, std::size_t at, Place place, const Rest *rest)
    {
        for (std::size_t index = place.index; index < m_reading.size(); ++index) {
            const Word &word = m_reading.word(index);
            if (word.position > place.high)
                return false;
            const int next = word.position + 1;
            if (word.position >= place.low && matches(node, index)
                && step(sequence, at + 1, {index + 1, next, next}, rest))
                return true;
        }
        return false;
    }

    bool matches(const Node &node, std::size_t index) const
    {
        if (node.kind == Node::Kind::Word)
            return m_reading.is(index, node.word);
        const int number = m_reading.word(index).number;
        return number >= 0 && number >= node.low && number <= node.high;
    }

    const Reading &m_reading;
    std::size_t m_last = 0;
};

bool overlap(Span a, Span b)
{
    return a.first <= b.last && b.first <= a.last;
}

} // namespace

struct TermLists::Private
{
    struct Term
    {
        int list = 0;
        Sequence sequence;
    };

    Vocabulary vocabulary;
    QHash<QString, std::vector<Sequence>> named;
    QHash<QString, int> numbers;
    std::vector<int> excuses; // by list: the list that excuses its hits, or -1
    std::vector<Term> terms;
    std::vector<std::vector<int>> termsByFirstWord; // by vocabulary number
    std::vector<int> termsByNumber; // those that may begin with a number

    int newList()
    {
        excuses.push_back(-1);
        return static_cast<int>(excuses.size()) - 1;
    }

    std::expected<void, QString> addTerms(int list, const QStringList &texts, std::vector<Sequence> *collected)
    {
        for (const QString &text : texts) {
            auto choices = readTerm(text, vocabulary, named);
            if (!choices)
                return std::unexpected(choices.error());
            for (Sequence &sequence : *choices) {
                if (collected)
                    collected->push_back(sequence);
                index(list, std::move(sequence));
            }
        }
        return {};
    }

    void index(int list, Sequence sequence)
    {
        const int term = static_cast<int>(terms.size());
        terms.push_back({list, std::move(sequence)});
        indexFirst(term, terms.back().sequence, 0);
    }

    // Files the term under every word it can begin with; true when the sequence can be empty from `at` on.
    bool indexFirst(int term, const Sequence &sequence, std::size_t at)
    {
        for (; at < sequence.size(); ++at) {
            const Node &node = sequence[at];
            if (node.kind == Node::Kind::Number) {
                file(termsByNumber, term);
                return false;
            }
            if (node.kind == Node::Kind::Word) {
                termsByFirstWord.resize(static_cast<std::size_t>(vocabulary.size()));
                file(termsByFirstWord[static_cast<std::size_t>(node.word)], term);
                return false;
            }
            bool canBeEmpty = node.kind == Node::Kind::Gap;
            for (const Sequence &choice : node.choices)
                canBeEmpty |= indexFirst(term, choice, 0);
            if (!canBeEmpty)
                return false;
        }
        return true;
    }

    static void file(std::vector<int> &under, int term)
    {
        if (under.empty() || under.back() != term)
            under.push_back(term);
    }

    void tryTerms(const std::vector<int> &candidates, std::size_t index, Attempt &attempt, Matches &matches) const
    {
        for (const int number : candidates) {
            const Term &term = terms[static_cast<std::size_t>(number)];
            if (const auto last = attempt.from(index, term.sequence))
                matches[static_cast<std::size_t>(term.list)].push_back(
                    {static_cast<int>(index), static_cast<int>(*last)});
        }
    }

    void dropExcused(Matches &matches) const
    {
        for (std::size_t list = 0; list < matches.size(); ++list) {
            if (excuses[list] < 0 || matches[list].empty())
                continue;
            const auto &reasons = matches[static_cast<std::size_t>(excuses[list])];
            std::erase_if(matches[list], [&](Span hit) {
                return std::ranges::any_of(reasons, [&](Span reason) { return overlap(hit, reason); });
            });
        }
    }
};

TermLists::TermLists()
    : d(std::make_unique<Private>())
{
}

TermLists::~TermLists() = default;
TermLists::TermLists(TermLists &&) noexcept = default;
TermLists &TermLists::operator=(TermLists &&) noexcept = default;

std::expected<int, QString> TermLists::add(const QString &name, const QStringList &terms, const QStringList &except)
{
    if (!name.isEmpty() && d->numbers.contains(name))
        return std::unexpected(QStringLiteral("there are two lists “%1”").arg(name));
    const int list = d->newList();
    std::vector<Sequence> collected;
    if (const auto added = d->addTerms(list, terms, name.isEmpty() ? nullptr : &collected); !added)
        return std::unexpected(added.error());
    if (!except.isEmpty()) {
        const int excuse = d->newList();
        if (const auto added = d->addTerms(excuse, except, nullptr); !added)
            return std::unexpected(added.error());
        d->excuses[static_cast<std::size_t>(list)] = excuse;
    }
    if (!name.isEmpty()) {
        d->numbers.insert(name, list);
        d->named.insert(name, collected);
    }
    return list;
}

std::optional<int> TermLists::find(const QString &name) const
{
    const auto number = d->numbers.constFind(name);
    return number == d->numbers.constEnd() ? std::nullopt : std::optional(*number);
}

Matches TermLists::match(const std::vector<Word> &words) const
{
    Matches matches(d->excuses.size());
    const Reading reading(words, d->vocabulary);
    Attempt attempt(reading);
    for (std::size_t index = 0; index < words.size(); ++index) {
        for (const int *known = reading.knownBegin(index); known != reading.knownEnd(index); ++known)
            if (static_cast<std::size_t>(*known) < d->termsByFirstWord.size())
                d->tryTerms(d->termsByFirstWord[static_cast<std::size_t>(*known)], index, attempt, matches);
        if (words[index].number >= 0)
            d->tryTerms(d->termsByNumber, index, attempt, matches);
    }
    d->dropExcused(matches);
    return matches;
}

} // namespace companion::moderation
