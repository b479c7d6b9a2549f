"""The words by which an offer is known."""

from functools import lru_cache

from shared.products.matching.offer import Offer
from shared.products.matching.quantity import Quantity, quantity, without_quantity
from shared.products.matching.text import canonical, tokens


@lru_cache(maxsize=4096)
def distinct_words(offer: Offer) -> tuple[str, ...]:
    """The words of an offer's brand and name, each once, without sizes and bare numbers."""
    name = tokens(without_quantity(offer.name))
    brand = tuple(word for word in tokens(offer.brand) if word not in name)
    words = tuple(word for word in brand + name if not _is_number(word))
    return tuple(dict.fromkeys(map(canonical, words or tokens(offer.name))))


@lru_cache(maxsize=4096)
def numbers(offer: Offer) -> frozenset[str]:
    """The numbers of an offer's name that are no size, such as the 2 of "2 ply"."""
    digits = "".join(c if c.isdecimal() else " " for c in without_quantity(offer.name))
    return frozenset(digits.split())


def stated_quantity(offer: Offer) -> Quantity | None:
    """How much the offer holds, from its size field or else from its name."""
    return quantity(offer.size) or quantity(offer.name)


def _is_number(word: str) -> bool:
    return word.replace(".", "").isdecimal()
