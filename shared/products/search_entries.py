"""What the search knows of a product: its words, and the lists that they put it into.

A word has a list. Where a word is so common that its list is full, a product stands in the lists
of that word with each of its others, and in the one of its whole name.
"""

import hashlib
from typing import Final

import msgspec

from shared.products.matching import Offer
from shared.products.matching.words import distinct_words, stated_quantity
from shared.products.models import Product

MAX_WORDS: Final = 8
MOST_LETTERS: Final = 16
# Shorter words are found as they are written: nearly every other one is a slip away.
SHORTEST_CORRECTED: Final = 3
_END: Final = 2


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A product in a list, packed as one text: a map for each takes far longer to read."""

    retailer: str
    category: str
    status: str
    words: str
    size: str


_decoder = msgspec.json.Decoder(Entry)


def packed(entry: Entry) -> str:
    """The entry as it is stored."""
    return msgspec.json.encode(entry).decode()


def unpacked(text: str) -> Entry:
    """The entry that `packed` made."""
    return _decoder.decode(text)


def entry_of(product: Product) -> Entry:
    """What stands in the lists for the product."""
    words, size = _read(product.name, product.brand, product.size)
    return Entry(product.retailer, product.category, product.status, " ".join(words), size)


def asked(text: str) -> tuple[tuple[str, ...], str]:
    """The words of a query and the size that it names, or ''."""
    return _read(text, "", "")


def word_list(word: str) -> str:
    """The id of a word's list."""
    return f"w-{word}"


def pair_list(a: str, b: str) -> str:
    """The id of the list of two words, in whichever order."""
    return "p-{}-{}".format(*sorted((a, b)))


def name_list(words: tuple[str, ...]) -> str:
    """The id of the list of all products with just these words."""
    digest = hashlib.sha256(" ".join(sorted(words)).encode()).hexdigest()
    return f"n-{digest[:24]}"


def vocabularies(word: str) -> tuple[str, ...]:
    """The ids of the vocabularies that hold a word: by its beginning and by its end.

    One slip leaves at least one of the two as it was, unless a word of four letters has its
    middle two swapped.
    """
    if len(word) < SHORTEST_CORRECTED or any(letter.isdigit() for letter in word):
        return ()
    return f"b-{word[:_END]}", f"e-{word[-_END:]}"


def _read(name: str, brand: str, size: str) -> tuple[tuple[str, ...], str]:
    offer = Offer("", "", name, brand, size, "", 0, "")
    cut = (word[:MOST_LETTERS] for word in distinct_words(offer))
    words = tuple(dict.fromkeys(cut))[:MAX_WORDS]
    return words, str(stated_quantity(offer) or "")
