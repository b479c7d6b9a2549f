"""What calls cost, and the limit of a day: the books, which Firestore keeps.

Before a call, the most that it can cost is reserved; after it, what it did cost is settled. Each
call has a document of its own, and a day a few counters that share the limit between them, so that
calls do not wait for one another. What is reserved by a worker that died is settled in full.
"""

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from shared.ai_models import Model
from shared.classification import refusals
from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.errors import Conflict, DependencyUnavailable, NotFound, ShoppleError
from shared.system import configuration

if TYPE_CHECKING:
    from google.cloud.firestore import (
        CollectionReference,
        DocumentReference,
        DocumentSnapshot,
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
_MICROS: Final = 1_000_000

# Those of one process would meet at a shard and try again, which costs more than to take turns.
_lanes: Final = tuple(Lock() for _ in range(SHARDS))
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


class Used(msgspec.Struct, frozen=True):
    """What a provider's day has cost, and what each of its shards holds, settled or open."""

    settled: int = 0
    held: tuple[int, ...] = ()

    def has_room(self, limit: int, micros: int) -> bool:
        """Whether a call of so much may still be made."""
        held = (*self.held, *[0] * (SHARDS - len(self.held)))
        return any(has_room(each, limit, micros) for each in held)


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
        call = _call(model, day, (first + turn) % SHARDS, micros, now)
        try:
            with _turn(call["shard"]):
                return _held(call, limit)
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
    batch.update(_calls().document(held.id), booked, option=unchanged)
    # The day of the reservation: what is settled after midnight belongs to the day before.
    counts = {"open": Increment(-held.micros), "settled": Increment(micros)}
    shard = {held.provider: counts, "expires_at": _expiry(held.day)}
    batch.set(_day(held.day, held.shard), shard, merge=True)
    try:
        with _turn(held.shard), firestore.errors_mapped():
            batch.commit(**firestore.limits())
    except (Conflict, NotFound):
        return False
    except ShoppleError as error:
        log.warning("Not settled yet", extra={"context": {"why": error.detail}})
        return False
    return True


def sweep(clock: Clock = utc_now) -> list[str]:
    """Settles in full what nobody settled in time; says for whom each of the calls was made."""
    from google.cloud.firestore import FieldFilter

    over = FieldFilter("open_until", "<=", clock())
    query = _calls().where(filter=over).order_by("open_until").limit(SWEPT)
    with firestore.errors_mapped():
        found = list(query.stream(**firestore.limits()))
    swept = []
    for each in found:
        held = _reservation(each)
        if settle(held, held.micros, "sweep"):
            swept.append(str(each.get("origin")))
    return swept


def today(clock: Clock = utc_now) -> dict[str, Used]:
    """Each provider's spend of this day (UTC); one read for each shard."""
    day = clock().date().isoformat()
    references = [_day(day, shard) for shard in range(SHARDS)]
    with firestore.errors_mapped():
        read = firestore.client().get_all(references, **firestore.limits())
        shards = [each.to_dict() or {} for each in read]
    return {
        name: Used(
            sum(shard.get(name, {}).get("settled", 0) for shard in shards),
            tuple(_holds(shard, name) for shard in shards),
        )
        for name in {name for shard in shards for name in shard if name != "expires_at"}
    }


def of_origin(origin: str) -> tuple[int, int]:
    """How many calls were made for it, and what they cost; one read for each 1,000 of them."""
    from google.cloud.firestore import FieldFilter

    query = _calls().where(filter=FieldFilter("origin", "==", origin))
    with firestore.errors_mapped():
        # The library's types take the field for the query.
        both = query.count("calls").sum("cost_micros", "cost")  # type: ignore[arg-type]
        asked: Any = both.get(**firestore.limits())
    told = {each.alias: int(each.value) for each in asked[0]}
    return told["calls"], told["cost"]


@contextmanager
def _turn(shard: int) -> Iterator[None]:
    taken = _lanes[shard].acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if taken:
            _lanes[shard].release()


def _held(call: dict[str, Any], limit: int) -> Reservation:
    """What is held from now on; raises Spent, and Conflict where the shard changed meanwhile.

    No transaction, whose locks would outlive a worker that is killed by a minute.
    """
    from google.cloud.firestore import Increment

    provider, micros = call["provider"], call["reserved_micros"]
    shard, reference = _day(call["day"], call["shard"]), _calls().document(secrets.token_hex(10))
    batch = firestore.client().batch()
    batch.create(reference, call)
    with firestore.errors_mapped():
        before = shard.get(**firestore.limits())
        if not has_room(_holds(before.to_dict() or {}, provider), limit, micros):
            raise Spent
        if before.exists:
            unchanged = firestore.client().write_option(last_update_time=before.update_time)
            batch.update(shard, {f"{provider}.open": Increment(micros)}, option=unchanged)
        else:
            counts = {"open": micros, "settled": 0}
            batch.create(shard, {provider: counts, "expires_at": _expiry(call["day"])})
        written = batch.commit(**firestore.limits())
    return _of(reference.id, call, written[0].update_time)


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


def _holds(shard: Mapping[str, Any], provider: str) -> int:
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


def _calls() -> "CollectionReference":
    return firestore.client().collection(CALLS)


def _day(day: str, shard: int) -> "DocumentReference":
    return firestore.client().collection(DAYS).document(f"{day}-{shard}")
