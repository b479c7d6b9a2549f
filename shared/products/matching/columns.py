"""Offers as columns: everything that a comparison reads of an offer, as one row of numbers."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.offer import Offer
from shared.products.matching.quantity import Quantity
from shared.products.matching.terms import NUMBER, codes, kind, stem, terms
from shared.products.matching.text import normalise
from shared.products.matching.vocabulary import Vocabulary
from shared.products.matching.words import stated_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ids = NDArray[np.int32]
    Small = NDArray[np.int8]

MOST_TERMS: Final = 20
MOST_ALIASES: Final = 6
MOST_CODES: Final = 6
_MOST_TEXT_TERMS: Final = 80
_LEAST_ALIAS: Final = 4
DIMENSIONS: Final = ("g", "ml", "count")

Codes = tuple[tuple[str, ...], tuple[str, ...]]
"""Those of the name and model, and those of the description."""


class Glossary(msgspec.Struct, frozen=True):
    """The m distinct terms of the offers by id; 0 is no term."""

    spelling: list[str]
    kind: "Small"
    rarity: "Floats"
    initial: "Ids"
    """The first character, or 0 where there is no other way to write the term."""
    length: "NDArray[np.int16]"
    kept: "Floats"
    """Log-odds of one product from the term's having a counterpart."""
    missed: "Floats"
    """Log-odds of one product from the term's having none."""


class Prepared(msgspec.Struct, frozen=True):
    """n offers as columns. An unknown float is NaN, an unknown label -1, no term or code 0."""

    glossary: Glossary
    terms: "Ids"
    """(n, MOST_TERMS) the terms of brand, name and model, the rarest first."""
    weights: "Floats"
    """(n, MOST_TERMS) how rare each of them is, from 0 to about 1."""
    aliases: "Ids"
    """(n, MOST_ALIASES) neighbouring terms that are one term elsewhere."""
    alias_parts: "Small"
    """(n, MOST_ALIASES, 2) where the two stand among the terms."""
    first: "Ids"
    """The first term of the name."""
    names: list[str]
    sorted_names: list[str]
    codes: "Ids"
    """(n, MOST_CODES) the codes of the name, then those of the description; and their stems."""
    stems: "Ids"
    named_codes: "Small"
    """How many of the codes are the name's."""
    text_starts: "NDArray[np.int64]"
    """(n + 1) where each offer's part of `text_terms`, all its terms by id, begins."""
    text_terms: "Ids"
    text_keys: "NDArray[np.int64]"
    """Offer times m plus term, for each of `text_terms`: sorted, to look up who has which."""
    described: "NDArray[np.bool_]"
    log_size: "Floats"
    dimension: "Small"
    log_price: "Floats"
    currency: "Ids"
    brand: "Ids"
    category: "Ids"
    retailer: "Ids"
    house: "Ids"
    """The term of the retailer's own name in the offer's name, or 0: a house brand."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def spelling(self) -> list[str]:
        """The term of each id."""
        return self.glossary.spelling

    @property
    def kind(self) -> "Small":
        """WORD, NUMBER or CODE per term."""
        return self.glossary.kind


class _Ids(dict[str, int]):
    """Ids in the order of first use; the first one is for the empty text."""

    def __init__(self, empty: int) -> None:
        super().__init__({"": empty})

    def __missing__(self, key: str) -> int:
        self[key] = len(self)
        return self[key]


def name_terms(offer: Offer) -> list[str]:
    """The terms of an offer's brand, name and model, each once, in their order."""
    named = terms(offer.name)
    if not offer.brand and not offer.model:
        return list(dict.fromkeys(named))
    before = [term for term in terms(offer.brand) if term not in named]
    behind = [term for term in terms(offer.model) if term not in named]
    return list(dict.fromkeys([*before, *named, *behind]))


def prepare(offers: Sequence[Offer], vocabulary: Vocabulary) -> Prepared:
    """The columns of `offers`."""
    # Offer by offer, while what its texts come to when they are folded is remembered.
    read = [(name_terms(offer), _codes(offer), stated_quantity(offer)) for offer in offers]
    named = [terms for terms, _, _ in read]
    ids = _Ids(0)
    rows = [[ids[term] for term in row] for row in named]
    texts = [_text(offer, row, ids) for offer, row in zip(offers, rows, strict=True)]
    glossary = _glossary(list(ids), vocabulary)
    rarity = glossary.rarity.tolist()
    order = [_rarest(row, rarity) for row in rows]
    padded = _padded(
        ([row[at] for at in o] for row, o in zip(rows, order, strict=True)), MOST_TERMS
    )
    found = [list(_aliases(row, o, ids)) for row, o in zip(named, order, strict=True)]
    return Prepared(
        glossary=glossary,
        terms=padded,
        weights=glossary.rarity[padded],
        aliases=_padded(([alias for alias, _ in row] for row in found), MOST_ALIASES),
        alias_parts=_parts(found),
        first=np.array([row[0] if row else 0 for row in rows], np.int32),
        names=[" ".join(row) for row in named],
        sorted_names=[" ".join(sorted(row)) for row in named],
        **_code_columns([codes for _, codes, _ in read]),
        **_text_columns(texts, len(ids)),
        described=np.array([bool(offer.description) for offer in offers], np.bool_),
        **_label_columns(offers, [quantity for _, _, quantity in read]),
        house=np.array([_house(*pair, ids) for pair in zip(offers, named, strict=True)], np.int32),
    )


def with_vocabulary(prepared: Prepared, vocabulary: Vocabulary) -> Prepared:
    """The same columns, where terms have the habits that `vocabulary` knows."""
    glossary = _glossary(prepared.glossary.spelling, vocabulary)
    return msgspec.structs.replace(prepared, glossary=glossary)


def _glossary(spelling: list[str], vocabulary: Vocabulary) -> Glossary:
    kinds = [kind(term) for term in spelling]
    habits = [
        vocabulary.habits.get(term, vocabulary.usual[k])
        for term, k in zip(spelling, kinds, strict=True)
    ]
    initials = [
        0 if k == NUMBER else ord(t[:1] or "\0") for t, k in zip(spelling, kinds, strict=True)
    ]
    return Glossary(
        spelling=spelling,
        kind=np.array(kinds, np.int8),
        rarity=np.array([0.0, *map(vocabulary.rarity, spelling[1:])], np.float32),
        initial=np.array(initials, np.int32),
        length=np.array(list(map(len, spelling)), np.int16),
        kept=np.array([habit[0] for habit in habits], np.float32),
        missed=np.array([habit[1] for habit in habits], np.float32),
    )


def _text_columns(texts: list[list[int]], size: int) -> dict[str, Any]:
    flat = np.array([term for row in texts for term in row], np.int32)
    owners = np.repeat(np.arange(len(texts), dtype=np.int64), list(map(len, texts)))
    starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return {"text_starts": starts, "text_terms": flat, "text_keys": owners * size + flat}


def _house(offer: Offer, named: list[str], ids: _Ids) -> int:
    """The longest word of the retailer's name, where the whole of it stands in the offer's."""
    own = terms(offer.retailer)
    return ids[max(own, key=len)] if own and set(own) <= set(named) else 0


def _text(offer: Offer, named: list[int], ids: _Ids) -> list[int]:
    described = terms(offer.description)[:_MOST_TEXT_TERMS]
    return sorted({*named, *(ids[term] for term in described)})


def _rarest(row: list[int], rarity: list[float]) -> list[int]:
    return sorted(range(len(row)), key=lambda at: -rarity[row[at]])[:MOST_TERMS]


def _aliases(row: list[str], order: list[int], ids: _Ids) -> Iterator[tuple[int, tuple[int, int]]]:
    place = {at: rank for rank, at in enumerate(order)}
    for at, (first, second) in enumerate(pairwise(row)):
        joined = first + second
        known = len(joined) >= _LEAST_ALIAS and ids.get(joined)
        if known and at in place and at + 1 in place:
            yield known, (place[at], place[at + 1])


def _padded(rows: Iterable[list[int]], width: int) -> "Ids":
    cut = [row[:width] for row in rows]
    lengths = np.array(list(map(len, cut)), np.intp)
    filled = np.zeros((len(cut), width), np.int32)
    filled[np.arange(width) < lengths[:, None]] = list(chain.from_iterable(cut))
    return filled


def _parts(found: list[list[tuple[int, tuple[int, int]]]]) -> "Small":
    parts = np.zeros((len(found), MOST_ALIASES, 2), np.int8)
    for at, row in enumerate(found):
        for k, (_, places) in enumerate(row[:MOST_ALIASES]):
            parts[at, k] = places
    return parts


def _codes(offer: Offer) -> Codes:
    named = codes(f"{offer.name} {offer.model}".strip())[:MOST_CODES]
    return named, codes(offer.description)


def _code_columns(found: Sequence[Codes]) -> dict[str, Any]:
    ids, stems = _Ids(0), _Ids(0)
    named = [own for own, _ in found]
    both = [list(dict.fromkeys([*own, *described]))[:MOST_CODES] for own, described in found]
    return {
        "codes": _padded(([ids[code] for code in row] for row in both), MOST_CODES),
        "stems": _padded(([stems[stem(code)] for code in row] for row in both), MOST_CODES),
        "named_codes": np.array(list(map(len, named)), np.int8),
    }


def _label_columns(offers: Sequence[Offer], sizes: Sequence[Quantity | None]) -> dict[str, Any]:
    logs = [math.log(float(q.value)) if q else math.nan for q in sizes]
    prices = [math.log(o.price_minor) if o.price_minor > 0 else math.nan for o in offers]
    return {
        "log_size": np.array(logs, np.float32),
        "dimension": np.array([DIMENSIONS.index(q.dimension) if q else -1 for q in sizes], np.int8),
        "log_price": np.array(prices, np.float32),
        "currency": _labels(offer.currency for offer in offers),
        "brand": _labels(normalise(offer.brand) for offer in offers),
        "category": _labels(normalise(offer.category) for offer in offers),
        "retailer": _labels(offer.retailer for offer in offers),
    }


def _labels(texts: Iterable[str]) -> "Ids":
    ids = _Ids(-1)
    return np.array([ids[text] for text in texts], np.int32)
