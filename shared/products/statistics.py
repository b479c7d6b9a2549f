"""The catalogue's statistics: one document, brought up to date by a debounced task with `count()`.

Counters that each write increments would break when an event comes twice; counting again bills
one read for each 1,000 entries. Only what may have changed is counted: a write that moves a
product in or out of a list names its retailer and category in `statistics/touched`, in the same
commit, and the recount that has counted them takes them off again.
"""

import math
import secrets
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, rfc3339
from shared.edge import cache
from shared.errors import Conflict, NotFound
from shared.products import page_marks, recounts
from shared.products.schemas import ProductStatistics

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Query

COLLECTION: Final = "statistics"
WINDOW_SECONDS: Final = 2
PARALLEL_COUNTS: Final = 8
RETAILERS: Final = "retailers"

_recounts = recounts.Recounts("refresh_statistics", "products", WINDOW_SECONDS)


def read() -> ProductStatistics:
    """The statistics as they were last counted: one document read."""
    with firestore.errors_mapped():
        fields = _document().get(**firestore.limits()).to_dict()
    return _statistics(fields or {})


def request_refresh() -> None:
    """Enqueues a recount at the end of the present window; raises a DependencyError."""
    _recounts.request()


def touched(retailers: Iterable[str], categories: Iterable[str]) -> dict[str, Any]:
    """The merge into `touched_document` that a write owes whose products changed lists."""
    return {
        "retailers": dict.fromkeys(filter(None, retailers), True),
        "categories": dict.fromkeys(filter(None, categories), True),
        # Without it a second write of the same names would change nothing, and a recount that
        # began before that write would take them off.
        "token": secrets.token_hex(8),
    }


def touched_document() -> "DocumentReference":
    """Where it stands which retailers and categories must be counted anew."""
    return firestore.client().collection(COLLECTION).document("touched")


def owe_recount(batch: Any, retailers: Iterable[str], categories: Iterable[str]) -> None:
    """Adds to a batch or transaction what it owes whose products changed lists."""
    slugs = sorted(set(retailers))
    for slug in slugs:
        document = firestore.client().collection(RETAILERS).document(slug)
        batch.set(document, {"slug": slug}, merge=True)
    if slugs:
        marks = touched(slugs, sorted(set(categories)))
        batch.set(touched_document(), marks, merge=True)


def recount_everything() -> None:
    """Has all of it counted anew, whatever was or was not named as touched."""
    with firestore.errors_mapped():
        fields = {**touched((), ()), "everything": True}
        touched_document().set(fields, merge=True, **firestore.limits())
    request_refresh()


def refresh(due_at: float = math.inf) -> None:
    """Counts anew what was touched, unless that began after `due_at` (epoch seconds) already.

    Raises Conflict if another recount was faster.
    """
    # Before the reading: what is touched while it lasts is counted by the recount that is due next.
    began_at = time.time()
    with firestore.errors_mapped():
        before, marks = _read_all([_document(), touched_document()])
    known = before.to_dict() or {}
    if recounts.began_later(known.get("counting_began_at", 0.0), due_at):
        return
    due = marks.to_dict() or {"everything": not before.exists}
    everything = bool(due.get("everything"))
    counted = _recounted(_statistics(known), due)
    changed = everything or not before.exists or _statistics(known) != counted
    if changed:
        page_marks.refresh(counted.total, everything=everything)
    fields = {"counting_began_at": began_at, **msgspec.to_builtins(counted)}
    written = firestore.store(before, fields)
    _take_off(marks)
    for namespace in ("products", "categories") if changed else ():
        cache.bump(namespace, epoch_micros(written))


def _take_off(marks: "DocumentSnapshot[Any]") -> None:
    """Removes what was counted; what was touched meanwhile stays, and has its own recount due."""
    if not marks.exists:
        return
    unchanged = firestore.client().write_option(last_update_time=marks.update_time)
    with suppress(Conflict, NotFound), firestore.errors_mapped():
        touched_document().delete(option=unchanged, **firestore.limits())


def _read_all(references: list["DocumentReference"]) -> list["DocumentSnapshot[Any]"]:
    found = {s.id: s for s in firestore.client().get_all(references, **firestore.limits())}
    return [found[reference.id] for reference in references]


def _statistics(fields: dict[str, Any]) -> ProductStatistics:
    return ProductStatistics(
        total=fields.get("total", 0),
        by_retailer=fields.get("by_retailer", {}),
        by_category=fields.get("by_category", {}),
        last_updated=fields.get("last_updated"),
    )


def _recounted(known: ProductStatistics, marks: dict[str, Any]) -> ProductStatistics:
    with firestore.errors_mapped():
        newest = _newest_change()
        if not any(marks.values()):
            return msgspec.structs.replace(known, last_updated=newest)
        counts = _counts(_facets(marks))
    everything = marks.get("everything")
    total = counts.pop(("", ""))
    by_retailer = {} if everything else dict(known.by_retailer)
    by_category = {} if everything else dict(known.by_category)
    for (field, slug), count in counts.items():
        (by_retailer if field == "retailer" else by_category)[slug] = count
    return ProductStatistics(
        total=total,
        by_retailer={slug: count for slug, count in sorted(by_retailer.items()) if count},
        by_category={slug: count for slug, count in sorted(by_category.items()) if count},
        last_updated=newest,
    )


def _facets(marks: dict[str, Any]) -> list[tuple[str, str]]:
    database = firestore.client()
    facets = []
    for field, name in (("retailer", RETAILERS), ("category", "categories")):
        slugs = marks.get(name, {})
        if marks.get("everything"):
            listed = database.collection(name).list_documents(page_size=300, **firestore.limits())
            slugs = [document.id for document in listed]
        facets += [(field, slug) for slug in slugs]
    return facets


def _counts(facets: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    from google.cloud.firestore import FieldFilter

    products = firestore.client().collection("products")
    listed = products.where(filter=FieldFilter("listed", "==", True))
    queries: dict[tuple[str, str], Query] = {("", ""): listed}
    for field, slug in facets:
        queries[field, slug] = listed.where(filter=FieldFilter(field, "==", slug))
    counts = partial(firestore.count, timeout_seconds=firestore.LONG_TIMEOUT_SECONDS)
    with ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        return dict(zip(queries, pool.map(counts, queries.values()), strict=True))


def _newest_change() -> str | None:
    from google.cloud.firestore import FieldFilter

    # A removal is a change of what is listed; what waits for approval is not there yet.
    counted = FieldFilter("status", "in", ["active", "deleted"])
    products = firestore.client().collection("products").where(filter=counted)
    newest = products.order_by("updated_at", direction="DESCENDING").limit(1)
    for snapshot in newest.stream(**firestore.limits()):
        return rfc3339(snapshot.get("updated_at"))
    return None


def _document() -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document("products")
