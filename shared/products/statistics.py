"""The catalogue's statistics: one document, recomputed by a debounced task with `count()`.

Counters that each write increments would break when an event comes twice, and one hot document
would contend; counting again bills one read for each 1,000 entries.
"""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import epoch_micros, rfc3339
from shared.edge import cache
from shared.products import page_marks
from shared.products.background_schemas import RefreshStatistics
from shared.products.schemas import ProductStatistics

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Query

COLLECTION: Final = "statistics"
QUEUE: Final = "statistics"
FUNCTION: Final = "refresh_statistics"
# Writes within one window lead to one recount at its end: the count lags by no more than this
# and the time that the counting takes.
WINDOW_SECONDS: Final = 2
PARALLEL_COUNTS: Final = 8
RETAILERS: Final = "retailers"
CLOCK_SKEW_SECONDS: Final = 1.0

_last_window = 0


def read() -> ProductStatistics:
    """The statistics as they were last counted: one document read."""
    with firestore.errors_mapped():
        fields = _document().get(timeout=firestore.TIMEOUT_SECONDS).to_dict()
    return _statistics(fields or {})


def request_refresh() -> None:
    """Enqueues a recount at the end of the present window; raises a DependencyError."""
    global _last_window  # noqa: PLW0603 - saves a call for each of a thousand rows
    window = int(time.time()) // WINDOW_SECONDS + 1
    if window == _last_window:
        return
    delay = window * WINDOW_SECONDS - time.time()
    name = f"products-{window}"
    body = msgspec.json.encode(RefreshStatistics(due_at=window * WINDOW_SECONDS))
    tasks.enqueue(QUEUE, FUNCTION, body, name=name, delay_seconds=max(0.0, delay))
    _last_window = window


def refresh(due_at: float = math.inf) -> None:
    """Counts anew, unless that began after `due_at` (epoch seconds) already.

    Raises Conflict if another recount was faster.
    """
    document = _document()
    with firestore.errors_mapped():
        before = document.get(timeout=firestore.TIMEOUT_SECONDS)
    known = before.to_dict() or {}
    if known.get("counting_began_at", 0.0) > due_at + CLOCK_SKEW_SECONDS:
        return
    began_at = time.time()
    with firestore.errors_mapped():
        counted = _count()
    changed = not before.exists or _statistics(known) != counted
    if changed:
        page_marks.refresh(counted.total)
    written = _store(document, before, {"counting_began_at": began_at, **_fields(counted)})
    for namespace in ("products", "categories") if changed else ():
        cache.bump(namespace, epoch_micros(written))


def _store(
    document: "DocumentReference", before: "DocumentSnapshot[Any]", fields: dict[str, Any]
) -> datetime:
    with firestore.errors_mapped():
        if not before.exists:
            result = document.create(fields)
        else:
            option = firestore.client().write_option(last_update_time=before.update_time)
            result = document.update(fields, option=option)
    written: datetime = result.update_time
    return written


def _fields(counted: ProductStatistics) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(counted)
    return fields


def _statistics(fields: dict[str, Any]) -> ProductStatistics:
    return ProductStatistics(
        total=fields.get("total", 0),
        by_retailer=fields.get("by_retailer", {}),
        by_category=fields.get("by_category", {}),
        last_updated=fields.get("last_updated"),
    )


def _count() -> ProductStatistics:
    from google.cloud.firestore import FieldFilter

    database = firestore.client()
    listed = database.collection("products").where(filter=FieldFilter("listed", "==", True))
    queries: dict[tuple[str, str], Query] = {("", ""): listed}
    for field, collection in (("retailer", RETAILERS), ("category", "categories")):
        for reference in database.collection(collection).list_documents(page_size=300):
            only = FieldFilter(field, "==", reference.id)
            queries[field, reference.id] = listed.where(filter=only)
    with ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        counts = dict(zip(queries, pool.map(firestore.count, queries.values()), strict=True))
    return ProductStatistics(
        total=counts.pop(("", "")),
        by_retailer={slug: n for (field, slug), n in counts.items() if field == "retailer" and n},
        by_category={slug: n for (field, slug), n in counts.items() if field == "category" and n},
        last_updated=_newest_change(),
    )


def _newest_change() -> str | None:
    products = firestore.client().collection("products")
    newest = products.order_by("updated_at", direction="DESCENDING").limit(1)
    for snapshot in newest.stream(timeout=firestore.TIMEOUT_SECONDS):
        return rfc3339(snapshot.get("updated_at"))
    return None


def _document() -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document("products")
