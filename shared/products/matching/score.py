"""How surely two offers are one product, with the evidence for and against.

The confidence starts at 50 and every piece of evidence adds or takes its `weight`.
"""

import math
from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz

from shared.products.matching.match import Evidence, Match, Verdict
from shared.products.matching.offer import Offer
from shared.products.matching.text import normalise, tokens
from shared.products.matching.words import distinct_words, numbers, stated_quantity

_NEUTRAL: Final = 50
# Fitted by hand on labelled grocery pairs, then rounded.
_NAME_NEUTRAL: Final = 0.83
_NAME_SLOPE: Final = 110
_NAME_AGREES: Final = 0.8
_SAME_NAME: Final = 0.95
_BOTH_LEFTOVER: Final = 35
_ONE_LEFTOVER: Final = 20
_SAME_WORD: Final = 0.7
_SHORTENED: Final = 0.9
_SHORTENED_LETTERS: Final = 3
_SIZE_AGREES: Final = 15
_SIZE_DIFFERS: Final = -40
_SIZE_INCOMPARABLE: Final = -3
_SIZE_TOLERANCE: Final = 0.06
_VARIANT: Final = 8
_BRAND_AGREES: Final = 5
_BRAND_DIFFERS: Final = -15
_BRAND_SIMILAR: Final = 85
_PRICE: Final = 9
_PRICE_FLOOR: Final = -9
_PRICE_FLOOR_UNSIZED: Final = -25
_PRICE_NEUTRAL: Final = 0.15
_CATEGORY: Final = 2
_ONE_RETAILER: Final = -40
_ONE_RETAILER_SAME: Final = 30


def compare(a: Offer, b: Offer) -> Match:
    """How surely `a` and `b` are one product; the order of the two does not matter."""
    a, b = sorted((a, b), key=_order)
    similarity, leftover = _similarity(distinct_words(a), distinct_words(b))
    name = _name(a, b, similarity, leftover)
    size = _size(a, b)
    rest = (_variant(a, b), _brand(a, b), _price(a, b, size), _category(a, b))
    evidence = (name, size, *rest, *_retailer(a, b, similarity, size))
    confidence = _NEUTRAL + sum(piece.weight for piece in evidence)
    return Match(max(0, min(100, confidence)), evidence)


def _order(offer: Offer) -> tuple[str | int, ...]:
    return (
        offer.id,
        offer.retailer,
        offer.name,
        offer.brand,
        offer.size,
        offer.category,
        offer.price_minor,
        offer.currency,
    )


def _name(a: Offer, b: Offer, similarity: float, leftover: float) -> Evidence:
    weight = round((similarity - _NAME_NEUTRAL) * _NAME_SLOPE - leftover)
    verdict: Verdict = "agrees" if similarity >= _NAME_AGREES else "differs"
    if not distinct_words(a) or not distinct_words(b):
        verdict = "missing"
    return Evidence("name", verdict, f"{round(similarity * 100)} % alike", weight)


def _similarity(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[float, float]:
    """How alike two lists of words are, and the penalty for words without a counterpart."""
    first, second = " ".join(sorted(a)), " ".join(sorted(b))
    total = sum(map(len, a + b))
    if not a or not b:
        return 0.0, 0.0
    common, left_a, left_b = _aligned(a, b)
    whole = fuzz.ratio(first, second) / 100
    part = fuzz.token_set_ratio(first, second) / 100
    similarity = (whole + part + 2 * common / total) / 4
    # Two flavours leave a word on either side; a longer description leaves words on one.
    both = 2 * min(left_a, left_b) * _BOTH_LEFTOVER
    return similarity, (both + abs(left_a - left_b) * _ONE_LEFTOVER) / total


def _aligned(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[float, int, int]:
    pairs = sorted((-likeness, x, y) for likeness, x, y in _alike(a, b))
    common, free_a, free_b = 0.0, set(a), set(b)
    for negated, x, y in pairs:
        if x in free_a and y in free_b:
            common -= negated * (len(x) + len(y))
            free_a.remove(x)
            free_b.remove(y)
    return common, sum(map(len, free_a)), sum(map(len, free_b))


def _alike(a: tuple[str, ...], b: tuple[str, ...]) -> Iterator[tuple[float, str, str]]:
    for x in a:
        for y in b:
            short, long = sorted((x, y), key=len)
            likeness = fuzz.ratio(x, y) / 100
            if len(short) >= _SHORTENED_LETTERS and long.startswith(short):
                likeness = max(likeness, _SHORTENED)
            if likeness >= _SAME_WORD:
                yield likeness, x, y


def _size(a: Offer, b: Offer) -> Evidence:
    first, second = stated_quantity(a), stated_quantity(b)
    if first is None or second is None:
        return Evidence("size", "missing", f"{first or 'none'} and {second or 'none'}", 0)
    detail = f"{first} and {second}"
    # One piece is what a shop writes when it does not know the size.
    if "count" in (first.dimension, second.dimension) and 1 in (first.value, second.value):
        return Evidence("size", "missing", detail, 0)
    if first.dimension != second.dimension:
        return Evidence("size", "missing", detail, _SIZE_INCOMPARABLE)
    if abs(math.log(first.value / second.value)) <= _SIZE_TOLERANCE:
        return Evidence("size", "agrees", detail, _SIZE_AGREES)
    return Evidence("size", "differs", detail, _SIZE_DIFFERS)


def _variant(a: Offer, b: Offer) -> Evidence:
    first, second = numbers(a), numbers(b)
    if not first or not second:
        return Evidence("variant", "missing", "no numbers to compare", 0)
    detail = f"{' '.join(sorted(first))} and {' '.join(sorted(second))}"
    if first & second:
        return Evidence("variant", "agrees", detail, _VARIANT)
    return Evidence("variant", "differs", detail, -_VARIANT)


def _brand(a: Offer, b: Offer) -> Evidence:
    first, second = normalise(a.brand), normalise(b.brand)
    detail = f"{a.brand or 'none'} and {b.brand or 'none'}"
    if first and second:
        if fuzz.ratio(first, second) >= _BRAND_SIMILAR or first in second or second in first:
            return Evidence("brand", "agrees", detail, _BRAND_AGREES)
        return Evidence("brand", "differs", detail, _BRAND_DIFFERS)
    name = normalise(b.name if first else a.name)
    if (first or second) and f" {first or second} " in f" {name} ":
        return Evidence("brand", "agrees", "named in the other's name", _BRAND_AGREES)
    return Evidence("brand", "missing", detail, 0)


def _price(a: Offer, b: Offer, size: Evidence) -> Evidence:
    if a.currency != b.currency or a.price_minor <= 0 or b.price_minor <= 0:
        return Evidence("price", "missing", "not comparable", 0)
    distance = abs(math.log(a.price_minor) - math.log(b.price_minor))
    # Where a size is not stated, a distant price is the only sign of another one.
    floor = _PRICE_FLOOR if size.verdict == "agrees" else _PRICE_FLOOR_UNSIZED
    weight = round(max(floor, _PRICE * (1 - distance / _PRICE_NEUTRAL)))
    low, high = sorted((a.price_minor, b.price_minor))
    detail = f"{round(100 * (high - low) / low)} % apart"
    return Evidence("price", "agrees" if weight >= 0 else "differs", detail, weight)


def _category(a: Offer, b: Offer) -> Evidence:
    first, second = frozenset(tokens(a.category)), frozenset(tokens(b.category))
    detail = f"{a.category or 'none'} and {b.category or 'none'}"
    if not first or not second:
        return Evidence("category", "missing", detail, 0)
    if first & second:
        return Evidence("category", "agrees", detail, _CATEGORY)
    return Evidence("category", "differs", detail, -_CATEGORY)


def _retailer(a: Offer, b: Offer, similarity: float, size: Evidence) -> Iterator[Evidence]:
    """One retailer sells one product under one name, unless it is nearly that name and size."""
    if a.retailer != b.retailer:
        return
    same_size = size.verdict == "agrees" or stated_quantity(a) is stated_quantity(b) is None
    if normalise(a.name) == normalise(b.name) and same_size:
        yield Evidence("retailer", "agrees", "one name at one retailer", _ONE_RETAILER_SAME)
    elif similarity < _SAME_NAME or not same_size:
        yield Evidence("retailer", "differs", "two names at one retailer", _ONE_RETAILER)
