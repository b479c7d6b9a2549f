"""How the terms of one product behave: which are left out at will, which tell products apart."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.alignment import align
from shared.products.matching.columns import Prepared
from shared.products.matching.terms import CODE, NUMBER, WORD
from shared.products.matching.vocabulary import Habit, Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

_CHUNK: Final = 20_000
_LEAST_LIKELY: Final = 0.3
# A term must be seen as often as this before its own habit outweighs that of its kind.
_SLOW: Final = 4.0
_DIGITS: Final = 2


def learned_habits(
    vocabulary: Vocabulary, prepared: Prepared, pairs: "tuple[Places, Places]", same: "Floats"
) -> Vocabulary:
    """The vocabulary with the habits of its terms in pairs that are one product by `same`."""
    among_same = _counts(prepared, pairs, same)
    among_others = _counts(prepared, pairs, 1 - same)
    spelling = prepared.glossary.spelling
    kept, missed = np.zeros(len(spelling)), np.zeros(len(spelling))
    usual: list[Habit] = []
    for kind in (WORD, NUMBER, CODE):
        chosen = prepared.glossary.kind == kind
        own, other = (_rate(counts, chosen) for counts in (among_same, among_others))
        kept[chosen] = np.log(own[0] / other[0])
        missed[chosen] = np.log((1 - own[0]) / (1 - other[0]))
        usual.append(_rounded(np.log(own[1] / other[1]), np.log((1 - own[1]) / (1 - other[1]))))
    seen = among_same.sum(0) + among_others.sum(0) > 0
    habits = {
        spelling[at]: _rounded(kept[at], missed[at])
        for at in np.flatnonzero(seen)
        if spelling[at] in vocabulary.counts
    }
    return msgspec.structs.replace(vocabulary, habits=habits, usual=tuple(usual))


def _counts(prepared: Prepared, pairs: "tuple[Places, Places]", weights: "Floats") -> "Floats":
    """(2, terms) how often each term has a counterpart and how often not, among likely pairs."""
    size = len(prepared.glossary.spelling)
    counts = np.zeros((2, size))
    chosen = np.flatnonzero(weights > _LEAST_LIKELY)
    for at in range(0, len(chosen), _CHUNK):
        rows = chosen[at : at + _CHUNK]
        sides = align(prepared, pairs[0][rows], pairs[1][rows])
        # Side after side, offer by offer: one order whatever the layout.
        weight = (weights[rows] * (sides.terms > 0)).transpose(1, 2, 0)
        found = (weight * sides.matched.transpose(1, 2, 0)).ravel()
        flat = sides.terms.transpose(1, 2, 0).ravel()
        counts[0] += np.bincount(flat, found, size)
        counts[1] += np.bincount(flat, weight.ravel() - found, size)
    return counts


def _rate(counts: "Floats", chosen: "NDArray[Any]") -> "tuple[Floats, float]":
    """How often each chosen term has a counterpart, and how often its kind has."""
    found, missed = counts[:, chosen]
    usual = (found.sum() + 1) / (found.sum() + missed.sum() + 2)
    return (found + _SLOW * usual) / (found + missed + _SLOW), float(usual)


def _rounded(kept: float, missed: float) -> Habit:
    return round(float(kept), _DIGITS), round(float(missed), _DIGITS)
