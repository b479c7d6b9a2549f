"""Posting lists: for each matching key the offers that have it, in one capped document."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.products.matching import POSTING_CAP, Offer
from shared.products.models import Product

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "match_keys"

Postings = dict[str, dict[str, Offer]]


class _Entry(msgspec.Struct, array_like=True):
    """An offer in a list, as one text: a map for each would take forty times as long to read."""

    retailer: str
    name: str
    brand: str
    size: str
    category: str
    price_minor: int
    currency: str


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
    packed = _Entry(**{name: getattr(offer, name) for name in _Entry.__struct_fields__})
    return {"entries": {offer.id: msgspec.json.encode(packed).decode()}}


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
    )


def _offers(fields: dict[str, Any]) -> dict[str, Offer]:
    return {pid: _offer(pid, text) for pid, text in fields.get("entries", {}).items()}


def _offer(product_id: str, text: str) -> Offer:
    return Offer(id=product_id, **msgspec.structs.asdict(_decoder.decode(text)))
