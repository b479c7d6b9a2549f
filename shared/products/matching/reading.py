"""The texts of many offers at once: what `terms`, `codes` and `quantity` say of each.

Texts in ASCII are folded as one text, which costs a fraction of folding each; and what stands
behind the first digit, mostly a size, recurs and is remembered.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final

import msgspec

from shared.products.matching.offer import Offer
from shared.products.matching.quantity import Quantity, quantity, quantity_in, runs
from shared.products.matching.terms import BETWEEN, codes, codes_of, terms, terms_of_each
from shared.products.matching.text import fold, fold_plain, spaced_plain

Codes = tuple[tuple[str, ...], tuple[str, ...]]
"""Those of the name and model, and those of the description."""

MOST_CODES: Final = 6


class Read(msgspec.Struct, frozen=True):
    """What n offers say: the terms of brand, name and model, each once; the codes; the size."""

    named: list[list[str]]
    codes: list[Codes]
    sizes: list[Quantity | None]


def read(offers: Sequence[Offer]) -> Read:
    """What the offers say."""
    folded = _folded([offer.name for offer in offers])
    parts = [runs(text.split(" ")) for text in folded]
    return Read(
        named=list(map(_named, offers, _terms([offer.name for offer in offers], folded))),
        codes=list(map(_codes, offers, parts)),
        sizes=list(map(_size, offers, parts)),
    )


def name_terms(offer: Offer) -> list[str]:
    """The terms of an offer's brand, name and model, each once, in their order."""
    return _named(offer, terms(offer.name))


def all_name_terms(offers: Sequence[Offer]) -> Iterator[list[str]]:
    """`name_terms` of each."""
    return map(_named, offers, terms_of_texts([offer.name for offer in offers]))


def terms_of_texts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """`terms` of each."""
    return _terms(texts, _folded(texts))


def _plain(text: str) -> bool:
    # A comma may be one of thousands: such a text is read by itself.
    return text.isascii() and "," not in text and BETWEEN not in text


def _folded(texts: Sequence[str]) -> list[str]:
    plain = fold_plain(BETWEEN.join(filter(_plain, texts)))
    each = iter(plain.split(BETWEEN))
    return [next(each) if _plain(text) else fold(text) for text in texts]


def _terms(texts: Sequence[str], folded: Sequence[str]) -> Iterator[Sequence[str]]:
    simple = list(map(_plain, texts))
    plain = "".join(f"{text} {BETWEEN} " for text in compress(folded, simple))
    each = terms_of_each(spaced_plain(plain, BETWEEN).split())
    return (next(each) if known else terms(text) for text, known in zip(texts, simple, strict=True))


def _named(offer: Offer, named: Sequence[str]) -> list[str]:
    if not offer.brand and not offer.model:
        return list(dict.fromkeys(named))
    before = [term for term in terms(offer.brand) if term not in named]
    behind = [term for term in terms(offer.model) if term not in named]
    return list(dict.fromkeys([*before, *named, *behind]))


def _codes(offer: Offer, parts: Sequence[str]) -> Codes:
    model = offer.model
    named = codes(f"{offer.name} {model}".strip()) if model else codes_of(parts)
    return named[:MOST_CODES], codes(offer.description) if offer.description else ()


def _size(offer: Offer, parts: Sequence[str]) -> Quantity | None:
    return (quantity(offer.size) if offer.size else None) or quantity_in(parts)
