#include "billing/Price.h"

#include "common/money/Int128.h"

#include <algorithm>

namespace companion::billing {

namespace {

constexpr Int128 factorOne = 10'000; // a Factor's units in 1
// rate, multiplier and (1 − discount) carry 4 places each, tokens count thousandths of the rate's 1000; the price
// keeps the rate's 4 places, so this is what the exact product is divided by.
constexpr Int128 scale = 1000 * factorOne * factorOne;

// The exact price of one token, in 1/scale of a credit's smallest unit.
Int128 exactPerToken(const PriceTerms &terms)
{
    return Int128(terms.ratePer1k.units()) * terms.multiplier.units() * (factorOne - terms.discount.units());
}

void check(const PriceTerms &terms)
{
    ensure(!terms.ratePer1k.isNegative() && terms.ratePer1k.units() <= 10'000'000'000, "a rate is 0 to 10^6");
    ensure(!terms.minimumCharge.isNegative(), "a minimum charge is not negative");
    ensure(!terms.multiplier.isNegative() && terms.multiplier.units() <= 10'000'000, "a multiplier is 0 to 1000");
    ensure(!terms.discount.isNegative() && terms.discount.units() <= factorOne, "a discount is 0 to 1");
}

} // namespace

Credits priceOf(qint64 tokens, const PriceTerms &terms)
{
    check(terms);
    ensure(tokens >= 0 && tokens <= maxTokens, "a token count is in its range");
    if (terms.multiplier.isZero())
        return {};
    const Int128 rounded = (exactPerToken(terms) * tokens + scale / 2) / scale;
    ensure(rounded <= std::numeric_limits<qint64>::max(), "a price fits into credits");
    return std::max(Credits::fromUnits(static_cast<qint64>(rounded)), terms.minimumCharge);
}

qint64 tokensFor(Credits credits, const PriceTerms &terms)
{
    check(terms);
    if (terms.multiplier.isZero() && !credits.isNegative())
        return maxTokens;
    if (credits < terms.minimumCharge || credits.isNegative())
        return 0;
    const Int128 perToken = exactPerToken(terms);
    if (perToken == 0)
        return maxTokens;
    // rounded(n) ≤ credits  ⇔  n × perToken + scale/2 < (credits + 1) × scale
    const Int128 tokens = ((Int128(credits.units()) + 1) * scale - scale / 2 - 1) / perToken;
    return static_cast<qint64>(std::min<Int128>(tokens, maxTokens));
}

} // namespace companion::billing
