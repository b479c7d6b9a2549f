"""The sweep of batches: what stands still goes on, and what a dead worker reserved is settled."""

import logging
import time
from typing import Final

import msgspec

from shared.classification import batch_progress, batch_store, batches, spending
from shared.classification.batch_schemas import ClassifyChunk
from shared.clients import firestore, tasks
from shared.clock import Clock, utc_now
from shared.errors import ShoppleError

log = logging.getLogger(__name__)

MOST: Final = 50
# So long a batch is spread anew once at most.
SLOT_SECONDS: Final = 60


def sweep(clock: Clock = utc_now) -> int:
    """Looks after every batch whose time has come; says how many those were."""
    settled = spending.sweep(clock)
    for batch_id in filter(None, set(settled)):
        batch_progress.price(batch_id)
    found = _due(clock)
    failed = sum(not _looked_after(batch_id, clock) for batch_id in found)
    if found or settled:
        context = {"batches": len(found), "failed": failed, "calls_settled": len(settled)}
        log.warning("Swept the batches", extra={"context": context})
    return len(found)


def _due(clock: Clock) -> list[str]:
    from google.cloud.firestore import FieldFilter

    query = (
        firestore.client()
        .collection(batch_store.COLLECTION)
        .where(filter=FieldFilter("due_at", "<=", clock()))
        .order_by("due_at")
        .select([])
        .limit(MOST)
    )
    with firestore.errors_mapped():
        return [each.id for each in query.stream(**firestore.limits())]


def _looked_after(batch_id: str, clock: Clock) -> bool:
    """Whether it was; a batch that fails is left to the next sweep."""
    try:
        batch = batch_progress.refresh(batch_id, clock, at_once=True)
        if batch.status in ("queued", "running"):
            # A task of its own, since it reads once for each part.
            name = f"{batch_id}-spread-{int(time.time() // SLOT_SECONDS)}"
            body = msgspec.json.encode(ClassifyChunk(batch_id))
            tasks.enqueue(batches.QUEUE, batches.FUNCTION, body, name=name)
    except ShoppleError as error:
        context = {"batch": batch_id, "error": error.detail}
        log.warning("A batch could not be swept", extra={"context": context})
        return False
    return True
