"""Lists of products: which query serves a filter and sort, and what a page costs.

A page by cursor reads its rows and one document for the total, at any depth. A page by number
of the default list starts at the nearest mark (see `page_marks`); of another list it skips rows,
each of which Firestore bills as a read, so such numbers end soon and the cursor goes on.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.edge.pages import Direction, counted, in_order
from shared.errors import Invalid
from shared.products import page_marks, statistics
from shared.products.models import Product, from_document, product_terms, search_terms
from shared.products.schemas import ListProducts, ProductFilter, ProductPage, view

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query

COLLECTION: Final = "products"
# Outside the default list a page by number begins after so many rows at most.
MOST_SKIPPED: Final = 1000
# A search of several words reads this many rows for one page at most; the cursor goes on.
SEARCH_READS: Final = 200
SORT_FIELDS: Final = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "name": "name_key",
    "price": "price_minor",
}


class Rows(msgspec.Struct, frozen=True):
    """A page's products, how many come before them, and the last document read unless all were."""

    products: list[Product]
    before: int
    last: "DocumentSnapshot[Any] | None"


def list_products(wanted: ListProducts) -> ProductPage:
    """One page; raises Invalid for a page too deep or with cursor, BadRequest for a foreign one."""
    if wanted.page is not None and wanted.cursor:
        raise Invalid.one("cursor", "cannot be given together with page")
    page = None if wanted.cursor else wanted.page or 1
    skip = ((page or 1) - 1) * wanted.limit
    if skip > MOST_SKIPPED and not _is_default(wanted):
        raise Invalid.one("page", f"leads past row {MOST_SKIPPED:,} of this list: use the cursor")
    with firestore.errors_mapped():
        counted = _counted(wanted)
        rows = _read(wanted, skip)
    total, is_minimum = counted or _seen(rows)
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


def _read(wanted: ListProducts, skip: int) -> Rows:
    query = _ordered(filtered(wanted), wanted.sort)
    before = skip
    if wanted.cursor:
        position, before = _position(wanted)
        query = query.start_after(position)
    if wanted.q is not None:
        return _search(query, wanted, skip, before) if search_terms(wanted.q) else Rows([], 0, None)
    if skip:
        query = _skipped(query, wanted, skip)
    found = list(query.limit(wanted.limit).stream(**firestore.limits()))
    last = found[-1] if len(found) == wanted.limit else None
    return Rows([_product(s) for s in found], before, last)


def _is_default(wanted: ListProducts) -> bool:
    """Whether this is the list that the marks are kept for."""
    filters = (wanted.retailer, wanted.category, wanted.status, wanted.q)
    return filters == (None,) * 4 and wanted.sort == "-created_at"


def _skipped(query: "Query", wanted: ListProducts, rows: int) -> "Query":
    """The query from row `rows` on: in the default list from the mark above it."""
    if not _is_default(wanted) or rows <= page_marks.RUN_ROWS:
        return query.offset(rows)
    marks = page_marks.read()
    below, offset = marks.locate(rows)
    if below is not None:
        query = query.start_after(marks.position(below))
    return query.offset(offset)


def _search(query: "Query", wanted: ListProducts, skip: int, before: int) -> Rows:
    """The page after `skip` rows that fit; `before` counts also what a cursor has passed."""
    fitting: list[tuple[DocumentSnapshot[Any], Product]] = []
    end = skip + wanted.limit
    run, left = end, skip + SEARCH_READS
    while True:
        found = list(query.limit(run).stream(**firestore.limits()))
        products = ((snapshot, _product(snapshot)) for snapshot in found)
        fitting += [(snapshot, product) for snapshot, product in products if fits(product, wanted)]
        left -= run
        if len(fitting) >= end or len(found) < run or left <= 0:
            break
        query = query.start_after(found[-1])
        # What is asked for is billed, read or not: one word needs no more than its page, and
        # several come to their end in a few runs.
        run = min(2 * run, left)
    shown = fitting[skip:end]
    last = found[-1] if len(found) == run else None
    if len(fitting) > end:
        last = shown[-1][0]
    return Rows([product for _, product in shown], before - max(0, skip - len(fitting)), last)


def _ordered(query: "Query", sort: str) -> "Query":
    direction: Direction = "DESCENDING" if sort.startswith("-") else "ASCENDING"
    field = SORT_FIELDS[sort.removeprefix("-")]
    return in_order(query, (field,), direction)


def _counted(wanted: ListProducts) -> tuple[int, bool] | None:
    """The total, and whether it is only a minimum; None where no query counts what fits."""
    plain = wanted.retailer is None and wanted.category is None
    if plain and wanted.q is None and wanted.status is None:
        return statistics.read().total, False
    one_word = wanted.q is not None and len(search_terms(wanted.q)) == 1
    if wanted.q is not None and not (plain and one_word):
        return None
    return counted(filtered(wanted))


def _seen(rows: Rows) -> tuple[int, bool]:
    """The total as far as this page shows it: one more than was seen where more may follow."""
    seen = rows.before + len(rows.products)
    return (seen, False) if rows.last is None else (seen + 1, True)


def _bound_to(wanted: ListProducts) -> str:
    binding = [wanted.retailer, wanted.category, wanted.status, wanted.q, wanted.sort]
    return msgspec.json.encode(binding).decode()


def _next_cursor(wanted: ListProducts, rows: Rows) -> str | None:
    if rows.last is None:
        return None
    value = rows.last.get(SORT_FIELDS[wanted.sort.removeprefix("-")])
    is_time = hasattr(value, "timestamp")
    passed = rows.before + len(rows.products)
    position = [epoch_micros(value) if is_time else value, rows.last.id, passed]
    return write_cursor(position, _bound_to(wanted))


def _position(wanted: ListProducts) -> tuple[dict[str, Any], int]:
    """Where the cursor stands, and how many products of the list come before."""
    value, product_id, before = read_cursor(wanted.cursor or "", _bound_to(wanted))
    field = SORT_FIELDS[wanted.sort.removeprefix("-")]
    if field.endswith("_at"):
        value = from_epoch_micros(value)
    document = firestore.client().collection(COLLECTION).document(product_id)
    return {field: value, "__name__": document}, before


def _product(snapshot: "DocumentSnapshot[Any]") -> Product:
    return from_document(snapshot.id, snapshot.to_dict() or {})
