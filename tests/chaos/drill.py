"""One batch under accidents, and what must hold of it whatever happened."""

import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from shared.classification import batch_store, batches, keys
from shared.classification.models import KEYED, LOCAL
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS, DailyBudgetDollars
from tests.chaos import checks
from tests.chaos.accidents import BY, Accidents, Wanted, begun, most_mb, queue_of, replace_workers
from tests.chaos.models import HOPELESS, Answers, models_at
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop, word
from tests.polling import eventually

# Between the figures that the mock states, as they are calibrated without any review.
THRESHOLD: Final = 60
FAULTY_PERCENT: Final = 20.0
REPEATED_PERCENT: Final = 10.0
LATE_SECONDS: Final = 1.5
LOOK_SECONDS: Final = 0.3
# Of so many products, the last few are what no paid provider can answer.
BLOCK: Final = 1000
FEW_HOPELESS: Final = 10
# Many drills are held on one day.
BUDGET_DOLLARS: Final = 10_000


@dataclass(frozen=True)
class Told:
    """What a drill came to."""

    seed: int
    with_local: bool
    items: int
    seconds: float
    parts: int
    calls: int
    most_calls: int
    kills: int
    outages: int
    failed_deliveries: int
    repeated_deliveries: int
    swept_calls: int
    unheard_calls: int
    worker_mb: float
    verdicts: dict[str, int]
    faults: dict[str, int]


def prepare(shop: Shop, *, with_local: bool = True) -> None:
    """Gives every provider a key, and lets some pass of what nobody has reviewed yet."""
    order = [name for name in DEFAULTS.provider_order if with_local or name != LOCAL]
    dollars = dict.fromkeys(KEYED, BUDGET_DOLLARS)
    with instance(shop.stack.environment()):
        wanted = msgspec.structs.replace(
            DEFAULTS,
            thresholds=msgspec.structs.replace(DEFAULTS.thresholds, review_confidence=THRESHOLD),
            provider_order=order,
            daily_budget_dollars=DailyBudgetDollars(**dollars),
        )
        configuration.change(wanted, None, BY)
        for provider in KEYED:
            keys.store(provider, f"drill-key-of-{provider}", BY)
    # Each keeps for half a minute what it has read.
    replace_workers(shop)


def product(seed: int, number: int, items: int) -> dict[str, Any]:
    """A product whose words no other has."""
    first = word(seed * 100_000 + number)
    brand = HOPELESS if _is_hopeless(number, items) else "Drill"
    return {"name": f"{first} {word(500_000_000 + number)} {number}", "brand": brand}


def run(shop: Shop, wanted: Wanted, items: int, within_seconds: float, slow: float | None) -> Told:
    """Runs one batch to its end under accidents, checks it, and says how it was.

    A slow provider, where there is one, takes `slow` seconds. Of the seeds every second has no
    `local` at the end of the order.
    """
    seed, with_local = wanted.seed, wanted.seed % 2 == 1
    prepare(shop, with_local=with_local)
    answers = Answers(seed, FAULTY_PERCENT, slow)
    control = shop.stack.control
    before = queue_of(shop)
    control.disturb_tasks(
        batches.QUEUE,
        repeated_percent=REPEATED_PERCENT,
        late_seconds=LATE_SECONDS,
        seed=seed,
    )
    with models_at(shop.stack, answers) as models:
        batch_id = begun(shop, [product(seed, number, items) for number in range(items)])
        began = time.monotonic()
        accidents = Accidents(shop, models, wanted, before["succeeded"])
        with accidents.happening():
            eventually(
                lambda: _is_done(shop, batch_id),
                timeout_seconds=within_seconds,
                # Who asks all the time takes from those who work.
                gap_seconds=LOOK_SECONDS,
            )
            took = time.monotonic() - began
        with instance(shop.stack.environment()):
            settled = checks.written(batch_id)
        # What was sent twice may still be under way.
        shop.idle()
        calls = models.calls()
        worker_mb = most_mb(shop)
    control.disturb_tasks(batches.QUEUE)
    assert (accidents.kills, accidents.outages) == (wanted.kills, wanted.outages)
    assert calls == len(answers.asked)
    after = {name: count - before[name] for name, count in queue_of(shop).items()}
    hopeless = [number for number in range(items) if _is_hopeless(number, items)]
    with instance(shop.stack.environment()):
        checks.sweep()
        checks.come_late(batch_id)
        # Whoever came later, then or before, has changed nothing.
        assert checks.written(batch_id) == settled
        verdicts = checks.check_results(batch_id, items, hopeless, with_local=with_local)
        books = checks.check_books(batch_id, calls)
        batch, _ = batch_store.read(batch_id)
        # One for each part, one for each product of an answer that was refused or else for each
        # call that failed, and one for each delivery that was cut off, or came again. What fails is
        # for the product to say: a busy machine lets more calls run out of time than the seed does.
        again = after["failed"] + after["repeated"] + after["succeeded"] - len(batch.sizes) - 1
        most_calls = checks.needed(batch) + checks.retries(answers, books.unheard) + again
    assert calls <= most_calls, (calls, most_calls, after, books, answers.faults())
    # The worker was killed that waited for the held one.
    assert books.swept
    return Told(
        seed=seed,
        with_local=with_local,
        items=items,
        seconds=round(took, 1),
        parts=len(batch.sizes),
        calls=calls,
        most_calls=most_calls,
        kills=accidents.kills,
        outages=accidents.outages,
        failed_deliveries=after["failed"],
        repeated_deliveries=after["repeated"],
        swept_calls=books.swept,
        unheard_calls=books.unheard,
        worker_mb=worker_mb,
        verdicts=verdicts,
        faults=dict(answers.faults()),
    )


def _is_hopeless(number: int, items: int) -> bool:
    return (items - 1 - number) % BLOCK < FEW_HOPELESS


def _is_done(shop: Shop, batch_id: str) -> bool:
    answered = shop.http.get(f"/classify-batch/{batch_id}")
    # A worker that is killed takes what it serves along.
    return answered.status_code == 200 and answered.json()["status"] == "done"
