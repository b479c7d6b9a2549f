"""Schedules: made, changed, listed and removed by admins.

What Cloud Scheduler and Cloud Tasks must know is told after the commit; the document says that it
is owed until then, and the sweep pays what was left.
"""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.crawling import driving, schedule_checks
from shared.crawling.schedule_models import CrawlSchedule, from_document, to_document
from shared.crawling.schedule_schemas import (
    ListSchedules,
    ScheduleContent,
    SchedulePage,
    ScheduleView,
    view,
)
from shared.edge.pages import newest_first
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound, StaleVersion
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "crawl_schedules"
JOBS: Final = "crawl_jobs"
# Counted before each new one: two that are made at once may go one beyond.
MOST_SCHEDULES: Final = 200
_TIMING: Final = ("type", "timezone", "at", "time", "weekday", "interval_minutes")


def reference(schedule_id: str) -> "DocumentReference":
    """Where a schedule is stored."""
    return firestore.client().collection(COLLECTION).document(schedule_id)


def find(schedule_id: str) -> CrawlSchedule | None:
    """The schedule, if there is one."""
    with firestore.errors_mapped():
        fields = reference(schedule_id).get(**firestore.limits()).to_dict()
    return None if fields is None else from_document(schedule_id, fields)


def create(content: ScheduleContent, by: Actor, clock: Clock = utc_now) -> ScheduleView:
    """The new schedule; raises Invalid, or Conflict where there are 200 already."""
    schedule_checks.check(content)
    query = firestore.client().collection(COLLECTION).limit(MOST_SCHEDULES)
    with firestore.errors_mapped():
        known = firestore.count(query)
    if known >= MOST_SCHEDULES:
        raise Conflict(f"There are {MOST_SCHEDULES} schedules already; remove one first.")
    now = clock()
    made = CrawlSchedule(
        id=secrets.token_hex(10),
        **_fields(content),
        anchor=now.replace(second=0, microsecond=0),
        next_run_at=None,
        created_by=by.uid,
        created_at=now,
        updated_at=now,
    )
    schedule = msgspec.structs.replace(made, next_run_at=made.slot_after(now))
    schedule_checks.check_future(schedule)
    batch = firestore.client().batch()
    batch.create(reference(schedule.id), to_document(schedule))
    batch.create(*audit.entry(by, _resource(schedule.id), None, _audited(schedule), clock))
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())
    driving.drive_or_leave(schedule, now)
    return view(schedule)


def change(
    schedule_id: str,
    content: ScheduleContent,
    expected: int | None,
    by: Actor,
    clock: Clock = utc_now,
) -> ScheduleView:
    """The changed schedule; raises NotFound, StaleVersion or Invalid.

    Its slots are counted from now: what was missed while it was paused is not made up for.
    """
    schedule_checks.check(content)
    now = clock()

    def run(transaction: "Transaction") -> CrawlSchedule:
        before = _read(transaction, schedule_id, expected)
        after = _changed(before, content, now)
        if after is before:
            return before
        transaction.update(reference(schedule_id), to_document(after))
        told = _audited(before), _audited(after)
        transaction.create(*audit.entry(by, _resource(schedule_id), *told, clock))
        return after

    schedule = firestore.in_transaction(run)
    if schedule.undriven:
        driving.drive_or_leave(schedule, now)
    return view(schedule, _statuses([schedule]).get(schedule.last_job_id or ""))


def remove(schedule_id: str, expected: int | None, by: Actor) -> None:
    """Removes the schedule; what it has started goes on. Raises NotFound or StaleVersion."""

    def run(transaction: "Transaction") -> None:
        before = _read(transaction, schedule_id, expected)
        transaction.delete(reference(schedule_id))
        transaction.create(*audit.entry(by, _resource(schedule_id), _audited(before), None))

    firestore.in_transaction(run)
    driving.withdraw_or_leave(schedule_id)


def read_page(wanted: ListSchedules) -> SchedulePage:
    """One page, newest first: a read for each row and for its last job."""
    page = newest_first(firestore.client().collection(COLLECTION), "created_at", wanted, COLLECTION)
    found = [from_document(row.id, row.to_dict() or {}) for row in page.rows]
    statuses = _statuses(found)
    rows = [view(each, statuses.get(each.last_job_id or "")) for each in found]
    return SchedulePage(rows, page.next_cursor)


def all_schedules() -> list[CrawlSchedule]:
    """Every schedule, of which there are few."""
    query = firestore.client().collection(COLLECTION).limit(MOST_SCHEDULES * 2)
    with firestore.errors_mapped():
        found = [(s.id, s.to_dict() or {}) for s in query.stream(**firestore.limits())]
    return [from_document(schedule_id, fields) for schedule_id, fields in found]


def _changed(before: CrawlSchedule, content: ScheduleContent, now: datetime) -> CrawlSchedule:
    fields = _fields(content)
    if all(getattr(before, name) == value for name, value in fields.items()):
        return before
    same_timing = all(getattr(before, name) == fields[name] for name in _TIMING)
    anchor = before.anchor if same_timing else now.replace(second=0, microsecond=0)
    after = msgspec.structs.replace(
        before,
        **fields,
        anchor=anchor,
        undriven=True,
        updated_at=now,
        version=before.version + 1,
    )
    # A slot that is due at this moment, or being taken, is not skipped by a change of the name.
    due = before.next_run_at if same_timing and before.enabled and after.enabled else None
    after = msgspec.structs.replace(after, next_run_at=due or after.slot_after(now))
    if not same_timing:
        schedule_checks.check_future(after)
    return after


def _read(transaction: "Transaction", schedule_id: str, expected: int | None) -> CrawlSchedule:
    snapshot = reference(schedule_id).get(transaction=transaction, **firestore.limits())
    fields = snapshot.to_dict()
    if fields is None:
        raise NotFound("There is no such schedule.")
    if expected not in (None, fields["version"]):
        raise StaleVersion(f"The schedule is at version {fields['version']} now.")
    return from_document(schedule_id, fields)


def _fields(content: ScheduleContent) -> dict[str, Any]:
    at = content.at
    text = None if at is None else at.replace(second=0, microsecond=0).isoformat()
    return msgspec.structs.asdict(content) | {"at": text}


def _statuses(schedules: list[CrawlSchedule]) -> dict[str, str]:
    """The status of each schedule's last job."""
    jobs = firestore.client().collection(JOBS)
    wanted = [jobs.document(each.last_job_id) for each in schedules if each.last_job_id]
    found = firestore.existing(wanted, fields=["status"])
    return {each.id: each.get("status") for each in found}


def _audited(schedule: CrawlSchedule) -> dict[str, Any]:
    names = (*ScheduleContent.__struct_fields__, "version")
    return {name: getattr(schedule, name) for name in names}


def _resource(schedule_id: str) -> str:
    return f"{COLLECTION}/{schedule_id}"
