"""Pages of the review queue: a row, its product, and one count."""

from typing import TYPE_CHECKING

from shared.classification import reviews
from shared.classification.review_schemas import ReviewPage, ReviewQuery, view
from shared.clients import firestore
from shared.edge.pages import counted, newest_first
from shared.products import catalogue

if TYPE_CHECKING:
    from google.cloud.firestore import Query


def read_page(wanted: ReviewQuery) -> ReviewPage:
    """One page, newest first, by two reads a row and the count; raises BadRequest."""
    query = _filtered(wanted)
    total, total_is_minimum = counted(query)
    page = newest_first(query, "created_at", wanted, "reviews")
    shown = [reviews.from_document(row.id, row.to_dict() or {}) for row in page.rows]
    products = catalogue.read_several(each.product.id for each in shown if each.product.id)
    return ReviewPage(
        reviews=[view(each, products.get(each.product.id or "")) for each in shown],
        total=total,
        total_is_minimum=total_is_minimum,
        next_cursor=page.next_cursor,
    )


def _filtered(wanted: ReviewQuery) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(reviews.COLLECTION)  # type: ignore[assignment]
    query = query.where(filter=FieldFilter("stage", "==", wanted.status))
    for name in ("provider", "category"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query
