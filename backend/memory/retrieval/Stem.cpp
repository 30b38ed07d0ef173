// Porter's stemmer (M. F. Porter, "An algorithm for suffix stripping", 1980), after a table of irregular forms.
#include "memory/retrieval/Stem.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace companion::memory {

namespace {

using Text = std::string_view;

// Form, base: sorted by form. What no suffix rule can find, in the words that people talk with.
constexpr auto irregularForms = std::to_array<std::pair<Text, Text>>({
    {"ate", "eat"},
    {"aunty", "aunt"},
    {"became", "become"},
    {"began", "begin"},
    {"begun", "begin"},
    {"bent", "bend"},
    {"best", "good"},
    {"better", "good"},
    {"bitten", "bite"},
    {"blew", "blow"},
    {"blown", "blow"},
    {"bought", "buy"},
    {"bred", "breed"},
    {"broke", "break"},
    {"broken", "break"},
    {"brought", "bring"},
    {"built", "build"},
    {"came", "come"},
    {"caught", "catch"},
    {"children", "child"},
    {"chose", "choose"},
    {"chosen", "choose"},
    {"dad", "father"},
    {"daddy", "father"},
    {"dealt", "deal"},
    {"did", "do"},
    {"done", "do"},
    {"drank", "drink"},
    {"drawn", "draw"},
    {"dreamt", "dream"},
    {"drew", "draw"},
    {"driven", "drive"},
    {"drove", "drive"},
    {"drunk", "drink"},
    {"eaten", "eat"},
    {"fallen", "fall"},
    {"fed", "feed"},
    {"feet", "foot"},
    {"fell", "fall"},
    {"felt", "feel"},
    {"flew", "fly"},
    {"flown", "fly"},
    {"forgot", "forget"},
    {"forgotten", "forget"},
    {"fought", "fight"},
    {"found", "find"},
    {"froze", "freeze"},
    {"frozen", "freeze"},
    {"gave", "give"},
    {"given", "give"},
    {"goes", "go"},
    {"gone", "go"},
    {"got", "get"},
    {"gotten", "get"},
    {"grandma", "grandmother"},
    {"grandpa", "grandfather"},
    {"grew", "grow"},
    {"grown", "grow"},
    {"had", "have"},
    {"has", "have"},
    {"heard", "hear"},
    {"held", "hold"},
    {"hid", "hide"},
    {"hidden", "hide"},
    {"hung", "hang"},
    {"kept", "keep"},
    {"kid", "child"},
    {"kids", "child"},
    {"knew", "know"},
    {"known", "know"},
    {"laid", "lay"},
    {"leapt", "leap"},
    {"learnt", "learn"},
    {"led", "lead"},
    {"left", "leave"},
    {"lent", "lend"},
    {"lit", "light"},
    {"lost", "lose"},
    {"made", "make"},
    {"meant", "mean"},
    {"men", "man"},
    {"met", "meet"},
    {"mice", "mouse"},
    {"mom", "mother"},
    {"mommy", "mother"},
    {"movie", "film"},
    {"movies", "film"},
    {"mum", "mother"},
    {"mummy", "mother"},
    {"paid", "pay"},
    {"pic", "picture"},
    {"pics", "picture"},
    {"ran", "run"},
    {"rang", "ring"},
    {"ridden", "ride"},
    {"risen", "rise"},
    {"rode", "ride"},
    {"rose", "rise"},
    {"rung", "ring"},
    {"said", "say"},
    {"sang", "sing"},
    {"sat", "sit"},
    {"saw", "see"},
    {"seen", "see"},
    {"sent", "send"},
    {"shaken", "shake"},
    {"shook", "shake"},
    {"shot", "shoot"},
    {"shown", "show"},
    {"slept", "sleep"},
    {"slid", "slide"},
    {"sold", "sell"},
    {"spent", "spend"},
    {"spoke", "speak"},
    {"spoken", "speak"},
    {"stolen", "steal"},
    {"stood", "stand"},
    {"stole", "steal"},
    {"struck", "strike"},
    {"stuck", "stick"},
    {"sung", "sing"},
    {"swam", "swim"},
    {"swum", "swim"},
    {"taken", "take"},
    {"taught", "teach"},
    {"teeth", "tooth"},
    {"thought", "think"},
    {"threw", "throw"},
    {"thrown", "throw"},
    {"told", "tell"},
    {"took", "take"},
    {"tore", "tear"},
    {"torn", "tear"},
    {"tv", "television"},
    {"understood", "understand"},
    {"went", "go"},
    {"woke", "wake"},
    {"woken", "wake"},
    {"women", "woman"},
    {"won", "win"},
    {"wore", "wear"},
    {"worn", "wear"},
    {"worse", "bad"},
    {"worst", "bad"},
    {"written", "write"},
    {"wrote", "write"},
});

bool isVowelAt(Text word, size_t i)
{
    switch (word[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
        return true;
    case 'y':
        return i > 0 && !isVowelAt(word, i - 1);
    default:
        return false;
    }
}

// Porter's m: how many times a run of vowels is followed by a run of consonants.
int measure(Text stem)
{
    int turns = 0;
    bool vowel = false;
    for (size_t i = 0; i < stem.size(); ++i) {
        const bool now = isVowelAt(stem, i);
        turns += vowel && !now;
        vowel = now;
    }
    return turns;
}

bool hasVowel(Text stem)
{
    for (size_t i = 0; i < stem.size(); ++i)
        if (isVowelAt(stem, i))
            return true;
    return false;
}

bool endsDouble(Text word)
{
    const size_t n = word.size();
    return n > 1 && word[n - 1] == word[n - 2] && !isVowelAt(word, n - 1);
}

// consonant, vowel, consonant that is not w, x or y: "hop", "fil"
bool endsShort(Text word)
{
    const size_t n = word.size();
    return n > 2 && !isVowelAt(word, n - 3) && isVowelAt(word, n - 2) && !isVowelAt(word, n - 1)
        && Text("wxy").find(word[n - 1]) == Text::npos;
}

using Rule = std::pair<Text, Text>;

// The first rule whose suffix fits decides, whether or not its stem is long enough.
template <size_t N>
void applyFirst(std::string &word, const std::array<Rule, N> &rules, int measureAbove)
{
    for (const auto &[suffix, replacement] : rules) {
        if (!word.ends_with(suffix))
            continue;
        if (measure(Text(word).substr(0, word.size() - suffix.size())) > measureAbove)
            word.replace(word.size() - suffix.size(), suffix.size(), replacement);
        return;
    }
}

void plurals(std::string &word)
{
    if (word.ends_with("sses") || word.ends_with("ies"))
        word.resize(word.size() - 2);
    else if (word.ends_with('s') && !word.ends_with("ss"))
        word.pop_back();
}

void repairAfterTense(std::string &word)
{
    if (word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz"))
        word += 'e';
    else if (endsDouble(word) && Text("lsz").find(word.back()) == Text::npos)
        word.pop_back();
    else if (measure(word) == 1 && endsShort(word))
        word += 'e';
}

void tenses(std::string &word)
{
    const Text all = word;
    if (all.ends_with("eed")) {
        if (measure(all.substr(0, all.size() - 3)) > 0)
            word.pop_back();
        return;
    }
    for (const Text suffix : {Text("ed"), Text("ing")})
        if (all.ends_with(suffix) && hasVowel(all.substr(0, all.size() - suffix.size()))) {
            word.resize(word.size() - suffix.size());
            return repairAfterTense(word);
        }
}

constexpr std::array doubleSuffixes{Rule{"ational", "ate"}, Rule{"tional", "tion"}, Rule{"enci", "ence"},
                                    Rule{"anci", "ance"},   Rule{"izer", "ize"},    Rule{"abli", "able"},
                                    Rule{"alli", "al"},     Rule{"entli", "ent"},   Rule{"eli", "e"},
                                    Rule{"ousli", "ous"},   Rule{"ization", "ize"}, Rule{"ation", "ate"},
                                    Rule{"ator", "ate"},    Rule{"alism", "al"},    Rule{"iveness", "ive"},
                                    Rule{"fulness", "ful"}, Rule{"ousness", "ous"}, Rule{"aliti", "al"},
                                    Rule{"iviti", "ive"},   Rule{"biliti", "ble"}};
constexpr std::array endings{Rule{"icate", "ic"}, Rule{"ative", ""}, Rule{"alize", "al"}, Rule{"iciti", "ic"},
                             Rule{"ical", "ic"},  Rule{"ful", ""},   Rule{"ness", ""}};
constexpr std::array lastSuffixes{Rule{"al", ""},    Rule{"ance", ""}, Rule{"ence", ""}, Rule{"er", ""},
                                  Rule{"ic", ""},    Rule{"able", ""}, Rule{"ible", ""}, Rule{"ant", ""},
                                  Rule{"ement", ""}, Rule{"ment", ""}, Rule{"ent", ""},  Rule{"sion", "s"},
                                  Rule{"tion", "t"}, Rule{"ou", ""},   Rule{"ism", ""},  Rule{"ate", ""},
                                  Rule{"iti", ""},   Rule{"ous", ""},  Rule{"ive", ""},  Rule{"ize", ""}};

void finalE(std::string &word)
{
    if (word.ends_with('e')) {
        const Text stem = Text(word).substr(0, word.size() - 1);
        const int m = measure(stem);
        if (m > 1 || (m == 1 && !endsShort(stem)))
            word.pop_back();
    }
    if (word.ends_with("ll") && measure(Text(word).substr(0, word.size() - 1)) > 1)
        word.pop_back();
}

} // namespace

std::string stemmed(std::string word)
{
    const auto *irregular = std::ranges::lower_bound(irregularForms, Text(word), {}, &Rule::first);
    if (irregular != irregularForms.end() && irregular->first == word)
        word = irregular->second;
    if (word.size() <= 2)
        return word;
    plurals(word);
    tenses(word);
    if (word.ends_with('y') && hasVowel(Text(word).substr(0, word.size() - 1)))
        word.back() = 'i';
    applyFirst(word, doubleSuffixes, 0);
    applyFirst(word, endings, 0);
    applyFirst(word, lastSuffixes, 1);
    finalE(word);
    return word;
}

} // namespace companion::memory
