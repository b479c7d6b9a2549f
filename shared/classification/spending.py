"""What calls cost, and the limit of a day: the books, which Firestore keeps.

Before a call, the most that it can cost is reserved; after it, what it did cost is settled. Each
call has a document of its own, and a day a few counters that share the limit between them, so that
calls do not wait for one another. What is reserved by a worker that died is settled in full.
"""

import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from shared.ai_models import Model
from shared.classification import refusals
from shared.classification.lanes import Lane
from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.errors import Conflict, DependencyError, DependencyUnavailable, NotFound, ShoppleError
from shared.system import configuration

if TYPE_CHECKING:
    from google.cloud.firestore import (
        CollectionReference,
        DocumentReference,
        DocumentSnapshot,
        WriteBatch,
    )

log = logging.getLogger(__name__)

CALLS: Final = "provider_calls"
DAYS: Final = "provider_days"
# Each holds its share of the limit: more of them would leave more of it unused at the end.
SHARDS: Final = 4
# No call lasts half as long.
OPEN: Final = timedelta(seconds=120)
CALLS_KEPT: Final = timedelta(days=90)
DAYS_KEPT: Final = timedelta(days=400)
SWEPT: Final = 200
ATTEMPTS: Final = 8
BUSY_MS: Final = 400
# A database that does not answer must not have all wait in one row.
TURN_SECONDS: Final = 1.0
# Within what one commit may write.
MOST_HELD_AT_ONCE: Final = 50
_MICROS: Final = 1_000_000

_turns = count(secrets.randbelow(SHARDS))
# For whom calls are made, such as a batch: its id stands with each.
_origin: ContextVar[str] = ContextVar("origin", default="")


class Spent(Exception):
    """What the day's limit leaves is not enough for the call."""


class Reservation(msgspec.Struct, frozen=True):
    """What is held for one call until it is settled; `written_at` says that nobody has yet."""

    id: str
    provider: str
    day: str
    shard: int
    micros: int
    written_at: datetime


class _Wish(msgspec.Struct, frozen=True, eq=False):
    """A call as it will be written down, and the limit of its provider's day."""

    call: dict[str, Any]
    limit: int


@contextmanager
def made_for(origin: str) -> Iterator[None]:
    """Has the calls inside be known as made for `origin`."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def has_room(held: int, limit: int, micros: int) -> bool:
    """Whether a shard that holds so much has room for a call, within its share of the limit.

    With a limit of 0 there is none, not even for a model that costs nothing.
    """
    return limit > 0 and held + micros <= limit // SHARDS


def limit_of(provider: str) -> int:
    """The limit of a day, in millionths of a dollar; a change is known within half a minute."""
    dollars: int = getattr(configuration.current().configuration.daily_budget_dollars, provider)
    return dollars * _MICROS


def reserve(model: Model, micros: int, clock: Clock = utc_now) -> Reservation:
    """What is held for a call that may cost so much; raises Spent, or a DependencyError."""
    limit, now = limit_of(model.provider), clock()
    day = now.date().isoformat()
    wanted = (model.provider, day, limit, micros)
    if not has_room(0, limit, micros) or refusals.is_refused(*wanted):
        raise Spent
    first, busy = next(_turns), False
    for turn in range(ATTEMPTS * SHARDS):
        if turn and turn % SHARDS == 0:
            # Many calls that begin in one moment would meet again and again.
            time.sleep(secrets.randbelow(BUSY_MS) / 1000)
        shard = (first + turn) % SHARDS
        try:
            return _lanes[shard].ask(_Wish(_call(model, day, shard, micros, now), limit))
        except Spent:
            if turn >= SHARDS - 1 and not busy:
                break
        except Conflict:
            busy = True
    if busy:
        raise DependencyUnavailable("The books are too busy.")
    refusals.remember(*wanted)
    raise Spent


def settle(held: Reservation, micros: int, by: str = "caller") -> bool:
    """Books what the call cost, unless somebody has; what cannot be booked now, the sweep does."""
    from google.cloud.firestore import DELETE_FIELD, Increment

    database = firestore.client()
    unchanged = database.write_option(last_update_time=held.written_at)
    batch = database.batch()
    booked = {"cost_micros": micros, "settled_by": by, "open_until": DELETE_FIELD}
    batch.update(calls().document(held.id), booked, option=unchanged)
    # The day of the reservation: what is settled after midnight belongs to the day before.
    counts = {"open": Increment(-held.micros), "settled": Increment(micros)}
    shard = {held.provider: counts, "expires_at": _expiry(held.day)}
    batch.set(day_document(held.day, held.shard), shard, merge=True)
    return _committed(batch, held.shard)


def release(held: Reservation) -> None:
    """Gives back what is held for a call that was never made; else the sweep settles it."""
    from google.cloud.firestore import Increment

    database = firestore.client()
    batch = database.batch()
    unchanged = database.write_option(last_update_time=held.written_at)
    batch.delete(calls().document(held.id), option=unchanged)
    shard = {held.provider: {"open": Increment(-held.micros)}}
    batch.set(day_document(held.day, held.shard), shard, merge=True)
    _committed(batch, held.shard)


def sweep(clock: Clock = utc_now) -> list[str]:
    """Settles in full what nobody settled in time; says for whom each of the calls was made."""
    from google.cloud.firestore import FieldFilter

    over = FieldFilter("open_until", "<=", clock())
    query = calls().where(filter=over).order_by("open_until").limit(SWEPT)
    with firestore.errors_mapped():
        found = list(query.stream(**firestore.limits()))
    swept = []
    for each in found:
        held = _reservation(each)
        if settle(held, held.micros, "sweep"):
            swept.append(str(each.get("origin")))
    return swept


def _committed(batch: "WriteBatch", shard: int) -> bool:
    try:
        with _lanes[shard].turn(), firestore.errors_mapped():
            batch.commit(**firestore.limits())
    except (Conflict, NotFound):
        return False
    except ShoppleError as error:
        log.warning("Not settled yet", extra={"context": {"why": error.detail}})
        return False
    return True


def _hold(wishes: Sequence[_Wish]) -> list[Reservation | Exception]:
    """What is held from now on for each, Spent for those without room; all are of one shard.

    Conflict where the shard changed meanwhile. No transaction, whose locks would outlive a worker
    that is killed by a minute.
    """
    # Around midnight they may be of two days, of which one may be held and the other not.
    found: dict[int, Reservation | Exception] = {}
    for day in {wish.call["day"] for wish in wishes}:
        of_day = [each for each in wishes if each.call["day"] == day]
        try:
            found |= _hold_of(day, of_day)
        except ShoppleError as error:
            found |= {id(wish): error for wish in of_day}
    return [found[id(wish)] for wish in wishes]


def _hold_of(day: str, wishes: Sequence[_Wish]) -> dict[int, Reservation | Exception]:
    database, reference = firestore.client(), day_document(day, wishes[0].call["shard"])
    batch, added = database.batch(), Counter[str]()
    found: dict[int, Reservation | Exception] = {id(wish): Spent() for wish in wishes}
    with firestore.errors_mapped():
        before = reference.get(**firestore.limits())
        held = before.to_dict() or {}
        fitting = []
        for wish in wishes:
            provider, micros = wish.call["provider"], wish.call["reserved_micros"]
            if has_room(holds(held, provider) + added[provider], wish.limit, micros):
                added[provider] += micros
                fitting.append((wish, calls().document(secrets.token_hex(10))))
        for wish, call in fitting:
            batch.create(call, wish.call)
        if not fitting:
            return found
        _count(batch, before, added)
        written = batch.commit(**firestore.limits())
    for (wish, call), result in zip(fitting, written[:-1], strict=True):
        found[id(wish)] = _of(call.id, wish.call, result.update_time)
    return found


def _count(batch: "WriteBatch", before: "DocumentSnapshot[Any]", added: Mapping[str, int]) -> None:
    from google.cloud.firestore import Increment

    if before.exists:
        unchanged = firestore.client().write_option(last_update_time=before.update_time)
        more = {f"{provider}.open": Increment(micros) for provider, micros in added.items()}
        batch.update(before.reference, more, option=unchanged)
    else:
        day = before.reference.id.rpartition("-")[0]
        counts = {provider: {"open": micros, "settled": 0} for provider, micros in added.items()}
        batch.create(before.reference, {**counts, "expires_at": _expiry(day)})


def _call(model: Model, day: str, shard: int, micros: int, now: datetime) -> dict[str, Any]:
    return {
        "provider": model.provider,
        "model": model.name,
        "origin": _origin.get(),
        "day": day,
        "shard": shard,
        "reserved_micros": micros,
        "at": now,
        "open_until": now + OPEN,
        "expires_at": now + CALLS_KEPT,
    }


def _expiry(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + DAYS_KEPT


def holds(shard: Mapping[str, Any], provider: str) -> int:
    """What a shard holds for a provider, settled or open."""
    counts = shard.get(provider, {})
    return int(counts.get("open", 0) + counts.get("settled", 0))


def _reservation(snapshot: "DocumentSnapshot[Any]") -> Reservation:
    written_at = cast("datetime", snapshot.update_time)
    return _of(snapshot.id, snapshot.to_dict() or {}, written_at)


def _of(call_id: str, call: Mapping[str, Any], written_at: datetime) -> Reservation:
    return Reservation(
        id=call_id,
        provider=call["provider"],
        day=call["day"],
        shard=call["shard"],
        micros=call["reserved_micros"],
        written_at=written_at,
    )


def calls() -> "CollectionReference":
    """One document for each call."""
    return firestore.client().collection(CALLS)


def day_document(day: str, shard: int) -> "DocumentReference":
    """The counters of a shard of a day."""
    return firestore.client().collection(DAYS).document(f"{day}-{shard}")


# Those of one process would meet at a shard and try again, which costs more than to take turns.
_again: Final = (DependencyError,)
_lanes: Final = tuple(Lane(_hold, MOST_HELD_AT_ONCE, TURN_SECONDS, _again) for _ in range(SHARDS))
