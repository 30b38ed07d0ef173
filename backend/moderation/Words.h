#pragma once

#include <QStringView>
#include <string>
#include <vector>

namespace companion::moderation {

// One word of a text as the rules see it. `spelling` is folded: lower case, accents and look-alike letters of other
// scripts made plain Latin, invisible characters and apostrophes dropped; `variants` hold what disguises could stand
// for ("k1ll" → "kill", "kiiill" → "kil", "kiil", "kill", …; a starred-out letter is a '?', which the
// vocabulary tries).
struct Word
{
    std::string spelling; // a–z and 0–9 only; empty for a word of a script that is not folded
    std::vector<std::string> variants;
    bool isDisguised = false; // the first variant is what was meant
    int number = -1; // the value of up to four digits
    int position = 0; // counts words, and three more for each end of a sentence
    qsizetype start = 0; // in the text, UTF-16 code units
    qsizetype length = 0;
};

// Cuts a text into words. Hyphens and all other signs separate; "15yo" is 15 and "yo"; letters spelled out one by one
// ("k i l l", "k.i.l.l") are one word. `firstPosition` continues the count of a text before this one.
std::vector<Word> wordsOf(QStringView text, int firstPosition = 0);

// A word of a rule, folded alike.
std::string folded(QStringView word);

} // namespace companion::moderation
