"""Which terms of two offers stand for each other."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.columns import Prepared
from shared.products.matching.terms import CODE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]
    Ids = NDArray[np.int32]
    Places = NDArray[np.intp]

_ALIKE: Final = 0.75
_ALIKE_LETTERS: Final = 4
_BEGINNING: Final = 0.9
_SHORTENED_LETTERS: Final = 2
_CODE_LETTERS: Final = 4
_CODE_ENDING: Final = 4


class Side(msgspec.Struct, frozen=True):
    """One side of n pairs: its terms, and how well each is matched on the other, from 0 to 1."""

    terms: "Ids"
    weights: "Floats"
    kind: "NDArray[np.int8]"
    matched: "Floats"

    def found(self) -> "Floats":
        """(n, terms) the weight of what has a counterpart."""
        return self.weights * self.matched

    def rest(self) -> "Floats":
        """(n, terms) the weight of what has none."""
        return self.weights * (1 - self.matched)


Aligned = tuple[Side, Side]


def align(prepared: Prepared, left: "Places", right: "Places") -> Aligned:
    """Both sides of the pairs `left[i]` and `right[i]`; symmetric but for the sides."""
    a, b = _used(prepared.terms[left]), _used(prepared.terms[right])
    exact = _met(a, b)
    matched = exact[0].astype(np.float32, order="F"), exact[1].astype(np.float32, order="F")
    _soften(prepared, (a, b), exact, matched)
    _join(prepared, left, b, matched)
    _join(prepared, right, a, matched[::-1])
    return _side(prepared, left, a, matched[0]), _side(prepared, right, b, matched[1])


def _used(terms: "Ids") -> "Ids":
    # Column by column: what is summed up over a pair's few terms is then added in whole columns.
    width = int((terms != 0).any(0).sum())
    return np.asfortranarray(terms[:, : max(1, width)])


def _met(a: "Ids", b: "Ids") -> "tuple[Bools, Bools]":
    """Which terms of either side stand on the other."""
    same = np.where(a == 0, -1, a).T[:, None] == b.T[None]
    return same.any(1).T, same.any(0).T


def _side(prepared: Prepared, places: "Places", terms: "Ids", matched: "Floats") -> Side:
    weights = np.asfortranarray(prepared.weights[places, : terms.shape[1]])
    return Side(terms, weights, np.asfortranarray(prepared.glossary.kind[terms]), matched)


def _soften(
    prepared: Prepared,
    terms: "tuple[Ids, Ids]",
    exact: "tuple[Bools, Bools]",
    matched: "tuple[Floats, Floats]",
) -> None:
    """Fills in terms that are written in another way: shortened, misspelt, with an ending."""
    a, b = terms
    # A typing mistake in the first letter is rare, and looking for it would cost ten times as much.
    x = np.where(exact[0] | (prepared.glossary.initial[a] == 0), -1, prepared.glossary.initial[a])
    y = np.where(exact[1], 0, prepared.glossary.initial[b])
    at, to, pair = np.nonzero(x.T[:, None] == y.T[None])
    if len(pair):
        likeness = _likeness(prepared, a[pair, at], b[pair, to])
        np.maximum.at(matched[0], (pair, at), likeness)
        np.maximum.at(matched[1], (pair, to), likeness)


def _likeness(prepared: Prepared, a: "Ids", b: "Ids") -> "Floats":
    size = len(prepared.glossary.spelling)
    keys = np.minimum(a, b).astype(np.int64) * size + np.maximum(a, b)
    distinct, places = np.unique(keys, return_inverse=True)
    return _of_terms(prepared, distinct // size, distinct % size)[places]


def _of_terms(prepared: Prepared, a: "NDArray[Any]", b: "NDArray[Any]") -> "Floats":
    from rapidfuzz import process
    from rapidfuzz.distance import Indel, Prefix

    glossary = prepared.glossary
    x, y = [glossary.spelling[i] for i in a], [glossary.spelling[i] for i in b]
    alike = process.cpdist(x, y, scorer=Indel.normalized_similarity, dtype=np.float32)
    begun = process.cpdist(x, y, scorer=Prefix.similarity, dtype=np.float32)
    short = np.minimum(glossary.length[a], glossary.length[b])
    ending = np.maximum(glossary.length[a], glossary.length[b]) - short
    begins = begun == short
    word = np.where((alike >= _ALIKE) & (short >= _ALIKE_LETTERS), alike, 0)
    word = np.where(begins & (short >= _SHORTENED_LETTERS), np.maximum(word, _BEGINNING), word)
    # Two codes that differ in one letter are two products.
    code = begins & (short >= _CODE_LETTERS) & (ending <= _CODE_ENDING)
    any_code = (glossary.kind[a] == CODE) | (glossary.kind[b] == CODE)
    return np.where(any_code, np.where(code, _BEGINNING, 0), word).astype(np.float32)


def _join(
    prepared: Prepared, owner: "Places", others: "Ids", matched: "tuple[Floats, Floats]"
) -> None:
    """Matches two neighbouring terms of the owner with one term of the other."""
    rows = np.flatnonzero(prepared.aliases[owner, 0])
    aliases = prepared.aliases[owner[rows]]
    same = (aliases[:, :, None] == others[rows, None, :]) & (aliases != 0)[:, :, None]
    at, alias, to = np.nonzero(same)
    pair = rows[at]
    matched[1][pair, to] = 1
    for part in (0, 1):
        matched[0][pair, prepared.alias_parts[owner[pair], alias, part]] = 1
