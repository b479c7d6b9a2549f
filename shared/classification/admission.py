"""Whether a candidate may be asked now, and what is held for the call until it is reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared.classification import circuits, paying
from shared.classification.circuits import LeftAlone, Permit
from shared.classification.spending import Reservation, Spent
from shared.clients.ai.asking import ProviderFailed, Question, Stopped
from shared.errors import DependencyError

if TYPE_CHECKING:
    from shared.classification.failover import Asker, Candidate


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
        self.permit = permit

    def succeeded(self, latency_ms: int) -> None:
        """Tells the circuit that it was answered."""
        if self.permit is not None:
            circuits.succeeded(self.permit, latency_ms)

    def failed(self, failure: ProviderFailed, latency_ms: int) -> None:
        """Tells the circuit that it failed."""
        if self.permit is not None:
            circuits.failed(self.permit, failure, latency_ms)


@contextmanager
def admitted(candidate: "Candidate", question: Question, asker: "Asker") -> Iterator[Call]:
    """The call, which has its place and for which nothing stays taken at the circuit afterwards.

    Raises NotAsked, and Stopped where its asker went before it had its place.
    """
    call = Call(_permit(candidate.provider, asker) if candidate.has_circuit else None)
    try:
        call.held = _reserved(candidate, question)
        with paying.place():
            _look_again(call, asker)
            yield call
    finally:
        # Of a trial that was never made, or whose asker went, nobody else would tell.
        if call.permit is not None:
            circuits.give_back(call.permit)


def _look_again(call: Call, asker: "Asker") -> None:
    """Others were asked while this one waited for its place, for as long as a call takes."""
    try:
        _still_there(asker)
        if call.permit is not None:
            _in_time(asker)
            call.permit = _renewed(call.permit)
    except (NotAsked, Stopped):
        paying.release(call.held)
        raise


def _permit(provider: str, asker: "Asker") -> Permit:
    _in_time(asker)
    with _left_alone_is_not_asked():
        return circuits.permit(provider, has_place=paying.has_place())


def _renewed(permit: Permit) -> Permit:
    with _left_alone_is_not_asked():
        return circuits.renewed(permit)


def _still_there(asker: "Asker") -> None:
    if asker.is_gone():
        raise Stopped


def _in_time(asker: "Asker") -> None:
    if asker.left() <= 0:
        raise NotAsked("no time was left")


@contextmanager
def _left_alone_is_not_asked() -> Iterator[None]:
    try:
        yield
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
