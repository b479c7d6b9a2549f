"""One batch under accidents, and what must hold of it whatever happened."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

import msgspec
import psutil
from google.cloud.firestore import FieldFilter

from shared.classification import batch_store, batch_sweep, batches, keys, reviews, spending
from shared.classification.batch_records import Batch
from shared.classification.portions import portions
from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Actor
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS
from tests.chaos.models import REFUSED, UNHEARD, Answers, models_at
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop, word
from tests.polling import eventually

# Between the figures that the mock states, as they are calibrated without any review.
THRESHOLD: Final = 60
PROVIDERS: Final = ("groq", "gemini", "cerebras", "openrouter")
BY: Final = Actor("drill", "drill@shopple.test", "provider_key.set", "", "")
FAULTY_PERCENT: Final = 20.0
REPEATED_PERCENT: Final = 10.0
LATE_SECONDS: Final = 1.5


@dataclass(frozen=True)
class Told:
    """What a drill came to."""

    seed: int
    items: int
    seconds: float
    parts: int
    calls: int
    most_calls: int
    kills: int
    failed_deliveries: int
    repeated_deliveries: int
    swept_calls: int
    unheard_calls: int
    verdicts: dict[str, int]
    faults: dict[str, int]


@dataclass(frozen=True)
class Books:
    """How many calls were settled by the sweep, and of how many their caller heard nothing more."""

    swept: int
    unheard: int


def prepare(shop: Shop) -> None:
    """Gives every provider a key, and lets some pass of what nobody has reviewed yet."""
    with instance(shop.stack.environment()):
        thresholds = msgspec.structs.replace(DEFAULTS.thresholds, review_confidence=THRESHOLD)
        wanted = msgspec.structs.replace(DEFAULTS, thresholds=thresholds)
        configuration.change(wanted, None, BY)
        for provider in PROVIDERS:
            keys.store(provider, f"drill-key-of-{provider}", BY)


def product(seed: int, number: int) -> dict[str, Any]:
    """A product whose words no other has."""
    first = word(seed * 100_000 + number)
    return {"name": f"{first} {word(500_000_000 + number)} {number}", "brand": "Drill"}


def run(  # noqa: PLR0913 - how large, how bad, and for how long
    shop: Shop,
    *,
    seed: int,
    items: int,
    kills: int,
    gap_seconds: float,
    within_seconds: float,
    slow_seconds: float | None = None,
) -> Told:
    """Runs one batch to its end under accidents, checks it, and says how it was."""
    answers = Answers(seed, FAULTY_PERCENT, slow_seconds)
    control = shop.stack.control
    before = _queue(shop)
    began = time.monotonic()
    control.disturb_tasks(
        batches.QUEUE,
        repeated_percent=REPEATED_PERCENT,
        late_seconds=LATE_SECONDS,
        seed=seed,
    )
    with models_at(shop.stack, answers) as models:
        body = {"products": [product(seed, number) for number in range(items)]}
        begun = shop.http.post("/classify-batch", json=body)
        assert begun.status_code == 202, begun.text
        batch_id = begun.json()["batch_id"]
        with _killing(shop, seed, kills, gap_seconds) as killer:
            eventually(lambda: _is_done(shop, batch_id), timeout_seconds=within_seconds)
            took = time.monotonic() - began
        # What was sent twice may still be under way.
        shop.idle()
        calls = len(models.state.journal.records(wait=5))
    control.disturb_tasks(batches.QUEUE)
    assert calls == len(answers.asked)
    after = {name: count - before[name] for name, count in _queue(shop).items()}
    with instance(shop.stack.environment()):
        _sweep()
        verdicts = _check_results(batch_id, items)
        books = _check_books(batch_id, calls)
        batch, _ = batch_store.read(batch_id)
        # One for each part, one for each product of an answer that was refused or else for each
        # call that failed, and one for each delivery that was cut off, or came again. What fails is
        # for the product to say: a busy machine lets more calls run out of time than the seed does.
        again = after["failed"] + after["repeated"] + after["succeeded"] - len(batch.sizes) - 1
        most_calls = _needed(batch) + _retries(answers, books.unheard) + again
    assert calls <= most_calls, (calls, most_calls, after, books, answers.faults())
    return Told(
        seed=seed,
        items=items,
        seconds=round(took, 1),
        parts=len(batch.sizes),
        calls=calls,
        most_calls=most_calls,
        kills=killer.count,
        failed_deliveries=after["failed"],
        repeated_deliveries=after["repeated"],
        swept_calls=books.swept,
        unheard_calls=books.unheard,
        verdicts=verdicts,
        faults=dict(answers.faults()),
    )


class _Killer:
    """Kills workers of the functions while they work, at moments that a seed says."""

    def __init__(self, shop: Shop, seed: int, kills: int, gap_seconds: float) -> None:
        self.count = 0
        self._shop = shop
        self._luck = random.Random(seed)  # noqa: S311 - luck, and no secret
        self._kills = kills
        self._gap_seconds = gap_seconds
        self._over = Event()

    def work(self) -> None:
        master = psutil.Process(self._shop.stack.part("functions").pid)
        while self.count < self._kills:
            while not _queue(self._shop)["running"]:
                if self._over.wait(0.05):
                    return
            if self._over.wait(self._luck.uniform(0, self._gap_seconds)):
                return
            if workers := master.children():
                self._luck.choice(workers).kill()
                self.count += 1

    def stop(self) -> None:
        self._over.set()


@contextmanager
def _killing(shop: Shop, seed: int, kills: int, gap_seconds: float) -> Iterator[_Killer]:
    killer = _Killer(shop, seed, kills, gap_seconds)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(killer.work)
        try:
            yield killer
        finally:
            killer.stop()
            working.result()


def _is_done(shop: Shop, batch_id: str) -> bool:
    answered = shop.http.get(f"/classify-batch/{batch_id}")
    # A worker that is killed takes what it serves along.
    return answered.status_code == 200 and answered.json()["status"] == "done"


def _queue(shop: Shop) -> dict[str, int]:
    (queue,) = (
        each for each in shop.stack.control.tasks()["queues"] if each["name"] == batches.QUEUE
    )
    return {name: queue[name] for name in ("succeeded", "failed", "repeated", "running")}


def _sweep() -> None:
    """Settles what nobody has settled in time, as the schedule does a while later."""
    late = utc_now() + 2 * spending.OPEN
    still_open = firestore.client().collection(spending.CALLS).order_by("open_until").limit(1)
    while still_open.get():
        batch_sweep.sweep(lambda: late)


def _check_results(batch_id: str, items: int) -> dict[str, int]:
    results = {each.id: each.to_dict() or {} for each in batch_store.results(batch_id).stream()}
    assert sorted(map(int, results)) == list(range(items))
    verdicts = Counter(each["verdict"] for each in results.values())
    batch, _ = batch_store.read(batch_id)
    counted = {name: getattr(batch, name) for name in ("successful", "failed", "review")}
    assert counted == {name: verdicts[name] for name in counted}
    assert (batch.done, batch.total) == (items, items)
    waiting = (
        firestore.client()
        .collection(reviews.COLLECTION)
        .where(filter=FieldFilter("origin", ">=", f"{batch_id}-"))
    )
    queued = [each.id for each in waiting.stream() if each.id.startswith(f"{batch_id}-")]
    unsure = [int(number) for number, each in results.items() if each["verdict"] != "successful"]
    assert sorted(queued) == sorted(f"{batch_id}-{number}" for number in unsure)
    return dict(verdicts)


def _check_books(batch_id: str, calls: int) -> Books:
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


def _needed(batch: Batch) -> int:
    parts = [batch_store.items(batch.id, part) for part in range(len(batch.sizes))]
    return sum(len(portions({placed.index: placed.item for placed in part})) for part in parts)


def _retries(answers: Answers, unheard: int) -> int:
    failed = [each for each in answers.asked if each.fault]
    heard = [each for each in failed if each.fault not in UNHEARD]
    again = sum(
        each.products if each.fault in REFUSED and each.products > 1 else 1 for each in heard
    )
    return again + max(unheard, len(failed) - len(heard))
