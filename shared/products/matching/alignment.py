"""Which terms of two offers stand for each other."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.columns import Prepared
from shared.products.matching.terms import CODE, core

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
_FEW: Final = 200


class Sides(msgspec.Struct, frozen=True):
    """Both sides of n pairs: their terms, and how well each is matched on the other, 0 to 1.

    All are (terms, 2, n): what is summed up over a pair's few terms is added in whole columns.
    """

    terms: "Ids"
    kind: "NDArray[np.int8]"
    matched: "Floats"
    weights: "Floats"
    found: "Floats"
    """The weight of what has a counterpart."""
    rest: "Floats"
    """The weight of what has none."""


def align(prepared: Prepared, left: "Places", right: "Places") -> Sides:
    """Both sides of the pairs `left[i]` and `right[i]`; symmetric but for the sides."""
    terms = _columns(prepared, left, right)
    exact = _met(terms)
    matched = exact.astype(np.float32)
    _soften(prepared, terms, exact, matched)
    _join(prepared, left, 0, terms, matched)
    _join(prepared, right, 1, terms, matched)
    weights = prepared.glossary.rarity[terms]
    found = weights * matched
    return Sides(terms, prepared.glossary.kind[terms], matched, weights, found, weights - found)


def _columns(prepared: Prepared, left: "Places", right: "Places") -> "Ids":
    every = prepared.terms[np.concatenate([left, right])]
    # Rows are filled from the front: as many columns are used as hold any term at all.
    width = max(1, int(np.count_nonzero(every.any(0))))
    return np.ascontiguousarray(every[:, :width].T).reshape(width, 2, len(left))


def _met(terms: "Ids") -> "Bools":
    """Which terms of either side stand on the other."""
    a, b = terms[:, 0], terms[:, 1]
    same = (a - (a == 0))[:, None] == b
    met = np.empty(terms.shape, np.bool_)
    same.any(1, out=met[:, 0])
    same.any(0, out=met[:, 1])
    return met


def _soften(prepared: Prepared, terms: "Ids", exact: "Bools", matched: "Floats") -> None:
    """Fills in terms that are written in another way: shortened, misspelt, with an ending."""
    # A typing mistake in the first letter is rare, and looking for it would cost ten times as much.
    initials = prepared.glossary.initial[terms] * ~exact
    x, y = initials[:, 0], initials[:, 1]
    at, to, pair = np.nonzero((x - (x == 0))[:, None] == y)
    if len(pair):
        likeness = _likeness(prepared, terms[at, 0, pair], terms[to, 1, pair])
        np.maximum.at(matched[:, 0], (at, pair), likeness)
        np.maximum.at(matched[:, 1], (to, pair), likeness)


def _likeness(prepared: Prepared, a: "Ids", b: "Ids") -> "Floats":
    if len(a) <= _FEW:
        return _of_terms(prepared, a, b)
    size = len(prepared.glossary.spelling)
    keys = np.minimum(a, b).astype(np.int64) * size + np.maximum(a, b)
    distinct, places = np.unique(keys, return_inverse=True)
    # Few distinct ones stand in most pairs.
    return _of_terms(prepared, distinct // size, distinct % size)[places]


def _of_terms(prepared: Prepared, a: "NDArray[Any]", b: "NDArray[Any]") -> "Floats":
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    glossary = prepared.glossary
    x, y = (list(map(glossary.spelling.__getitem__, ids.tolist())) for ids in (a, b))
    alike = process.cpdist(
        x, y, scorer=Indel.normalized_similarity, score_cutoff=_ALIKE, dtype=np.float32
    )
    begins = np.array([u.startswith(v) or v.startswith(u) for u, v in zip(x, y, strict=True)])
    lengths = glossary.length[a], glossary.length[b]
    short = np.minimum(*lengths)
    word = alike * (short >= _ALIKE_LETTERS)
    beginning = _BEGINNING * (begins & (short >= _SHORTENED_LETTERS))
    found: Floats = np.maximum(word, beginning).astype(np.float32)
    for at in np.flatnonzero((glossary.kind[a] == CODE) | (glossary.kind[b] == CODE)).tolist():
        found[at] = _BEGINNING * _one_code(x[at], y[at])
    return found


def _one_code(a: str, b: str) -> bool:
    """Whether the one begins the other; two codes that differ in one letter are two products."""
    short, long = sorted((core(a), core(b)), key=len)
    ending = len(long) - len(short)
    return len(short) >= _CODE_LETTERS and ending <= _CODE_ENDING and long.startswith(short)


def _join(prepared: Prepared, owner: "Places", side: int, terms: "Ids", matched: "Floats") -> None:
    """Matches two neighbouring terms of the owner, who is on `side`, with one of the other."""
    rows = np.flatnonzero(prepared.aliases[owner, 0])
    if not len(rows):
        return
    aliases = prepared.aliases[owner[rows]].T
    same = (aliases[:, None] == terms[None, :, 1 - side, rows]) & (aliases != 0)[:, None]
    alias, to, at = np.nonzero(same)
    pair = rows[at]
    matched[to, 1 - side, pair] = 1
    for part in (0, 1):
        matched[prepared.alias_parts[owner[pair], alias, part], side, pair] = 1
