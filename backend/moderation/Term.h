#pragma once

#include <QHash>
#include <QString>

#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace companion::moderation {

struct Node;
using Sequence = std::vector<Node>;

// One element of a term.
struct Node
{
    enum class Kind { Word, Number, Choice, Gap } kind = Kind::Word;
    int word = -1; // number in the vocabulary
    int low = 0; // Number: the range; Gap: high = further words allowed
    int high = 0;
    std::vector<Sequence> choices = {}; // an empty one makes the choice optional
    // Of a choice: the words one of which it must begin with, by number; empty where it may begin otherwise.
    std::vector<bool> beginnings = {};
};

// Every word of every term in one tree of letters; a walk down a text's word finds whole words and beginnings alike.
class Vocabulary
{
public:
    int number(const std::string &word, bool isBeginning)
    {
        int &slot = isBeginning ? m_nodes[walk(word)].beginning : m_nodes[walk(word)].whole;
        if (slot < 0)
            slot = m_count++;
        return slot;
    }
    int size() const { return m_count; }

    void collect(std::string_view spelling, std::vector<int> &found) const { collectFrom(0, spelling, found); }

private:
    void collectFrom(int node, std::string_view spelling, std::vector<int> &found) const
    {
        for (std::size_t at = 0; at < spelling.size(); ++at) {
            const auto &next = m_nodes[static_cast<std::size_t>(node)].next;
            if (spelling[at] == '?') { // any one letter
                for (const int child : next)
                    if (child >= 0)
                        collectBehind(child, spelling.substr(at + 1), found);
                return;
            }
            node = next[slotOf(spelling[at])];
            if (node < 0)
                return;
            if (m_nodes[static_cast<std::size_t>(node)].beginning >= 0)
                found.push_back(m_nodes[static_cast<std::size_t>(node)].beginning);
        }
        if (m_nodes[static_cast<std::size_t>(node)].whole >= 0)
            found.push_back(m_nodes[static_cast<std::size_t>(node)].whole);
    }

    void collectBehind(int node, std::string_view rest, std::vector<int> &found) const
    {
        if (m_nodes[static_cast<std::size_t>(node)].beginning >= 0)
            found.push_back(m_nodes[static_cast<std::size_t>(node)].beginning);
        collectFrom(node, rest, found);
    }

    struct Letter
    {
        std::array<int, 36> next;
        int whole = -1;
        int beginning = -1;
        Letter() { next.fill(-1); }
    };

    static std::size_t slotOf(char character)
    {
        return static_cast<std::size_t>(character >= 'a' ? character - 'a' : 26 + character - '0');
    }

    std::size_t walk(const std::string &word)
    {
        std::size_t node = 0;
        for (const char character : word) {
            if (m_nodes[node].next[slotOf(character)] < 0) {
                m_nodes[node].next[slotOf(character)] = static_cast<int>(m_nodes.size());
                m_nodes.emplace_back();
            }
            node = static_cast<std::size_t>(m_nodes[node].next[slotOf(character)]);
        }
        return node;
    }

    std::vector<Letter> m_nodes = std::vector<Letter>(1);
    int m_count = 0;
};

// Reads one term of the language of TermList.h into the ways it can be read, or says what is wrong with it.
std::expected<std::vector<Sequence>, QString> readTerm(QStringView term, Vocabulary &vocabulary,
                                                       const QHash<QString, std::vector<Sequence>> &named);

} // namespace companion::moderation
