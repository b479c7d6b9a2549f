"""Blocking keys: the few posting lists in which an offer of the same product is looked for.

A word that few others have makes a key by itself, and every two of the four rarest make one.
Siblings share all of those but one: what a whole line of goods shares stands a second time with
a band of prices, and the rarest word with the size. The rarest keys come first.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from shared.products.matching.offer import Offer
from shared.products.matching.terms import NUMBER, kind, terms
from shared.products.matching.text import canonical
from shared.products.matching.words import stated_quantity

MAX_KEYS: Final = 14
POSTING_CAP: Final = 100
RAREST_WORDS: Final = 4
# Long enough to discriminate, short enough that "flavour" and "flavoured" fall together.
STEM: Final = 6
# Width of a band of prices and a step of sizes, both of the logarithm: 65 % and 3 %.
BAND: Final = 0.5
SIZE_STEP: Final = 0.03
_SINGLE_WORDS: Final = 5

# Long words that say little: each would fill its posting list with strangers.
_GENERIC_WORDS: Final = """
    assorted baby biscuit biscuits bottle bread butter cheese chicken chips chocolate classic
    coconut cookies cooking cream crackers dark drink family flavor flavour flavoured free fresh
    frozen fruit garlic green ground juice large lemon light liquid local medium mini mixed
    noodles onion orange organic original pack pasta pieces plain potato powder premium pure
    quality roasted salad salted sauce sausages shampoo slice sliced small snack special spicy
    spread strawberry sugar sweet tomato toothpaste unsalted vanilla vegetable water white whole
    yoghurt yogurt
"""
_GENERIC: Final = frozenset(map(canonical, _GENERIC_WORDS.split()))


def blocking_keys(offer: Offer, counts: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """At most MAX_KEYS keys, each fit to be a document id; none for a name without words.

    `counts` says how many offers have a term, as far as those are several; without it long words
    pass for rare ones.
    """
    rare, rarest = map(_stems, _by_rarity(offer, counts))
    singles = [f"w-{word}" for word in rare[:_SINGLE_WORDS]]
    rarest = rarest[:RAREST_WORDS]
    pairs = ["-".join(("p", *sorted(pair))) for pair in combinations(rarest, 2)]
    keys = dict.fromkeys((*singles, *pairs, *_finer(offer, rarest)))
    return tuple(dict.fromkeys(key.rstrip(".") for key in keys))[:MAX_KEYS]


def _stems(words: list[str]) -> list[str]:
    return list(dict.fromkeys(word[:STEM] for word in words))


def _by_rarity(offer: Offer, counts: Mapping[str, int] | None) -> tuple[list[str], list[str]]:
    """The words that few offers have, and all that several may have, each the rarest first."""
    named = dict.fromkeys((*terms(offer.brand), *terms(offer.name), *terms(offer.model)))
    words = [term for term in named if kind(term) != NUMBER] or list(named)
    # A retailer's own name stands on hundreds of its own brand's products.
    common = _GENERIC.union(terms(offer.retailer))
    by_length = sorted(words, key=lambda word: (word in common, -len(word), word))
    if counts is None:
        return by_length, by_length
    known = sorted((w for w in by_length if counts.get(w, 0) > 1), key=lambda w: (counts[w], w))
    # A word that nobody else has yet is where the next offer of a new product is found.
    new = [word for word in by_length if word not in known]
    rare = [word for word in known if counts[word] <= POSTING_CAP]
    return [*rare[: _SINGLE_WORDS - 1], *new[:1], *rare[_SINGLE_WORDS - 1 :]], [*known, *new]


def _finer(offer: Offer, words: list[str]) -> Iterator[str]:
    if not words:
        return
    size = stated_quantity(offer)
    if size is not None:
        steps = round(math.log(size.value) / SIZE_STEP)
        yield f"s-{words[0]}-{steps}{size.dimension}"
    bands = list(_bands(offer))
    # The rarest word may be the one that the other lacks.
    for pair in combinations(words[1:], 2) if len(words) > 2 else [words[:1]]:  # noqa: PLR2004
        yield from ("-".join(("b", *sorted(pair), band)) for band in bands)


def _bands(offer: Offer) -> Iterator[str]:
    """Two bands, of two scales half a band apart: prices within 28 % share at least one."""
    if offer.price_minor > 0:
        place = math.log(offer.price_minor) / BAND
        yield f"a{math.floor(place)}"
        yield f"b{math.floor(place + 0.5)}"
