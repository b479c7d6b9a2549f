"""Starting what is due: each slot once, by whichever of many callers takes it first.

Cloud Scheduler calls more than once and a forced run carries another slot's time, tasks come late
or twice: what counts is the schedule's own `next_run_at`. Whoever creates that slot's document has
taken it, for a minute; the slot stays due until it is settled, so that a caller that died is made
good by the next one. Several slots that passed meanwhile are one run.
"""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.crawling import driving, jobs, schedules
from shared.crawling.schedule_models import CrawlSchedule, Outcome, from_document, slot_key
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, ShoppleError

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query, Transaction

log = logging.getLogger(__name__)

SLOTS: Final = "crawl_slots"
KEPT: Final = timedelta(days=90)
# How long a caller has a slot to itself.
LEASE: Final = timedelta(seconds=60)
# A slot that begins later than this was missed: it runs once, and counts from when it does.
LATE: Final = timedelta(seconds=60)
# The regular call comes first.
OVERDUE: Final = timedelta(seconds=75)
MOST_AT_ONCE: Final = 100


def run(schedule_id: str, by: Actor, clock: Clock = utc_now) -> None:
    """Starts the schedule's crawl if a slot is due; raises a DependencyError."""
    schedule = schedules.find(schedule_id)
    if schedule is None:
        driving.withdraw(schedule_id)
        return
    now = clock()
    slot = schedule.due(now)
    if slot is None:
        # A forced run, a call that came again, or a step on the way to a slot far ahead.
        driving.arm(schedule, now)
        return
    if not _take(schedule, slot, now):
        return
    current = schedules.find(schedule_id)
    if current is None or current.next_run_at != slot:
        # Paused, moved or removed before the slot was taken; later it is what was taken that runs.
        _let_go(schedule, slot, now)
        return
    _start(current, slot, by, clock)


def sweep(by: Actor, clock: Clock = utc_now) -> None:
    """Starts what nobody called for in time, and drives what is owed to be driven."""
    from google.cloud.firestore import FieldFilter

    now = clock()
    collection = firestore.client().collection(schedules.COLLECTION)
    overdue = collection.where(filter=FieldFilter("next_run_at", "<=", now - OVERDUE))
    for schedule in _found(overdue):
        _guarded(lambda s=schedule: run(s.id, by, clock))
    owed = collection.where(filter=FieldFilter("undriven", "==", True))
    for schedule in _found(owed):
        _guarded(lambda s=schedule: driving.drive(s, now))


def _found(query: "Query") -> list[CrawlSchedule]:
    with firestore.errors_mapped():
        found = list(query.limit(MOST_AT_ONCE).stream(**firestore.limits()))
    return [from_document(each.id, each.to_dict() or {}) for each in found]


def _guarded(work: Any) -> None:
    try:
        work()
    except ShoppleError:
        # One schedule must not keep the others from running; the next sweep tries again.
        log.exception("A schedule could not be served")


def _take(schedule: CrawlSchedule, slot: datetime, now: datetime) -> bool:
    """Whether the slot is this caller's for the time of a lease."""
    document = _slot(schedule.id, slot)
    lease = {"lease_until": now + LEASE}
    fields = {"schedule_id": schedule.id, "slot": slot, "outcome": None, "job_id": None, **lease}
    try:
        with firestore.errors_mapped():
            document.create({**fields, "expires_at": now + KEPT}, **firestore.limits())
            return True
    except Conflict:
        pass
    with firestore.errors_mapped():
        snapshot = document.get(**firestore.limits())
    known = snapshot.to_dict()
    if known is None or (known["outcome"] is None and known["lease_until"] > now):
        return False
    if known["outcome"] is not None:
        # Settled, but the schedule does not say so yet.
        _settle(schedule, slot, known["outcome"], known["job_id"], now)
        return False
    try:
        firestore.store(snapshot, lease)
    except Conflict:
        return False
    return True


def _start(schedule: CrawlSchedule, slot: datetime, by: Actor, clock: Clock) -> None:
    outcome: Outcome = "started"
    job_id = None
    try:
        job_id = _begun(schedule, slot, by, clock())
    except (Conflict, NotFound, Invalid) as error:
        if error.__cause__ is not None:
            # Not the gap, but others who write the same: to be tried again.
            _let_go(schedule, slot, clock())
            raise
        outcome = "skipped" if isinstance(error, Conflict) else "failed"
        log.warning("A slot has no crawl", extra={"context": _told(schedule, slot, error)})
    except ShoppleError:
        _let_go(schedule, slot, clock())
        raise
    _settle(schedule, slot, outcome, job_id, clock())


def _begun(schedule: CrawlSchedule, slot: datetime, by: Actor, now: datetime) -> str:
    # The distance between two runs is that of their slots, or an interval as long as the least
    # distance would be refused for the second by which its last run came late.
    moment = slot if abs(now - slot) <= LATE else now
    job = jobs.start(
        schedule.retailer,
        schedule.category,
        by=by,
        schedule_id=schedule.id,
        slot=rfc3339(slot),
        clock=lambda: moment,
    )
    return job.id


def _settle(
    schedule: CrawlSchedule, slot: datetime, outcome: Outcome, job_id: str | None, now: datetime
) -> None:
    document = schedules.reference(schedule.id)

    def commit(transaction: "Transaction") -> CrawlSchedule | None:
        fields = document.get(transaction=transaction, **firestore.limits()).to_dict()
        transaction.update(_slot(schedule.id, slot), {"outcome": outcome, "job_id": job_id})
        if fields is None:
            return None
        change: dict[str, Any] = {"last_outcome": outcome, "last_job_id": job_id}
        if outcome == "started":
            change["last_run_at"] = now
        change["next_run_at"] = from_document(schedule.id, fields).next_after(slot, now)
        transaction.update(document, change)
        return from_document(schedule.id, fields | change)

    settled = firestore.in_transaction(commit)
    if settled is not None:
        driving.arm(settled, now)


def _let_go(schedule: CrawlSchedule, slot: datetime, now: datetime) -> None:
    with firestore.errors_mapped():
        _slot(schedule.id, slot).update({"lease_until": now}, **firestore.limits())


def _told(schedule: CrawlSchedule, slot: datetime, error: ShoppleError) -> dict[str, str]:
    return {"schedule_id": schedule.id, "slot": rfc3339(slot), "reason": error.detail}


def _slot(schedule_id: str, slot: datetime) -> "DocumentReference":
    return firestore.client().collection(SLOTS).document(slot_key(schedule_id, slot))
