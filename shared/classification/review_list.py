"""Pages of the review queue: a row, its product, and one count."""

from typing import Final

from shared.classification import reviews
from shared.classification.review_schemas import ReviewPage, ReviewQuery, view
from shared.clients import firestore
from shared.edge.pages import counted, narrowed, newest_first
from shared.products import catalogue

FILTERS: Final = ("provider", "category")


def read_page(wanted: ReviewQuery) -> ReviewPage:
    """One page, newest first, by two reads a row and the count; raises BadRequest."""
    from google.cloud.firestore import FieldFilter

    stage = FieldFilter("stage", "==", wanted.status)
    of_stage = firestore.client().collection(reviews.COLLECTION).where(filter=stage)
    query = narrowed(of_stage, wanted, FILTERS)
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
