"""Blocking keys: the few posting lists in which an offer of the same product is looked for."""

from typing import Final

from shared.products.matching.offer import Offer
from shared.products.matching.text import canonical, tokens
from shared.products.matching.words import distinct_words

MAX_KEYS: Final = 4
POSTING_CAP: Final = 100
_SINGLE_WORDS: Final = 3
# Long enough to discriminate, short enough that "flavour" and "flavoured" fall together.
_WORD_PREFIX: Final = 6
_PAIR_PREFIX: Final = 4

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


def blocking_keys(offer: Offer) -> tuple[str, ...]:
    """At most four keys, each fit to be a Firestore document id; none for a name without words."""
    words = distinct_words(offer)
    # A retailer's own name stands on hundreds of its own brand's products.
    common = _GENERIC.union(tokens(offer.retailer))
    by_rarity = sorted(words, key=lambda word: (word in common, -len(word), word))
    keys = [f"w-{word[:_WORD_PREFIX]}" for word in by_rarity[:_SINGLE_WORDS]]
    if len(words) > 1:
        first, second = sorted(word[:_PAIR_PREFIX] for word in words[:2])
        keys.append(f"p-{first}-{second}")
    return tuple(dict.fromkeys(key.rstrip(".") for key in keys))
