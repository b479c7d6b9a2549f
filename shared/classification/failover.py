"""Products, asked of one provider after the other until one answers what may be answered.

One product in one call, or several; an answer for several that is not exactly what was asked for
is refused as a whole, and each of them begins again alone.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from shared.ai_models import Model
from shared.classification import answers, circuits, paying, prompts
from shared.classification.circuit_rules import Circuit
from shared.classification.models import Categories, Item, Verdict
from shared.classification.paid import Paid
from shared.classification.providers import Ask
from shared.classification.spending import Reservation, Spent
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Stopped
from shared.errors import DependencyError

log = logging.getLogger(__name__)
T = TypeVar("T")

# Whoever asks for more patience than this is not waited for, though no other is left.
MOST_WAIT_SECONDS: Final = 10.0
# These are of what was asked, and not of who was: another would fare no better with all of it.
_OF_THE_QUESTION: Final = ("bad_output", "refused")


class Candidate(msgspec.Struct, frozen=True):
    """A provider that may be asked; one without a network has no circuit that could open.

    Nor is it ever too late to ask it: it answers in the process itself.
    """

    provider: str
    model: Model
    ask: Ask
    has_circuit: bool = True
    takes_many: bool = True


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
    """A verdict with whose it is, and what its item took in all, with answers of no use."""

    verdict: Verdict
    provider: str
    model: str
    prompt_version: str
    paid: Paid
    latency_ms: int


class AllFailed(Exception):
    """No provider gave an answer; the message names each with its reason."""

    def __init__(self, told: str, paid: Paid) -> None:
        super().__init__(told)
        self.paid = paid


class Apart(Exception):
    """Several products are not answered together: each begins again alone with the `rest`."""

    def __init__(self, rest: Sequence[Candidate], reason: str | None, paid: Paid) -> None:
        super().__init__(reason)
        self.rest = rest
        self.reason = reason
        self.paid = paid


def classify(  # noqa: PLR0913 - what is asked, of whom, who waits, and what went before
    item: Item,
    categories: Categories,
    candidates: Sequence[Candidate],
    asker: Asker,
    seconds: float,
    *,
    before: Apart | None = None,
) -> Result:
    """The first result that a candidate gives; raises AllFailed, or Stopped if the asker went.

    A call may take `seconds`, and all together no longer than the asker waits; who needs no network
    is asked even then. Who asks to be left alone is, and is waited for only where all others have
    failed, and not for long.
    `before` is why the item begins again here.
    """
    attempts = _Attempts(
        prompts.question(item, categories),
        lambda text: answers.read(text, categories),
        asker,
        seconds,
        begun=before.reason if before else None,
    )
    answered = attempts.answer(candidates)
    return answered.result(answered.value, prompts.PROMPT_VERSION, answered.paid)


def classify_together(
    items: Sequence[Item],
    categories: Categories,
    candidates: Sequence[Candidate],
    asker: Asker,
    seconds: float,
) -> list[Result]:
    """The results of several products by one call; raises Apart, and what `classify` raises."""
    asked = prompts.marked(items)
    attempts = _Attempts(
        prompts.question_of_several(asked, categories),
        lambda text: answers.read_several(text, asked, categories),
        asker,
        seconds,
        together=True,
    )
    answered = attempts.answer(candidates)
    parts = answered.paid.shared(len(items))
    return [
        answered.result(verdict, prompts.SEVERAL_VERSION, part)
        for verdict, part in zip(answered.value, parts, strict=True)
    ]


class _Answered(msgspec.Struct, Generic[T], frozen=True):
    value: T
    provider: str
    model: str
    paid: Paid
    latency_ms: int

    def result(self, verdict: Verdict, version: str, paid: Paid) -> Result:
        return Result(verdict, self.provider, self.model, version, paid, self.latency_ms)


class _Attempts(Generic[T]):
    def __init__(  # noqa: PLR0913 - as many things make one attempt
        self,
        question: Question,
        read: Callable[[str], T],
        asker: Asker,
        seconds: float,
        *,
        together: bool = False,
        begun: str | None = None,
    ) -> None:
        self._question = question
        self._read = read
        self._asker = asker
        self._seconds = seconds
        self._together = together
        self._begun = begun
        self._reasons: dict[str, str] = {}
        self._waits: dict[str, tuple[Candidate, float]] = {}
        self._paid = Paid()

    def answer(self, candidates: Sequence[Candidate]) -> _Answered[T]:
        """The first answer; raises AllFailed, Stopped, and Apart where several were asked."""
        answered = self._first_of(candidates)
        if answered is None and (waiting := self._soonest()) is not None:
            candidate, wait = waiting
            if self._asker.wait(wait):
                raise Stopped
            answered = self._first_of([candidate])
        if answered is None:
            told = "; ".join(f"{name}: {reason}" for name, reason in self._reasons.items())
            raise AllFailed(told, self._paid)
        return answered

    def _first_of(self, candidates: Sequence[Candidate]) -> _Answered[T] | None:
        for number, candidate in enumerate(candidates):
            if self._asker.is_gone():
                raise Stopped
            if self._together and not candidate.takes_many:
                raise Apart(candidates[number:], self._begun, self._paid)
            try:
                answered = self._turn_of(candidate)
            except ProviderFailed as failure:
                self._failed(candidate, failure)
                if self._together and failure.kind in _OF_THE_QUESTION:
                    raise Apart(candidates[number:], failure.kind, self._paid) from None
            else:
                if answered is not None:
                    return answered
        return None

    def _turn_of(self, candidate: Candidate) -> _Answered[T] | None:
        """Its answer, or None where it is passed over; raises ProviderFailed, Stopped."""
        if not self._may_be_asked(candidate):
            return None
        known = circuits.held_against(candidate.provider)
        try:
            held = paying.reserve(candidate, self._question)
        except (Spent, DependencyError) as error:
            # As one whose circuit is open. Without the books nobody is paid; who asks for nothing
            # may still answer.
            why = "budget" if isinstance(error, Spent) else "the books were out of reach"
            self._reasons[candidate.provider] = why
            return None
        with paying.place():
            # Others were asked meanwhile, for as long as a call takes.
            is_gone = self._asker.is_gone()
            if is_gone or not self._may_still_be_asked(candidate, known):
                paying.release(held)
                if is_gone:
                    raise Stopped
                return None
            return self._attempt(candidate, held)

    def _may_be_asked(self, candidate: Candidate) -> bool:
        if not candidate.has_circuit:
            return True
        if self._asker.left() <= 0:
            self._reasons.setdefault(candidate.provider, "no time was left")
            return False
        if (wait := circuits.wait_of(candidate.provider)) is not None:
            self._reasons.setdefault(candidate.provider, "left alone for now")
            self._waits[candidate.provider] = (candidate, wait)
            return False
        return True

    def _may_still_be_asked(self, candidate: Candidate, known: Circuit) -> bool:
        """Whether it may, of which nothing but `known` was held against it a moment ago."""
        if not candidate.has_circuit:
            return True
        is_same = circuits.held_against(candidate.provider) == known and self._asker.left() > 0
        return is_same or self._may_be_asked(candidate)

    def _soonest(self) -> tuple[Candidate, float] | None:
        """Whoever may be asked again soonest, and after how many seconds, if that is soon."""
        most = min(MOST_WAIT_SECONDS, self._asker.left())
        waits = [each for each in self._waits.values() if each[1] <= most]
        return min(waits, key=lambda each: each[1], default=None)

    def _attempt(self, candidate: Candidate, held: Reservation | None) -> _Answered[T]:
        if self._begun is not None:
            self._asker.restart(candidate.provider, self._begun)
        began = time.monotonic()
        try:
            value = self._asked(candidate, held)
        except ProviderFailed as failure:
            if candidate.has_circuit:
                circuits.failed(candidate.provider, failure, _ms_since(began))
            raise
        latency_ms = _ms_since(began)
        if candidate.has_circuit:
            circuits.succeeded(candidate.provider, latency_ms)
        if log.isEnabledFor(logging.DEBUG):
            told = {"provider": candidate.provider, "cost_micros": self._paid.cost_micros}
            log.debug("Classified", extra={"context": told})
        return _Answered(value, candidate.provider, candidate.model.name, self._paid, latency_ms)

    def _asked(self, candidate: Candidate, held: Reservation | None) -> T:
        # What costs no time worth the name is not lost because others took all of it.
        left = self._asker.left() if candidate.has_circuit else self._seconds
        patience = Patience(min(self._seconds, left), self._asker.is_gone)
        try:
            reply = paying.ask(candidate, self._question, patience, held)
        except ProviderFailed as failure:
            # An answer that was cut short or filtered is paid for as well.
            self._pay(candidate, *failure.tokens)
            raise
        # Paid for, whatever it says.
        self._pay(candidate, reply.input_tokens, reply.output_tokens)
        return self._read(reply.text)

    def _pay(self, candidate: Candidate, input_tokens: int, output_tokens: int) -> None:
        cost = candidate.model.cost_micros(input_tokens, output_tokens)
        self._paid += Paid(int(candidate.has_circuit), input_tokens, output_tokens, cost)

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
