"""What the names of two offers say: terms with and without a counterpart, spelling, numbers."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.products.matching.alignment import Aligned, Side
from shared.products.matching.columns import Prepared
from shared.products.matching.terms import NUMBER, WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

_TINY: Final = 1e-6
_ENOUGH: Final = 4.0
_MOST_HABIT: Final = 8.0


def overlaps(_: Prepared, __: "Places", ___: "Places", aligned: Aligned) -> "dict[str, Floats]":
    """How much of either name the other has, where a rare term counts more."""
    a, b = aligned
    total_a, total_b = a.weights.sum(1), b.weights.sum(1)
    found_a, found_b = a.found(), b.found()
    cover_a = found_a.sum(1) / np.maximum(total_a, _TINY)
    cover_b = found_b.sum(1) / np.maximum(total_b, _TINY)
    common = (found_a.sum(1) + found_b.sum(1)) / 2
    return {
        "cover_least": np.minimum(cover_a, cover_b),
        "cover_most": np.maximum(cover_a, cover_b),
        "overlap": common / np.maximum(total_a + total_b - common, _TINY),
        # Many terms in common are surer than few.
        "common": np.minimum(common, _ENOUGH) / _ENOUGH,
        "rarest_common": np.maximum(found_a.max(1), found_b.max(1)),
    }


def leftovers(p: Prepared, left: "Places", right: "Places", aligned: Aligned) -> "dict[str, Any]":
    """What has no counterpart: two flavours leave a word on either side, a longer name on one."""
    a, b = aligned
    rest_a, rest_b = a.rest(), b.rest()
    words_a, words_b = (rest_a * (a.kind == WORD)).sum(1), (rest_b * (b.kind == WORD)).sum(1)
    first_a, first_b = p.first[left], p.first[right]
    return {
        "rest_both": np.minimum(rest_a.max(1), rest_b.max(1)),
        "rest_most": np.maximum(rest_a.max(1), rest_b.max(1)),
        "words_both": np.minimum(words_a, words_b),
        "words_one": np.abs(words_a - words_b),
        "first_same": (first_a == first_b) & (first_a != 0),
    }


def habits(p: Prepared, _: "Places", __: "Places", aligned: Aligned) -> "dict[str, Floats]":
    """The terms' own experience: some are left out at will, others tell two products apart."""
    kept, missed, worst = zip(*(_habits(p, side) for side in aligned), strict=True)
    return {
        "kept": np.clip(kept[0] + kept[1], -_MOST_HABIT, _MOST_HABIT),
        "missed_least": np.clip(np.minimum(*missed), -_MOST_HABIT, _MOST_HABIT),
        "missed_most": np.clip(np.maximum(*missed), -_MOST_HABIT, _MOST_HABIT),
        "missed_worst_least": np.minimum(*worst),
        "missed_worst": np.maximum(*worst),
    }


def _habits(p: Prepared, side: Side) -> "tuple[Floats, Floats, Floats]":
    real = side.terms > 0
    kept = p.glossary.kept[side.terms] * side.matched * real
    missed = p.glossary.missed[side.terms] * (1 - side.matched) * real
    return kept.sum(1), missed.sum(1), missed.min(1)


def numbers(_: Prepared, __: "Places", ___: "Places", aligned: Aligned) -> "dict[str, Any]":
    """Numbers and measures, such as the 2 of "2 ply" or 64gb."""
    a, b = aligned
    number_a, number_b = a.kind == NUMBER, b.kind == NUMBER
    found_a, found_b = (number_a * a.found()).sum(1), (number_b * b.found()).sum(1)
    rest_a, rest_b = (number_a * a.rest()).max(1), (number_b * b.rest()).max(1)
    return {
        "number_same": np.minimum((found_a + found_b) / 2, 1),
        "number_differs": np.minimum(rest_a, rest_b),
        "number_one": np.abs(rest_a - rest_b),
    }


def spellings(p: Prepared, left: "Places", right: "Places") -> "dict[str, Any]":
    """How alike the names are letter by letter."""
    from rapidfuzz import fuzz, process

    a, b = left.tolist(), right.tolist()
    x, y = (list(map(p.sorted_names.__getitem__, places)) for places in (a, b))
    u, v = (list(map(p.names.__getitem__, places)) for places in (a, b))
    whole = process.cpdist(x, y, scorer=fuzz.ratio, dtype=np.float32)
    ordered = process.cpdist(u, v, scorer=fuzz.ratio, dtype=np.float32)
    words = process.cpdist(x, y, scorer=fuzz.token_set_ratio, dtype=np.float32)
    return {"sorted_ratio": whole / 100, "ratio": ordered / 100, "set_ratio": words / 100}
