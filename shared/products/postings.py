"""Posting lists: for each matching key the offers that have it, in one capped document."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.products.matching import POSTING_CAP, Offer
from shared.products.matching.offer import DESCRIPTION_LETTERS
from shared.products.models import Product

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "match_keys"
# So that a list of `POSTING_CAP` entries, with 22 bytes more for each one's place, stays below
# 100 kB whatever is written.
ENTRY_BYTES: Final = 950
# What gives way where an offer says more than that; the description first.
_GIVES_WAY: Final = ("description", "name", "category", "brand", "size")
# What one letter takes at most: a control character is escaped.
_LETTER_BYTES: Final = 6

Postings = dict[str, dict[str, Offer]]


class _Entry(msgspec.Struct, array_like=True):
    """An offer in a list, as one text: a map for each would take forty times as long to read.

    Entries of former times end before the description.
    """

    retailer: str
    name: str
    brand: str
    size: str
    category: str
    price_minor: int
    currency: str
    description: str = ""


_decoder = msgspec.json.Decoder(_Entry)


def reference(key: str) -> "DocumentReference":
    """Where the posting list of a key is stored."""
    return firestore.client().collection(COLLECTION).document(key)


def read(keys: Iterable[str]) -> Postings:
    """The posting lists of `keys`: one read each, whatever the catalogue's size."""
    references = [reference(key) for key in dict.fromkeys(keys)]
    if not references:
        return {}
    with firestore.errors_mapped():
        snapshots = firestore.client().get_all(references, **firestore.limits())
        return {s.id: _offers(s.to_dict() or {}) for s in snapshots}


def added(offer: Offer) -> dict[str, Any]:
    """The merge that puts an offer into a posting list."""
    return {"entries": {offer.id: _packed(copy_of(offer)).decode()}}


def copy_of(offer: Offer) -> Offer:
    """The offer as lists hold it: of its texts as many words as an entry has room for."""
    for field in _GIVES_WAY:
        excess = len(_packed(offer)) - ENTRY_BYTES
        if excess <= 0:
            break
        text = getattr(offer, field)
        cut = {field: _beginning(text, _bytes(text) - excess)}
        offer = msgspec.structs.replace(offer, **cut)
    return offer


def removed(product_id: str) -> dict[str, Any]:
    """The merge that takes an offer out of a posting list."""
    from google.cloud.firestore import DELETE_FIELD

    return {"entries": {product_id: DELETE_FIELD}}


def has_room(entries: Mapping[str, Offer], offer: Offer) -> bool:
    """Whether the list may take the offer: a key that so many share tells little anyway."""
    return offer.id in entries or len(entries) < POSTING_CAP


def offer_of(product: Product) -> Offer:
    """What the matcher needs to know of a product."""
    return Offer(
        id=product.id,
        retailer=product.retailer,
        name=product.name,
        brand=product.brand,
        size=product.size,
        category=product.category,
        price_minor=product.price_minor,
        currency=product.currency,
        description=(product.description or "")[:DESCRIPTION_LETTERS],
    )


def _packed(offer: Offer) -> bytes:
    packed = _Entry(**{name: getattr(offer, name) for name in _Entry.__struct_fields__})
    return msgspec.json.encode(packed)


def _beginning(text: str, room_bytes: int) -> str:
    """The words of a text that begin it and take no more bytes."""
    kept = text[: max(0, room_bytes)]
    while (excess := _bytes(kept) - room_bytes) > 0 and kept:
        kept = kept[: -(1 + excess // _LETTER_BYTES)]
    return kept if kept == text else kept.rpartition(" ")[0]


def _bytes(text: str) -> int:
    """What a text takes within an entry."""
    return len(msgspec.json.encode(text)) - len('""')


def _offers(fields: dict[str, Any]) -> dict[str, Offer]:
    return {pid: _offer(pid, text) for pid, text in fields.get("entries", {}).items()}


def _offer(product_id: str, text: str) -> Offer:
    return Offer(id=product_id, **msgspec.structs.asdict(_decoder.decode(text)))
