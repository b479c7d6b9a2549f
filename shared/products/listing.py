"""Lists of products: which query serves a filter and sort, and what a page costs.

A page by cursor reads its rows and one document for the total, at any depth. A page by number
of the default list starts at the nearest mark (see `marks`); of another list it skips rows,
each of which Firestore bills as a read.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.errors import Invalid
from shared.products import page_marks, statistics
from shared.products.models import Product, from_document, product_terms, search_terms
from shared.products.schemas import ListProducts, ProductFilter, ProductPage, view

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query

COLLECTION: Final = "products"
TOTAL_STOPS_AT: Final = 1000
# A search of several words reads this many rows for one page at most; the cursor goes on.
SEARCH_READS: Final = 200
SORT_FIELDS: Final = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "name": "name_key",
    "price": "price_minor",
}


class Rows(msgspec.Struct, frozen=True):
    """The products of a page and, where there may be more, the last document read."""

    products: list[Product]
    last: "DocumentSnapshot[Any] | None"


def list_products(wanted: ListProducts) -> ProductPage:
    """One page; raises Invalid for page with cursor, BadRequest for a foreign cursor."""
    if wanted.page is not None and wanted.cursor is not None:
        raise Invalid.one("cursor", "cannot be given together with page")
    page = None if wanted.cursor else wanted.page or 1
    with firestore.errors_mapped():
        total, is_minimum = _total(wanted)
        rows = _read(wanted, page)
    return ProductPage(
        products=[view(product) for product in rows.products],
        total=total,
        page=page,
        pages=-(-total // wanted.limit),
        next_cursor=_next_cursor(wanted, rows),
        total_is_minimum=is_minimum,
    )


def filtered(wanted: ProductFilter) -> "Query":
    """The query of a filter, without an order."""
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(COLLECTION)  # type: ignore[assignment]
    if wanted.status is None:
        query = query.where(filter=FieldFilter("listed", "==", True))
    else:
        query = query.where(filter=FieldFilter("status", "==", wanted.status))
    if words := search_terms(wanted.q or ""):
        return query.where(filter=FieldFilter("terms", "array_contains", words[0]))
    for name, value in (("retailer", wanted.retailer), ("category", wanted.category)):
        if value is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query


def fits(product: Product, wanted: ProductFilter) -> bool:
    """Whether a row of a search also fits what its query could not ask."""
    known = set(product_terms(product))
    return (
        all(word in known for word in search_terms(wanted.q or ""))
        and wanted.retailer in (None, product.retailer)
        and wanted.category in (None, product.category)
    )


def _read(wanted: ListProducts, page: int | None) -> Rows:
    query = _ordered(filtered(wanted), wanted.sort)
    if wanted.q is not None:
        if not search_terms(wanted.q):
            return Rows([], None)
        return _search(query, wanted, ((page or 1) - 1) * wanted.limit)
    if page is None:
        query = query.start_after(_position(wanted))
    elif page > 1:
        query = _skipped(query, wanted, (page - 1) * wanted.limit)
    found = list(query.limit(wanted.limit).stream(**firestore.limits()))
    return Rows([_product(s) for s in found], found[-1] if len(found) == wanted.limit else None)


def _skipped(query: "Query", wanted: ListProducts, rows: int) -> "Query":
    """The query from row `rows` on: in the default list from the mark above it."""
    plain = (wanted.retailer, wanted.category, wanted.status) == (None, None, None)
    if not plain or wanted.sort != "-created_at" or rows <= page_marks.RUN_ROWS:
        return query.offset(rows)
    marks = page_marks.read()
    below, offset = marks.locate(rows)
    if below is not None:
        query = query.start_after(marks.position(below))
    return query.offset(offset)


def _search(query: "Query", wanted: ListProducts, skip: int) -> Rows:
    if wanted.cursor:
        query = query.start_after(_position(wanted))
    products: list[Product] = []
    run, left = skip + wanted.limit, skip + SEARCH_READS
    while True:
        found = list(query.limit(run).stream(**firestore.limits()))
        for snapshot in found:
            product = _product(snapshot)
            if not fits(product, wanted):
                continue
            if skip:
                skip -= 1
                continue
            products.append(product)
            if len(products) == wanted.limit:
                return Rows(products, snapshot)
        left -= run
        if len(found) < run:
            return Rows(products, None)
        if left <= 0:
            return Rows(products, found[-1])
        query = query.start_after(found[-1])
        # What is asked for is billed, read or not: one word needs no more than its page, and
        # several come to their end in a few runs.
        run = min(2 * run, left)


def _ordered(query: "Query", sort: str) -> "Query":
    direction = "DESCENDING" if sort.startswith("-") else "ASCENDING"
    field = SORT_FIELDS[sort.removeprefix("-")]
    return query.order_by(field, direction=direction).order_by("__name__", direction=direction)


def _total(wanted: ListProducts) -> tuple[int, bool]:
    plain = wanted.retailer is None and wanted.category is None and wanted.q is None
    if plain and wanted.status is None:
        return statistics.read().total, False
    total = firestore.count(filtered(wanted).limit(TOTAL_STOPS_AT))
    return total, total >= TOTAL_STOPS_AT


def _bound_to(wanted: ListProducts) -> str:
    binding = [wanted.retailer, wanted.category, wanted.status, wanted.q, wanted.sort]
    return msgspec.json.encode(binding).decode()


def _next_cursor(wanted: ListProducts, rows: Rows) -> str | None:
    if rows.last is None:
        return None
    value = rows.last.get(SORT_FIELDS[wanted.sort.removeprefix("-")])
    is_time = hasattr(value, "timestamp")
    position = [epoch_micros(value) if is_time else value, rows.last.id]
    return write_cursor(position, _bound_to(wanted))


def _position(wanted: ListProducts) -> dict[str, Any]:
    value, product_id = read_cursor(wanted.cursor or "", _bound_to(wanted))
    field = SORT_FIELDS[wanted.sort.removeprefix("-")]
    if field.endswith("_at"):
        value = from_epoch_micros(value)
    return {
        field: value,
        "__name__": firestore.client().collection(COLLECTION).document(product_id),
    }


def _product(snapshot: "DocumentSnapshot[Any]") -> Product:
    return from_document(snapshot.id, snapshot.to_dict() or {})
