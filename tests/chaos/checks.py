"""What must hold of a batch at its end, whatever happened."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from google.cloud.firestore import FieldFilter

from shared.classification import batch_store, batch_sweep, deciding_work, reviews, spending
from shared.classification.batch_records import Batch
from shared.classification.portions import portions
from shared.clients import firestore
from shared.clock import utc_now
from tests.chaos.models import REFUSED, UNHEARD, Answers

LATE_PARTS: Final = 2
LATE_CALLS: Final = 5


@dataclass(frozen=True)
class Books:
    """How many calls were settled by the sweep, and of how many their caller heard nothing more."""

    swept: int
    unheard: int


def sweep() -> None:
    """Settles what nobody has settled in time, as the schedule does a while later."""
    late = utc_now() + 2 * spending.OPEN
    still_open = firestore.client().collection(spending.CALLS).order_by("open_until").limit(1)
    while still_open.get():
        batch_sweep.sweep(lambda: late)


def come_late(batch_id: str) -> None:
    """Workers that were thought dead go on: they write what they found, and settle their calls."""
    batch, _ = batch_store.read(batch_id)
    for part in range(min(LATE_PARTS, len(batch.sizes))):
        found = [
            (placed, deciding_work.failed(placed.index, "Too late."))
            for placed in batch_store.items(batch_id, part)
        ]
        batch_store.settle(batch, part, found, utc_now())
    swept = (
        firestore.client()
        .collection(spending.CALLS)
        .where(filter=FieldFilter("origin", "==", batch_id))
        .where(filter=FieldFilter("settled_by", "==", "sweep"))
        .limit(LATE_CALLS)
    )
    for call in swept.stream():
        held = spending._of(call.id, call.to_dict() or {}, call.create_time)
        assert not spending.settle(held, 0)


def written(batch_id: str) -> dict[str, datetime | None]:
    """When each result and each entry of the queue was written last."""
    return {each.id: each.update_time for each in (*_results(batch_id), *_entries(batch_id))}


def check_results(
    batch_id: str, items: int, hopeless: Iterable[int], *, with_local: bool
) -> dict[str, int]:
    """Each item has one result, written once, and one entry of the queue where it needs it."""
    found, entries = _results(batch_id), _entries(batch_id)
    assert all(each.create_time == each.update_time for each in (*found, *entries))
    results = {int(each.id): each.to_dict() or {} for each in found}
    assert sorted(results) == list(range(items))
    verdicts = Counter(each["verdict"] for each in results.values())
    batch, _ = batch_store.read(batch_id)
    counted = {name: getattr(batch, name) for name in ("successful", "failed", "review")}
    assert counted == {name: verdicts[name] for name in counted}
    assert (batch.done, batch.total) == (items, items)

    queue = {each.id: each.to_dict() or {} for each in entries}
    unsure = [number for number, each in results.items() if each["verdict"] != "successful"]
    assert sorted(queue) == sorted(f"{batch_id}-{number}" for number in unsure)
    for number, each in results.items():
        if each["verdict"] == "failed":
            assert not with_local
            entry = queue[f"{batch_id}-{number}"]
            assert (entry["reason"], entry["failure"]) == ("failed", each["told"]["failure"])
            assert "No provider gave an answer. " in entry["failure"]
    # Where nobody paid gives an answer, `local` does; without it, a person has to.
    for number in hopeless:
        told = results[number]["told"]
        assert told["provider"] == ("local" if with_local else None)
        assert with_local == (told["failure"] is None)
    return dict(verdicts)


def check_books(batch_id: str, calls: int) -> Books:
    """Each call is settled once, and in full where its worker died."""
    database = firestore.client()
    every = [each.to_dict() or {} for each in database.collection(spending.CALLS).stream()]
    for call in every:
        assert "open_until" not in call
        assert call["settled_by"] == "caller" or call["cost_micros"] == call["reserved_micros"]
    settled: Counter[str] = Counter()
    for day in database.collection(spending.DAYS).stream():
        for provider, counts in (day.to_dict() or {}).items():
            if provider != "expires_at":
                settled[provider] += counts["settled"]
                assert counts["open"] == 0
    assert settled == Counter(
        {p: sum(each["cost_micros"] for each in every if each["provider"] == p) for p in settled}
    )
    made = [call for call in every if call["origin"] == batch_id]
    # Some were held by a worker that was killed before it called.
    assert len(made) >= calls
    batch, _ = batch_store.read(batch_id)
    assert batch.calls == len(made)
    assert batch.cost_micros == sum(call["cost_micros"] for call in made)
    swept = sum(call["settled_by"] == "sweep" for call in made)
    in_full = sum(call["cost_micros"] == call["reserved_micros"] for call in made)
    return Books(swept, in_full - swept)


def needed(batch: Batch) -> int:
    """How many calls the batch takes where nothing happens."""
    parts = [batch_store.items(batch.id, part) for part in range(len(batch.sizes))]
    return sum(len(portions({placed.index: placed.item for placed in part})) for part in parts)


def retries(answers: Answers, unheard: int) -> int:
    """How many calls follow from those that failed."""
    failed = [each for each in answers.asked if each.fault]
    heard = [each for each in failed if each.fault not in UNHEARD]
    again = sum(
        each.products if each.fault in REFUSED and each.products > 1 else 1 for each in heard
    )
    return again + max(unheard, len(failed) - len(heard))


def _results(batch_id: str) -> list[Any]:
    return list(batch_store.results(batch_id).stream())


def _entries(batch_id: str) -> list[Any]:
    waiting = (
        firestore.client()
        .collection(reviews.COLLECTION)
        .where(filter=FieldFilter("origin", ">=", f"{batch_id}-"))
    )
    return [each for each in waiting.stream() if each.id.startswith(f"{batch_id}-")]
