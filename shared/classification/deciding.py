"""Finds a category for each of some items, whoever asks: a stream, or a batch's chunk."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, Protocol, cast

import msgspec

from shared.classification import candidates, category_choices, failover, prompts
from shared.classification.failover import AllFailed, Candidate, Result
from shared.classification.models import Categories, Decided, Item, Provider
from shared.clients.ai.asking import Stopped
from shared.config import settings
from shared.system import configuration

log = logging.getLogger(__name__)

# Calls at a time, for each that asks.
THREADS: Final = 8


class Told(Protocol):
    """Whoever waits for results; each method is called from several threads."""

    def restart(self, index: int, provider: str, reason: str) -> None:
        """An item begins again with `provider`, and why."""

    def decided(self, decided: Decided) -> None:
        """An item is settled."""

    def is_gone(self) -> bool:
        """Whether nobody waits any more."""

    def wait(self, seconds: float) -> bool:
        """Waits; says whether nobody waits any more."""


class Silence:
    """Whoever waits for the whole list only."""

    def restart(self, index: int, provider: str, reason: str) -> None:
        """Nothing."""

    def decided(self, decided: Decided) -> None:
        """Nothing."""

    def is_gone(self) -> bool:
        """Never."""
        return False

    def wait(self, seconds: float) -> bool:
        """Waits."""
        time.sleep(seconds)
        return False


class Setting(msgspec.Struct, frozen=True):
    """What items are decided with: the categories, whom to ask, and what passes unreviewed."""

    categories: Categories
    candidates: Sequence[Candidate]
    threshold: int
    call_seconds: float


def setting(provider: Provider | None, model: str | None) -> Setting:
    """As it is now; raises Invalid for a model not allowed, Conflict where nobody can be asked."""
    categories = category_choices.read()
    known = configuration.read().configuration
    found = candidates.chosen(known.provider_order, provider, model, categories)
    threshold = known.thresholds.review_confidence
    return Setting(categories, found, threshold, settings().ai_timeout_seconds)


def decide(  # noqa: PLR0913 - what is asked, of whom, until when, and who hears of it
    items: Sequence[Item],
    *,
    provider: Provider | None,
    model: str | None,
    deadline: float,
    told: Told | None = None,
    cascade: bool = True,
) -> list[Decided]:
    """What comes of each item, in their order; those that nobody waits for any more are left out.

    `deadline` is a moment of `time.monotonic()`. Without `cascade` nothing stands in for a
    provider. Raises Invalid, Conflict or a DependencyError before anything is asked.
    """
    return decide_with(setting(provider, model), items, deadline, told, cascade=cascade)


def decide_with(
    known: Setting,
    items: Sequence[Item],
    deadline: float,
    told: Told | None = None,
    *,
    cascade: bool = True,  # noqa: ARG001 - nothing stands in for a provider yet
) -> list[Decided]:
    """As `decide`, with a setting that was read before."""
    work = _Work(known, items, deadline, told or Silence())
    with ThreadPoolExecutor(THREADS) as pool:
        begun = [pool.submit(copy_context().run, work.settle, index) for index in range(len(items))]
    return [decided for each in begun if (decided := each.result()) is not None]


class _Work:
    def __init__(self, known: Setting, items: Sequence[Item], deadline: float, told: Told) -> None:
        self._known = known
        self._items = items
        self._deadline = deadline
        self._told = told

    def settle(self, index: int) -> Decided | None:
        """What comes of the item; None where nobody waits any more."""
        try:
            decided = self._asked(index)
        except Stopped:
            return None
        except AllFailed as failed:
            decided = _failed(index, f"No provider gave an answer. {failed}")
        except Exception:
            log.exception("Unexpected failure of an item")
            decided = _failed(index, "Something went wrong; it has been recorded.")
        self._told.decided(decided)
        return decided

    def _asked(self, index: int) -> Decided:
        if self._told.is_gone():
            raise Stopped
        result = failover.classify(
            self._items[index],
            self._known.categories,
            self._known.candidates,
            _Asker(index, self._told, self._deadline),
            self._known.call_seconds,
        )
        return _of_result(index, result, self._known.threshold)


class _Asker:
    """One item's place among those that are waited for."""

    def __init__(self, index: int, told: Told, deadline: float) -> None:
        self._index = index
        self._told = told
        self._deadline = deadline

    def restart(self, provider: str, reason: str) -> None:
        self._told.restart(self._index, provider, reason)

    def is_gone(self) -> bool:
        return self._told.is_gone()

    def left(self) -> float:
        return self._deadline - time.monotonic()

    def wait(self, seconds: float) -> bool:
        return self._told.wait(seconds)


def _of_result(index: int, result: Result, threshold: int) -> Decided:
    verdict = result.verdict
    return Decided(
        index=index,
        category=verdict.category,
        confidence=verdict.confidence,
        raw_confidence=verdict.confidence,
        rationale=verdict.rationale,
        provider=cast("Provider", result.provider),
        model=result.model,
        prompt_version=result.prompt_version,
        source="provider",
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        cost_micros=result.cost_micros,
        latency_ms=result.latency_ms,
        needs_review=verdict.confidence < threshold,
    )


def _failed(index: int, failure: str) -> Decided:
    return Decided(
        index=index,
        category=None,
        confidence=None,
        raw_confidence=None,
        rationale="",
        provider=None,
        model=None,
        prompt_version=prompts.PROMPT_VERSION,
        source="provider",
        failure=failure,
    )
