"""One more offer beside a few of a catalogue, which are not read once more.

An offer with a word that the catalogue has not, with codes, a model or a description, is read with
them the plain way: what comes of either is the same but for the numbers that terms go by.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.products.matching.candidates import Index
from shared.products.matching.columns import (
    DIMENSIONS,
    LEAST_ALIAS,
    MOST_ALIASES,
    MOST_TERMS,
    Prepared,
    labels_of,
    prepare,
)
from shared.products.matching.offer import Offer
from shared.products.matching.quantity import Quantity
from shared.products.matching.reading import name_terms
from shared.products.matching.terms import codes, terms
from shared.products.matching.vocabulary import Vocabulary
from shared.products.matching.words import stated_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

_KEPT: Final = (
    *("aliases", "alias_parts", "first", "house", "codes", "stems", "named_codes", "described"),
    *("log_size", "dimension", "log_price"),
)
_NO_TEXTS: Final = np.zeros(0, np.int64)
_NO_TERMS: Final = np.zeros(0, np.int32)


def beside(
    index: Index, offers: Sequence[Offer], offer: Offer, places: "Places", vocabulary: Vocabulary
) -> Prepared:
    """The offer, and behind it those of the index at `places`; `offers` are all of the index."""
    others = places.tolist()
    few = [offer, *map(offers.__getitem__, others)]
    named = name_terms(offer)
    known = all(term in index.term_ids for term in named)
    if not known or codes(offer.name) or offer.model or any(each.description for each in few):
        return prepare(few, vocabulary)
    p, own = index.prepared, _own_row(index, offer, named, stated_quantity(offer))
    names, ordered = " ".join(named), " ".join(sorted(named))
    rows = _behind(own["terms"], p.terms[places])
    return Prepared(
        glossary=p.glossary,
        terms=rows,
        names=[names, *map(p.names.__getitem__, others)],
        sorted_names=[ordered, *map(p.sorted_names.__getitem__, others)],
        text_starts=_NO_TEXTS,
        text_terms=_NO_TERMS,
        text_keys=_NO_TEXTS,
        **{name: _behind(own.get(name, 0), getattr(p, name)[places]) for name in _KEPT},
        **labels_of(few),
    )


def _behind(own: Any, others: "NDArray[Any]") -> "NDArray[Any]":
    rows = np.empty((len(others) + 1, *others.shape[1:]), others.dtype)
    rows[0], rows[1:] = own, others
    return rows


def _own_row(index: Index, offer: Offer, named: list[str], size: Quantity | None) -> dict[str, Any]:
    ids = index.term_ids
    own, rarity = [ids[term] for term in named], index.prepared.glossary.rarity
    order = sorted(range(len(own)), key=lambda at: -rarity.item(own[at]))[:MOST_TERMS]
    house = terms(offer.retailer)
    aliases = list(_aliases(named, {at: place for place, at in enumerate(order)}, ids))
    return {
        "terms": _padded([own[at] for at in order], MOST_TERMS),
        "aliases": _padded([alias for alias, _ in aliases[:MOST_ALIASES]], MOST_ALIASES),
        "alias_parts": _padded([part for _, part in aliases[:MOST_ALIASES]], MOST_ALIASES, (0, 0)),
        "first": own[0] if own else 0,
        "house": ids[max(house, key=len)] if house and set(house) <= set(named) else 0,
        "log_size": math.log(float(size.value)) if size else math.nan,
        "dimension": DIMENSIONS.index(size.dimension) if size else -1,
        "log_price": math.log(offer.price_minor) if offer.price_minor > 0 else math.nan,
    }


def _aliases(
    named: list[str], rank: dict[int, int], ids: dict[str, int]
) -> Iterator[tuple[int, tuple[int, int]]]:
    for at, (first, second) in enumerate(pairwise(named)):
        joined = ids.get(first + second) if len(first + second) >= LEAST_ALIAS else None
        if joined and at in rank and at + 1 in rank:
            yield joined, (rank[at], rank[at + 1])


def _padded(row: list[Any], width: int, filler: Any = 0) -> list[Any]:
    return row + [filler] * (width - len(row))
