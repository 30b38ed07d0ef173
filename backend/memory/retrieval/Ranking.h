#pragma once

namespace companion::memory {

// The weights of the ranking. A memory's score is
//   own = lexical * (BM25 share) + meaning * cosine, times its speaker's and form's factors
//   score = own + before * own(turn before) + after * own(turn after) + ..., plus the bonuses for dates and recency
// docs/memory-retrieval.md says how they were chosen and what each is worth.
struct RankingWeights
{
    double k1 = 1.2; // BM25
    double b = 0.4;
    double lexical = 1.0;
    double meaning = 0.5;
    double before = 0.25;
    double after = 0.15;
    double secondBefore = 0.0;
    double secondAfter = 0.0;
    double answer = 0.1; // more of the turn before where that was a question
    double speaker = 0.2; // share added to the turns of whom the question is about
    double nameTerm = 0.1; // of the weight of a name that says who spoke
    double question = 0.1; // share taken from turns that end in a question
    double alike = 0.5; // weight of like words, times their likeness
    double alikeFrom = 0.6; // likeness from which a word counts
    int alikeWords = 10;
    double date = 0.2; // added where a day that the question names fits
    double when = 0.05; // added where the question asks for a time and the turn tells one
    double recency = 0.02;
    double recencyHalf_days = 30;
    double feedback = 0.0; // weight of the words of the best turns
    int feedbackTurns = 5;
    int feedbackWords = 10;
    double lengthFloor = 0.0;
};

} // namespace companion::memory
