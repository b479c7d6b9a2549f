"""POST /classify: a stream of results, several products at a time, in which each loss is told."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any, Final

import msgspec

from shared.classification import candidates, category_choices, failover
from shared.classification.failover import AllFailed, Candidate, Result
from shared.classification.models import Categories
from shared.classification.schemas import Classify, ProductToClassify
from shared.clients.ai.asking import Stopped
from shared.config import settings
from shared.edge.streaming import Event, Line, Stream
from shared.system import configuration

log = logging.getLogger(__name__)

# Every stream has as many, so that none takes the threads of another.
THREADS: Final = 4
# The function itself may take little longer; what is left by then is told to have failed.
MOST_SECONDS: Final = 500.0
TIMEOUT_SECONDS: Final = 540


def stream(wanted: Classify) -> Stream:
    """The stream; raises Invalid, Conflict or a DependencyError before it begins."""
    categories = category_choices.read()
    # As they are now: one read more is little beside the categories.
    known = configuration.read().configuration
    found = candidates.chosen(known.provider_order, wanted.provider, wanted.model, categories)
    threshold = known.thresholds.review_confidence
    return Stream(_Work(wanted.products, categories, found, threshold).run)


class _Work:
    def __init__(
        self,
        products: Sequence[ProductToClassify],
        categories: Categories,
        found: Sequence[Candidate],
        threshold: int,
    ) -> None:
        self._products = products
        self._categories = categories
        self._candidates = found
        self._threshold = threshold
        self._end = time.monotonic() + MOST_SECONDS
        self._lock = Lock()
        self._settled = 0
        self._successful = 0

    def run(self, line: Line) -> None:
        """Classifies every product, or as many as somebody waits for."""
        total = len(self._products)
        with ThreadPoolExecutor(min(THREADS, total)) as pool:
            for index in range(total):
                pool.submit(copy_context().run, self._one, index, line)
        if not line.is_cut():
            counts = {"successful": self._successful, "failed": total - self._successful}
            line.say(Event("complete", {"total": total, **counts}))

    def _one(self, index: int, line: Line) -> None:
        if line.is_cut():
            return
        try:
            event = self._result(index, line)
        except Stopped:
            return
        except AllFailed as failed:
            event = _error(index, f"No provider gave an answer. {failed}")
        except Exception:
            log.exception("Unexpected failure of an item")
            event = _error(index, "Something went wrong; it has been recorded.")
        with self._lock:
            self._settled += 1
            self._successful += event.name == "result"
            line.say(event)
            line.say(self._progress(index))

    def _result(self, index: int, line: Line) -> Event:
        product = self._products[index]
        asker = _Asker(index, line, self._end)
        result = failover.classify(
            product.item(),
            self._categories,
            self._candidates,
            asker,
            settings().ai_timeout_seconds,
        )
        return Event("result", self._told(index, product, result))

    def _told(self, index: int, product: ProductToClassify, result: Result) -> dict[str, Any]:
        verdict = result.verdict
        return {
            "index": index,
            "product": {"id": product.id, "name": product.name},
            **msgspec.structs.asdict(verdict),
            "provider": result.provider,
            "model": result.model,
            "needs_review": verdict.confidence < self._threshold,
        }

    def _progress(self, index: int) -> Event:
        total = len(self._products)
        percent = self._settled * 100 // total
        return Event("progress", {"index": index, "total": total, "percent": percent})


class _Asker:
    """One product's place in the stream."""

    def __init__(self, index: int, line: Line, end: float) -> None:
        self._index = index
        self._line = line
        self._end = end

    def restart(self, provider: str, reason: str) -> None:
        told = {"index": self._index, "provider": provider, "reason": reason}
        self._line.say(Event("restart", told))

    def is_gone(self) -> bool:
        return self._line.is_cut()

    def left(self) -> float:
        return self._end - time.monotonic()

    def wait(self, seconds: float) -> bool:
        return self._line.wait_cut(seconds)


def _error(index: int, message: str) -> Event:
    return Event("error", {"index": index, "message": message})
