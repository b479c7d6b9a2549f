"""Under which id a retailer's own wording of an offer is stored.

One small document for each offer, named by a hash of the retailer and its stock number, or its
name and size. It is written with the product, so that the same row uploaded again is known
before any background work has run, and it outlives later edits of the product's name.
"""

import hashlib
from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.products.matching.text import normalise

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "product_identities"


def identity(retailer: str, retailer_sku: str | None, name: str, size: str) -> str:
    """The hash that names an offer in its retailer's own terms."""
    own = f"sku:{retailer_sku}" if retailer_sku else f"name:{normalise(name)}|{normalise(size)}"
    return hashlib.sha256(f"{retailer}\n{own}".encode()).hexdigest()[:40]


def reference(key: str) -> "DocumentReference":
    """Where the identity `key` is stored."""
    return firestore.client().collection(COLLECTION).document(key)
