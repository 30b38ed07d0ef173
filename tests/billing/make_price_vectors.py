#!/usr/bin/env python3
"""Writes price_vectors.csv: prices by Python's decimal module, which shares nothing with the product.

usage: make_price_vectors.py > price_vectors.csv
"""
import random
from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 60
PLACES = Decimal("0.0001")


def price(tokens, rate, minimum, multiplier, discount):
    if multiplier == 0:
        return Decimal("0.0000")
    exact = Decimal(tokens) / 1000 * rate * multiplier * (1 - discount)
    return max(exact.quantize(PLACES, ROUND_HALF_UP), minimum)


def units(value):
    return Decimal(value) * PLACES


def row(tokens, rate, minimum, multiplier, discount):
    terms = [units(t) for t in (rate, minimum, multiplier, discount)]
    print(",".join([str(tokens)] + [f"{t:.4f}" for t in terms] + [f"{price(tokens, *terms):.4f}"]))


random.seed(4)
print("tokens,rate_per_1k,minimum,multiplier,discount,price")
# the business's own numbers: three tiers, usual multipliers, token counts around every boundary of the minimum
for discount in (0, 3000, 5000):
    for multiplier in (0, 1, 5000, 10000, 12500, 15000, 20000, 99999):
        for tokens in (0, 1, 49, 50, 99, 100, 101, 142, 143, 199, 200, 201, 512, 1000, 4096, 16384, 200000):
            row(tokens, 1000, 100, multiplier, discount)
# exactly half a unit, and one token to either side of it: rate 0.0001 x tokens/1000 is half a unit at 500, 1500, …
for tokens in (499, 500, 501, 1499, 1500, 1501, 2500, 3500, 999500, 1000500):
    row(tokens, 1, 0, 10000, 0)
    row(tokens * 2, 1, 0, 10000, 5000)
    row(tokens * 10, 1, 0, 1000, 0)
# a product with all of its 11 places behind the fourth, at one above and one below the half
for multiplier, discount in ((10001, 1), (9999, 9999), (3333, 6667), (77777, 1234)):
    for tokens in (1, 7, 999, 1001, 123457):
        row(tokens, 1, 0, multiplier, discount)
        row(tokens, 9999, 0, multiplier, discount)
# the ends of the ranges
row(10**12, 1000, 100, 10000, 0)
row(10**12, 10**6, 0, 10000, 0)
row(10**12, 1, 0, 1, 9999)
row(1, 10**10, 0, 10**7, 0)
row(10**6, 10**10, 0, 10000, 9999)
row(0, 0, 0, 10000, 0)
row(10**12, 1000, 100, 0, 0)
row(10**12, 1000, 100, 10000, 10000)
for _ in range(1000):
    row(random.randrange(10 ** random.randrange(1, 9)), random.randrange(10 ** random.randrange(1, 6)),
        random.choice((0, 1, 100, 12345)), random.randrange(10 ** random.randrange(1, 7)), random.randrange(10001))
