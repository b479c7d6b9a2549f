"""POST /classify: a stream of results, several products at a time, in which each loss is told."""

import time
from collections.abc import Sequence
from functools import lru_cache, partial
from threading import Lock
from typing import Any, Final

import msgspec

from shared.classification import deciding, queueing
from shared.classification.deciding import Setting
from shared.classification.models import Decided, Item, Provider
from shared.classification.schemas import Classify, items_of
from shared.classification.shared_reading import SharedReading
from shared.edge.streaming import Event, Line, Stream

# Every stream has as many, so that none takes the threads of another.
THREADS: Final = 4
# Somebody looks on: a few results now and then, rather than many at once.
MOST_IN_CALL: Final = 5
# The function itself may take little longer; what is left by then is told to have failed.
MOST_SECONDS: Final = 500.0
TIMEOUT_SECONDS: Final = 540


def stream(wanted: Classify) -> Stream:
    """The stream; raises Invalid, Conflict or a DependencyError before it begins."""
    total, items = len(wanted.products), items_of(wanted.products)
    known = msgspec.structs.replace(
        _setting_of(wanted.provider, wanted.model).read(
            partial(deciding.setting, wanted.provider, wanted.model)
        ),
        threads=min(THREADS, total),
        # No two wait for each other while a thread is free.
        most_in_call=min(MOST_IN_CALL, -(-total // THREADS)),
    )
    return Stream(_Work(items, known).run)


@lru_cache(maxsize=32)
def _setting_of(provider: Provider | None, model: str | None) -> SharedReading[Setting]:  # noqa: ARG001
    # Streams that begin together would each read every category and open every key.
    return SharedReading()


class _Work:
    def __init__(self, items: Sequence[Item], known: Setting) -> None:
        self._items = items
        self._known = known
        self._end = time.monotonic() + MOST_SECONDS

    def run(self, line: Line) -> None:
        """Classifies every product, or as many as somebody waits for."""
        heard = _Heard(self._items, line)
        deciding.decide_with(self._known, self._items, self._end, heard)
        heard.complete()


class _Heard:
    """Tells the caller what happens, as it does."""

    def __init__(self, items: Sequence[Item], line: Line) -> None:
        self._items = items
        self._line = line
        self._lock = Lock()
        self._settled = 0
        self._successful = 0

    def restart(self, index: int, provider: str, reason: str) -> None:
        told = {"index": index, "provider": provider, "reason": reason}
        self._line.say(Event("restart", told))

    def decided(self, decided: Decided) -> None:
        # Before it is told, so that whoever hears of it finds it in the queue.
        if decided.needs_review:
            queueing.enter(self._items[decided.index], decided)
        with self._lock:
            self._settled += 1
            self._successful += decided.failure is None
            self._line.say(self._result(decided))
            self._line.say(self._progress(decided.index))

    def is_gone(self) -> bool:
        return self._line.is_cut()

    def wait(self, seconds: float) -> bool:
        return self._line.wait_cut(seconds)

    def complete(self) -> None:
        """The last event, if anybody hears it."""
        total = len(self._items)
        if not self._line.is_cut():
            counts = {"successful": self._successful, "failed": total - self._successful}
            self._line.say(Event("complete", {"total": total, **counts}))

    def _result(self, decided: Decided) -> Event:
        if decided.failure is not None:
            return Event("error", {"index": decided.index, "message": decided.failure})
        item = self._items[decided.index]
        told: dict[str, Any] = {
            "index": decided.index,
            "product": {"id": item.id, "name": item.name},
            "category": decided.category,
            "confidence": decided.confidence,
            "rationale": decided.rationale,
            "provider": decided.provider,
            "model": decided.model,
            "source": decided.source,
            "needs_review": decided.needs_review,
        }
        return Event("result", told)

    def _progress(self, index: int) -> Event:
        total = len(self._items)
        percent = self._settled * 100 // total
        return Event("progress", {"index": index, "total": total, "percent": percent})
