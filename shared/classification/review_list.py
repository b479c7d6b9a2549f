"""Pages of the review queue: a row, its product, and one count."""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.classification import reviews
from shared.classification.review_schemas import ReviewPage, ReviewQuery, view
from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.products import catalogue
from shared.products.models import Product
from shared.products.models import from_document as product_of

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query

TOTAL_STOPS_AT: Final = 1000


def read_page(wanted: ReviewQuery) -> ReviewPage:
    """One page, newest first, by two reads a row and the count; raises BadRequest."""
    query = _filtered(wanted)
    with firestore.errors_mapped():
        total = firestore.count(query.limit(TOTAL_STOPS_AT))
        found = list(_page(query, wanted).limit(wanted.limit).stream(**firestore.limits()))
    shown = [reviews.from_document(s.id, s.to_dict() or {}) for s in found]
    products = read_products({each.product.id for each in shown if each.product.id})
    return ReviewPage(
        reviews=[view(each, products.get(each.product.id or "")) for each in shown],
        total=total,
        total_is_minimum=total >= TOTAL_STOPS_AT,
        next_cursor=_cursor_after(found[-1], wanted) if len(found) == wanted.limit else None,
    )


def read_products(ids: set[str]) -> dict[str, Product]:
    """Those of the products that the catalogue has."""
    if not ids:
        return {}
    references = [catalogue.reference(product_id) for product_id in sorted(ids)]
    with firestore.errors_mapped():
        found = firestore.client().get_all(references, **firestore.limits())
        return {s.id: product_of(s.id, s.to_dict() or {}) for s in found if s.exists}


def _filtered(wanted: ReviewQuery) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(reviews.COLLECTION)  # type: ignore[assignment]
    query = query.where(filter=FieldFilter("stage", "==", wanted.status))
    for name in ("provider", "category"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query


def _page(query: "Query", wanted: ReviewQuery) -> "Query":
    query = query.order_by("created_at", direction="DESCENDING")
    query = query.order_by("__name__", direction="DESCENDING")
    if wanted.cursor:
        micros, review_id = read_cursor(wanted.cursor, _bound_to(wanted))
        document = reviews.reference(review_id)
        at = {"created_at": from_epoch_micros(micros), "__name__": document}
        query = query.start_after(at)
    return query


def _cursor_after(last: "DocumentSnapshot[Any]", wanted: ReviewQuery) -> str:
    return write_cursor([epoch_micros(last.get("created_at")), last.id], _bound_to(wanted))


def _bound_to(wanted: ReviewQuery) -> str:
    binding = ["reviews", wanted.status, wanted.provider, wanted.category]
    return msgspec.json.encode(binding).decode()
