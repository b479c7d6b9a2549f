"""What the descriptions of two offers say."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.columns import Prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

_TINY: Final = 1e-6


def texts(p: Prepared, left: "Places", right: "Places") -> "dict[str, Any]":
    """How alike all texts are, and whether the name of one stands in the text of the other."""
    known = p.described[left] | p.described[right]
    overlap, named = np.zeros(len(left), np.float32), np.zeros(len(left), np.float32)
    rows = np.flatnonzero(known)
    if len(rows):
        among = _Texts(p)
        overlap[rows] = among.cosine(left[rows], right[rows])
        named[rows] = np.maximum(
            among.names_covered(left[rows], right[rows]),
            among.names_covered(right[rows], left[rows]),
        )
    return {"text_known": known, "text_overlap": overlap, "text_named": named}


class _Run(msgspec.Struct, frozen=True):
    """The terms of many offers behind one another, each with the row of its pair."""

    row: "Places"
    term: "NDArray[np.int32]"
    weight: "Floats"

    def total(self, values: "NDArray[Any]", count: int) -> "Floats":
        return np.bincount(self.row, values, count).astype(np.float32)


class _Texts:
    """Where each term of each offer stands: sorted keys of offer and term."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._size = len(prepared.glossary.spelling)
        self._keys = prepared.text_keys

    def cosine(self, left: "Places", right: "Places") -> "Floats":
        """The cosine of the rarities of all terms."""
        a, b = self._run(left), self._run(right)
        count = len(left)
        shared = a.total(a.weight**2 * self._has(right[a.row], a.term), count)
        norm = np.sqrt(a.total(a.weight**2, count) * b.total(b.weight**2, count))
        cosine: Floats = shared / np.maximum(norm, _TINY)
        return cosine

    def names_covered(self, named: "Places", texts: "Places") -> "Floats":
        """How much of a name, by rarity, stands in a text."""
        terms = self._prepared.terms[named]
        weights = self._prepared.glossary.rarity[terms]
        found = self._has(np.repeat(texts, terms.shape[1]), terms.ravel()).reshape(terms.shape)
        covered: Floats = (found * weights).sum(1) / np.maximum(weights.sum(1), _TINY)
        return covered

    def _run(self, places: "Places") -> _Run:
        starts = self._prepared.text_starts
        counts = starts[places + 1] - starts[places]
        row = np.repeat(np.arange(len(places)), counts)
        at = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        term = self._prepared.text_terms[starts[places][row] + at]
        return _Run(row, term, self._prepared.glossary.rarity[term])

    def _has(self, places: "Places", terms: "NDArray[np.int32]") -> "NDArray[np.bool_]":
        wanted = places * self._size + terms
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        found: NDArray[np.bool_] = self._keys[at] == wanted
        return found
