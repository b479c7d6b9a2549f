"""Where prices lie: one document for each product and month, below the product."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.prices.models import Point, unpack
from shared.products import catalogue

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, DocumentReference, Transaction

MONTHS: Final = "prices"

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
    found = firestore.existing(references, transaction)
    return {snapshot.reference.path: snapshot.to_dict() or {} for snapshot in found}
