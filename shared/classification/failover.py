"""One product, asked of one provider after the other until one answers what may be answered."""

import logging
import time
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from shared.ai_models import Model
from shared.classification import answers, circuits, paying, prompts
from shared.classification.models import Categories, Item, Verdict
from shared.classification.providers import Ask
from shared.classification.spending import Reservation, Spent
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Stopped

log = logging.getLogger(__name__)

# Whoever asks for more patience than this is not waited for, though no other is left.
MOST_WAIT_SECONDS: Final = 10.0


class Candidate(msgspec.Struct, frozen=True):
    """A provider that may be asked; one without a network has no circuit that could open."""

    provider: str
    model: Model
    ask: Ask
    has_circuit: bool = True


class Asker(Protocol):
    """Whoever waits for the result."""

    def restart(self, provider: str, reason: str) -> None:
        """Is told that the item begins again with `provider`, and why."""

    def is_gone(self) -> bool:
        """Whether nobody waits any more."""

    def left(self) -> float:
        """The seconds that it waits in all from now on, for whatever number of calls."""

    def wait(self, seconds: float) -> bool:
        """Waits; says whether the asker went meanwhile."""


class Result(msgspec.Struct, frozen=True):
    """A verdict with whose it is and what it took."""

    verdict: Verdict
    provider: str
    model: str
    prompt_version: str
    input_tokens: int
    output_tokens: int
    cost_micros: int
    latency_ms: int


class AllFailed(Exception):
    """No provider gave an answer; the message names each with its reason."""


def classify(
    item: Item,
    categories: Categories,
    candidates: Sequence[Candidate],
    asker: Asker,
    seconds: float,
) -> Result:
    """The first result that a candidate gives; raises AllFailed, or Stopped if the asker went.

    A call may take `seconds`, and all together no longer than the asker waits. Who asks to be
    left alone is, and is waited for only where all others have failed, and not for long.
    """
    attempts = _Attempts(prompts.question(item, categories), categories, asker, seconds)
    result = attempts.first_of(candidates)
    if result is None and (waiting := attempts.soonest()) is not None:
        candidate, wait = waiting
        if asker.wait(wait):
            raise Stopped
        result = attempts.first_of([candidate])
    if result is None:
        raise AllFailed(attempts.told())
    return result


class _Attempts:
    def __init__(
        self, question: Question, categories: Categories, asker: Asker, seconds: float
    ) -> None:
        self._question = question
        self._categories = categories
        self._asker = asker
        self._seconds = seconds
        self._reasons: dict[str, str] = {}
        self._waits: dict[str, tuple[Candidate, float]] = {}
        self._begun: str | None = None

    def first_of(self, candidates: Sequence[Candidate]) -> Result | None:
        for candidate in candidates:
            if self._asker.is_gone():
                raise Stopped
            if self._asker.left() <= 0:
                self._reasons.setdefault(candidate.provider, "no time was left")
                continue
            if candidate.has_circuit and (wait := circuits.wait_of(candidate.provider)) is not None:
                self._reasons.setdefault(candidate.provider, "left alone for now")
                self._waits[candidate.provider] = (candidate, wait)
                continue
            try:
                held = paying.reserve(candidate, self._question)
            except Spent:
                # Passed over as one whose circuit is open, until the next day.
                self._reasons[candidate.provider] = "budget"
                continue
            if self._begun is not None:
                self._asker.restart(candidate.provider, self._begun)
            try:
                return self._attempt(candidate, held)
            except ProviderFailed as failure:
                self._failed(candidate, failure)
        return None

    def soonest(self) -> tuple[Candidate, float] | None:
        """Whoever may be asked again soonest, and after how many seconds, if that is soon."""
        most = min(MOST_WAIT_SECONDS, self._asker.left())
        waits = [each for each in self._waits.values() if each[1] <= most]
        return min(waits, key=lambda each: each[1], default=None)

    def told(self) -> str:
        """Each provider with why it gave no answer."""
        return "; ".join(f"{name}: {reason}" for name, reason in self._reasons.items())

    def _attempt(self, candidate: Candidate, held: Reservation | None) -> Result:
        began = time.monotonic()
        try:
            result = self._asked(candidate, held, began)
        except ProviderFailed as failure:
            if candidate.has_circuit:
                circuits.failed(candidate.provider, failure, _ms_since(began))
            raise
        if candidate.has_circuit:
            circuits.succeeded(candidate.provider, result.latency_ms)
        if log.isEnabledFor(logging.DEBUG):
            told = {"category": result.verdict.category, "cost_micros": result.cost_micros}
            log.debug("Classified", extra={"context": {"provider": result.provider, **told}})
        return result

    def _asked(self, candidate: Candidate, held: Reservation | None, began: float) -> Result:
        model = candidate.model
        seconds = min(self._seconds, self._asker.left())
        patience = Patience(seconds, self._asker.is_gone)
        reply = paying.ask(candidate, self._question, patience, held)
        return Result(
            answers.read(reply.text, self._categories),
            candidate.provider,
            model.name,
            prompts.PROMPT_VERSION,
            reply.input_tokens,
            reply.output_tokens,
            model.cost_micros(reply.input_tokens, reply.output_tokens),
            _ms_since(began),
        )

    def _failed(self, candidate: Candidate, failure: ProviderFailed) -> None:
        self._begun = self._reasons[candidate.provider] = failure.kind
        if failure.kind == "rate_limited":
            self._waits[candidate.provider] = (candidate, failure.wait_seconds)
        else:
            self._waits.pop(candidate.provider, None)
        context = {"provider": candidate.provider, "model": candidate.model.name}
        log.warning("A provider failed", extra={"context": {**context, "why": failure.kind}})


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
