"""Proposals in Firestore: `proposals/{product_id}`, at most one for a product."""

from typing import TYPE_CHECKING, Final

from shared.clients import firestore

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "proposals"


def reference(product_id: str) -> "DocumentReference":
    """Where a product's proposal is stored."""
    return firestore.client().collection(COLLECTION).document(product_id)
