"""The work on a batch: one part in one task, which may come twice, late, or be cut off.

Nobody holds a part: two that work on it at once both ask, and the first to write each result has
the last word. A part is one call as a rule, so that is what such a meeting costs.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final

import msgspec

from shared.classification import (
    batch_progress,
    batch_store,
    batches,
    deciding,
    deciding_work,
    spending,
)
from shared.classification.batch_records import Batch, Placed
from shared.classification.batch_schemas import ClassifyChunk
from shared.classification.deciding import Setting
from shared.classification.models import Decided, Provider
from shared.clients import tasks
from shared.clock import utc_now
from shared.errors import NotFound

log = logging.getLogger(__name__)

# What is not answered by then has failed everywhere.
WORK_SECONDS: Final = 150.0
# A part that is given up or lost is enqueued anew once in so long.
SLOT_SECONDS: Final = 600
# A key, the order of providers and the categories are as they were so long ago, at most.
FRESH_SECONDS: Final = 30.0
GIVEN_UP: Final = "The work on it failed too often; it has been recorded."
_AT_ONCE: Final = 8

_kept: dict[tuple[str | None, str | None], tuple[float, Setting]] = {}


def spread(batch_id: str) -> None:
    """Has each part worked on that is not done; raises NotFound or a DependencyError."""
    batch, _ = batch_store.read(batch_id)
    if batch.status not in ("queued", "running"):
        return
    slot = int(time.time() // SLOT_SECONDS)

    def enqueue(part: int) -> None:
        body = msgspec.json.encode(ClassifyChunk(batch_id, part))
        tasks.enqueue(batches.QUEUE, batches.FUNCTION, body, name=f"{batch_id}-{part}-{slot}")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        begun = [
            pool.submit(copy_context().run, enqueue, part) for part in batch_store.parts_left(batch)
        ]
    for each in begun:
        each.result()


def work(batch_id: str, part: int) -> None:
    """Settles what of a part is not settled; raises NotFound or a DependencyError."""
    end = time.monotonic() + WORK_SECONDS
    batch = batch_progress.start(batch_id)
    if batch.status != "running":
        if batch.is_over:
            # One before may have been killed before it added what its calls had cost.
            batch_progress.price(batch_id)
        return
    items = _open(batch, part)
    if items:
        decided = _decided(batch, items, end)
        if time.monotonic() > end and batch_store.read(batch_id)[0].is_over:
            # So late that a cancelled batch has been closed meanwhile.
            batch_progress.price(batch_id)
            return
        batch_store.settle(batch, part, decided, utc_now())
    if batch_progress.refresh(batch_id).is_over:
        # Others may have ended it before the calls made here were settled.
        batch_progress.price(batch_id)


def give_up(batch_id: str, part: int) -> None:
    """Settles what of a part is open as failed, so that a person sees it."""
    try:
        batch, _ = batch_store.read(batch_id)
    except NotFound:
        # Removed for its age: there is nothing to settle.
        return
    if batch.status != "running":
        return
    failed = [
        (placed, deciding_work.failed(placed.index, GIVEN_UP)) for placed in _open(batch, part)
    ]
    batch_store.settle(batch, part, failed, utc_now())
    batch_progress.refresh(batch_id)


def _open(batch: Batch, part: int) -> list[Placed]:
    settled = batch_store.settled(batch.id, part)
    if part >= len(batch.sizes) or len(settled) >= batch.sizes[part]:
        return []
    return [each for each in batch_store.items(batch.id, part) if each.index not in settled]


def _decided(batch: Batch, items: Sequence[Placed], end: float) -> list[tuple[Placed, Decided]]:
    known = _setting(batch)
    with spending.made_for(batch.id):
        decided = deciding.decide_with(known, [each.item for each in items], end)
    return [(items[each.index], each) for each in decided]


def _setting(batch: Batch) -> Setting:
    """With whom and what to decide: read once in half a minute, and not for each part."""
    key, now = (batch.provider, batch.model), time.monotonic()
    kept = _kept.get(key)
    if kept is None or now - kept[0] > FRESH_SECONDS:
        provider = msgspec.convert(batch.provider, Provider | None)
        kept = _kept[key] = (now, deciding.setting(provider, batch.model))
    return kept[1]
