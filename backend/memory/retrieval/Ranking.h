#pragma once

namespace companion::memory {

// The weights of the ranking, in the order in which they come to bear. docs/memory-retrieval.md says how they were
// chosen and what each is worth. A question's words share 1 among them by their rarity.
struct RankingWeights
{
    // What a turn itself has of the question: its own score.
    double lexical = 1.0;  // of BM25's share
    double k1 = 0.9;       // BM25
    double b = 0.3;        // BM25
    double meaning = 0.3;  // of the cosine
    double pair = 0.4;     // of the weight of two words of the question that stand close together in both
    int pairWindow = 1;    // how far apart, in terms
    double nameTerm = 0.1; // of the weight of a name that says who spoke
    double speaker = 0.2;  // share added where the one whom the question is about spoke
    double question = 0.0; // share taken where a question was asked
    // What it has from the turns around it, shares of their own scores.
    double before = 0.35;
    double answer = 0.5; // besides, where the turn before is a question
    double after = 0.25;
    double secondBefore = 0.3;
    double secondAfter = 0.05;
    double near = 0.6; // of the best in its conversation, fading with the distance
    double nearDecay = 0.95;
    // What the whole is worth then.
    double speakerAfter = 0.2;   // as speaker
    double questionAfter = 0.15;  // as question
    double shortness = 0.3;      // share taken from turns of few words
    double shortLength = 6;      // terms
    double date = 0.3;           // added where it tells of a day that the question names
    double saidThen = 0.3;      // or was said on one
    double recency = 0.02;       // share added to what was said just now
    double recencyHalf_days = 30;
};

} // namespace companion::memory
