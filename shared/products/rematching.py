"""The full re-match: every listed product into its posting lists and pairs anew, block by block.

A block is a range of product ids and has a task of its own. How far each is stands in the run's
one document and moves page by page, so that a task that is cut off or comes twice goes on from
there. The run's entry in the outbox is its lock; where it stands still, the sweep revives it.
"""

import secrets
import time
from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import Clock, rfc3339, utc_now
from shared.edge.request import Actor
from shared.errors import NotFound
from shared.products import (
    catalogue,
    match_models,
    outbox,
    pairs,
    statistics,
)
from shared.products.background_schemas import RematchProducts
from shared.products.duplicate_schemas import RematchState, RematchView
from shared.products.rematch_page import Page, matched
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query, Transaction

COLLECTION: Final = "rematches"
QUEUE: Final = "rematching"
FUNCTION: Final = "rematch_products"
BLOCK_PRODUCTS: Final = 500
MOST_BLOCKS: Final = 256
PAGE_PRODUCTS: Final = 25
# Less than the task's own deadline, so that a run always ends by itself.
RUN_SECONDS: Final = 240.0
# What is revived is enqueued once in so long.
SLOT_SECONDS: Final = 300
_IDS: Final = 16**4


class Rematch(msgspec.Struct):
    """One run: by block the last product that is done, and the blocks that are done whole."""

    state: RematchState
    model: str
    blocks_total: int
    started_at: datetime
    finished_at: datetime | None = None
    products_done: int = 0
    pairs_found: int = 0
    failed: int = 0
    cursors: dict[str, str] = {}
    done: list[int] = []


def begin(by: Actor, clock: Clock = utc_now) -> RematchView:
    """The run that is begun, or the one that is under way; raises a DependencyError."""
    blocks = min(MOST_BLOCKS, max(1, -(-statistics.read().total // BLOCK_PRODUCTS)))
    model = match_models.version()
    fresh_id = secrets.token_hex(10)

    def write(transaction: "Transaction") -> str:
        lock = _lock().get(transaction=transaction, **firestore.limits()).to_dict()
        if lock is not None:
            return str(lock["id"])
        now = clock()
        run = Rematch("running", model, blocks, now)
        transaction.create(_document(fresh_id), _fields(run))
        transaction.set(_lock(), outbox.fields("rematch", fresh_id, outbox.GONE))
        after = {"blocks": blocks, "model": model}
        transaction.create(*audit.entry(by, f"{COLLECTION}/{fresh_id}", None, after, lambda: now))
        return fresh_id

    rematch_id = firestore.in_transaction(write)
    if rematch_id == fresh_id:
        tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode(RematchProducts(rematch_id)))
    return describe(rematch_id)


def describe(rematch_id: str) -> RematchView:
    """How far the run is; raises NotFound."""
    run = _read(rematch_id)
    if run is None:
        raise NotFound("There is no such re-match, or it was removed for its age.")
    return RematchView(
        rematch_id=rematch_id,
        state=run.state,
        blocks_total=run.blocks_total,
        blocks_done=len(run.done),
        products_done=run.products_done,
        pairs_found=run.pairs_found,
        failed=run.failed,
        model=run.model,
        started_at=rfc3339(run.started_at),
        finished_at=rfc3339(run.finished_at) if run.finished_at else None,
    )


def spread(rematch_id: str) -> None:
    """Has every block worked on that is not done; raises a DependencyError."""
    run = _read(rematch_id)
    if run is None or run.state != "running":
        return
    for block in range(run.blocks_total):
        if block not in run.done:
            _enqueue(rematch_id, block, run.cursors.get(str(block)))


def work(
    rematch_id: str,
    block: int,
    page_products: int = PAGE_PRODUCTS,
    run_seconds: float = RUN_SECONDS,
) -> None:
    """Goes on with a block, and has the rest done by another task where time runs out."""
    give_up = time.monotonic() + run_seconds
    while (run := _read(rematch_id)) is not None:
        if run.state != "running" or block in run.done:
            return
        after = run.cursors.get(str(block))
        if time.monotonic() > give_up:
            _enqueue(rematch_id, block, after)
            return
        page = matched(_ids(run, block, after, page_products), after, run.model)
        page.whole = len(page.ids) < page_products
        if not _advance(rematch_id, block, page):
            # Somebody else is at this block.
            return


def give_up(rematch_id: str, by: Actor) -> None:
    """Ends a run that failed for good, so that another one can begin."""

    def fail(transaction: "Transaction") -> None:
        run = _read(rematch_id, transaction)
        if run is not None and run.state == "running":
            ended = {"state": "failed", "finished_at": utc_now()}
            transaction.update(_document(rematch_id), ended)
            transaction.delete(_lock())
            before, after = {"state": run.state}, {"state": "failed"}
            entry = audit.entry(by, f"{COLLECTION}/{rematch_id}", before, after)
            transaction.create(*entry)

    firestore.in_transaction(fail)


def _advance(rematch_id: str, block: int, page: Page) -> bool:
    """Whether the page counts: not where another task has done it meanwhile."""

    def write(transaction: "Transaction") -> bool:
        run = _read(rematch_id, transaction)
        if run is None or run.state != "running" or block in run.done:
            return False
        if run.cursors.get(str(block)) != page.after:
            return False
        run.products_done += len(page.ids)
        run.pairs_found += len(_counted(page, run))
        run.failed += page.failed
        if page.last is not None:
            run.cursors[str(block)] = page.last
        if page.whole:
            run.done.append(block)
        if len(run.done) == run.blocks_total:
            run.state, run.finished_at = "completed", utc_now()
            transaction.delete(_lock())
        else:
            transaction.set(_lock(), outbox.fields("rematch", rematch_id, outbox.GONE))
        transaction.set(_document(rematch_id), _fields(run))
        return True

    return firestore.in_transaction(write)


def _ids(run: Rematch, block: int, after: str | None, most: int) -> list[str]:
    from google.cloud.firestore import FieldFilter

    products = firestore.client().collection(catalogue.COLLECTION)
    query: Query = products.where(filter=FieldFilter("listed", "==", True)).select([])
    query = query.order_by("__name__")
    if after is not None:
        query = query.start_after({"__name__": catalogue.reference(after)})
    elif block > 0:
        query = query.start_at({"__name__": catalogue.reference(_bound(run, block))})
    if block + 1 < run.blocks_total:
        query = query.end_before({"__name__": catalogue.reference(_bound(run, block + 1))})
    with firestore.errors_mapped():
        return [snapshot.id for snapshot in query.limit(most).stream(**firestore.limits())]


def _counted(page: Page, run: Rematch) -> set[str]:
    """Pairs whose other product has had its turn: found from both sides, each counts once."""
    return {
        pairs.pair_id(one, other)
        for one, other in page.matches
        if other in page.ids or _is_done(run, other)
    }


def _is_done(run: Rematch, product_id: str) -> bool:
    bounds = [_bound(run, block) for block in range(1, run.blocks_total)]
    block = bisect_right(bounds, product_id)
    return block in run.done or product_id <= run.cursors.get(str(block), "")


def _bound(run: Rematch, block: int) -> str:
    """Where a block begins: ids are random, so equal ranges hold about equally many."""
    return f"{block * _IDS // run.blocks_total:04x}"


def _enqueue(rematch_id: str, block: int, after: str | None) -> None:
    body = msgspec.json.encode(RematchProducts(rematch_id, block))
    name = f"{rematch_id}-{block}-{after or 'first'}-{int(time.time() // SLOT_SECONDS)}"
    tasks.enqueue(QUEUE, FUNCTION, body, name=name)


def _read(rematch_id: str, transaction: "Transaction | None" = None) -> Rematch | None:
    with firestore.errors_mapped():
        snapshot = _document(rematch_id).get(transaction=transaction, **firestore.limits())
    return firestore.record_of(snapshot, Rematch)


def _fields(run: Rematch) -> dict[str, Any]:
    return msgspec.structs.asdict(run)


def _document(rematch_id: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(rematch_id)


def _lock() -> "DocumentReference":
    """One run at a time: where its entry stands in the outbox."""
    return outbox.document("rematch", "running")
