#pragma once

#include "moderation/Words.h"

#include <QHash>
#include <QString>
#include <QStringList>
#include <expected>
#include <memory>
#include <vector>

namespace companion::moderation {

// A stretch of words, by index, last included.
struct Span
{
    int first = 0;
    int last = 0;
};

// Where the lists hit in one text: by list, in the order of the text.
using Matches = std::vector<std::vector<Span>>;

// Terms are written in a small language over words:
//   kill            this word                     kill*          a word that begins so
//   #1-17           a number from 1 to 17         (a|b c)        one of these
//   word?           may be missing                ~3             up to three further words (the end of a sentence
//   counts as three) <list>          a term of that named list
// Spelling is folded as in Words.h. Words of one term follow each other within one sentence but for ~n.
// A list may have terms that excuse: a hit that overlaps one of them does not count ("inner child").
class TermLists
{
public:
    TermLists();
    ~TermLists();
    TermLists(TermLists &&) noexcept;
    TermLists &operator=(TermLists &&) noexcept;

    // A list's number, or what is wrong with its terms. Named lists must be added before those that use them.
    std::expected<int, QString> add(const QString &name, const QStringList &terms, const QStringList &except = {});
    std::optional<int> find(const QString &name) const;

    Matches match(const std::vector<Word> &words) const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace companion::moderation
