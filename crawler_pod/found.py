"""What an extraction found of one product, whatever it was read from."""

import re
from typing import Any, Final

import msgspec

from crawler_pod.documents import Document
from shared.crawling.results import Availability, Row, Source
from shared.crawling.shelf_price import ShelfPrice

MOST_CHARS: Final = 500
_ENDS: Final[dict[str, Availability]] = {
    "instock": "in_stock",
    "instoreonly": "in_stock",
    "onlineonly": "in_stock",
    "limitedavailability": "limited",
    "preorder": "preorder",
    "presale": "preorder",
    "backorder": "preorder",
    "madetoorder": "preorder",
    "outofstock": "out_of_stock",
    "soldout": "out_of_stock",
    "discontinued": "out_of_stock",
}
# The first that a text holds counts: "not available" holds "available".
_WORDS: Final[tuple[tuple[str, Availability], ...]] = (
    (r"out of stock|sold out|unavailable|not available|discontinued", "out_of_stock"),
    (r"pre-?order|back-?order", "preorder"),
    (r"low stock|limited|few left|only \d+ left", "limited"),
    (r"in stock|available|add to (?:cart|basket|trolley)", "in_stock"),
)


class Unreadable(Exception):
    """The page shows a product whose price or name cannot be had; says which and why."""


class Found(msgspec.Struct):
    """A product's texts as the page has them, its price read."""

    name: str
    price: ShelfPrice
    size: str | None = None
    brand: str | None = None
    image: str | None = None
    url: str | None = None
    sku: str | None = None
    availability: str | None = None


def row(found: Found, url: str, document: Document, source: Source) -> Row:
    """The product as it is handed over, under the address `url`."""
    image = document.absolute(found.image) if found.image else None
    return Row(
        url=url,
        name=found.name,
        price_minor=found.price.price_minor,
        currency=found.price.currency,
        was_minor=found.price.was_minor,
        unit_price_minor=found.price.unit_price_minor,
        unit=found.price.unit,
        size=found.size,
        brand=found.brand,
        image=image,
        sku=found.sku,
        availability=availability(found.availability),
        source=source,
    )


def text_of(value: Any) -> str | None:
    """A text without the white space of markup, None for what says nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    # Half a pair, which JSON can hold, is no text that anything could store.
    whole = str(value)
    if not whole.isascii():
        whole = whole.encode("utf-8", "replace").decode()
    return " ".join(whole.split())[:MOST_CHARS] or None


def availability(text: str | None) -> Availability | None:
    """What a schema.org value or a shop's words say, None for what is neither."""
    if text is None:
        return None
    plain = text.casefold()
    if end := _ENDS.get(re.sub(r"[ _-]", "", plain.rstrip("/").rpartition("/")[2])):
        return end
    return next((kind for words, kind in _WORDS if re.search(words, plain)), None)
