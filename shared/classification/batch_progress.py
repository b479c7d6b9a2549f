"""How far a batch is: its results are counted, by whoever has just added some.

The batch's one document is written no more often than once in two seconds, however many work on
it, and only by who read it as it is: so counts never go back. Whoever adds the last result counts
all of them, since Firestore counts what was written before.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from shared.classification import batch_store, spent
from shared.classification.batch_records import Batch
from shared.clock import Clock, utc_now
from shared.errors import Conflict, NotFound

EVERY: Final = timedelta(seconds=2)
# A batch that has not moved for so long is looked after by the sweep.
STILL: Final = timedelta(seconds=120)
# After so long nothing that had begun can still be under way.
LATEST: Final = timedelta(seconds=200)
ATTEMPTS: Final = 20


def start(batch_id: str, clock: Clock = utc_now) -> Batch:
    """The batch, which runs from now on, unless somebody said otherwise; raises NotFound."""
    for _ in range(ATTEMPTS):
        batch, snapshot = batch_store.read(batch_id)
        if batch.status != "queued":
            return batch
        try:
            batch_store.update(snapshot, {"status": "running", "started_at": clock()})
        except Conflict:
            continue
    raise Conflict("The batch is being changed by others.")


def refresh(batch_id: str, clock: Clock = utc_now, *, at_once: bool = False) -> Batch:
    """The batch, counted anew if it is time for that or all are there; raises NotFound."""
    for _ in range(ATTEMPTS):
        batch, snapshot = batch_store.read(batch_id)
        if batch.is_over:
            return batch
        done = batch_store.count(batch_id)
        whole, now = done >= batch.total, clock()
        if not whole and not at_once and now - batch.counted_at < EVERY:
            return batch
        try:
            batch_store.update(snapshot, _changes(batch, done, now))
        except Conflict:
            if whole or at_once:
                continue
            return batch
        return batch_store.read(batch_id)[0]
    raise Conflict("The batch is being changed by others.")


def price(batch_id: str) -> None:
    """Writes down anew what a batch has cost: calls are settled late, too."""
    for _ in range(ATTEMPTS):
        with suppress(Conflict):
            try:
                batch, snapshot = batch_store.read(batch_id)
            except NotFound:
                return
            calls, cost_micros = spent.of_origin(batch_id)
            if (calls, cost_micros) != (batch.calls, batch.cost_micros):
                batch_store.update(snapshot, {"calls": calls, "cost_micros": cost_micros})
            return


def _changes(batch: Batch, done: int, now: datetime) -> dict[str, Any]:
    failed, review = batch_store.count(batch.id, "failed"), batch_store.count(batch.id, "review")
    calls, cost_micros = spent.of_origin(batch.id)
    # Some may have been added since all were counted.
    done = max(done, failed + review)
    changes: dict[str, Any] = {
        "done": done,
        "failed": failed,
        "review": review,
        "successful": done - failed - review,
        "calls": calls,
        "cost_micros": cost_micros,
        "counted_at": now,
    }
    if done >= batch.total:
        return changes | {"status": "done", "finished_at": now, "due_at": None}
    if batch.status == "cancelling":
        latest = (batch.cancelled_at or now) + LATEST
        if now >= latest:
            return changes | {"status": "cancelled", "finished_at": now, "due_at": None}
        return changes | {"due_at": latest}
    return changes | {"due_at": now + STILL}
