#pragma once

#include <QByteArray>
#include <QStringView>
#include <optional>
#include <vector>

namespace companion::memory {

// A word as the index knows it: 32 bits of a hash of its stem. The same text gives the same ids in every process and
// version `termsVersion`; two words of one user's memories share an id about once in 2^32 pairs.
using TermId = quint32;

// The terms of a text in its order, without words that say nothing ("the", "of"); at most 65,535.
using Terms = std::vector<TermId>;

inline constexpr int termsVersion = 1;

// Lower case, accents and apostrophes folded, words of letters and digits, light English stemming.
// Ideographs and kana count singly and in pairs.
Terms termsOf(QStringView text);

// The words of a text in order, folded but not stemmed, the meaningless ones included.
std::vector<QString> wordsOf(QStringView text);
QString stemOf(const QString &foldedWord);
TermId termIdOf(const QString &foldedWord); // of its stem
bool isStopWord(const QString &foldedWord);

} // namespace companion::memory
