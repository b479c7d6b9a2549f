"""Batches: up to 10,000 products are classified by tasks, a part at a time."""

import logging
import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.classification import (
    batch_progress,
    batch_records,
    batch_sources,
    batch_store,
    deciding,
)
from shared.classification.batch_records import Batch
from shared.classification.batch_schemas import (
    BatchAccepted,
    BatchList,
    BatchView,
    ClassifyBatch,
    ClassifyChunk,
    ItemList,
    ItemView,
    ListBatches,
    ListItems,
    NamedProduct,
)
from shared.clients import firestore, tasks
from shared.clock import Clock, rfc3339, utc_now
from shared.edge.pages import Order, narrowed, newest_first
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyError
from shared.system import audit

log = logging.getLogger(__name__)

QUEUE: Final = "classification"
FUNCTION: Final = "classify_chunk"
KEPT: Final = timedelta(days=90)
ATTEMPTS: Final = 4
_MICROS: Final = Decimal(1_000_000)


def begin(wanted: ClassifyBatch, by: Actor, clock: Clock = utc_now) -> BatchAccepted:
    """The batch that is begun; raises Invalid, Conflict or a DependencyError before that."""
    batch_sources.source_of(wanted)
    # Whether anybody can be asked, and with that model, before anything is read or written.
    deciding.setting(wanted.provider, wanted.model)
    items = batch_sources.items(wanted)
    parts = list(batch_records.parts(items))
    now = clock()
    batch = Batch(
        id=secrets.token_hex(10),
        status="queued",
        total=len(items),
        sizes=tuple(map(len, parts)),
        provider=wanted.provider,
        model=wanted.model,
        created_at=now,
        created_by=by.uid,
        expires_at=now + KEPT,
        counted_at=now,
        due_at=now + batch_progress.STILL,
    )
    batch_store.create(batch, parts, by, batch_sources.source_of(wanted))
    try:
        tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode(ClassifyChunk(batch.id)))
    except DependencyError as error:
        # It is stored, so the sweep finds it standing still.
        log.warning("Not enqueued yet", extra={"context": {"why": error.detail}})
    return BatchAccepted(batch.id, batch.total, batch.status)


def describe(batch_id: str) -> BatchView:
    """The batch as it was last counted: one read; raises NotFound."""
    return _view(batch_store.read(batch_id)[0])


def read_page(wanted: ListBatches) -> BatchList:
    """One page of the batches, newest first; raises BadRequest for a foreign cursor."""
    collection = firestore.client().collection(batch_store.COLLECTION)
    page = newest_first(collection, "created_at", wanted, batch_store.COLLECTION)
    batches = [batch_store.batch_of(row) for row in page.rows]
    return BatchList([_view(each) for each in batches], page.next_cursor)


def read_items(batch_id: str, wanted: ListItems) -> ItemList:
    """One page of results; raises NotFound, or BadRequest for a foreign cursor."""
    batch_store.read(batch_id)
    query = narrowed(batch_store.results(batch_id), wanted, ["verdict"])
    page = Order((), wanted, f"batch {batch_id}", "ASCENDING").page(query, wanted.limit)
    return ItemList([_item(row.to_dict() or {}) for row in page.rows], page.next_cursor)


def cancel(batch_id: str, by: Actor, clock: Clock = utc_now) -> BatchView:
    """The batch, of which nothing more begins, if it is not over anyway; raises NotFound."""
    for _ in range(ATTEMPTS):
        batch, snapshot = batch_store.read(batch_id)
        if batch.is_over or batch.status == "cancelling":
            return _view(batch)
        now = clock()
        try:
            cancelled = _cancelled(batch, now)
            database = firestore.client()
            unchanged = database.write_option(last_update_time=snapshot.update_time)
            commit = database.batch()
            changes = {name: getattr(cancelled, name) for name in _CANCELS}
            commit.update(snapshot.reference, changes, option=unchanged)
            before, after = {"status": batch.status}, {"status": cancelled.status}
            resource = f"{batch_store.COLLECTION}/{batch_id}"
            commit.create(*audit.entry(by, resource, before, after))
            with firestore.errors_mapped():
                commit.commit(**firestore.limits())
        except Conflict:
            continue
        return _view(cancelled)
    raise Conflict("The batch is being changed by others; try again.")


_CANCELS: Final = ("status", "cancelled_at", "finished_at", "due_at")


def _cancelled(batch: Batch, now: datetime) -> Batch:
    if batch.status == "queued":
        return msgspec.structs.replace(
            batch, status="cancelled", cancelled_at=now, finished_at=now, due_at=None
        )
    # What was begun before this moment may still end.
    due_at = now + batch_progress.LATEST
    return msgspec.structs.replace(batch, status="cancelling", cancelled_at=now, due_at=due_at)


def _view(batch: Batch) -> BatchView:
    return BatchView(
        batch_id=batch.id,
        status=batch.status,
        total=batch.total,
        done=batch.done,
        successful=batch.successful,
        failed=batch.failed,
        review=batch.review,
        started_at=rfc3339(batch.started_at) if batch.started_at else None,
        finished_at=rfc3339(batch.finished_at) if batch.finished_at else None,
        created_at=rfc3339(batch.created_at),
        created_by=batch.created_by,
        cost=batch.cost_micros / _MICROS,
        calls=batch.calls,
    )


def _item(fields: dict[str, Any]) -> ItemView:
    told = fields["told"]
    return ItemView(
        index=told["index"],
        product=NamedProduct(told["product"]["name"], told["product"]["id"]),
        category=told["category"],
        confidence=told["confidence"],
        rationale=told["rationale"],
        provider=told["provider"],
        model=told["model"],
        source=told["source"],
        verdict=fields["verdict"],
        cost=told["cost_micros"] / _MICROS,
        review_id=told["review_id"],
        failure=told["failure"],
    )
