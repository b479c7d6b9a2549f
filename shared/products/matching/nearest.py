"""The candidates of a model's training: which offers of a catalogue share rare terms."""

from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching.columns import Prepared
from shared.products.matching.terms import CODE, NUMBER, core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

MOST: Final = 25
"""Candidates per offer: a cluster's offers at hundreds of retailers, or one's few rivals."""
_LONGEST_LIST: Final = 400
_LONGEST_SHARE: Final = 20
# Shops shorten words behind and codes before the colour: beginnings count half.
_WORD_BEGINNING: Final = 4
_CODE_BEGINNING: Final = 5
_BEGINNING_WEIGHT: Final = 0.5
_LEAST_LETTERS: Final = 3


def near_pairs(prepared: Prepared) -> "tuple[Places, Places]":
    """Each pair once, in order: every offer's nearest MOST of other retailers."""
    lists = _Lists(prepared)
    found = [lists.nearest(offer) for offer in range(len(prepared))]
    left = np.repeat(np.arange(len(found)), list(map(len, found)))
    right = np.concatenate(found) if found else np.zeros(0, np.intp)
    count = max(len(prepared), 1)
    keys = np.unique(np.minimum(left, right) * count + np.maximum(left, right))
    return keys // count, keys % count


class _Lists:
    """For each key the offers that have it, and for each offer its keys."""

    def __init__(self, prepared: Prepared) -> None:
        self._count = len(prepared)
        self._retailer = prepared.retailer
        keys, offers = _keys(prepared)
        sizes = np.bincount(keys)
        kept = (sizes > 1) & (sizes <= max(_LONGEST_LIST, self._count // _LONGEST_SHARE))
        rarity = np.log((self._count + 1) / (sizes + 0.5)) ** 2
        rarity[len(prepared.glossary.spelling) :] *= _BEGINNING_WEIGHT
        self._sizes, self._rarity = sizes, rarity
        self._offers = offers
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        own = np.lexsort((keys, offers))
        own = own[kept[keys[own]]]
        self._own_keys = keys[own]
        self._own_starts = np.searchsorted(offers[own], np.arange(self._count + 1))

    def nearest(self, offer: int) -> "Places":
        """The offers of other retailers with most in common."""
        keys = self._own_keys[self._own_starts[offer] : self._own_starts[offer + 1]]
        if not len(keys):
            return np.zeros(0, np.intp)
        met = [self._offers[self._starts[key] : self._starts[key + 1]] for key in keys]
        weights = np.repeat(self._rarity[keys], self._sizes[keys])
        common = np.bincount(np.concatenate(met), weights, self._count)
        common[offer] = 0
        if self._retailer[offer] >= 0:
            common[self._retailer == self._retailer[offer]] = 0
        likely = np.flatnonzero(common)
        # Equals in their order, so that the same catalogue finds the same candidates.
        return likely[np.argsort(-common[likely], kind="stable")[:MOST]]


def _keys(prepared: Prepared) -> "tuple[Places, Places]":
    """Keys and the offers that have them, sorted: terms by id, and beginnings behind those."""
    beginnings = _beginnings(prepared)
    offers = np.repeat(np.arange(len(prepared)), prepared.terms.shape[1])
    terms = prepared.terms.ravel()
    begun = beginnings[terms] > 0
    joined = np.repeat(np.arange(len(prepared)), prepared.aliases.shape[1])
    keys = np.concatenate([terms, beginnings[terms[begun]], prepared.aliases.ravel()])
    owners = np.concatenate([offers, offers[begun], joined])
    pairs = np.unique(np.stack([keys[keys > 0], owners[keys > 0]]), axis=1)
    return pairs[0].astype(np.intp), pairs[1].astype(np.intp)


def _beginnings(prepared: Prepared) -> "Places":
    """Per term the key of its beginning; 0 is none."""
    glossary = prepared.glossary
    ids: dict[tuple[int, str], int] = {}
    found = np.zeros(len(glossary.spelling), np.intp)
    for at, (term, kind) in enumerate(zip(glossary.spelling, glossary.kind, strict=True)):
        if kind != NUMBER and len(term) >= _LEAST_LETTERS:
            beginning = core(term)[:_CODE_BEGINNING] if kind == CODE else term[:_WORD_BEGINNING]
            key = ids.setdefault((int(kind), beginning), len(ids))
            found[at] = len(glossary.spelling) + key
    return found
