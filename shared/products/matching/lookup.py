"""Offers in memory, each looked up among those of its retailer that stand before it.

One offer makes a handful of keys: what is done with arrays for whole catalogues is done in plain
numbers here, which for so few is several times as fast.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching.candidates import (
    MIX,
    MOST_WORDS,
    WORD_BITS,
    Index,
    likeliness,
)
from shared.products.matching.columns import DIMENSIONS, prepare
from shared.products.matching.features import expanded, features
from shared.products.matching.keys import BAND, POSTING_CAP, SIZE_STEP, STEM
from shared.products.matching.logistic import probability
from shared.products.matching.model import MatchModel
from shared.products.matching.offer import Offer
from shared.products.matching.reading import name_terms
from shared.products.matching.scoring import ALONE, vector
from shared.products.matching.terms import NUMBER, kind
from shared.products.matching.words import stated_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_COMPARED: Final = 10
_WHOLE: Final = (1 << 64) - 1
_MIX: Final = int(MIX)
_TINY: Final = np.float32(1e-6)
_CHOICES: Final = (np.arange(1 << MOST_WORDS)[:, None] >> np.arange(MOST_WORDS) & 1).astype("f4")
"""Every choice of the words that keys are made of: its bits as a row."""


class Shelf:
    """Offers in the order in which they came, and how sure a model is of them by themselves."""

    def __init__(self, offers: Sequence[Offer], model: MatchModel) -> None:
        self._offers = offers
        self._index = Index(prepare(offers, model.vocabulary))
        weights = vector(model.alone, ALONE).astype(np.float32)
        self._weights, self._bias = weights[:-1], weights[-1]

    def surest(self, place: int) -> "tuple[Places, Floats]":
        """Those before the offer at `place` that it is likeliest, and their confidences, 0 to 100.

        The surest come first; at most MOST_COMPARED, all of the same retailer.
        """
        others = nearest(self._index, self._offers[place], MOST_COMPARED, place)
        own = np.full(len(others), place)
        # Of two offers the first comes first, so that a pair is rounded as it is by itself.
        measured = expanded(features(self._index.prepared, others, own))
        sure = 100 * probability(measured @ self._weights + self._bias)
        order = np.argsort(-sure, kind="stable")
        return others[order], sure[order]


def nearest(index: Index, offer: Offer, most: int, place: int) -> "Places":
    """The places of the `most` likeliest offers, the likeliest first.

    They stand before `place`, where the offer itself stands, and are of its retailer.
    """
    words, lists = _words(index, offer)
    quantity = stated_quantity(offer)
    size = math.log(quantity.value) if quantity else math.nan
    price = math.log(offer.price_minor) if offer.price_minor > 0 else math.nan
    dimension = DIMENSIONS.index(quantity.dimension) if quantity else -1
    found, said = _met(index, dict(_keys(words, lists, _details(size, dimension, price))))
    p = index.prepared
    allowed = ((found < place) & (p.retailer[found] == p.retailer[place])).nonzero()
    found, said = found[allowed], said[allowed]
    rarity = np.zeros(MOST_WORDS, np.float32)
    rarity[: len(lists)] = [math.log((len(p) + 1) / length) for length in lists]
    of_words = _CHOICES @ rarity
    weight = of_words[said]
    names = weight / (index.total[found] + of_words[-1] - weight + _TINY)
    sizes = p.log_size[found] - size
    sizes[p.dimension[found] != dimension] = np.nan
    likely = likeliness(names, sizes, p.log_price[found] - price)
    chosen: Places = found[np.argsort(-likely, kind="stable")[:most]]
    return chosen


def _words(index: Index, offer: Offer) -> tuple[list[int], list[int]]:
    """The rarest of the offer's stems that others have as well, and how many offers have each."""
    stems = dict.fromkeys(term[:STEM] for term in name_terms(offer) if kind(term) != NUMBER)
    known = [index.ids[stem] for stem in stems if stem in index.ids]
    lengths = {word: length for word in known if (length := index.lengths.item(word)) > 1}
    rarest = sorted(lengths, key=lengths.__getitem__)[:MOST_WORDS]
    return rarest, [lengths[word] for word in rarest]


def _details(size: float, dimension: int, price: float) -> list[int | None]:
    """As `details_of` tells siblings apart."""
    known, priced = not math.isnan(size), not math.isnan(price)
    return [
        (round(size / SIZE_STEP) + 1000) * 4 + dimension if known else None,
        *(math.floor(price / BAND + by) + 1000 if priced else None for by in (0, 0.5)),
    ]


def _keys(
    words: Sequence[int], lists: Sequence[int], details: Sequence[int | None]
) -> Iterator[tuple[int, int]]:
    """Each key that the index may have the offer under, and as bits the words that make it."""
    common = []
    for at, (word, length) in enumerate(zip(words, lists, strict=True)):
        if length <= POSTING_CAP:
            yield _mixed(word, 0), 1 << at
        else:
            common.append((word, 1 << at))
    for (first, bit), (second, other) in combinations(common, 2):
        key = _mixed(min(first, second) << WORD_BITS | max(first, second), 0)
        yield key, bit | other
        for number, detail in enumerate(details):
            if detail is not None:
                yield _mixed(key, detail * 4 + number + 1), bit | other


def _mixed(key: int, detail: int) -> int:
    return ((key ^ detail * _MIX & _WHOLE) * _MIX & _WHOLE) >> 1


def _met(index: Index, keys: dict[int, int]) -> "tuple[Places, Places]":
    """Each offer that shares a key, once, and as bits the words of all keys that it shares."""
    asked = np.array([key >> index.bits for key in keys], np.int64)
    at = index.keys.searchsorted(asked)
    at[at == len(index.keys)] = 0
    known = (index.keys[at] == asked).tolist()
    starts, ends = index.firsts[at].tolist(), index.firsts[at + 1].tolist()
    runs = [
        index.partner[start:end] << MOST_WORDS | said
        for start, end, found, said in zip(starts, ends, known, keys.values(), strict=True)
        if found
    ]
    if not runs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    codes = np.concatenate(runs)
    codes.sort()
    rows = codes >> MOST_WORDS
    new = np.empty(len(rows), np.bool_)
    new[0] = True
    np.not_equal(rows[1:], rows[:-1], out=new[1:])
    (first,) = new.nonzero()
    return rows[first], np.bitwise_or.reduceat(codes & ((1 << MOST_WORDS) - 1), first)
