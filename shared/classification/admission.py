"""Whether a candidate may be asked now, and what is held for the call until it is reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.classification import circuits, paying
from shared.classification.circuits import LeftAlone, Permit
from shared.classification.spending import Reservation, Spent
from shared.clients.ai.asking import ProviderFailed, Question
from shared.errors import DependencyError

if TYPE_CHECKING:
    from shared.classification.failover import Candidate


class NotAsked(Exception):
    """The candidate is passed over; `wait_seconds` is when it may be asked, where that is known."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_seconds = wait_seconds


class Call:
    """A call that may be made, and what is held for it; who has no circuit has nobody to tell."""

    def __init__(self, permit: Permit | None = None) -> None:
        self.held: Reservation | None = None
        self._permit = permit

    def succeeded(self, latency_ms: int) -> None:
        """Tells the circuit that it was answered."""
        if self._permit is not None:
            circuits.succeeded(self._permit, latency_ms)

    def failed(self, failure: ProviderFailed, latency_ms: int) -> None:
        """Tells the circuit that it failed."""
        if self._permit is not None:
            circuits.failed(self._permit, failure, latency_ms)


@contextmanager
def admitted(candidate: "Candidate", question: Question, left_seconds: float) -> Iterator[Call]:
    """The call, for which nothing stays taken at the circuit afterwards; raises NotAsked."""
    permit = _permit(candidate.provider, left_seconds) if candidate.has_circuit else None
    try:
        call = Call(permit)
        call.held = _reserved(candidate, question)
        yield call
    finally:
        # Of a trial that was never made, or whose asker went, nobody else would tell.
        if permit is not None:
            circuits.give_back(permit)


def _permit(provider: str, left_seconds: float) -> Permit:
    if left_seconds <= 0:
        raise NotAsked("no time was left")
    try:
        return circuits.permit(provider)
    except LeftAlone as alone:
        raise NotAsked("left alone for now", alone.wait_seconds) from None


def _reserved(candidate: "Candidate", question: Question) -> Reservation | None:
    try:
        return paying.reserve(candidate, question)
    except Spent:
        # Passed over as one whose circuit is open, until the next day.
        raise NotAsked("budget") from None
    except DependencyError:
        # Nobody is paid without the books; who asks for nothing may still answer.
        raise NotAsked("the books were out of reach") from None
