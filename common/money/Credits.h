#pragma once

#include "common/money/FixedPoint.h"

namespace companion {

// The users' currency: 4 places, "12.3400". NUMERIC(18,4) in the database, a string in JSON.
using Credits = FixedPoint<struct CreditsTag, 4>;

// A multiplier, discount or rate: 4 places, "1.5000".
using Factor = FixedPoint<struct FactorTag, 4>;

// US dollars as the LLM bills them: 10 places, one xAI "tick".
using CostUsd = FixedPoint<struct CostUsdTag, 10>;

} // namespace companion
