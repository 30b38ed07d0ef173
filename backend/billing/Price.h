#pragma once

#include "common/money/Credits.h"

namespace companion::billing {

struct PriceTerms
{
    Credits ratePer1k = Credits::fromUnits(1000); // 0.1 credits
    Credits minimumCharge = Credits::fromUnits(100); // 0.01 credits
    Factor multiplier = Factor::fromUnits(10000); // the character's
    Factor discount = {}; // the tier's, 0.30 for 30 %
};

// More than any model can take; the most that priceOf takes and tokensFor answers.
inline constexpr qint64 maxTokens = 1'000'000'000'000;

// max(minimumCharge, tokens / 1000 × rate × multiplier × (1 − discount)): all factors exact, rounded once, half up, to
// 4 places; then the minimum. A multiplier of 0 is free. 0 ≤ tokens ≤ maxTokens. Terms out of range (a negative one, a
// rate above 10^6, a multiplier above 1000, a discount above 1) and a price beyond Credits are a Bug.
Credits priceOf(qint64 tokens, const PriceTerms &terms);

// The largest token count whose price is ≤ credits, at most maxTokens; 0 where not even one token is.
qint64 tokensFor(Credits credits, const PriceTerms &terms);

} // namespace companion::billing
