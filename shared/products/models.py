"""A product: one retailer's offer."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from shared.products.matching.text import tokens

Status = Literal["pending", "active", "rejected", "deleted"]
KNOWN: Final = ("active", "pending")
EDITABLE: Final = ("name", "brand", "size", "category", "url", "description", "price", "currency")

SHORTEST_TERM: Final = 2
LONGEST_TERM: Final = 10
MAX_TERMS: Final = 60


class Product(msgspec.Struct, frozen=True):
    """One offer as it is stored; the price is in minor units of its currency.

    `image` is a picture's address elsewhere, `picture` the folder of one that is stored here.
    `status_before` is what a deleted one was. `group_id` is the group that a merge has put it into,
    `primary` whether it speaks for that group; both are None outside of groups.
    """

    id: str
    name: str
    brand: str
    size: str
    category: str
    retailer: str
    retailer_sku: str | None
    url: str | None
    image: str | None
    description: str | None
    price_minor: int
    currency: str
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime
    picture: str | None = None
    status_before: Status | None = None
    group_id: str | None = None
    primary: bool | None = None

    @property
    def listed(self) -> bool:
        """Whether lists show it when they are not asked for a status."""
        return self.status == "active"

    @property
    def known(self) -> bool:
        """Whether the same offer, found or uploaded again, is this product and no new one."""
        return self.status in KNOWN

    def changed(self, now: datetime, **fields: Any) -> "Product":
        """The next version of the product with `fields` replaced; itself where nothing changes."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return msgspec.structs.replace(self, **fields, version=self.version + 1, updated_at=now)


def to_document(product: Product) -> dict[str, Any]:
    """The product's fields in Firestore, with what sorting and searching need."""
    fields = msgspec.structs.asdict(product)
    del fields["id"]
    return {
        **fields,
        "listed": product.listed,
        "name_key": name_key(product.name),
        "terms": product_terms(product),
    }


def product_terms(product: Product) -> list[str]:
    """What a search finds the product by: name, brand and the retailer's stock number."""
    return terms(f"{product.name} {product.brand} {product.retailer_sku or ''}")


def from_document(product_id: str, fields: dict[str, Any]) -> Product:
    """The product in a document's fields."""
    known = {name: fields[name] for name in _STORED}
    younger: dict[str, Any] = {name: fields.get(name) for name in _YOUNGER}
    return Product(id=product_id, **known, **younger)


# Products written before there were these know nothing of them.
_YOUNGER: Final = ("picture", "status_before", "group_id", "primary")
_STORED: Final = tuple(n for n in Product.__struct_fields__ if n not in ("id", *_YOUNGER))


def name_key(name: str) -> str:
    """What names are sorted by: no case, no accents, no punctuation."""
    return " ".join(tokens(name))[:200]


def terms(text: str) -> list[str]:
    """The beginnings of the words of `text`, by which a search box finds it."""
    found: dict[str, None] = {}
    for token in tokens(text):
        for length in range(SHORTEST_TERM, LONGEST_TERM + 1):
            found[token[:length]] = None
    return list(found)[:MAX_TERMS]


def search_terms(text: str) -> list[str]:
    """The words of a search as terms, the longest and so the rarest first."""
    words = {token[:LONGEST_TERM] for token in tokens(text)}
    return sorted((w for w in words if len(w) >= SHORTEST_TERM), key=lambda w: (-len(w), w))
