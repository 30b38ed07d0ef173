#include "moderation/Term.h"
#include "moderation/Words.h"

#include <algorithm>

namespace companion::moderation {

namespace {

// The words a sequence can begin with, added to `words`; false when it can begin with a number or be empty.
bool collectBeginnings(const Sequence &sequence, std::vector<bool> &words)
{
    for (const Node &node : sequence) {
        if (node.kind == Node::Kind::Number)
            return false;
        if (node.kind == Node::Kind::Word) {
            words.resize(std::max(words.size(), static_cast<std::size_t>(node.word) + 1));
            words[static_cast<std::size_t>(node.word)] = true;
            return true;
        }
        if (node.kind == Node::Kind::Gap)
            continue;
        bool isSure = true;
        for (const Sequence &choice : node.choices)
            isSure &= collectBeginnings(choice, words);
        if (isSure)
            return true;
    }
    return false;
}

Node choiceOf(std::vector<Sequence> choices)
{
    Node node{.kind = Node::Kind::Choice, .choices = std::move(choices)};
    bool isSure = true;
    for (const Sequence &choice : node.choices)
        isSure &= collectBeginnings(choice, node.beginnings);
    if (!isSure)
        node.beginnings.clear();
    return node;
}

// Reads one term. Grammar: choice := sequence ('|' sequence)*; item := (word['*'] | '#'low['-'high] | '<'list'>' |
// '(' choice ')') ['?'] | '~'count.
class TermReader
{
public:
    TermReader(QStringView term, Vocabulary &vocabulary, const QHash<QString, std::vector<Sequence>> &named)
        : m_term(term)
        , m_vocabulary(vocabulary)
        , m_named(named)
    {
    }

    std::expected<std::vector<Sequence>, QString> read()
    {
        auto choices = readChoice();
        if (m_at < m_term.size())
            fail(QStringLiteral("unexpected “%1”").arg(m_term[m_at]));
        if (!m_problem.isEmpty())
            return std::unexpected(QStringLiteral("in the term “%1”: %2").arg(m_term, m_problem));
        return choices;
    }

private:
    std::vector<Sequence> readChoice()
    {
        std::vector<Sequence> choices{readSequence()};
        while (taken(u'|'))
            choices.push_back(readSequence());
        return choices;
    }

    Sequence readSequence()
    {
        Sequence sequence;
        for (skipBlanks(); m_at < m_term.size() && m_term[m_at] != u'|' && m_term[m_at] != u')'; skipBlanks())
            if (!readItem(sequence))
                return sequence;
        if (sequence.empty() || sequence.front().kind == Node::Kind::Gap || sequence.back().kind == Node::Kind::Gap)
            fail(QStringLiteral("it must begin and end with a word"));
        return sequence;
    }

    bool readItem(Sequence &sequence)
    {
        const std::size_t before = sequence.size();
        if (taken(u'('))
            readGroup(sequence);
        else if (taken(u'<'))
            readListName(sequence);
        else if (taken(u'#'))
            readNumbers(sequence);
        else if (taken(u'~'))
            sequence.push_back({.kind = Node::Kind::Gap, .high = readCount()});
        else
            readWord(sequence);
        if (m_problem.isEmpty() && sequence.size() > before && m_at < m_term.size() && m_term[m_at] == u'?') {
            ++m_at;
            makeOptional(sequence, before);
        }
        return m_problem.isEmpty();
    }

    static void makeOptional(Sequence &sequence, std::size_t from)
    {
        const auto first = sequence.begin() + static_cast<std::ptrdiff_t>(from);
        Sequence inner(first, sequence.end());
        sequence.erase(first, sequence.end());
        sequence.push_back(choiceOf({std::move(inner), {}}));
    }

    void readGroup(Sequence &sequence)
    {
        sequence.push_back(choiceOf(readChoice()));
        if (!taken(u')'))
            fail(QStringLiteral("a “)” is missing"));
    }

    void readListName(Sequence &sequence)
    {
        const qsizetype end = m_term.indexOf(u'>', m_at);
        if (end < 0)
            return fail(QStringLiteral("a “>” is missing"));
        const QString name = m_term.sliced(m_at, end - m_at).toString();
        m_at = end + 1;
        const auto list = m_named.constFind(name);
        if (list == m_named.constEnd())
            return fail(QStringLiteral("there is no list “%1” before it").arg(name));
        sequence.push_back(choiceOf(*list));
    }

    void readNumbers(Sequence &sequence)
    {
        const int low = readCount();
        sequence.push_back({.kind = Node::Kind::Number, .low = low, .high = taken(u'-') ? readCount() : low});
    }

    int readCount()
    {
        const qsizetype start = m_at;
        while (m_at < m_term.size() && m_term[m_at].isDigit())
            ++m_at;
        bool isNumber = false;
        const int count = m_term.sliced(start, m_at - start).toInt(&isNumber);
        if (!isNumber)
            fail(QStringLiteral("a number is missing"));
        return count;
    }

    // Signs inside a word separate as they do in texts: "self-harm" is two words.
    void readWord(Sequence &sequence)
    {
        const qsizetype start = m_at;
        while (m_at < m_term.size() && !m_term[m_at].isSpace() && !QStringView(u"|()<>?#~*").contains(m_term[m_at]))
            ++m_at;
        const bool isBeginning = m_at < m_term.size() && m_term[m_at] == u'*';
        const auto words = wordsOf(m_term.sliced(start, m_at - start));
        if (words.empty())
            return fail(QStringLiteral("a word is missing"));
        m_at += isBeginning;
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (words[i].spelling.empty())
                return fail(QStringLiteral("only Latin letters and digits are read"));
            const int number = m_vocabulary.number(words[i].spelling, isBeginning && i + 1 == words.size());
            sequence.push_back({.kind = Node::Kind::Word, .word = number});
        }
    }

    bool taken(QChar sign)
    {
        skipBlanks();
        if (m_at >= m_term.size() || m_term[m_at] != sign)
            return false;
        ++m_at;
        return true;
    }
    void skipBlanks()
    {
        while (m_at < m_term.size() && m_term[m_at].isSpace())
            ++m_at;
    }
    void fail(const QString &problem)
    {
        if (m_problem.isEmpty())
            m_problem = problem;
        m_at = m_term.size();
    }

    QStringView m_term;
    Vocabulary &m_vocabulary;
    const QHash<QString, std::vector<Sequence>> &m_named;
    qsizetype m_at = 0;
    QString m_problem;
};

} // namespace

std::expected<std::vector<Sequence>, QString> readTerm(QStringView term, Vocabulary &vocabulary,
                                                       const QHash<QString, std::vector<Sequence>> &named)
{
    return TermReader(term, vocabulary, named).read();
}

} // namespace companion::moderation
