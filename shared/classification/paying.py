"""One call to a provider, paid for: what it may cost is held before, and settled after."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
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
_settlers: ContextVar[ThreadPoolExecutor | None] = ContextVar("settlers", default=None)
# Nobody knows what a call has cost of which nothing more was heard.
_UNHEARD: Final[tuple[FailureKind, ...]] = ("timeout", "network")


@contextmanager
def settled_beside() -> Iterator[None]:
    """Has the calls inside be settled while others are made; all of them are when it ends."""
    with ThreadPoolExecutor(spending.SHARDS) as pool:
        token = _settlers.set(pool)
        try:
            yield
        finally:
            _settlers.reset(token)


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
            _settle(held, held.micros if cost is None else cost)
    return reply


def _settle(held: Reservation, micros: int) -> None:
    pool = _settlers.get()
    if pool is None:
        spending.settle(held, micros)
    else:
        pool.submit(copy_context().run, _settle_and_tell, held, micros)


def _settle_and_tell(held: Reservation, micros: int) -> None:
    try:
        spending.settle(held, micros)
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
