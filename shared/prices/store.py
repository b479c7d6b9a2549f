"""Where prices lie: one document for each product and month, below the product."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.prices.models import Point, unpack
from shared.products import catalogue

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, DocumentReference, Transaction

MONTHS: Final = "prices"
# More ids in one call gain nothing.
BATCH: Final = 300

Found = dict[str, dict[str, Any]]


def month(product_id: str, name: str) -> "DocumentReference":
    """Where the prices of a product in the month `name` are stored."""
    months: CollectionReference = catalogue.reference(product_id).collection(MONTHS)
    return months.document(name)


def points_of(fields: dict[str, Any] | None) -> list[Point]:
    """The points in a month's fields, none where it has no document."""
    return unpack(fields["points"]) if fields else []


def read_all(
    references: Iterable["DocumentReference"], transaction: "Transaction | None" = None
) -> Found:
    """What exists of the documents, by path; each is one read."""
    wanted = list(references)
    found: Found = {}
    database = firestore.client()
    for at in range(0, len(wanted), BATCH):
        with firestore.errors_mapped():
            for snapshot in database.get_all(
                wanted[at : at + BATCH], transaction=transaction, **firestore.limits()
            ):
                if snapshot.exists:
                    found[snapshot.reference.path] = snapshot.to_dict() or {}
    return found
