"""What a comparison looks at: one row of numbers per pair, each 0 where it says nothing.

`features` are what is measured; `expanded` adds a bend to those whose weight changes on the way.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.products.matching.alignment import align
from shared.products.matching.columns import Prepared
from shared.products.matching.field_features import (
    brands,
    categories,
    model_codes,
    prices,
    retailers,
    sizes,
)
from shared.products.matching.name_features import habits, leftovers, numbers, overlaps, spellings
from shared.products.matching.text_features import texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Places = NDArray[np.intp]

CHUNK: Final = 4_000
"""Pairs at once: their alignment takes about 20 MB."""

BENDS: Final[dict[str, tuple[float, ...]]] = {
    "cover_least": (0.5, 0.8),
    "cover_most": (0.6, 0.9),
    "overlap": (0.4, 0.7),
    "common": (0.4, 0.7),
    "rarest_common": (0.5, 0.8),
    "rest_both": (0.3, 0.6),
    "rest_most": (0.3, 0.6),
    "words_both": (0.3, 0.8),
    "words_one": (0.5, 1.5),
    "sorted_ratio": (0.6, 0.8),
    "ratio": (0.6, 0.8),
    "set_ratio": (0.7, 0.9),
    "number_differs": (0.4,),
    "text_overlap": (0.2, 0.5),
    "text_named": (0.5, 0.8),
    "size_far": (0.2,),
    "price_near": (0.4,),
    "price_far": (0.2, 0.5),
}
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "name": (
        *("cover_least", "cover_most", "overlap", "common", "rarest_common"),
        *("rest_both", "rest_most", "words_both", "words_one", "first_same"),
        *("sorted_ratio", "ratio", "set_ratio"),
        *("kept", "missed_least", "missed_most", "missed_worst_least", "missed_worst"),
    ),
    "variant": ("number_same", "number_differs", "number_one"),
    "model": (
        *("code_same", "code_stem", "code_told", "code_told_stem", "code_begins"),
        *("code_differs", "code_rest", "code_one"),
    ),
    "description": ("text_known", "text_overlap", "text_named"),
    "size": ("size_same", "size_near", "size_differs", "size_far"),
    "price": (
        "price_known",
        "price_same",
        "price_near",
        "price_far",
        "price_same_unsized",
        "price_off_unsized",
    ),
    "brand": ("brand_same", "brand_differs", "brand_of_house"),
    "category": ("category_same", "category_differs"),
    "retailer": ("retailer_same", "retailer_twin"),
}
NAMES: Final = tuple(name for names in FIELDS.values() for name in names)
_BENT: Final = np.array([NAMES.index(name) for name, bends in BENDS.items() for _ in bends])
_BENDS: Final = np.array([[bend] for bends in BENDS.values() for bend in bends], np.float32)
EXPANDED: Final = NAMES + tuple(f"{name}>{bend}" for name, bends in BENDS.items() for bend in bends)


def features(prepared: Prepared, left: "Places", right: "Places") -> "Floats":
    """(n, len(NAMES)) the features of the offers `left[i]` and `right[i]`, as NAMES names them."""
    starts = range(0, len(left), CHUNK)
    parts = [_chunk(prepared, left[at : at + CHUNK], right[at : at + CHUNK]) for at in starts]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros((0, len(NAMES)), np.float32)


def expanded(measured: "Floats") -> "Floats":
    """(n, len(EXPANDED)) the features and, for each bend, how far a feature lies beyond it."""
    rows = measured.T
    return np.concatenate([rows, np.maximum(rows[_BENT] - _BENDS, 0)]).T


def field_of(name: str) -> str:
    """The field of an offer that a feature, expanded or not, speaks of."""
    plain = name.partition(">")[0]
    return next(field for field, names in FIELDS.items() if plain in names)


_ALIGNED: Final[tuple[Callable[..., dict[str, Any]], ...]] = (
    overlaps,
    leftovers,
    habits,
    numbers,
    model_codes,
)
_PLAIN: Final[tuple[Callable[..., dict[str, Any]], ...]] = (
    spellings,
    texts,
    sizes,
    prices,
    brands,
    categories,
)


def _chunk(prepared: Prepared, left: "Places", right: "Places") -> "Floats":
    sides = align(prepared, left, right)
    found: dict[str, Any] = {}
    for part in _ALIGNED:
        found |= part(prepared, left, right, sides)
    for part in _PLAIN:
        found |= part(prepared, left, right)
    found |= retailers(prepared, left, right, found)
    columns = [found[name] for name in NAMES]
    rows = np.concatenate(columns, dtype=np.float32, casting="unsafe")
    return rows.reshape(len(NAMES), len(left)).T
