"""One call to a provider, paid for: what it may cost is held before, and settled after.

Where many calls are made, what comes before and after one is done beside those under way.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

import msgspec

from shared.classification import spending
from shared.classification.spending import Reservation
from shared.clients.ai.asking import FailureKind, Patience, ProviderFailed, Question, Reply, Stopped

if TYPE_CHECKING:
    from shared.classification.failover import Candidate

log = logging.getLogger(__name__)

# A model that thinks may add as much to its answer.
THINKING_TOKENS: Final = 4096
_THINKS: Final = "gemini"
# Nobody knows what a call has cost of which nothing more was heard.
_UNHEARD: Final[tuple[FailureKind, ...]] = ("timeout", "network")


class _Beside(msgspec.Struct, frozen=True):
    """Who settles, and the places of the calls that are under way."""

    settlers: ThreadPoolExecutor
    places: BoundedSemaphore


_beside: ContextVar[_Beside | None] = ContextVar("beside", default=None)


@contextmanager
def beside(at_once: int) -> Iterator[None]:
    """Has as many of the calls inside be under way as are `at_once`, and others made ready.

    They are settled while others are made; all of them are when it ends.
    """
    with ThreadPoolExecutor(spending.SHARDS) as pool:
        token = _beside.set(_Beside(pool, BoundedSemaphore(at_once)))
        try:
            yield
        finally:
            _beside.reset(token)


@contextmanager
def place() -> Iterator[None]:
    """Has the call inside wait until it may be under way, where only so many may be."""
    known = _beside.get()
    if known is None:
        yield
    else:
        with known.places:
            yield


def has_place() -> bool:
    """Whether a call need not wait for one."""
    return _beside.get() is None


def most_micros(candidate: "Candidate", question: Question) -> int:
    """The most that the call can cost: no text has more tokens than bytes."""
    # The schema is sent with every call, and with many categories is most of it.
    told = (question.system.encode(), question.user.encode(), msgspec.json.encode(question.schema))
    size = sum(map(len, told))
    thought = THINKING_TOKENS if candidate.provider == _THINKS else 0
    return candidate.model.cost_micros(size, question.max_tokens + thought)


def reserve(candidate: "Candidate", question: Question) -> Reservation | None:
    """What is held for the call, None where it is free; raises Spent or a DependencyError."""
    if not candidate.has_circuit:
        return None
    return spending.reserve(candidate.model, most_micros(candidate, question))


def release(held: Reservation | None) -> None:
    """Gives back what is held for a call that is not made after all."""
    if held is not None:
        _booked(lambda: spending.release(held))


def ask(
    candidate: "Candidate", question: Question, patience: Patience, held: Reservation | None
) -> Reply:
    """What the provider answered, unread, and paid for; raises ProviderFailed, Stopped."""
    cost = None
    try:
        reply = _reply(candidate, question, patience)
        cost = candidate.model.cost_micros(reply.input_tokens, reply.output_tokens)
    except ProviderFailed as failure:
        # An answer that was cut short or filtered is paid for as well.
        if failure.kind not in _UNHEARD or any(failure.tokens):
            cost = candidate.model.cost_micros(*failure.tokens)
        raise
    finally:
        if held is not None:
            micros = held.micros if cost is None else cost
            _booked(lambda: spending.settle(held, micros))
    return reply


def _booked(book: Callable[[], object]) -> None:
    known = _beside.get()
    if known is None:
        book()
    else:
        known.settlers.submit(copy_context().run, _booked_and_told, book)


def _booked_and_told(book: Callable[[], object]) -> None:
    try:
        book()
    except Exception:
        # The sweep settles it in full; nobody looks at what a thread of the pool raises.
        log.exception("Unexpected failure of the books")


def _reply(candidate: "Candidate", question: Question, patience: Patience) -> Reply:
    try:
        return candidate.ask(question, candidate.model.name, patience)
    except (ProviderFailed, Stopped):
        raise
    except Exception as error:
        if not candidate.has_circuit:
            raise
        # An SDK's own defect is no reason to ask nobody else.
        context = {"provider": candidate.provider, "model": candidate.model.name}
        log.exception("Unexpected failure of a provider", extra={"context": context})
        raise ProviderFailed("network") from error
