"""The offers of a catalogue in memory that one more offer is most likely the same product as."""

import math
from typing import TYPE_CHECKING

import numpy as np

from shared.products.matching.candidates import (
    MOST_WORDS,
    Index,
    alone,
    details_of,
    finer_keys,
    likeliness,
    together,
)
from shared.products.matching.columns import DIMENSIONS
from shared.products.matching.keys import STEM
from shared.products.matching.offer import Offer
from shared.products.matching.reading import name_terms
from shared.products.matching.terms import NUMBER, kind
from shared.products.matching.words import stated_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


def nearest(index: Index, offer: Offer, most: int) -> "Places":
    """The places of the `most` likeliest offers, the likeliest first."""
    words, lists = _words(index, offer)
    quantity = stated_quantity(offer)
    size = math.log(quantity.value) if quantity else math.nan
    price = math.log(offer.price_minor) if offer.price_minor > 0 else math.nan
    dimension = DIMENSIONS.index(quantity.dimension) if quantity else -1
    details = np.array(details_of(*map(np.atleast_1d, (size, dimension, price))))
    found, said = _met(index, words, lists, details)
    rarity = index.rarity_of(lists)[0]
    weight = (said[:, None] >> np.arange(MOST_WORDS) & 1) @ rarity
    p = index.prepared
    names = weight / np.maximum(index.total[found] + rarity.sum() - weight, 1e-6)
    sizes = np.where(p.dimension[found] == dimension, p.log_size[found] - size, np.nan)
    likely = likeliness(names, sizes, p.log_price[found] - price)
    return found[np.argsort(-likely, kind="stable")[:most]]


def _words(index: Index, offer: Offer) -> "tuple[Places, Places]":
    """The rarest of the offer's stems that the catalogue has, and how many offers have each."""
    stems = dict.fromkeys(term[:STEM] for term in name_terms(offer) if kind(term) != NUMBER)
    known = [index.ids[stem] for stem in stems if stem in index.ids]
    lengths = {word: int(index.lengths[word]) for word in known}
    rarest = sorted(lengths, key=lengths.__getitem__)[:MOST_WORDS]
    words = np.array([rarest + [0] * (MOST_WORDS - len(rarest))], np.int64)
    # Of a word that one offer has there are two now.
    return words, np.where(words > 0, np.maximum(index.lengths[words], 2), 0)


def _met(
    index: Index, words: "Places", lists: "Places", details: "Places"
) -> "tuple[Places, Places]":
    """Each offer that shares a key, once, and as bits the words of all keys that it shares."""
    keys, _, said = together(words, lists)
    parts = [alone(words, lists)[::2], (keys, said)]
    repeated = np.repeat(details, len(keys), axis=1)
    parts += [(finer, said[known]) for finer, known in finer_keys(keys, repeated)]
    keys, said = map(np.concatenate, zip(*parts, strict=True))
    keys >>= index.bits
    starts = np.searchsorted(index.keys, keys, "left")
    counts = np.searchsorted(index.keys, keys, "right") - starts
    inner = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = index.partner[np.repeat(starts, counts) + inner]
    codes = rows << MOST_WORDS | np.repeat(said, counts)
    codes.sort()
    rows = codes >> MOST_WORDS
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    if not len(first):
        return rows, rows
    bits = np.bitwise_or.reduceat(codes & ((1 << MOST_WORDS) - 1), first)
    return rows[first], bits
