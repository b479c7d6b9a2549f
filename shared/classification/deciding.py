"""Finds a category for each of some items, whoever asks: a stream, or a batch's chunk.

What need not be paid for is not: a product that is as good as known, one that was answered of late,
and one that stands among the items already. The others are asked about, several in one call.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from shared.classification import candidates, category_choices, deciding_work, ledgers
from shared.classification.failover import Candidate
from shared.classification.models import Categories, Decided, Item, Provider
from shared.classification.portions import MOST_IN_CALL
from shared.config import settings
from shared.system import configuration

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
    """What items are decided with: the categories, whom to ask, and what passes unreviewed.

    `calibrated` says what a provider's own figure is worth, and `is_drawn` of which of its sure
    answers a person is asked all the same.
    `most_in_call` products go in one call at the most, `threads` calls are made at a time, and
    without `cascade` nothing stands in for a provider. Where `is_named`, the caller has named the
    first of the candidates, and nothing but its own answers of late stands in for it.
    """

    categories: Categories
    candidates: Sequence[Candidate]
    threshold: int
    call_seconds: float
    calibrated: Callable[[str, int], int] = lambda _provider, raw: raw
    is_drawn: Callable[[str, Item], bool] = lambda _provider, _item: False
    most_in_call: int = MOST_IN_CALL
    threads: int = THREADS
    cascade: bool = True
    is_named: bool = False


def setting(provider: Provider | None, model: str | None) -> Setting:
    """As it is now; raises Invalid for a model not allowed, Conflict where nobody can be asked."""
    categories = category_choices.read()
    known = configuration.read().configuration
    found = candidates.chosen(known.provider_order, provider, model, categories)
    threshold = known.thresholds.review_confidence
    seconds = settings().ai_timeout_seconds
    named = provider is not None or model is not None
    return Setting(
        categories,
        found,
        threshold,
        seconds,
        ledgers.calibrated,
        ledgers.is_drawn,
        is_named=named,
    )


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
    known = msgspec.structs.replace(setting(provider, model), cascade=cascade)
    return decide_with(known, items, deadline, told)


def decide_with(
    known: Setting, items: Sequence[Item], deadline: float, told: Told | None = None
) -> list[Decided]:
    """As `decide`, with a setting that was read before."""
    return deciding_work.Work(known, items, deadline, told or Silence()).run()
