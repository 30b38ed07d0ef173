#pragma once

#include "memory/retrieval/Index.h"
#include "memory/retrieval/Ranking.h"

namespace companion::memory {

// A question as ranking understands it.
struct Asked
{
    struct Form
    {
        TermId id = 0;
        float likeness = 1;
    };
    // One word of the question, with what may be meant by it; the first form is its own.
    struct Word
    {
        std::vector<Form> forms;
        float weight = 0; // a share of 1
    };
    struct Pair
    {
        TermId first = 0;
        TermId second = 0;
        float weight = 0;
    };
    std::vector<Word> words;
    std::vector<Pair> pairs;
    std::vector<DateSpan> dates;
    bool hasContent = false; // words beyond names and "how are you", or a day: else nothing is asked for
    std::optional<Speaker> about; // whose words are asked for, where that can be told
};

Asked understand(const Corpus::Index &index, const Question &question, const RankingWeights &weights);

} // namespace companion::memory
