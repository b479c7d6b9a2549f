"""Offers as columns: everything that a comparison reads of an offer, as one row of numbers."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.offer import Offer
from shared.products.matching.quantity import Quantity
from shared.products.matching.reading import MOST_CODES, Codes, read
from shared.products.matching.terms import CODE, NUMBER, core, kind, stem, terms
from shared.products.matching.text import normalise
from shared.products.matching.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ids = NDArray[np.int32]
    Small = NDArray[np.int8]

MOST_TERMS: Final = 20
MOST_ALIASES: Final = 6
_MOST_TEXT_TERMS: Final = 80
LEAST_ALIAS: Final = 4
DIMENSIONS: Final = ("g", "ml", "count")


class Glossary(msgspec.Struct, frozen=True):
    """The m distinct terms of the offers by id; 0 is no term."""

    spelling: list[str]
    kind: "Small"
    rarity: "Floats"
    """From 0 to about 1."""
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


def prepare(offers: Sequence[Offer], vocabulary: Vocabulary) -> Prepared:
    """The columns of `offers`."""
    said = read(offers)
    ids = _Ids(0)
    rows = _Rows.of(said.named, ids)
    texts = _text_columns(offers, rows, ids)
    glossary = glossary_of(list(ids), vocabulary)
    ranks = _ranks(rows, glossary.rarity)
    terms = _filled(rows.owner, ranks, rows.flat, (len(offers), MOST_TERMS))
    return Prepared(
        glossary=glossary,
        terms=terms,
        **_alias_columns(rows, ranks, ids),
        first=_filled(rows.owner, rows.place, rows.flat, (len(offers), 1))[:, 0],
        names=list(map(" ".join, said.named)),
        sorted_names=[" ".join(sorted(row)) for row in said.named],
        **_code_columns(said.codes),
        **texts,
        described=np.array([bool(offer.description) for offer in offers], np.bool_),
        **_label_columns(offers, said.sizes),
        house=_houses(offers, said.named, ids),
    )


class _Rows(msgspec.Struct, frozen=True):
    """The terms of many rows behind one another: each by id, with its row and its place there."""

    count: int
    flat: "Ids"
    owner: "NDArray[np.int64]"
    place: "NDArray[np.int64]"

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], ids: _Ids) -> "_Rows":
        lengths = np.array(list(map(len, rows)), np.int64)
        flat = np.array(list(map(ids.__getitem__, chain.from_iterable(rows))), np.int32)
        owner = np.repeat(np.arange(len(rows)), lengths)
        return cls(len(rows), flat, owner, _places(owner, lengths))


def _places(owner: "NDArray[np.int64]", lengths: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Where each of a row's values stands in its row, where the rows stand behind one another."""
    places: NDArray[np.int64] = np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner]
    return places


def _filled(
    owner: "NDArray[np.int64]", place: "NDArray[np.int64]", values: "Ids", shape: tuple[int, int]
) -> "Ids":
    """The values at their rows and places, as far as there is room; 0 elsewhere."""
    filled = np.zeros(shape, np.int32)
    room = place < shape[1]
    filled[owner[room], place[room]] = values[room]
    return filled


def _ranks(rows: _Rows, rarity: "Floats") -> "NDArray[np.int64]":
    """Which place each term has in its row, the rarest first; equals in their order."""
    _, rank = np.unique(-rarity, return_inverse=True)
    bits, place_bits = len(rarity).bit_length(), int(rows.place.max(initial=0)).bit_length()
    # One sort of whole numbers is ten times as fast as one of several columns.
    codes = (rows.owner << bits | rank[rows.flat]) << place_bits | rows.place
    order = np.argsort(codes, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = rows.place
    return ranks


def _alias_columns(rows: _Rows, ranks: "NDArray[np.int64]", ids: _Ids) -> dict[str, Any]:
    """Neighbours that are one term elsewhere: found from the terms, of which there are fewer."""
    known = sorted(_splits(ids))
    size = len(ids)
    aliases = np.zeros((rows.count, MOST_ALIASES), np.int32)
    parts = np.zeros((rows.count, MOST_ALIASES, 2), np.int8)
    if known:
        pairs, alias = (np.array(column, np.int64) for column in zip(*known, strict=True))
        asked = rows.flat[:-1].astype(np.int64) * size + rows.flat[1:]
        at = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
        near = (pairs[at] == asked) & (rows.owner[:-1] == rows.owner[1:])
        near &= (ranks[:-1] < MOST_TERMS) & (ranks[1:] < MOST_TERMS)
        first = np.flatnonzero(near)
        owner = rows.owner[first]
        place = _places(owner, np.bincount(owner, minlength=rows.count))
        room = place < MOST_ALIASES
        first, owner, place = first[room], owner[room], place[room]
        aliases[owner, place] = alias[at[first]]
        parts[owner, place] = np.stack([ranks[first], ranks[first + 1]], axis=1)
    return {"aliases": aliases, "alias_parts": parts}


def _splits(ids: _Ids) -> Iterator[tuple[int, int]]:
    """The two terms that a term can be parted into, as one number, and the term."""
    for term, alias in ids.items():
        if len(term) >= LEAST_ALIAS:
            for cut in range(1, len(term)):
                first = ids.get(term[:cut])
                second = first and ids.get(term[cut:])
                if first and second:
                    yield first * len(ids) + second, alias


def with_vocabulary(prepared: Prepared, vocabulary: Vocabulary) -> Prepared:
    """The same columns, where terms have the habits that `vocabulary` knows."""
    glossary = glossary_of(prepared.glossary.spelling, vocabulary)
    return msgspec.structs.replace(prepared, glossary=glossary)


def glossary_of(spelling: list[str], vocabulary: Vocabulary) -> Glossary:
    """What is known of terms by id; the first is no term."""
    kinds = [kind(term) for term in spelling]
    habits = [
        vocabulary.habits.get(term, vocabulary.usual[k])
        for term, k in zip(spelling, kinds, strict=True)
    ]
    habits[0] = 0.0, 0.0
    initials = [
        0 if k == NUMBER else ord((core(t) if k == CODE else t)[:1] or "\0")
        for t, k in zip(spelling, kinds, strict=True)
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


def _text_columns(offers: Sequence[Offer], rows: _Rows, ids: _Ids) -> dict[str, Any]:
    """The terms of names and descriptions, each once in an offer; none where nothing is told."""
    if not any(offer.description for offer in offers):
        return no_texts()
    told = [(at, terms(o.description)) for at, o in enumerate(offers) if o.description]
    described = _Rows.of([row[:_MOST_TEXT_TERMS] for _, row in told], ids)
    places = np.array([at for at, _ in told], np.int64)
    size = len(ids)
    named = rows.owner * size + rows.flat
    keys = np.unique(np.concatenate([named, places[described.owner] * size + described.flat]))
    counts = np.bincount(keys // size, minlength=rows.count)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return {"text_starts": starts, "text_terms": (keys % size).astype(np.int32), "text_keys": keys}


def no_texts() -> dict[str, Any]:
    """The columns of texts where no offer has a description: they are not looked into."""
    nothing = np.zeros(0, np.int64)
    return {"text_starts": nothing, "text_terms": nothing.astype(np.int32), "text_keys": nothing}


def _houses(offers: Sequence[Offer], named: Sequence[list[str]], ids: _Ids) -> "Ids":
    """The longest word of the retailer's name, where the whole of it stands in the offer's."""
    houses = np.zeros(len(offers), np.int32)
    names = {retailer: terms(retailer) for retailer in {offer.retailer for offer in offers}}
    for at, (offer, row) in enumerate(zip(offers, named, strict=True)):
        own = names[offer.retailer]
        if own and own[0] in row and set(own) <= set(row):
            houses[at] = ids[max(own, key=len)]
    return houses


def _code_columns(found: Sequence[Codes]) -> dict[str, Any]:
    ids, stems = _Ids(0), _Ids(0)
    coded = [at for at, (named, described) in enumerate(found) if named or described]
    both = [list(dict.fromkeys([*found[at][0], *found[at][1]]))[:MOST_CODES] for at in coded]
    rows, places = _Rows.of(both, ids), np.array(coded, np.int64)
    shape = len(found), MOST_CODES
    of_stems = np.array([stems[stem(code)] for row in both for code in row], np.int32)
    return {
        "codes": _filled(places[rows.owner], rows.place, rows.flat, shape),
        "stems": _filled(places[rows.owner], rows.place, of_stems, shape),
        "named_codes": np.array([len(named) for named, _ in found], np.int8),
    }


def _label_columns(offers: Sequence[Offer], sizes: Sequence[Quantity | None]) -> dict[str, Any]:
    logs = [math.log(float(q.value)) if q else math.nan for q in sizes]
    prices = [math.log(o.price_minor) if o.price_minor > 0 else math.nan for o in offers]
    return {
        "log_size": np.array(logs, np.float32),
        "dimension": np.array([DIMENSIONS.index(q.dimension) if q else -1 for q in sizes], np.int8),
        "log_price": np.array(prices, np.float32),
        **labels_of(offers),
    }


def labels_of(offers: Sequence[Offer]) -> dict[str, Any]:
    """The labels of `offers`, each a number that means something among them only."""
    return {
        "currency": _labels([offer.currency for offer in offers]),
        "brand": _labels([offer.brand for offer in offers], normalise),
        "category": _labels([offer.category for offer in offers], normalise),
        "retailer": _labels([offer.retailer for offer in offers]),
    }


def _labels(texts: list[str], spelt: Callable[[str], str] = str) -> "Ids":
    ids = _Ids(-1)
    # Most texts recur; those that are spelt alike get one number.
    numbers = {text: ids[spelt(text)] for text in dict.fromkeys(texts)}
    return np.array(list(map(numbers.__getitem__, texts)), np.int32)
