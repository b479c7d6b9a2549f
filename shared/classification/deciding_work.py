"""The work of deciding some items: first what costs nothing, then calls, several at a time."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from shared.classification import (
    answer_cache,
    failover,
    known_neighbours,
    paying,
    prompts,
    steering,
)
from shared.classification.answer_cache import Kept
from shared.classification.failover import AllFailed, Apart, Result
from shared.classification.models import Decided, Item, Provider, Source, Verdict
from shared.classification.paid import Paid
from shared.classification.portions import portions
from shared.clients.ai.asking import Stopped

if TYPE_CHECKING:
    from shared.classification.deciding import Setting, Told

log = logging.getLogger(__name__)

# So many calls are made ready for each that is under way: its place is not empty meanwhile.
READY: Final = 1


class _Task(msgspec.Struct, frozen=True):
    """The items of one call; `before` is why they begin again, if they do."""

    indexes: Sequence[int]
    before: Apart | None = None


class Work:
    """Some items, until each is decided or nobody waits any more."""

    def __init__(
        self, known: "Setting", items: Sequence[Item], deadline: float, told: "Told"
    ) -> None:
        self._known = known
        self._items = items
        self._deadline = deadline
        self._told = told
        self._lock = Lock()
        self._decided: dict[int, Decided] = {}
        self._twins: dict[int, list[int]] = defaultdict(list)

    def run(self) -> list[Decided]:
        """What came of the items, in their order."""
        left = dict(enumerate(self._items))
        # What costs nothing needs nothing in its stead.
        if self._known.cascade and any(each.has_circuit for each in self._known.candidates):
            # Who names a provider or a model wants its word.
            left = left if self._known.is_named else self._without_neighbours(left)
            left = self._without_cached(left)
            left = self._without_twins(left)
        tasks = [_Task(each) for each in portions(left, self._known.most_in_call)]
        if tasks:
            with paying.beside(self._known.threads):
                self._ask(tasks)
        return [self._decided[index] for index in sorted(self._decided)]

    def _without_neighbours(self, items: dict[int, Item]) -> dict[int, Item]:
        known = known_neighbours.read(self._known.categories)
        for index, item in items.items():
            if (verdict := known.nearest(item)) is not None:
                self._settle(self._of_neighbour(index, verdict))
        return self._open(items)

    def _without_cached(self, items: dict[int, Item]) -> dict[int, Item]:
        # Else the word of any that may be asked will do.
        whose = self._known.candidates[: 1 if self._known.is_named else None]
        models = [each.model for each in whose if each.has_circuit]
        for index, kept in answer_cache.read(items, self._known.categories, models).items():
            self._settle(self._of_kept(index, kept, "cache"))
        return self._open(items)

    def _without_twins(self, items: dict[int, Item]) -> dict[int, Item]:
        """The first of each that is there more than once; the others wait for it."""
        first: dict[str, int] = {}
        for index, item in items.items():
            leader = first.setdefault(prompts.identity(item), index)
            if leader != index:
                self._twins[leader].append(index)
        return {index: items[index] for index in first.values()}

    def _open(self, items: dict[int, Item]) -> dict[int, Item]:
        return {index: item for index, item in items.items() if index not in self._decided}

    def _ask(self, tasks: Iterable[_Task]) -> None:
        left, running = deque(tasks), set[Future[list[_Task]]]()
        begun = self._known.threads * (1 + READY)
        with ThreadPoolExecutor(begun) as pool:
            while left or running:
                while left and len(running) < begun:
                    task = left.popleft()
                    running.add(pool.submit(copy_context().run, self._call, task))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    left.extend(each.result())

    def _call(self, task: _Task) -> list[_Task]:
        """Makes the call, and says which follow from it."""
        try:
            if self._told.is_gone():
                return []
            self._results(task)
        except Stopped:
            pass
        except Apart as apart:
            return _alone(task, apart)
        except AllFailed as failed:
            self._failed(task, f"No provider gave an answer. {failed}", failed.paid)
        except Exception:
            log.exception("Unexpected failure of an item")
            self._failed(task, "Something went wrong; it has been recorded.", Paid())
        return []

    def _results(self, task: _Task) -> None:
        known, before = self._known, task.before
        asker = _Asker(task.indexes, self._told, self._deadline)
        items = [self._items[index] for index in task.indexes]
        listed, seconds = known.categories, known.call_seconds
        if len(items) > 1:
            found = failover.classify_together(items, listed, known.candidates, asker, seconds)
        else:
            whom = before.rest if before else known.candidates
            found = [failover.classify(items[0], listed, whom, asker, seconds, before=before)]
        self._keep(items, found)
        for index, result in zip(task.indexes, found, strict=True):
            self._answered(index, result, before.paid if before else Paid())

    def _keep(self, items: Sequence[Item], found: Sequence[Result]) -> None:
        asked = {each.provider: each for each in self._known.candidates}[found[0].provider]
        if self._known.cascade and asked.has_circuit:
            answers = [(item, _kept(result)) for item, result in zip(items, found, strict=True)]
            answer_cache.keep(answers, self._known.categories, asked.model)

    def _answered(self, index: int, result: Result, before: Paid) -> None:
        kept, paid = _kept(result), _paid(before + result.paid)
        decided = self._of_kept(index, kept, "provider")
        if not decided.needs_review and self._known.is_drawn(kept.provider, self._items[index]):
            decided = msgspec.structs.replace(decided, needs_review=True, is_sample=True)
        self._settle(msgspec.structs.replace(decided, latency_ms=result.latency_ms, **paid))
        for twin in self._twins[index]:
            self._settle(self._of_kept(twin, kept, "twin"))

    def _failed(self, task: _Task, failure: str, paid: Paid) -> None:
        before = task.before.paid if task.before else Paid()
        for index, part in zip(task.indexes, paid.shared(len(task.indexes)), strict=True):
            self._settle(failed(index, failure, **_paid(before + part)))
            for twin in self._twins[index]:
                self._settle(failed(twin, failure, source="twin"))

    def _settle(self, decided: Decided) -> None:
        with self._lock:
            self._decided[decided.index] = decided
        self._told.decided(decided)

    def _of_kept(self, index: int, kept: Kept, source: Source) -> Decided:
        verdict = kept.verdict
        confidence = self._known.calibrated(kept.provider, verdict.confidence)
        # Who writes to the model instead of describing a product is looked at by a person.
        steers = steering.suspicion(self._items[index]) == "steers"
        return Decided(
            index=index,
            category=verdict.category,
            confidence=confidence,
            raw_confidence=verdict.confidence,
            rationale=verdict.rationale,
            provider=cast("Provider", kept.provider),
            model=kept.model,
            prompt_version=kept.prompt_version,
            source=source,
            needs_review=steers or confidence < self._known.threshold,
        )

    def _of_neighbour(self, index: int, verdict: Verdict) -> Decided:
        return Decided(
            index=index,
            category=verdict.category,
            confidence=verdict.confidence,
            raw_confidence=None,
            rationale=verdict.rationale,
            provider=None,
            model=None,
            prompt_version=prompts.PROMPT_VERSION,
            source="neighbour",
            needs_review=verdict.confidence < self._known.threshold,
        )


class _Asker:
    """The place of one call's items among those that are waited for."""

    def __init__(self, indexes: Sequence[int], told: "Told", deadline: float) -> None:
        self._indexes = indexes
        self._told = told
        self._deadline = deadline

    def restart(self, provider: str, reason: str) -> None:
        for index in self._indexes:
            self._told.restart(index, provider, reason)

    def is_gone(self) -> bool:
        return self._told.is_gone()

    def left(self) -> float:
        return self._deadline - time.monotonic()

    def wait(self, seconds: float) -> bool:
        return self._told.wait(seconds)


def _alone(task: _Task, apart: Apart) -> list[_Task]:
    """A call for each; what the one for all has cost is shared among them."""
    parts = apart.paid.shared(len(task.indexes))
    return [
        _Task([index], Apart(apart.rest, apart.reason, paid))
        for index, paid in zip(task.indexes, parts, strict=True)
    ]


def failed(index: int, failure: str, **more: Any) -> Decided:
    """An item that has no category, and why; `more` is what else is known of it."""
    told = {"source": "provider", **more}
    return Decided(
        index=index,
        category=None,
        confidence=None,
        raw_confidence=None,
        rationale="",
        provider=None,
        model=None,
        prompt_version=prompts.PROMPT_VERSION,
        failure=failure,
        **told,
    )


def _kept(result: Result) -> Kept:
    return Kept(result.verdict, result.provider, result.model, result.prompt_version)


def _paid(paid: Paid) -> dict[str, int]:
    return msgspec.structs.asdict(paid)
