"""What the names of two offers say: terms with and without a counterpart, spelling, numbers."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.products.matching.alignment import Sides
from shared.products.matching.columns import Prepared
from shared.products.matching.terms import NUMBER, WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

_TINY: Final = 1e-6
_ENOUGH: Final = 4.0
_MOST_HABIT: Final = 8.0


def overlaps(_: Prepared, __: "Places", ___: "Places", sides: Sides) -> "dict[str, Floats]":
    """How much of either name the other has, where a rare term counts more."""
    total, found = sides.weights.sum(0), sides.found.sum(0)
    cover = found / np.maximum(total, _TINY)
    common = (found[0] + found[1]) / 2
    return {
        "cover_least": np.minimum(*cover),
        "cover_most": np.maximum(*cover),
        "overlap": common / np.maximum(total[0] + total[1] - common, _TINY),
        # Many terms in common are surer than few.
        "common": np.minimum(common, _ENOUGH) / _ENOUGH,
        "rarest_common": np.maximum(*sides.found.max(0)),
    }


def leftovers(p: Prepared, left: "Places", right: "Places", sides: Sides) -> "dict[str, Any]":
    """What has no counterpart: two flavours leave a word on either side, a longer name on one."""
    rest, words = sides.rest.max(0), (sides.rest * (sides.kind == WORD)).sum(0)
    first_a, first_b = p.first[left], p.first[right]
    return {
        "rest_both": np.minimum(*rest),
        "rest_most": np.maximum(*rest),
        "words_both": np.minimum(*words),
        "words_one": np.abs(words[0] - words[1]),
        "first_same": (first_a == first_b) & (first_a != 0),
    }


def habits(p: Prepared, _: "Places", __: "Places", sides: Sides) -> "dict[str, Floats]":
    """The terms' own experience: some are left out at will, others tell two products apart."""
    kept = (p.glossary.kept[sides.terms] * sides.matched).sum(0)
    each = p.glossary.missed[sides.terms] * (1 - sides.matched)
    missed, worst = each.sum(0), each.min(0)
    return {
        "kept": _bounded(kept[0] + kept[1]),
        "missed_least": _bounded(np.minimum(*missed)),
        "missed_most": _bounded(np.maximum(*missed)),
        "missed_worst_least": np.minimum(*worst),
        "missed_worst": np.maximum(*worst),
    }


def _bounded(habits: "Floats") -> "Floats":
    bounded: Floats = np.minimum(np.maximum(habits, -_MOST_HABIT), _MOST_HABIT)
    return bounded


def numbers(_: Prepared, __: "Places", ___: "Places", sides: Sides) -> "dict[str, Any]":
    """Numbers and measures, such as the 2 of "2 ply" or 64gb."""
    number = sides.kind == NUMBER
    found, rest = (number * sides.found).sum(0), (number * sides.rest).max(0)
    return {
        "number_same": np.minimum((found[0] + found[1]) / 2, 1),
        "number_differs": np.minimum(*rest),
        "number_one": np.abs(rest[0] - rest[1]),
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
