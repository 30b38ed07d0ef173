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

// max(minimumCharge, tokens / 1000 × rate × multiplier × (1 − discount)): all factors exact, rounded once, half up, to
// 4 places; then the minimum. A multiplier of 0 is free. tokens ≥ 0.
Credits priceOf(qint64 tokens, const PriceTerms &terms);

// The largest token count whose price is ≤ credits; 0 where not even one token is.
qint64 tokensFor(Credits credits, const PriceTerms &terms);

} // namespace companion::billing
